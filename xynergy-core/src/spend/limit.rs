use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Window, Zone};

/// What a limit is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// Everything that the tenant spends.
    #[default]
    Tenant,
    /// What carries this tag.
    Tag(String),
    /// What is spent under this name of the caller's, as that of an API key that the host hands out.
    Key(String),
}

impl LimitScope {
    /// The scopes that a call belongs to.
    pub fn of_call<'a>(
        tags: &'a BTreeSet<String>,
        key: Option<&'a str>,
    ) -> impl Iterator<Item = Self> + use<'a> {
        let tags = tags.iter().cloned().map(Self::Tag);
        std::iter::once(Self::Tenant).chain(tags).chain(key.map(|key| Self::Key(key.to_owned())))
    }

    /// Whether a call belongs to it.
    pub fn covers(&self, tags: &BTreeSet<String>, key: Option<&str>) -> bool {
        match self {
            Self::Tenant => true,
            Self::Tag(tag) => tags.contains(tag),
            Self::Key(name) => key == Some(name),
        }
    }

    /// As one text, by which stores tell scopes apart: `tenant`, `tag:NAME`, `key:NAME`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Tenant => "tenant".to_owned(),
            Self::Tag(tag) => format!("tag:{tag}"),
            Self::Key(key) => format!("key:{key}"),
        }
    }
}

impl fmt::Display for LimitScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant => f.write_str("the tenant"),
            Self::Tag(tag) => write!(f, "tag {tag:?}"),
            Self::Key(key) => write!(f, "key {key:?}"),
        }
    }
}

/// A cap on AI money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpendLimit {
    /// What it is for.
    #[serde(default)]
    pub scope: LimitScope,
    /// Over which span.
    pub window: Window,
    /// Whose calendar and clock the span is of: an IANA name, UTC when absent.
    #[serde(default, skip_serializing_if = "Zone::is_utc")]
    pub zone: Zone,
    /// The cap, in billionths of a dollar.
    pub amount_nano_usd: u64,
    /// A hard limit refuses the call that could cross it; a soft one lets it pass and says so.
    pub hard: bool,
}

impl SpendLimit {
    /// Whether a limit of this scope and window takes its place.
    pub fn is_of(&self, scope: &LimitScope, window: Window) -> bool {
        self.window == window && self.scope == *scope
    }
}
