use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::ai::wrong;
use crate::error::Result;
use crate::route::Complexity;

/// A named route: a list of models in the order in which they are asked, or a table that says how one is chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RouteConfig {
    /// `PROVIDER` or `PROVIDER/MODEL`, in the order in which they are asked.
    List(Vec<String>),
    /// How the model is chosen.
    Table(StrategyConfig),
}

/// How a route chooses among its models, each a `PROVIDER` or `PROVIDER/MODEL`. Those that it does not choose are asked when the
/// chosen one fails. A model that cannot do what a request asks, or that it does not fit, is never chosen for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "strategy", rename_all = "snake_case", deny_unknown_fields)]
pub enum StrategyConfig {
    /// In the given order, as a list alone.
    Ordered {
        /// The models.
        models: Vec<String>,
    },
    /// By chance: each model is the first with a probability of its weight over the sum of the weights. The rest follow by further
    /// draws of the same kind.
    Weighted {
        /// The models.
        models: Vec<String>,
        /// A weight for each model, in their order. A model of weight 0 is asked only after all others.
        weights: Vec<u32>,
    },
    /// By what the request is expected to cost: its prompt as counted, and an answer as long as its limit or, where it has none, as
    /// `ai.tokens` sizes it. Models whose price is not known come last; of equal ones the first of the list.
    Cheapest {
        /// The models.
        models: Vec<String>,
    },
    /// By how long the models took of late, until their answer or the first piece of a stream, as an average that forgets: of two
    /// that are drawn the faster is the first, so that not all requests run to one. A failed attempt counts as a slow one. A model
    /// that was not asked for a minute is not known any more, and one decision in ten tries those that are not. Each process measures by itself, over all tenants.
    LowestLatency {
        /// The models.
        models: Vec<String>,
    },
    /// A conversation begins at the model where its first turn is expected to cost the least, and stays at the model that has its
    /// prompt cached. It goes to another where that is expected to save more than the switch costs: the tokens of the prefix, times what
    /// an uncached token costs more than a cached one, and what writing it to the cache costs. Half as many turns more are expected
    /// as there were, 6 at most; the reason of the decision says both figures. Providers are taken to cache prompts of 1,024 tokens
    /// and more where the price list has a price for cached ones. A conversation is known by `session` of the call's options, or by
    /// its messages up to the first one of the user. Each process remembers 65,536 of them, for twelve times `ttl_seconds`.
    Sticky {
        /// The models.
        models: Vec<String>,
        /// How long a provider keeps a prompt cached after its last use, in seconds.
        #[serde(default = "five_minutes")]
        ttl_seconds: u64,
    },
    /// A candidate gets a growing share of the conversations of a baseline, each by a hash of its tenant and `session`, or of its
    /// messages up to the first one of the user: none goes back and forth. It is rolled back for good when it fails more often than
    /// the baseline in the same stage, or is slower where that is asked for, by more than chance explains: by Fisher's exact test
    /// (1935) for failures and Welch's test (1947) on the logarithms of latencies, both one-sided, when both have had an eighth, a
    /// quarter, a half and all of the calls of a stage; all these comparisons together are wrong with at most the probability that
    /// is left by `confidence_percent` (Bonferroni). After the last stage it gets all calls. Each process counts by itself, and begins
    /// anew when it starts.
    Canary {
        /// The model that is in use: a `PROVIDER` or `PROVIDER/MODEL`.
        baseline: String,
        /// The model that is to replace it. Where it fails, the baseline is asked.
        candidate: String,
        /// Who is asked after them.
        #[serde(default)]
        fallbacks: Vec<String>,
        /// The candidate's share in each stage, in percent, growing to 100.
        #[serde(default = "five_stages")]
        stages: Vec<u32>,
        /// Calls that each of the two must have had before the next stage.
        #[serde(default = "hundred_calls")]
        min_calls: u32,
        /// The probability with which a candidate that is as good as the baseline is not rolled back, 50 to 99.
        #[serde(default = "ninety_five")]
        confidence_percent: u32,
        /// By how much more time its answers may take, in percent. Latency does not matter where absent.
        #[serde(default)]
        max_slowdown_percent: Option<u32>,
    },
}

