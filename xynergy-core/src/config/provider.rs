use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::ai::wrong;
use super::{ApiKeys, RateLimit};
use crate::error::Result;
use crate::spend::{Price, ProviderPricing};

/// The type of a provider that names none.
pub const OPENAI_COMPATIBLE: &str = "openai_compatible";
/// The type of a provider that speaks OpenAI's Responses API.
pub const OPENAI_RESPONSES: &str = "openai_responses";
/// The type of a provider that speaks Anthropic's Messages API; that of every one whose dialect is `anthropic`.
pub const ANTHROPIC: &str = "anthropic";
/// The type of a provider or embedder that the host gives as an object of that name: what it costs, and its limits.
pub const HOST: &str = "host";

/// One AI provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderConfig {
    /// What builds it: `openai_compatible`, `openai_responses`, `anthropic`; or `host` for the price and the limits of a provider or an
    /// embedder that the host gives under this name.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose ways it has; by its name where absent.
    pub dialect: Option<Dialect>,
    /// The address up to and without `/chat/completions`; the dialect's own where absent.
    pub base_url: Option<String>,
    /// The `api-version` of Azure; its v1 API, which needs none, where absent.
    pub api_version: Option<String>,
    /// Where its API key is found, or a list of several, which take turns; none is sent where absent. A key that is refused or
    /// throttled rests for a while, and the next one is used.
    pub api_key: Option<ApiKeys>,
    /// The model that is asked when a request names none; the dialect's own where absent.
    pub model: Option<String>,
    /// How many tokens prompt and answer of its default model may have together, where the library does not know or knows it
    /// wrong. A request that does not fit goes to the next model that it fits.
    pub context_window: Option<u64>,
    /// The same for other models of its, by their names.
    pub context_windows: BTreeMap<String, u64>,
    /// What it costs, where the library does not know or knows it wrong.
    pub price: Option<PriceConfig>,
    /// Allows `http` to other machines: prompts and key then travel unencrypted.
    pub allow_http: bool,
    /// How many requests and tokens a minute each tenant may send to it; unlimited when absent.
    pub rate_limit: Option<RateLimit>,
}

impl Default for ProviderConfig {
    fn default() -> Self {
        Self {
            kind: OPENAI_COMPATIBLE.to_owned(),
            dialect: None,
            base_url: None,
            api_version: None,
            api_key: None,
            model: None,
            context_window: None,
            context_windows: BTreeMap::new(),
            price: None,
            allow_http: false,
            rate_limit: None,
        }
    }
}

/// Whose ways a provider has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// OpenAI itself.
    Openai,
    /// Azure OpenAI: models are deployments of the user's own.
    Azure,
    /// Abacus.AI's RouteLLM API.
    Abacus,
    /// OpenRouter.
    Openrouter,
    /// Groq.
    Groq,
    /// Mistral AI.
    Mistral,
    /// DeepSeek.
    Deepseek,
    /// Ollama on a machine of the user's own.
    Ollama,
    /// vLLM on a machine of the user's own.
    Vllm,
    /// llama.cpp's server on a machine of the user's own.
    LlamaCpp,
    /// A model that the user runs, whatever serves it.
    Internal,
    /// Anthropic, by its Messages API.
    Anthropic,
    /// Any other.
    Compatible,
}

/// What a dialect brings where the configuration is silent.
struct Defaults {
    name: &'static str,
    base_url: Option<&'static str>,
    model: Option<&'static str>,
    /// Where nothing better is known: Abacus bills in credits, and a model of one's own has no list price.
    price: Option<Price>,
    /// Whether list prices of models hold there.
    list_prices: bool,
}

