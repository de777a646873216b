use url::Url;
use xynergy_core::config::{Dialect, ProviderConfig, SecretRef};
use xynergy_core::{Error, ErrorKind, Result};

/// What a provider needs to know of itself.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) dialect: Dialect,
    /// The address of `chat/completions`.
    pub(super) endpoint: Url,
    pub(super) api_key: Option<SecretRef>,
    pub(super) model: String,
}

impl Settings {
    pub(super) fn new(name: &str, config: &ProviderConfig) -> Result<Self> {
        let mut endpoint = config.base_url(name)?;
        endpoint
            .path_segments_mut()
            .map_err(|()| {
                let message = format!(
                    "ai.providers.{name}.base_url: has no path; give an address such as https://host/v1"
                );
                Error::new(ErrorKind::ConfigInvalid, "ai.new", message)
            })?
            .pop_if_empty()
            .extend(["chat", "completions"]);
        Ok(Self {
            name: name.to_owned(),
            dialect: config.dialect(name),
            endpoint,
            api_key: config.api_key.clone(),
            model: config.model(name)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_follows_the_base() {
        for base in ["https://x.example/v1", "https://x.example/v1/"] {
            let config = ProviderConfig {
                base_url: Some(base.into()),
                model: Some("m".into()),
                ..ProviderConfig::default()
            };
            let settings = Settings::new("x", &config).unwrap();
            assert_eq!(settings.endpoint.as_str(), "https://x.example/v1/chat/completions");
        }
    }
}