fn five_stages() -> Vec<u32> {
    vec![1, 5, 25, 50, 100]
}

fn hundred_calls() -> u32 {
    100
}

fn ninety_five() -> u32 {
    95
}

fn five_minutes() -> u64 {
    300
}

impl RouteConfig {
    /// The models that it names.
    pub fn targets(&self) -> Vec<&str> {
        let models = match self {
            Self::Table(StrategyConfig::Canary { baseline, candidate, fallbacks, .. }) => {
                return [baseline, candidate].into_iter().chain(fallbacks).map(String::as_str).collect();
            }
            Self::List(models)
            | Self::Table(
                StrategyConfig::Ordered { models }
                | StrategyConfig::Weighted { models, .. }
                | StrategyConfig::Cheapest { models }
                | StrategyConfig::LowestLatency { models }
                | StrategyConfig::Sticky { models, .. },
            ) => models,
        };
        models.iter().map(String::as_str).collect()
    }

    /// Checks what types cannot, of the route of this name.
    pub(super) fn validate(&self, name: &str) -> Result<()> {
        if self.targets().is_empty() {
            return Err(wrong(format!("ai.routes.{name}: empty; name at least one provider")));
        }
        if let Self::Table(StrategyConfig::Sticky { ttl_seconds: 0, .. }) = self {
            return Err(wrong(format!("ai.routes.{name}.ttl_seconds: 0 keeps nothing; give at least 1")));
        }
        if let Self::Table(StrategyConfig::Weighted { models, weights }) = self {
            if weights.len() != models.len() {
                return Err(wrong(format!(
                    "ai.routes.{name}.weights: {} for {} models; give one for each",
                    weights.len(),
                    models.len()
                )));
            }
            if weights.iter().all(|weight| *weight == 0) {
                return Err(wrong(format!(
                    "ai.routes.{name}.weights: all are 0; give at least one model a weight"
                )));
            }
        }
        if let Self::Table(StrategyConfig::Canary { .. }) = self {
            self.validate_canary(name)?;
        }
        Ok(())
    }

    fn validate_canary(&self, name: &str) -> Result<()> {
        let Self::Table(StrategyConfig::Canary {
            baseline,
            candidate,
            stages,
            min_calls,
            confidence_percent,
            ..
        }) = self
        else {
            return Ok(());
        };
        let grow = stages.windows(2).all(|pair| pair[0] < pair[1]);
        if !grow || stages.first() == Some(&0) || stages.last() != Some(&100) {
            return Err(wrong(format!(
                "ai.routes.{name}.stages: {stages:?} do not grow from at least 1 to 100; give such as [1, 5, 25, 50, 100]"
            )));
        }
        if *min_calls == 0 {
            return Err(wrong(format!("ai.routes.{name}.min_calls: 0 compares nothing; give at least 1")));
        }
        if !(50..=99).contains(confidence_percent) {
            return Err(wrong(format!(
                "ai.routes.{name}.confidence_percent: {confidence_percent} is not 50 to 99"
            )));
        }
        if baseline == candidate {
            return Err(wrong(format!(
                "ai.routes.{name}.candidate: {candidate:?} is the baseline too; name another model"
            )));
        }
        Ok(())
    }
}

/// By hand, so that what is wrong in a table is told by its key, and not that it is neither list nor table.
impl<'de> Deserialize<'de> for RouteConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = RouteConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of PROVIDER or PROVIDER/MODEL, or a table with a strategy")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> std::result::Result<RouteConfig, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(RouteConfig::List)
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> std::result::Result<RouteConfig, A::Error> {
                StrategyConfig::deserialize(MapAccessDeserializer::new(table)).map(RouteConfig::Table)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// What chooses for requests that name no model and that no policy decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefaultStrategy {
    /// `ai.order`, by how complex the request is.
    #[default]
    Complexity,
    /// The default model of all providers that is expected to cost the least; of equal ones the first of `ai.order`.
    Cheapest,
    /// The default model of all providers that answers the fastest, as routes of this strategy choose.
    LowestLatency,
}

