use std::fmt;
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::ai::wrong;
use crate::error::Result;
use crate::rate::Rate;

/// How many requests and tokens a minute: a preset, `{ per_minute = N }` requests, or figures for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RateLimit {
    /// A preset.
    Preset(RatePreset),
    /// So many requests.
    Requests(RequestRate),
    /// Requests, tokens, or both.
    Figures(RateFigures),
}

/// A number of requests with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RatePreset {
    /// 60 requests a minute.
    Standard,
    /// 10 requests a minute.
    Expensive,
    /// 30 requests a minute.
    Ai,
}

/// So many requests a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestRate {
    /// Requests a minute, at least 1.
    pub per_minute: u32,
}

/// So many requests or tokens a minute, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RateFigures {
    /// Requests a minute, at least 1; any number where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Tokens of prompts and answers a minute, at least 1; any number where absent. What a call will need is estimated before it
    /// is made and corrected by what it used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u32>,
}

impl RateLimit {
    /// So many requests a minute.
    pub fn requests(per_minute: u32) -> Self {
        Self::Requests(RequestRate { per_minute })
    }

    /// The figures.
    pub fn rate(self) -> Rate {
        let figures = self.figures();
        Rate {
            requests: figures.requests_per_minute.and_then(NonZeroU32::new),
            tokens: figures.tokens_per_minute.and_then(NonZeroU32::new),
        }
    }

    fn figures(self) -> RateFigures {
        let requests = |most| RateFigures { requests_per_minute: Some(most), tokens_per_minute: None };
        match self {
            Self::Preset(RatePreset::Standard) => requests(60),
            Self::Preset(RatePreset::Expensive) => requests(10),
            Self::Preset(RatePreset::Ai) => requests(30),
            Self::Requests(RequestRate { per_minute }) => requests(per_minute),
            Self::Figures(figures) => figures,
        }
    }

    pub(super) fn validate(self, key: &str) -> Result<()> {
        let RateFigures { requests_per_minute, tokens_per_minute } = self.figures();
        let given = [requests_per_minute, tokens_per_minute];
        if given == [None, None] {
            return Err(wrong(format!(
                "{key}: limits nothing; give requests_per_minute or tokens_per_minute, or leave it away"
            )));
        }
        if given.contains(&Some(0)) {
            return Err(wrong(format!("{key}: 0 a minute allows nothing; give at least 1 or leave it away")));
        }
        match given.into_iter().flatten().find(|figure| *figure > Rate::MOST) {
            Some(figure) => Err(wrong(format!(
                "{key}: {figure} a minute is more than {}; give less or leave it away",
                Rate::MOST
            ))),
            None => Ok(()),
        }
    }
}

/// By hand, so that an error names the field that is wrong and not that no variant fits.
impl<'de> Deserialize<'de> for RateLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PresetOrFigures)
    }
}

struct PresetOrFigures;

impl<'de> Visitor<'de> for PresetOrFigures {
    type Value = RateLimit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"standard\", \"expensive\", \"ai\" or { requests_per_minute, tokens_per_minute }")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<RateLimit, E> {
        RatePreset::deserialize(StrDeserializer::new(name)).map(RateLimit::Preset)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RateLimit, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct All {
            per_minute: Option<u32>,
            requests_per_minute: Option<u32>,
            tokens_per_minute: Option<u32>,
        }
        let All { per_minute, requests_per_minute, tokens_per_minute } =
            All::deserialize(MapAccessDeserializer::new(map))?;
        match (per_minute, requests_per_minute, tokens_per_minute) {
            (None, ..) => Ok(RateLimit::Figures(RateFigures { requests_per_minute, tokens_per_minute })),
            (Some(per_minute), None, None) => Ok(RateLimit::requests(per_minute)),
            (Some(_), ..) => Err(serde::de::Error::custom(
                "per_minute stands alone; beside tokens_per_minute it is called requests_per_minute",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<RateLimit, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn presets_and_figures_are_read_and_written() {
        for (json, requests, tokens) in [
            ("\"standard\"", 60, 0),
            ("\"expensive\"", 10, 0),
            ("\"ai\"", 30, 0),
            ("{\"per_minute\":7}", 7, 0),
            ("{\"requests_per_minute\":7}", 7, 0),
            ("{\"tokens_per_minute\":9000}", 0, 9_000),
            ("{\"requests_per_minute\":7,\"tokens_per_minute\":9000}", 7, 9_000),
        ] {
            let limit = read(json).unwrap();
            limit.validate("k").unwrap();
            let rate = limit.rate();
            let figure = |figure: Option<NonZeroU32>| figure.map_or(0, NonZeroU32::get);
            assert_eq!((figure(rate.requests), figure(rate.tokens)), (requests, tokens), "{json}");
            assert_eq!(serde_json::to_string(&limit).unwrap(), json);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, part) in [
            ("\"cheap\"", "`standard`, `expensive`, `ai`"),
            ("{\"tokens\":1}", "`tokens_per_minute`"),
            ("{\"per_minute\":1,\"tokens_per_minute\":1}", "is called requests_per_minute"),
            ("{\"per_minute\":-1}", "u32"),
            ("7", "requests_per_minute"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(part), "{json}: {error}");
        }
        for (json, part) in [
            ("{}", "k: limits nothing"),
            ("{\"per_minute\":0}", "k: 0 a minute"),
            ("{\"requests_per_minute\":5,\"tokens_per_minute\":0}", "k: 0 a minute"),
            ("{\"tokens_per_minute\":50000001}", "more than 50000000"),
        ] {
            let error = read(json).unwrap().validate("k").unwrap_err();
            assert!(error.message().contains(part), "{json}: {error}");
        }
    }
}
