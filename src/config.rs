//! The one configuration: a TOML file, or any serde value, becomes the same struct in every language.

mod toml;

#[cfg(feature = "attribution")]
use std::num::NonZeroU16;
#[cfg(feature = "sqlite")]
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "attribution")]
use xynergy_attribution::{
    click::ClickRules,
    matching::{ChooseBy, ContactProperties, Layers, Windows},
    revenue::{Currencies, Pipeline, Rules, StageValues},
};
#[cfg(feature = "ai")]
use xynergy_core::config::AiConfig;
#[cfg(any(feature = "attribution", feature = "execution", feature = "postgres"))]
use xynergy_core::config::SecretRef;
#[cfg(feature = "execution")]
use xynergy_core::execution::{Policy, Roles};
use xynergy_core::{Error, ErrorKind, Result, json};
#[cfg(feature = "execution")]
use xynergy_providers::ads::meta::MetaConfig;
#[cfg(feature = "attribution")]
use xynergy_providers::crm::{hubspot::HubspotConfig, webhooks::WebhooksConfig};
#[cfg(all(feature = "redis", feature = "ai"))]
pub use xynergy_providers::redis::{RedisConfig, RedisUrl};
#[cfg(feature = "postgres")]
pub use xynergy_providers::store::postgres::{DatabaseUrl, PostgresConfig};

#[cfg(feature = "allocation")]
use crate::winners::WinnersConfig;

/// The version of the configuration's shape that this library reads.
const VERSION: u32 = 1;

/// What a [`Client`](crate::Client) is built from. Unknown keys are errors that name the known ones.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The version of this shape: 1.
    pub version: u32,
    /// Where clicks, revenue, changes and state are kept.
    #[serde(default)]
    pub store: StoreConfig,
    /// Where the account of AI spend is kept, instead of in the store, and where requests and tokens a minute are counted, instead of in
    /// each process: a Redis server that many workers share. While it is away, each process counts rates by itself.
    #[cfg(all(feature = "redis", feature = "ai"))]
    #[serde(default)]
    pub redis: Option<RedisConfig>,
    /// AI providers, routing, cache and limits.
    #[cfg(feature = "ai")]
    #[serde(default)]
    pub ai: AiConfig,
    /// Clicks, matching and stage values.
    #[cfg(feature = "attribution")]
    #[serde(default)]
    pub attribution: AttributionConfig,
    /// The winners.
    #[cfg(feature = "allocation")]
    #[serde(default)]
    pub allocation: AllocationConfig,
    /// The CRM: webhooks in, deals read.
    #[cfg(feature = "attribution")]
    #[serde(default)]
    pub hubspot: Option<HubspotConfig>,
    /// Deals and contacts that any backend sends by signed webhooks, beside the CRM or without one.
    #[cfg(feature = "attribution")]
    #[serde(default)]
    pub webhooks: Option<WebhooksConfig>,
    /// The ad platform.
    #[cfg(feature = "execution")]
    #[serde(default)]
    pub meta: Option<MetaConfig>,
    /// The limits of budget changes.
    #[cfg(feature = "execution")]
    #[serde(default)]
    pub execution: ExecutionConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: VERSION,
            store: StoreConfig::default(),
            #[cfg(all(feature = "redis", feature = "ai"))]
            redis: None,
            #[cfg(feature = "ai")]
            ai: AiConfig::default(),
            #[cfg(feature = "attribution")]
            attribution: AttributionConfig::default(),
            #[cfg(feature = "allocation")]
            allocation: AllocationConfig::default(),
            #[cfg(feature = "attribution")]
            hubspot: None,
            #[cfg(feature = "attribution")]
            webhooks: None,
            #[cfg(feature = "execution")]
            meta: None,
            #[cfg(feature = "execution")]
            execution: ExecutionConfig::default(),
        }
    }
}

/// Where everything durable is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum StoreConfig {
    /// Nothing is kept beyond the process.
    #[default]
    Memory,
    /// One SQLite file on a local disk.
    #[cfg(feature = "sqlite")]
    Sqlite {
        /// The file; created when absent.
        path: PathBuf,
    },
    /// A schema in a PostgreSQL database, for many workers.
    #[cfg(feature = "postgres")]
    Postgres(PostgresConfig),
}

