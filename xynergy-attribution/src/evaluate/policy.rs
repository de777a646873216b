use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::Result;

use super::log::{LoggedDecision, invalid};
use crate::sampler::Millionths;

/// What probabilities of a distribution may miss of one.
const ROUNDING: f64 = 1e-6;

/// With which probability a policy chooses which action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TargetPolicy {
    /// The probability of each action where `contexts` says nothing else; they sum to one.
    pub actions: BTreeMap<String, f64>,
    /// The probability of each action in a context, by context; they sum to one in each.
    pub contexts: BTreeMap<String, BTreeMap<String, f64>>,
}

impl TargetPolicy {
    /// The policy that gives each ad its share of the money.
    pub fn of_shares<'a>(shares: impl IntoIterator<Item = (&'a str, Millionths)>) -> Self {
        let actions = shares.into_iter().map(|(ad, share)| (ad.to_owned(), f64::from(share.get()) / 1e6));
        Self { actions: actions.collect(), contexts: BTreeMap::new() }
    }

    pub(super) fn validate(&self, field: &str, log: &[LoggedDecision]) -> Result<()> {
        let named = self.contexts.iter().map(|(context, d)| (format!("{field}.contexts.{context}"), d));
        let fallback = (!self.actions.is_empty()).then(|| (format!("{field}.actions"), &self.actions));
        for (place, distribution) in fallback.into_iter().chain(named) {
            let mut sum = 0.0;
            for (action, probability) in distribution {
                if !(*probability >= 0.0 && *probability <= 1.0) {
                    return Err(invalid(format!(
                        "{place}.{action}: {probability} is no probability of 0 to 1"
                    )));
                }
                sum += probability;
            }
            if (sum - 1.0).abs() > ROUNDING {
                return Err(invalid(format!(
                    "{place}: the probabilities sum to {sum} and not to 1; give every action that the policy may choose"
                )));
            }
        }
        let unknown = log.iter().enumerate().find(|(_, row)| self.within(&row.context).is_none());
        if let Some((index, row)) = unknown {
            return Err(invalid(format!(
                "{field}: nothing says what is chosen in the context {:?} of log[{index}]; add it to contexts, or give actions",
                row.context
            )));
        }
        Ok(())
    }

    /// The distribution in a context.
    pub(super) fn within(&self, context: &str) -> Option<&BTreeMap<String, f64>> {
        self.contexts.get(context).or_else(|| Some(&self.actions).filter(|actions| !actions.is_empty()))
    }

    pub(super) fn probability(&self, context: &str, action: &str) -> f64 {
        self.within(context).and_then(|d| d.get(action)).copied().unwrap_or(0.0)
    }

    /// Whether it leaves nothing to chance.
    pub(super) fn is_deterministic(&self) -> bool {
        let certain = |d: &BTreeMap<String, f64>| d.values().all(|p| *p == 0.0 || *p == 1.0);
        certain(&self.actions) && self.contexts.values().all(certain)
    }
}
