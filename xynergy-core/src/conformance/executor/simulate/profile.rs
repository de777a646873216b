use std::time::Duration;

use super::dice::Dice;
use crate::execution::Policy;

/// How late a request may land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Within the time that the policy allows for: everything that is promised must hold.
    Bounded,
    /// At any time: what took effect after the verdict must be found and told.
    Unbounded,
}

/// What a seed is about.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    pub(super) policy: Policy,
    pub(super) delivery: Delivery,
    pub(super) workers: usize,
    pub(super) tenants: usize,
    /// How much the store's clock is ahead before it is corrected.
    pub(super) store_ahead: Duration,
    /// Whether workers have wrong clocks.
    pub(super) wrong_clocks: bool,
    /// Whether every call takes seconds, so that leases run out.
    pub(super) slow: bool,
    /// How often in 100,000 turns a worker dies.
    pub(super) crashes: u64,
    /// How often in 100,000 turns a worker halts for long.
    pub(super) halts: u64,
    /// How often in 100,000 calls the store fails.
    pub(super) store_errors: u64,
    /// How many in 100 requests go wrong.
    pub(super) write_faults: u64,
    /// How often in 100,000 readings one fails.
    pub(super) read_faults: u64,
    /// How often a tenant queues, on average.
    pub(super) queue_every: Duration,
}

impl Profile {
    pub(super) fn draw(dice: &Dice) -> Self {
        const MINUTE: u64 = 60_000;
        let unbounded = dice.percent(12);
        let store_ahead = match dice.below(20) {
            0..=1 => Duration::from_secs(1),
            2..=4 => Duration::from_secs(3_600),
            5 => Duration::from_secs(24 * 3_600),
            _ => Duration::ZERO,
        };
        let ahead_ms = u64::try_from(store_ahead.as_millis()).unwrap_or(u64::MAX);
        let lease_ms = dice.between(45, 90) * 1_000;
        let base = if dice.percent(60) { Policy::seed() } else { Policy::standard() };
        let policy = Policy {
            lease_ms,
            send_timeout_ms: 40_000,
            landing_ms: dice.between(60, 240) * 1_000,
            clock_skew_ms: 5_000.max(ahead_ms + 1_000),
            expires_after_ms: *dice.of(&[4 * 60 * MINUTE, 24 * 60 * MINUTE]),
            campaign_changes: *dice.of(&[3, 6, 15]),
            adset_budget_changes: *dice.of(&[1, 2, 3]),
            account_changes: *dice.of(&[5, 12, 1_000]),
            max_attempts: *dice.of(&[2, 3, 5]),
            learning_retry_ms: 30 * MINUTE,
            kill_switch_retry_ms: 30 * MINUTE,
            unauthorized_retry_ms: 20 * MINUTE,
            account_cap_retry_ms: 60 * MINUTE,
            ..base
        };
        let rough = |dice: &Dice, most: u64| if dice.percent(70) { dice.below(most) } else { 0 };
        Self {
            policy,
            delivery: if unbounded { Delivery::Unbounded } else { Delivery::Bounded },
            workers: usize::try_from(dice.between(1, 16)).unwrap_or(1),
            tenants: usize::try_from(dice.between(1, 8)).unwrap_or(1),
            store_ahead,
            wrong_clocks: dice.percent(50),
            slow: dice.percent(15),
            crashes: rough(dice, 700),
            halts: rough(dice, 500),
            store_errors: rough(dice, 800),
            write_faults: rough(dice, 40),
            read_faults: rough(dice, 2_500),
            queue_every: dice.seconds(1_800, 7_200),
        }
    }
}