const OWN_MACHINE: Option<Price> = Some(Price::PerRequest(1_000_000));

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 13] = [
        Self::Openai,
        Self::Azure,
        Self::Abacus,
        Self::Openrouter,
        Self::Groq,
        Self::Mistral,
        Self::Deepseek,
        Self::Ollama,
        Self::Vllm,
        Self::LlamaCpp,
        Self::Internal,
        Self::Anthropic,
        Self::Compatible,
    ];

    #[rustfmt::skip] // A table.
    fn defaults(self) -> Defaults {
        let of = |name, base_url, model, price, list_prices| Defaults { name, base_url, model, price, list_prices };
        match self {
            Self::Openai => of("openai", Some("https://api.openai.com/v1"), Some("gpt-4o-mini"), None, true),
            Self::Azure => of("azure", None, None, None, true),
            Self::Abacus => of("abacus", Some("https://routellm.abacus.ai/v1"), Some("route-llm"), Some(Price::PerRequest(15_000_000)), false),
            Self::Openrouter => of("openrouter", Some("https://openrouter.ai/api/v1"), Some("openrouter/auto"), None, true),
            Self::Groq => of("groq", Some("https://api.groq.com/openai/v1"), None, None, true),
            Self::Mistral => of("mistral", Some("https://api.mistral.ai/v1"), Some("mistral-small-latest"), None, true),
            Self::Deepseek => of("deepseek", Some("https://api.deepseek.com"), Some("deepseek-v4-flash"), None, true),
            Self::Ollama => of("ollama", Some("http://localhost:11434/v1"), None, OWN_MACHINE, false),
            Self::Vllm => of("vllm", Some("http://localhost:8000/v1"), None, OWN_MACHINE, false),
            Self::LlamaCpp => of("llama_cpp", Some("http://localhost:8080/v1"), None, OWN_MACHINE, false),
            Self::Anthropic => of("anthropic", Some("https://api.anthropic.com/v1"), Some("claude-haiku-4-5"), None, true),
            Self::Internal => of("internal", None, Some("llama-3.1-8b-instruct"), OWN_MACHINE, false),
            Self::Compatible => of("compatible", None, None, None, true),
        }
    }

    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        self.defaults().name
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == name)
    }
}

/// What a model costs: `per_request_nano_usd`, or the prices of a million tokens. All in billionths of a dollar.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PriceConfig {
    /// The same for every answer.
    pub per_request_nano_usd: Option<u64>,
    /// A million tokens of the prompt.
    pub input_per_million_nano_usd: Option<u64>,
    /// A million tokens of the prompt that the provider had cached; as input where absent.
    pub cached_input_per_million_nano_usd: Option<u64>,
    /// A million tokens of the answer.
    pub output_per_million_nano_usd: Option<u64>,
}

impl PriceConfig {
    fn price(&self, key: &str) -> Result<Price> {
        match (self.per_request_nano_usd, self.input_per_million_nano_usd, self.output_per_million_nano_usd) {
            (Some(price), None, None) if self.cached_input_per_million_nano_usd.is_none() => {
                Ok(Price::PerRequest(price))
            }
            (None, Some(input), Some(output)) => {
                let cached_input = self.cached_input_per_million_nano_usd.unwrap_or(input);
                Ok(Price::per_million(input, cached_input, output))
            }
            _ => Err(wrong(format!(
                "{key}: give either per_request_nano_usd or both input_per_million_nano_usd and output_per_million_nano_usd"
            ))),
        }
    }
}

impl ProviderConfig {
    /// Its type. The dialect `anthropic` is not OpenAI-compatible: a provider of that dialect or name is of type `anthropic`
    /// unless it has another dialect.
    pub fn kind(&self, name: &str) -> &str {
        if self.kind == OPENAI_COMPATIBLE && self.dialect(name) == Dialect::Anthropic {
            ANTHROPIC
        } else {
            &self.kind
        }
    }

    /// Its dialect: the given one, or that of its type or name.
    pub fn dialect(&self, name: &str) -> Dialect {
        let of_kind = || match self.kind.as_str() {
            OPENAI_RESPONSES => Some(Dialect::Openai),
            ANTHROPIC => Some(Dialect::Anthropic),
            _ => None,
        };
        self.dialect.or_else(of_kind).or_else(|| Dialect::named(name)).unwrap_or(Dialect::Compatible)
    }

