use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, ErrorKind, Minor, Result};

/// The greatest value of a stage: differences and sums of what a company can have of deals stay far inside 64 bits.
pub(super) const GREATEST: Minor = 1_000_000_000_000_000;

/// What a deal in a pipeline stage is expected to bring, in minor units of the account's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StageValues {
    /// A deal in any stage that is not listed below.
    pub lead_minor: Minor,
    /// A deal in one of `appointment_stages`.
    pub appointment_minor: Minor,
    /// A deal in one of `closed_stages`.
    pub closed_minor: Minor,
    /// The CRM's ids of the stages between the first talk and the contract.
    pub appointment_stages: BTreeSet<String>,
    /// The CRM's ids of the stages of won deals.
    pub closed_stages: BTreeSet<String>,
    /// The CRM's ids of the stages of lost deals, which are worth nothing.
    pub lost_stages: BTreeSet<String>,
}

impl Default for StageValues {
    fn default() -> Self {
        let stages = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            lead_minor: 50_000,
            appointment_minor: 150_000,
            closed_minor: 500_000,
            appointment_stages: stages(&[
                "appointmentscheduled",
                "qualifiedtobuy",
                "presentationscheduled",
                "decisionmakerboughtin",
                "contractsent",
            ]),
            closed_stages: stages(&["closedwon"]),
            lost_stages: stages(&["closedlost"]),
        }
    }
}

impl StageValues {
    /// Checks what a user configured.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) for a value below 0 or above 10^15 and for a stage in two lists.
    pub fn validate(&self) -> Result<()> {
        let invalid = |message| Err(Error::new(ErrorKind::ConfigInvalid, "attribution.stages", message));
        for (name, value) in [
            ("lead_minor", self.lead_minor),
            ("appointment_minor", self.appointment_minor),
            ("closed_minor", self.closed_minor),
        ] {
            if !(0..=GREATEST).contains(&value) {
                return invalid(format!("{name}: {value} is not from 0 to {GREATEST} minor units"));
            }
        }
        let lists = [&self.appointment_stages, &self.closed_stages, &self.lost_stages];
        let mut seen = BTreeSet::new();
        for stage in lists.into_iter().flatten() {
            if !seen.insert(stage) {
                return invalid(format!("{stage:?} is in two lists of stages: leave it in one"));
            }
        }
        Ok(())
    }

    /// The value of a deal in `stage`.
    pub fn value_of(&self, stage: &str) -> Minor {
        if self.closed_stages.contains(stage) {
            self.closed_minor
        } else if self.lost_stages.contains(stage) {
            0
        } else if self.appointment_stages.contains(stage) {
            self.appointment_minor
        } else {
            self.lead_minor
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_published_ones() {
        let values = StageValues::default();
        values.validate().unwrap();
        for (stage, value) in [
            ("appointmentscheduled", 150_000),
            ("contractsent", 150_000),
            ("closedwon", 500_000),
            ("closedlost", 0),
            ("1043267811", 50_000),
            ("", 50_000),
        ] {
            assert_eq!(values.value_of(stage), value, "{stage}");
        }
    }

    #[test]
    fn wrong_values_are_named() {
        let error = StageValues { closed_minor: -1, ..StageValues::default() }.validate().unwrap_err();
        assert!(error.message().starts_with("closed_minor: -1"), "{error}");
        let lost_stages = ["closedwon".to_owned()].into();
        let error = StageValues { lost_stages, ..StageValues::default() }.validate().unwrap_err();
        assert!(error.message().contains("closedwon"), "{error}");
    }
}
