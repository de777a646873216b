use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// Every figure of the guards. All durations are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The least delay between queueing and running.
    pub jitter_min_ms: u64,
    /// The greatest delay between queueing and running.
    pub jitter_max_ms: u64,
    /// How far a value may be moved away from its target to avoid identical edits, in thousandths; 0 for not at all.
    pub fuzz_per_mille: u32,
    /// How long a queued change stays valid unless it says so itself.
    pub expires_after_ms: u64,
    /// How old a value read from the platform may be when a decision uses it.
    pub snapshot_max_age_ms: u64,
    /// How long a worker that wrote an intent may take to send and settle it.
    pub lease_ms: u64,
    /// How long one write may take; it must fit into the lease.
    pub send_timeout_ms: u64,
    /// How long after the lease's end a request may still land. Nothing is decided about a lost one before.
    pub landing_ms: u64,
    /// How far the platform's clock may be behind ours.
    pub clock_skew_ms: u64,
    /// The window of the limits on the number of changes.
    pub rate_window_ms: u64,
    /// How many changes a campaign may have in that window, all its owners together.
    pub campaign_changes: u32,
    /// How many budget changes an ad set may have in that window, other people's included: platforms block it above.
    pub adset_budget_changes: u32,
    /// How many changes an account may have in that window, all its campaigns together.
    pub account_changes: u32,
    /// For how long a lower limit that the platform's refusals taught is kept to.
    pub learned_limit_ms: u64,
    /// The window of the limit on movement.
    pub velocity_window_ms: u64,
    /// How far a value may move in that window, up and down added, in thousandths of what it was at its start.
    pub velocity_per_mille: u32,
    /// When a change over the account's cap is asked again.
    pub account_cap_retry_ms: u64,
    /// When a throttled change is asked again if the platform does not say.
    pub throttled_retry_ms: u64,
    /// When a change is asked again after the platform could not be reached.
    pub unreachable_retry_ms: u64,
    /// When a change is asked again after the platform refused the credentials.
    pub unauthorized_retry_ms: u64,
    /// When a change is asked again under a kill switch; switching it off asks at once.
    pub kill_switch_retry_ms: u64,
    /// Whether budgets and bids of an object in the platform's learning phase are left as they are, but for cuts.
    pub respect_learning: bool,
    /// When a change of an object in its learning phase is asked again.
    pub learning_retry_ms: u64,
    /// For how long after a verdict of not applied the platform's log is still searched for a late landing.
    pub late_watch_ms: u64,
    /// How many attempts may be lost without effect before a person has to look.
    pub max_attempts: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self::standard()
    }
}

impl Policy {
    /// The default: 3 to 18 s of jitter, no fuzz, 15 changes an hour a campaign, 3 an ad set, 20 % in 6 hours.
    pub const fn standard() -> Self {
        const MINUTE: u64 = 60_000;
        const HOUR: u64 = 60 * MINUTE;
        Self {
            jitter_min_ms: 3_000,
            jitter_max_ms: 18_000,
            fuzz_per_mille: 0,
            expires_after_ms: 24 * HOUR,
            snapshot_max_age_ms: 10_000,
            lease_ms: MINUTE,
            send_timeout_ms: 30_000,
            landing_ms: 2 * MINUTE,
            clock_skew_ms: 5_000,
            rate_window_ms: HOUR,
            campaign_changes: 15,
            adset_budget_changes: 3,
            account_changes: 1_000,
            learned_limit_ms: 24 * HOUR,
            velocity_window_ms: 6 * HOUR,
            velocity_per_mille: 200,
            account_cap_retry_ms: 6 * HOUR,
            throttled_retry_ms: 5 * MINUTE,
            unreachable_retry_ms: MINUTE,
            unauthorized_retry_ms: HOUR,
            kill_switch_retry_ms: HOUR,
            respect_learning: true,
            learning_retry_ms: 6 * HOUR,
            late_watch_ms: 24 * HOUR,
            max_attempts: 5,
        }
    }

    /// The standard with 3 % of fuzz.
    pub const fn seed() -> Self {
        Self { fuzz_per_mille: 30, ..Self::standard() }
    }

    /// The standard without jitter.
    pub const fn exact() -> Self {
        Self { jitter_min_ms: 0, jitter_max_ms: 0, ..Self::standard() }
    }