/// Which route answers the requests that it is for. Of the list the first that matches decides, for requests that name no model or
/// `auto`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// Which requests it is for: those that every given condition holds for; all where none is given.
    #[serde(default)]
    pub when: ConditionConfig,
    /// Who is asked: a route, a `PROVIDER` or a `PROVIDER/MODEL`.
    pub route: String,
}

/// Conditions on a request. Those that are not given hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConditionConfig {
    /// It has one of these tags.
    pub tags: BTreeSet<String>,
    /// It is of one of these tenants.
    pub tenants: BTreeSet<String>,
    /// It needs all of these.
    pub needs: BTreeSet<Need>,
    /// Its prompt has more tokens than this, by the estimate for models that nothing is known of.
    pub longer_than_tokens: Option<u64>,
    /// It is judged to be this.
    pub complexity: Option<Complexity>,
}

/// What a request can need of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Reading images.
    Images,
    /// Calling tools.
    Tools,
    /// Answering in a format.
    ResponseFormat,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AiConfig;

    fn route(text: &str) -> std::result::Result<RouteConfig, String> {
        let mut config: AiConfig =
            toml::from_str(&format!("[routes]\nx = {text}")).map_err(|error| error.to_string())?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config.routes.remove("x").unwrap())
    }

    #[test]
    fn a_route_is_a_list_or_a_table() {
        let models = vec!["a".to_owned(), "b/m".to_owned()];
        assert_eq!(route("['a', 'b/m']").unwrap(), RouteConfig::List(models.clone()));
        let weighted = RouteConfig::Table(StrategyConfig::Weighted { models, weights: vec![3, 1] });
        let text = "{strategy = 'weighted', models = ['a', 'b/m'], weights = [3, 1]}";
        assert_eq!(route(text).unwrap(), weighted);
        let json = serde_json::to_value(&weighted).unwrap();
        assert_eq!(serde_json::from_value::<RouteConfig>(json).unwrap(), weighted);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, parts) in [
            ("7", ["list of PROVIDER", "table"]),
            ("[]", ["ai.routes.x", "at least one"]),
            ("{models = ['a']}", ["missing field", "strategy"]),
            ("{strategy = 'cheap', models = ['a']}", ["`cheap`", "`cheapest`"]),
            ("{strategy = 'cheapest'}", ["missing field", "models"]),
            ("{strategy = 'cheapest', models = ['a'], weights = [1]}", ["unknown field", "weights"]),
            ("{strategy = 'weighted', models = ['a'], weights = [-1]}", ["-1", "u32"]),
            ("{strategy = 'weighted', models = ['a'], weights = [1, 2]}", ["ai.routes.x.weights", "2 for 1"]),
            (
                "{strategy = 'sticky', models = ['a'], ttl_seconds = 0}",
                ["ai.routes.x.ttl_seconds", "at least 1"],
            ),
            ("{strategy = 'canary', baseline = 'a'}", ["missing field", "candidate"]),
            (
                "{strategy = 'canary', baseline = 'a', candidate = 'a'}",
                ["ai.routes.x.candidate", "baseline too"],
            ),
            (
                "{strategy = 'canary', baseline = 'a', candidate = 'b', stages = [5, 50]}",
                ["stages", "to 100"],
            ),
            (
                "{strategy = 'canary', baseline = 'a', candidate = 'b', stages = [5, 5, 100]}",
                ["stages", "grow"],
            ),
            (
                "{strategy = 'canary', baseline = 'a', candidate = 'b', min_calls = 0}",
                ["min_calls", "at least 1"],
            ),
            (
                "{strategy = 'canary', baseline = 'a', candidate = 'b', confidence_percent = 100}",
                ["confidence", "99"],
            ),
            ("{strategy = 'weighted', models = ['a'], weights = [0]}", ["ai.routes.x.weights", "all are 0"]),
        ] {
            let error = route(text).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
        }
    }
}
