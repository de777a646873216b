use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use url::Url;
use xynergy_core::config::{ProviderConfig, Secret};
use xynergy_core::provider::{ChatRequest, Role};
use xynergy_core::{Error, ErrorKind, Result};

use super::dialect::{Address, KeyHeader, Prefill, Ways, ways};
use crate::ai::exchange::credential;

/// Azure's versions before this one know the newer name of the limit for reasoning models alone.
const FIRST_WITH_NEWER_LIMIT: &str = "2024-12-01";

/// What a provider needs to know of itself.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(super) ways: &'static Ways,
    pub(super) model: String,
    /// How a message of the assistant is continued at this address, if it is.
    pub(super) prefill: Option<Prefill>,
    base: Url,
    api_version: Option<String>,
}

impl Settings {
    pub(super) fn new(name: &str, config: &ProviderConfig) -> Result<Self> {
        let base = config.base_url(name)?;
        if base.cannot_be_a_base() {
            let message =
                format!("ai.providers.{name}.base_url: has no path; give an address such as https://host/v1");
            return Err(Error::new(ErrorKind::ConfigInvalid, "ai.new", message));
        }
        let ways = ways(config.dialect(name));
        // What is a gateway's own path may not know the other one.
        let prefill = ways.prefill.filter(|prefill| prefill.path.is_none_or(|path| has_twin(&base, path)));
        Ok(Self {
            ways,
            model: config.model(name)?,
            prefill,
            base,
            api_version: config.api_version(name)?.map(str::to_owned),
        })
    }

    /// The model that `request` asks.
    pub(super) fn model<'a>(&'a self, request: &'a ChatRequest) -> &'a str {
        if request.model.is_empty() { &self.model } else { &request.model }
    }

    /// How the last message of `request` is continued, where it is to be.
    pub(super) fn continues(&self, request: &ChatRequest) -> Option<&Prefill> {
        let last = request.messages.last()?;
        let open = last.role == Role::Assistant && last.tool_calls.is_empty() && last.content.is_some();
        self.prefill.as_ref().filter(|_| open)
    }

    /// The address for `request`.
    pub(super) fn endpoint(&self, request: &ChatRequest) -> Url {
        let mut url = self.base.clone();
        if let Some(path) = self.continues(request).and_then(|prefill| prefill.path) {
            url.set_path(path);
        }
        self.extended(url, self.model(request), &["chat", "completions"])
    }

    /// The address of `path` for `model`.
    pub(super) fn below(&self, model: &str, path: &[&str]) -> Url {
        self.extended(self.base.clone(), model, path)
    }

    fn extended(&self, mut url: Url, model: &str, ending: &[&str]) -> Url {
        let bare = matches!(url.path().trim_end_matches('/'), "" | "/openai");
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            if self.ways.address == Address::Azure && bare {
                path.clear().push("openai");
                match self.api_version {
                    Some(_) => path.extend(["deployments", model]),
                    None => path.push("v1"),
                };
            }
            path.extend(ending);
        }
        if let Some(version) = &self.api_version {
            url.query_pairs_mut().append_pair("api-version", version);
        }
        url
    }

    /// The headers that say who asks.
    pub(super) fn credentials(&self, key: Option<&Secret>) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            match self.ways.key {
                KeyHeader::Bearer => {
                    headers.insert(AUTHORIZATION, credential(&format!("Bearer {}", key.expose()))?);
                }
                KeyHeader::ApiKey => {
                    headers.insert(HeaderName::from_static("api-key"), credential(key.expose())?);
                }
            }
        }
        Ok(headers)
    }

    /// The name of the limit of the answer.
    pub(super) fn limit(&self, model: &str) -> &'static str {
        let is_old = self.api_version.as_deref().is_some_and(|version| version < FIRST_WITH_NEWER_LIMIT);
        if is_old && !has_own_temperature(model) { "max_tokens" } else { self.ways.limit }
    }

    /// Whether `model` refuses every temperature but its own.
    pub(super) fn has_own_temperature(&self, model: &str) -> bool {
        self.ways.own_temperature && has_own_temperature(model)
    }
}