/// Clicks, matching and stage values.
#[cfg(feature = "attribution")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AttributionConfig {
    /// A secret of every hash of something that identifies: 64 hex digits. Without one, all there is of the keys is kept in the
    /// store; give one if whoever reads the store must not be able to test addresses.
    pub identity_key: Option<SecretRef>,
    /// Which layers of matching are used: 1 by click id, 2 by fingerprint, 3 by address and user agent. What is not used is
    /// neither computed, stored nor matched. All when absent; in the Swift package on Apple platforms layer 1 alone.
    pub layers: Option<Layers>,
    /// How far before a conversion its click may lie.
    pub windows: Windows,
    /// Which candidate becomes the match where no click id decides: `tier` (the latest of the surest layer) or `probability` (the likeliest,
    /// once `attribution.train` has made a model).
    pub choose_by: ChooseBy,
    /// What a deal is worth by its stage.
    pub stages: StageValues,
    /// The CRM's pipelines whose stages have a probability or a value of their own; `stages` holds for all others.
    pub pipelines: Vec<Pipeline>,
    /// Whether a deal whose amount is known is worth that amount times the probability of its stage, instead of the value of
    /// the stage.
    pub use_amounts: bool,
    /// The currency of every value, and what others are worth in it.
    pub currencies: Currencies,
    /// The CRM's names of the contact properties that are read.
    pub contact_properties: ContactProperties,
    /// How clicks are read, and what of them is evidence.
    pub clicks: ClickRules,
    /// The keys under which what identifies is hashed.
    pub keys: ClickKeysConfig,
    /// How long clicks are kept.
    pub retention: RetentionConfig,
}

/// The keys under which what identifies is hashed.
#[cfg(feature = "attribution")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClickKeysConfig {
    /// How many days (UTC) have one key. It is made at random and kept in the store, hashed with `identity_key` where that is
    /// configured, and thrown away with the clicks of its days. Days before a change of this number keep their keys.
    pub rotate_days: NonZeroU16,
}

#[cfg(feature = "attribution")]
impl Default for ClickKeysConfig {
    fn default() -> Self {
        Self { rotate_days: NonZeroU16::MIN.saturating_add(29) }
    }
}

/// How long clicks are kept.
#[cfg(feature = "attribution")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// After how many days `attribution.prune` forgets a click: by default 90, the life of the ad platforms' own click cookies.
    /// No match reaches further back.
    pub clicks_days: NonZeroU16,
}

#[cfg(feature = "attribution")]
impl Default for RetentionConfig {
    fn default() -> Self {
        Self { clicks_days: NonZeroU16::MIN.saturating_add(89) }
    }
}

#[cfg(feature = "attribution")]
impl AttributionConfig {
    /// What deals are worth.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            stages: self.stages.clone(),
            pipelines: self.pipelines.clone(),
            use_amounts: self.use_amounts,
            currencies: self.currencies.clone(),
        }
    }

    /// What is read of a deal in the CRM, for what these rules ask and its events may not tell.
    pub(crate) fn deal_properties(&self) -> &'static [&'static str] {
        match (self.use_amounts, self.pipelines.is_empty()) {
            (true, false) => &["pipeline", "amount", "deal_currency_code"],
            (true, true) => &["amount", "deal_currency_code"],
            (false, false) => &["pipeline"],
            (false, true) => &[],
        }
    }
}

/// What budgets are drawn from.
#[cfg(feature = "allocation")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AllocationConfig {
    /// Where the creatives that won are kept, and how large their embeddings are.
    pub winners: WinnersConfig,
}

/// The limits of budget changes: a preset, or every figure by itself.
#[cfg(feature = "execution")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExecutionConfig {
    /// `standard` (no fuzz), `seed` (3 % fuzz) or `exact` (no jitter and no fuzz).
    pub preset: String,
    /// Instead of the preset: figures that are not given are those of `standard`.
    pub policy: Option<Policy>,
    /// The secret that jitter and fuzz are drawn with. Without one, a key is made at the first use and kept in the store.
    pub draw_key: Option<SecretRef>,
    /// Whether changes that are queued from now on wait until somebody approves the digest of their plan.
    pub require_approval: bool,
    /// Who may approve, and who may give verdicts, retry and switch a kill switch off. Without an entry every named actor may.
    pub roles: Roles,
}

#[cfg(feature = "execution")]
impl Default for ExecutionConfig {
    fn default() -> Self {
        Self {
            preset: "standard".to_owned(),
            policy: None,
            draw_key: None,
            require_approval: false,
            roles: Roles::default(),
        }
    }
}

#[cfg(feature = "execution")]
impl ExecutionConfig {
    /// The policy that is meant.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) for an unknown preset and for a figure out of its range.
    pub(crate) fn policy(&self) -> Result<Policy> {
        let policy = match self.policy {
            Some(policy) => policy,
            None => Policy::preset(&self.preset)?,
        };
        policy.validate()?;
        Ok(policy)
    }
}

