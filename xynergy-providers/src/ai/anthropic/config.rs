use url::Url;
use xynergy_core::config::ProviderConfig;
use xynergy_core::{Error, ErrorKind, Result};

/// What the provider needs to know of itself.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The address of `messages`.
    pub(super) endpoint: Url,
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
            .push("messages");
        Ok(Self { endpoint, model: config.model(name)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_follows_the_base() {
        let own = Settings::new("anthropic", &ProviderConfig::default()).unwrap();
        assert_eq!(own.endpoint.as_str(), "https://api.anthropic.com/v1/messages");
        let config =
            ProviderConfig { base_url: Some("https://x.example/a/v1/".into()), ..ProviderConfig::default() };
        let settings = Settings::new("anthropic", &config).unwrap();
        assert_eq!(settings.endpoint.as_str(), "https://x.example/a/v1/messages");
    }
}