    /// The preset of this name.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) that names the choices.
    pub fn preset(name: &str) -> Result<Self> {
        match name {
            "exact" => Ok(Self::exact()),
            "seed" => Ok(Self::seed()),
            "standard" => Ok(Self::standard()),
            _ => Err(Error::new(
                ErrorKind::ConfigInvalid,
                "execution.policy",
                format!(
                    "preset: {:?} is unknown: choose standard, seed or exact",
                    name.chars().take(40).collect::<String>()
                ),
            )),
        }
    }

    /// Refuses figures under which a guard could not hold.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) that names the field.
    pub fn validate(&self) -> Result<()> {
        let refuse =
            |message: &'static str| Err(Error::new(ErrorKind::ConfigInvalid, "execution.policy", message));
        if self.jitter_min_ms > self.jitter_max_ms {
            return refuse("jitter_min_ms: it is above jitter_max_ms: lower it");
        }
        if self.fuzz_per_mille > 100 {
            return refuse("fuzz_per_mille: at most 100 (10 %)");
        }
        if self.velocity_per_mille == 0 || self.velocity_per_mille > 1_000 {
            return refuse("velocity_per_mille: 1 to 1000");
        }
        if self.send_timeout_ms == 0 || self.send_timeout_ms >= self.lease_ms {
            return refuse(
                "send_timeout_ms: it must be above 0 and below lease_ms, so that a write ends first",
            );
        }
        if self.snapshot_max_age_ms == 0 || self.rate_window_ms == 0 || self.velocity_window_ms == 0 {
            return refuse("snapshot_max_age_ms, rate_window_ms, velocity_window_ms: each must be above 0");
        }
        let counts =
            [self.campaign_changes, self.adset_budget_changes, self.account_changes, self.max_attempts];
        if counts.contains(&0) {
            return refuse(
                "campaign_changes, adset_budget_changes, account_changes, max_attempts: each must be above 0",
            );
        }
        const YEAR: u64 = 366 * 24 * 3_600_000;
        let durations = [
            self.jitter_max_ms,
            self.expires_after_ms,
            self.lease_ms,
            self.landing_ms,
            self.clock_skew_ms,
            self.rate_window_ms,
            self.velocity_window_ms,
            self.account_cap_retry_ms,
            self.throttled_retry_ms,
            self.unreachable_retry_ms,
            self.unauthorized_retry_ms,
            self.kill_switch_retry_ms,
            self.learned_limit_ms,
            self.learning_retry_ms,
            self.late_watch_ms,
        ];
        if durations.into_iter().any(|d| d > YEAR) {
            return refuse("every duration is at most a year");
        }
        Ok(())
    }

    /// From when on settled movements may be missing in what was read before a call that was made at `asked_at`.
    pub fn read_since(&self, asked_at: Timestamp) -> Timestamp {
        asked_at.minus(Duration::from_millis(self.snapshot_max_age_ms))
    }

    /// The longest window that a guard looks back over.
    pub fn longest_window(&self) -> Duration {
        Duration::from_millis(self.rate_window_ms.max(self.velocity_window_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_and_named() {
        for name in ["standard", "seed", "exact"] {
            Policy::preset(name).unwrap().validate().unwrap();
        }
        assert!(Policy::preset("wild").unwrap_err().message().contains("standard, seed or exact"));
    }

    #[test]
    fn a_partial_configuration_keeps_the_standard() {
        let policy: Policy = serde_json::from_str(r#"{"fuzz_per_mille": 10}"#).unwrap();
        assert_eq!(policy, Policy { fuzz_per_mille: 10, ..Policy::standard() });
        assert!(serde_json::from_str::<Policy>(r#"{"fuzz": 10}"#).is_err());
    }

    #[test]
    fn figures_that_cannot_hold_are_refused() {
        let s = Policy::standard();
        for (broken, field) in [
            (Policy { jitter_min_ms: 20_000, ..s }, "jitter_min_ms"),
            (Policy { fuzz_per_mille: 500, ..s }, "fuzz_per_mille"),
            (Policy { velocity_per_mille: 0, ..s }, "velocity_per_mille"),
            (Policy { send_timeout_ms: 60_000, ..s }, "send_timeout_ms"),
            (Policy { campaign_changes: 0, ..s }, "campaign_changes"),
            (Policy { lease_ms: u64::MAX, ..s }, "every duration"),
        ] {
            let error = broken.validate().unwrap_err();
            assert!(error.message().starts_with(field), "{error}");
        }
    }
}