impl Config {
    /// Reads the environment: `OPENAI_API_KEY`, `ABACUS_API_KEY`, `ANTHROPIC_API_KEY`, `INTERNAL_AI_URL`, `TOKEN_OPTIMIZATION_ENABLED`,
    /// `DATABASE_URL` (`sqlite:PATH` or `postgres://...`), `META_ACCESS_TOKEN`, `META_AD_ACCOUNT_ID`, `META_API_VERSION`, `META_APP_ID`,
    /// `META_APP_SECRET`, `HUBSPOT_CLIENT_SECRET`. What is not set is not configured.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) for a `DATABASE_URL` that this build cannot open.
    pub fn from_env() -> Result<Self> {
        Self::from_variables(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut config = Self::default();
        if let Some(url) = variable("DATABASE_URL") {
            config.store = store_of(&url)?;
        }
        #[cfg(feature = "ai")]
        {
            config.ai = AiConfig::from_env(&variable);
        }
        #[cfg(feature = "attribution")]
        {
            config.hubspot = variable("HUBSPOT_CLIENT_SECRET").map(|_| HubspotConfig::default());
        }
        #[cfg(feature = "execution")]
        {
            config.meta = MetaConfig::from_env(&variable);
        }
        Ok(config)
    }

    /// Reads a TOML text.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid): one line that names the key, the problem and the choices.
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::read(text)
    }

    /// Reads a value, as a Python dict or a JavaScript object becomes one.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml).
    pub fn from_value(value: serde_json::Value) -> Result<Self> {
        let wrong = |message: String| Error::new(ErrorKind::ConfigInvalid, "config", message);
        match value.get("version").map(serde_json::Value::as_u64) {
            Some(Some(version)) if version == u64::from(VERSION) => {}
            Some(_) => {
                return Err(wrong(format!(
                    "version: it is not one that this library reads (it reads {VERSION})"
                )));
            }
            None => return Err(wrong(format!("version: missing; give {VERSION}"))),
        }
        json::read(&value.to_string()).map_err(|why| wrong(why.to_string()))
    }

    /// The JSON Schema of this shape, for editors and for checking a file before it is used.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}

/// `sqlite:PATH`, `sqlite://PATH` or `memory`.
#[cfg(feature = "postgres")]
const CHOICES: &str = "sqlite:PATH, postgres://USER@HOST/DATABASE or memory";
#[cfg(not(feature = "postgres"))]
const CHOICES: &str = "sqlite:PATH or memory";

fn store_of(url: &str) -> Result<StoreConfig> {
    match url.split_once(':') {
        None if url == "memory" => Ok(StoreConfig::Memory),
        #[cfg(feature = "sqlite")]
        Some(("sqlite", path)) if !path.trim_start_matches("//").is_empty() => {
            Ok(StoreConfig::Sqlite { path: path.strip_prefix("//").unwrap_or(path).into() })
        }
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => {
            // The URL may hold a password: it stays in the variable.
            let url = DatabaseUrl::Secret(SecretRef::Env("DATABASE_URL".to_owned()));
            Ok(StoreConfig::Postgres(PostgresConfig::new(url)))
        }
        scheme => Err(Error::new(
            ErrorKind::ConfigInvalid,
            "config",
            format!(
                "DATABASE_URL: the scheme {:?} is not one that this build opens; give {CHOICES}",
                scheme.map_or(url, |(scheme, _)| scheme)
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_file_is_a_version() {
        assert_eq!(Config::from_toml("version = 1").unwrap().store, StoreConfig::Memory);
    }

    #[test]
    fn the_environment_chooses_the_store() {
        let with = |url: &str| {
            let url = url.to_owned();
            Config::from_variables(move |name| (name == "DATABASE_URL").then(|| url.clone())).map(|c| c.store)
        };
        assert_eq!(with("memory").unwrap(), StoreConfig::Memory);
        #[cfg(feature = "sqlite")]
        for url in ["sqlite:/a/b.db", "sqlite:///a/b.db"] {
            assert_eq!(with(url).unwrap(), StoreConfig::Sqlite { path: "/a/b.db".into() });
        }
        let error = with("mysql://user:secret@host/db").unwrap_err();
        assert!(error.message().contains("mysql") && !error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_named_with_the_choices() {
        let error = Config::from_toml("version = 1\n[aii]\n").unwrap_err();
        assert!(error.message().contains("aii") && error.message().contains("`store`"), "{error}");
        assert!(error.message().contains("line 2"), "{error}");
    }

    #[test]
    fn another_version_is_told_before_its_keys() {
        let error = Config::from_toml("version = 2\nnew_key = 1").unwrap_err();
        assert!(error.message().contains("version: 2"), "{error}");
        assert!(
            Config::from_toml("[store]\ntype = \"memory\"")
                .unwrap_err()
                .message()
                .contains("version: missing")
        );
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn stores_are_chosen_by_type() {
        let config = Config::from_toml("version = 1\n[store]\ntype = \"sqlite\"\npath = \"x.db\"").unwrap();
        assert_eq!(config.store, StoreConfig::Sqlite { path: "x.db".into() });
        let error = Config::from_toml("version = 1\n[store]\ntype = \"mysql\"").unwrap_err();
        assert!(error.message().contains("sqlite"), "{error}");
    }
}