/// OpenAI's reasoning models.
fn has_own_temperature(model: &str) -> bool {
    ["o1", "o3", "o4", "gpt-5"].iter().any(|family| model.starts_with(family))
}

fn has_twin(base: &Url, path: &str) -> bool {
    let own = base.path().trim_matches('/');
    own.is_empty() || own == "v1" || own == path
}

#[cfg(test)]
mod tests {
    use xynergy_core::config::Dialect;
    use xynergy_core::provider::Message;

    use super::*;

    fn settings(dialect: Dialect, base: &str, version: Option<&str>) -> Settings {
        let config = ProviderConfig {
            dialect: Some(dialect),
            base_url: Some(base.into()),
            model: Some("m".into()),
            api_version: version.map(str::to_owned),
            ..ProviderConfig::default()
        };
        Settings::new("x", &config).unwrap()
    }

    fn asked(model: &str) -> ChatRequest {
        ChatRequest { model: model.into(), ..ChatRequest::prompt("hi") }
    }

    #[test]
    fn the_endpoint_follows_the_base() {
        for base in ["https://x.example/v1", "https://x.example/v1/"] {
            let settings = settings(Dialect::Compatible, base, None);
            assert_eq!(settings.endpoint(&asked("")).as_str(), "https://x.example/v1/chat/completions");
        }
    }

    #[test]
    fn azure_is_asked_by_deployment_or_by_its_v1_api() {
        let at = |base: &str, version: Option<&str>, model: &str| {
            settings(Dialect::Azure, base, version).endpoint(&asked(model)).to_string()
        };
        let (root, version) = ("https://r.openai.azure.com", Some("2024-10-21"));
        assert_eq!(at(root, None, ""), format!("{root}/openai/v1/chat/completions"));
        assert_eq!(
            at(root, version, ""),
            format!("{root}/openai/deployments/m/chat/completions?api-version=2024-10-21")
        );
        assert_eq!(
            at(&format!("{root}/openai/"), version, "a/../b?c"),
            format!("{root}/openai/deployments/a%2F..%2Fb%3Fc/chat/completions?api-version=2024-10-21")
        );
        assert_eq!(at(&format!("{root}/openai/v1/"), None, ""), format!("{root}/openai/v1/chat/completions"));
        assert_eq!(
            at("https://r.services.ai.azure.com/models", Some("2024-05-01-preview"), ""),
            "https://r.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview"
        );
    }

    #[test]
    fn older_versions_of_azure_know_the_older_limit() {
        let limit = |version, model| settings(Dialect::Azure, "https://r.example", version).limit(model);
        assert_eq!(limit(Some("2024-08-01-preview"), "gpt-4o"), "max_tokens");
        assert_eq!(limit(Some("2024-08-01-preview"), "o1-mini"), "max_completion_tokens");
        assert_eq!(limit(Some("2025-01-01-preview"), "gpt-4o"), "max_completion_tokens");
        assert_eq!(limit(None, "gpt-4o"), "max_completion_tokens");
    }

    #[test]
    fn deepseek_continues_at_its_beta_path() {
        let mut request = asked("");
        request.messages.push(Message::text(Role::Assistant, "Once"));
        let at = |base: &str, request: &ChatRequest| {
            let settings = settings(Dialect::Deepseek, base, None);
            (settings.prefill.is_some(), settings.endpoint(request).to_string())
        };
        for base in
            ["https://api.deepseek.com", "https://api.deepseek.com/v1", "https://api.deepseek.com/beta/"]
        {
            assert_eq!(
                at(base, &request),
                (true, "https://api.deepseek.com/beta/chat/completions".to_owned())
            );
        }
        assert_eq!(at("https://api.deepseek.com", &asked("")).1, "https://api.deepseek.com/chat/completions");
        // A gateway's path is left alone, and nothing is promised.
        assert_eq!(
            at("https://g.example/ds", &request),
            (false, "https://g.example/ds/chat/completions".to_owned())
        );
    }
}