    /// The model that is asked when a request names none.
    pub fn model(&self, name: &str) -> Result<String> {
        let own = self.model.as_deref().filter(|model| !model.trim().is_empty());
        own.or(self.dialect(name).defaults().model).map(str::to_owned).ok_or_else(|| {
            wrong(format!("ai.providers.{name}.model: missing; name the model that is asked by default"))
        })
    }

    /// The address, checked: `https`, or `http` to this machine or where `allow_http` says so; without credentials.
    pub fn base_url(&self, name: &str) -> Result<Url> {
        let key = format!("ai.providers.{name}.base_url");
        let Some(text) = self.base_url.as_deref().or(self.dialect(name).defaults().base_url) else {
            return Err(wrong(format!(
                "{key}: missing; give the address, such as https://host/v1, or set type = \"host\" for an object of your own"
            )));
        };
        // The address is not repeated: it may hold a credential.
        let url: Url = text
            .parse()
            .map_err(|error| wrong(format!("{key}: not an address such as https://host/v1 ({error})")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(format!("{key}: holds a credential; move it to api_key")));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(format!("{key}: has a query or fragment; give the address up to the path")));
        }
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.allow_http || is_loopback(&url) => Ok(url),
            "http" => Err(wrong(format!(
                "{key}: http to another machine is unencrypted; use https or set allow_http = true"
            ))),
            other => Err(wrong(format!("{key}: {other} is neither https nor http"))),
        }
    }

    /// The version of Azure's API, if one is given: letters, digits and hyphens.
    pub fn api_version(&self, name: &str) -> Result<Option<&str>> {
        let Some(version) = self.api_version.as_deref() else { return Ok(None) };
        let key = format!("ai.providers.{name}.api_version");
        if self.dialect(name) != Dialect::Azure {
            return Err(wrong(format!(
                "{key}: only Azure has versions; remove it, or set dialect = \"azure\""
            )));
        }
        if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(wrong(format!("{key}: no version such as 2024-10-21")));
        }
        Ok(Some(version))
    }

    /// What is known of its prices.
    pub fn pricing(&self, name: &str) -> Result<ProviderPricing> {
        let defaults = self.dialect(name).defaults();
        let own = self
            .price
            .as_ref()
            .map(|price| price.price(&format!("ai.providers.{name}.price")))
            .transpose()?;
        Ok(ProviderPricing {
            own,
            default_model: self.model(name).unwrap_or_default(),
            list_prices: defaults.list_prices,
            otherwise: defaults.price,
        })
    }

    /// The tokens that prompt and answer may have together, by the names of models; `default_model` is its default one.
    pub fn windows(&self, default_model: &str) -> BTreeMap<String, u64> {
        let of_default = self.context_window.map(|window| (default_model.to_owned(), window));
        let named = self.context_windows.iter().map(|(model, window)| (model.clone(), *window));
        of_default.into_iter().chain(named).collect()
    }

    /// Checks everything. A type of the host's own needs neither address nor model here.
    pub(super) fn validate(&self, name: &str) -> Result<()> {
        if [OPENAI_COMPATIBLE, OPENAI_RESPONSES, ANTHROPIC].contains(&self.kind.as_str()) {
            self.base_url(name)?;
            self.model(name)?;
            self.api_version(name)?;
        }
        self.pricing(name)?;
        if let Some(keys) = &self.api_key {
            keys.validate(&format!("ai.providers.{name}.api_key"))?;
        }
        if self.context_window == Some(0) || self.context_windows.values().any(|window| *window == 0) {
            return Err(wrong(format!(
                "ai.providers.{name}: a context window of 0 holds nothing; give its tokens or leave it away"
            )));
        }
        self.rate_limit.map_or(Ok(()), |limit| limit.validate(&format!("ai.providers.{name}.rate_limit")))
    }
}

/// Whether an address is on this machine: the only ones that may be reached without TLS.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> ProviderConfig {
        ProviderConfig { base_url: Some(url.to_owned()), ..ProviderConfig::default() }
    }

    #[test]
    fn names_bring_defaults() {
        let config = ProviderConfig::default();
        assert_eq!(config.base_url("openai").unwrap().as_str(), "https://api.openai.com/v1");
        assert_eq!(config.model("abacus").unwrap(), "route-llm");
        assert_eq!(config.pricing("internal").unwrap().otherwise, Some(Price::PerRequest(1_000_000)));
        let missing = |name: &str| config.validate(name).unwrap_err().message().to_owned();
        assert!(missing("somebody").contains("ai.providers.somebody.base_url: missing"));
        assert!(missing("azure").contains("ai.providers.azure.base_url: missing"));
        assert!(missing("groq").contains("ai.providers.groq.model: missing"));
        for name in ["mistral", "deepseek", "openrouter"] {
            assert!(config.validate(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_dialect_is_named_as_it_is_written() {
        for dialect in Dialect::ALL {
            assert_eq!(serde_json::to_value(dialect).unwrap(), dialect.as_str());
            assert_eq!(ProviderConfig::default().dialect(dialect.as_str()), dialect);
        }
    }

    #[test]
    fn only_azure_has_versions() {
        let config = ProviderConfig { api_version: Some("2024-10-21".into()), ..at("https://x.example") };
        assert_eq!(config.api_version("azure").unwrap(), Some("2024-10-21"));
        assert!(config.api_version("openai").unwrap_err().message().contains("only Azure"));
        for bad in ["", "2024&x=1", "a b"] {
            let config = ProviderConfig { api_version: Some(bad.into()), ..at("https://x.example") };
            assert!(config.api_version("azure").is_err(), "{bad}");
        }
    }

    #[test]
    fn anthropic_is_a_type_of_its_own() {
        let config = ProviderConfig::default();
        assert_eq!((config.kind("anthropic"), config.kind("openai")), (ANTHROPIC, OPENAI_COMPATIBLE));
        assert_eq!(config.base_url("anthropic").unwrap().as_str(), "https://api.anthropic.com/v1");
        assert!(config.pricing("anthropic").unwrap().list_prices);
        let of_type = ProviderConfig { kind: ANTHROPIC.into(), ..ProviderConfig::default() };
        assert_eq!(of_type.dialect("claude"), Dialect::Anthropic);
        assert!(of_type.validate("claude").is_ok());
        let of_dialect = |dialect| ProviderConfig { dialect: Some(dialect), ..ProviderConfig::default() };
        assert_eq!(of_dialect(Dialect::Anthropic).kind("x"), ANTHROPIC);
        assert_eq!(of_dialect(Dialect::Compatible).kind("anthropic"), OPENAI_COMPATIBLE);
    }

    #[test]
    fn addresses_are_checked_and_not_repeated() {
        for good in
            ["https://x.example/v1", "http://127.0.0.1:9/v1", "http://[::1]/", "http://localhost:1/v1"]
        {
            assert!(at(good).base_url("x").is_ok(), "{good}");
        }
        for (bad, part) in [
            ("http://10.0.0.1/v1", "allow_http"),
            ("https://me:sesame@x.example", "api_key"),
            ("https://x.example?key=sesame", "query"),
            ("ftp://x.example", "ftp"),
            ("sesame", "address"),
        ] {
            let error = at(bad).base_url("x").unwrap_err();
            assert!(error.message().contains(part) && !error.message().contains("sesame"), "{error}");
        }
        assert!(ProviderConfig { allow_http: true, ..at("http://10.0.0.1/v1") }.base_url("x").is_ok());
    }

    #[test]
    fn prices_are_one_or_the_other() {
        let price = |toml: &str| toml::from_str::<PriceConfig>(toml).unwrap().price("p");
        assert_eq!(price("per_request_nano_usd = 5").unwrap(), Price::PerRequest(5));
        assert_eq!(
            price("input_per_million_nano_usd = 1\noutput_per_million_nano_usd = 2").unwrap(),
            Price::per_million(1, 1, 2)
        );
        assert!(price("input_per_million_nano_usd = 1").is_err());
        assert!(price("").is_err());
        assert!(toml::from_str::<PriceConfig>("per_request = 0.015").is_err());
    }
}
