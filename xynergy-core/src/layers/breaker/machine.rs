use std::time::Duration;

use super::window::Window;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::BreakerConfig;
use crate::env::Timestamp;

/// The state of a breaker, as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// Calls are refused at once.
    Open,
    /// A few trial calls pass.
    HalfOpen,
}

impl BreakerState {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// What a call says about the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Good,
    /// It works, and takes longer than it should.
    Slow,
    /// It failed by a fault of its own.
    Fault,
    /// Nothing: the call was dropped, or failed by a fault of the caller's.
    Nothing,
}

/// The right to make one call. It must come back to [`Machine::report`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    /// The period in which it was given; verdicts of an earlier one no longer count.
    period: u64,
}

/// A circuit breaker: closed; open after consecutive faults, or when too many of the calls of a window were faults or slow; half open
/// with counted probes, which must all succeed.
#[derive(Clone, Debug)]
pub struct Machine {
    settings: BreakerConfig,
    period: u64,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Closed { faults: u32, window: Window },
    Open { until: Timestamp, faults: u32 },
    HalfOpen { in_flight: u32, good: u32, faults: u32 },
}

impl Machine {
    /// A closed breaker.
    pub fn new(settings: BreakerConfig) -> Self {
        let state = closed(&settings);
        Self { settings, period: 0, state }
    }

    /// Whether it is as it was made, so that forgetting it loses nothing.
    pub fn is_pristine(&self, now: Timestamp) -> bool {
        matches!(&self.state, State::Closed { faults: 0, window } if window.counts(now).0 == 0)
    }

    /// The right to call, or how long until there may be one.
    pub fn admit(&mut self, now: Timestamp) -> Result<Permit, Duration> {
        if let State::Open { until, faults } = self.state {
            if now < until {
                return Err(until.since(now));
            }
            self.enter(State::HalfOpen { in_flight: 0, good: 0, faults });
        }
        if let State::HalfOpen { in_flight, good, .. } = &mut self.state {
            if *in_flight + *good >= self.settings.probes {
                // The probes in flight decide soon.
                return Err(Duration::from_secs(1));
            }
            *in_flight += 1;
        }
        Ok(Permit { period: self.period })
    }

    /// Takes the permit back, with what the call says about the provider. `random` shortens the time for which it opens.
    pub fn report(&mut self, permit: Permit, verdict: Verdict, now: Timestamp, random: u64) {
        if permit.period != self.period {
            return;
        }
        let rate = u64::from(self.settings.rate_percent);
        let next = match (&mut self.state, verdict) {
            (State::Open { .. }, _) | (State::Closed { .. }, Verdict::Nothing) => None,
            (State::Closed { faults, window }, verdict) => {
                *faults = if verdict == Verdict::Fault { *faults + 1 } else { 0 };
                window.add(now, verdict != Verdict::Good);
                let (calls, bad) = window.counts(now);
                let too_many = rate > 0
                    && calls >= u64::from(self.settings.min_calls)
                    && bad.saturating_mul(100) >= calls.saturating_mul(rate);
                (*faults >= self.settings.failures || too_many)
                    .then(|| opened(&self.settings, *faults, now, random))
            }
            (State::HalfOpen { in_flight, good, faults }, verdict) => {
                *in_flight = in_flight.saturating_sub(1);
                match verdict {
                    Verdict::Nothing => None,
                    Verdict::Fault | Verdict::Slow => Some(opened(&self.settings, *faults, now, random)),
                    Verdict::Good => {
                        *good += 1;
                        (*good >= self.settings.probes).then(|| closed(&self.settings))
                    }
                }
            }
        };
        if let Some(next) = next {
            self.enter(next);
        }
    }

    /// The state at `now`, and the consecutive faults: those that it has seen, or those at which it opened.
    pub fn state(&self, now: Timestamp) -> (BreakerState, u32) {
        match &self.state {
            State::Closed { faults, .. } => (BreakerState::Closed, *faults),
            State::Open { until, faults } if now < *until => (BreakerState::Open, *faults),
            State::Open { faults, .. } | State::HalfOpen { faults, .. } => (BreakerState::HalfOpen, *faults),
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.period += 1;
    }
}

fn closed(settings: &BreakerConfig) -> State {
    State::Closed { faults: 0, window: Window::new(Duration::from_secs(settings.window_seconds)) }
}

fn opened(settings: &BreakerConfig, faults: u32, now: Timestamp, random: u64) -> State {
    let full = settings.open_seconds.saturating_mul(1_000);
    let most = full / 100 * u64::from(settings.jitter_percent.min(100));
    let length = full - random % (most + 1);
    State::Open { until: now.plus(Duration::from_millis(length)), faults }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default().plus(Duration::from_secs(seconds))
    }

    fn opened() -> Machine {
        let mut machine = Machine::new(BreakerConfig::default());
        for _ in 0..5 {
            let permit = machine.admit(at(0)).unwrap();
            machine.report(permit, Verdict::Fault, at(0), 0);
        }
        machine
    }

    #[test]
    fn five_consecutive_faults_open_it_for_a_minute() {
        let mut machine = Machine::new(BreakerConfig::default());
        for verdict in [Verdict::Fault, Verdict::Fault, Verdict::Fault, Verdict::Fault, Verdict::Good] {
            let permit = machine.admit(at(0)).unwrap();
            machine.report(permit, verdict, at(0), 0);
        }
        assert_eq!(machine.state(at(0)), (BreakerState::Closed, 0));

        let mut machine = opened();
        assert_eq!(machine.state(at(59)), (BreakerState::Open, 5));
        assert_eq!(machine.admit(at(59)), Err(Duration::from_secs(1)));
        assert!(machine.admit(at(60)).is_ok());
    }

    #[test]
    fn exactly_three_probes_and_all_must_succeed() {
        let mut machine = opened();
        let probes: Vec<Permit> = (0..3).map(|_| machine.admit(at(60)).unwrap()).collect();
        assert!(machine.admit(at(60)).is_err());
        machine.report(probes[0], Verdict::Good, at(61), 0);
        machine.report(probes[1], Verdict::Good, at(61), 0);
        assert!(machine.admit(at(61)).is_err());
        assert_eq!(machine.state(at(61)).0, BreakerState::HalfOpen);
        machine.report(probes[2], Verdict::Good, at(61), 0);
        assert_eq!(machine.state(at(61)), (BreakerState::Closed, 0));
    }

    #[test]
    fn one_failed_probe_opens_it_again() {
        let mut machine = opened();
        let first = machine.admit(at(60)).unwrap();
        let second = machine.admit(at(60)).unwrap();
        machine.report(first, Verdict::Fault, at(60), 0);
        machine.report(second, Verdict::Good, at(60), 0);
        assert_eq!(machine.state(at(119)).0, BreakerState::Open);
    }

    #[test]
    fn a_dropped_probe_frees_its_place() {
        let mut machine = opened();
        for _ in 0..10 {
            let permit = machine.admit(at(60)).unwrap();
            machine.report(permit, Verdict::Nothing, at(60), 0);
        }
        assert!(machine.admit(at(60)).is_ok());
    }

    #[test]
    fn late_verdicts_of_an_earlier_period_do_not_count() {
        let mut machine = Machine::new(BreakerConfig::default());
        let late = machine.admit(at(0)).unwrap();
        for _ in 0..5 {
            let permit = machine.admit(at(0)).unwrap();
            machine.report(permit, Verdict::Fault, at(0), 0);
        }
        machine.admit(at(60)).unwrap();
        machine.report(late, Verdict::Fault, at(60), 0);
        assert_eq!(machine.state(at(60)).0, BreakerState::HalfOpen);
    }

    fn after(machine: &mut Machine, verdict: Verdict, seconds: u64, times: u32) {
        for _ in 0..times {
            if let Ok(permit) = machine.admit(at(seconds)) {
                machine.report(permit, verdict, at(seconds), 0);
            }
        }
    }

    #[test]
    fn a_rate_of_faults_opens_it_once_there_are_enough_calls() {
        let mut machine = Machine::new(BreakerConfig::default());
        for second in 0..9 {
            after(&mut machine, Verdict::Fault, second, 1);
            after(&mut machine, Verdict::Good, second, 1);
        }
        assert_eq!(machine.state(at(9)).0, BreakerState::Closed, "18 calls are too few");
        after(&mut machine, Verdict::Good, 9, 1);
        after(&mut machine, Verdict::Fault, 9, 1);
        assert_eq!(machine.state(at(9)), (BreakerState::Open, 1), "10 of 20");
    }

    #[test]
    fn what_left_the_window_no_longer_counts() {
        let mut machine = Machine::new(BreakerConfig::default());
        for _ in 0..9 {
            after(&mut machine, Verdict::Fault, 0, 1);
            after(&mut machine, Verdict::Good, 0, 1);
        }
        after(&mut machine, Verdict::Good, 70, 20);
        after(&mut machine, Verdict::Fault, 70, 4);
        assert_eq!(machine.state(at(70)).0, BreakerState::Closed);
        assert!(!machine.is_pristine(at(70)));
        after(&mut machine, Verdict::Good, 70, 1);
        assert!(machine.is_pristine(at(200)));
    }

    #[test]
    fn slow_calls_count_in_the_rate_and_are_no_faults_in_a_row() {
        let mut machine = Machine::new(BreakerConfig::default());
        after(&mut machine, Verdict::Slow, 0, 19);
        assert_eq!(machine.state(at(0)), (BreakerState::Closed, 0));
        after(&mut machine, Verdict::Slow, 0, 1);
        assert_eq!(machine.state(at(0)).0, BreakerState::Open);
        let probe = machine.admit(at(60)).unwrap();
        machine.report(probe, Verdict::Slow, at(60), 0);
        assert_eq!(machine.state(at(61)).0, BreakerState::Open, "a slow probe proves nothing");
    }

    #[test]
    fn calls_that_say_nothing_do_not_count() {
        let mut machine = Machine::new(BreakerConfig::default());
        after(&mut machine, Verdict::Nothing, 0, 1_000);
        assert!(machine.is_pristine(at(0)));
    }

    proptest! {
        /// Whatever happens in whatever order, half open never holds more than three calls, and it never sticks.
        #[test]
        fn probes_are_bounded_and_nothing_sticks(steps in proptest::collection::vec((0_u8..5, 0_usize..8, any::<u64>()), 1..200)) {
            let mut machine = Machine::new(BreakerConfig::default());
            let mut now = 0;
            let mut flying: Vec<(Permit, BreakerState)> = Vec::new();
            for (step, which, random) in steps {
                match step {
                    0 => if let Ok(permit) = machine.admit(at(now)) {
                        flying.push((permit, machine.state(at(now)).0));
                    },
                    1 => now += 20,
                    _ if flying.is_empty() => {}
                    _ => {
                        let (permit, _) = flying.remove(which % flying.len());
                        let verdict = [Verdict::Fault, Verdict::Good, Verdict::Slow][usize::from(step - 2)];
                        machine.report(permit, verdict, at(now), random);
                    }
                }
                let probes = flying.iter().filter(|(p, s)| p.period == machine.period && *s == BreakerState::HalfOpen).count();
                prop_assert!(probes <= 3);
            }
            for (permit, _) in flying {
                machine.report(permit, Verdict::Nothing, at(now), 0);
            }
            prop_assert!(machine.admit(at(now + 60)).is_ok());
        }

        /// Against a plain account of the same calls: it opens exactly at so many faults in a row or at the rate, and for a time
        /// within the jitter.
        #[test]
        fn it_opens_when_it_should_and_only_then(verdicts in proptest::collection::vec(0_u8..4, 1..120), random: u64) {
            let settings = BreakerConfig { min_calls: 10, rate_percent: 60, ..BreakerConfig::default() };
            let mut machine = Machine::new(settings);
            let (mut row, mut calls, mut bad) = (0_u32, 0_u32, 0_u32);
            for verdict in verdicts {
                let verdict = [Verdict::Good, Verdict::Slow, Verdict::Fault, Verdict::Nothing][usize::from(verdict)];
                let permit = machine.admit(at(5)).unwrap();
                machine.report(permit, verdict, at(5), random);
                if verdict != Verdict::Nothing {
                    row = if verdict == Verdict::Fault { row + 1 } else { 0 };
                    calls += 1;
                    bad += u32::from(verdict != Verdict::Good);
                }
                let opens = row >= 5 || (calls >= 10 && bad * 100 >= calls * 60);
                prop_assert_eq!(machine.state(at(5)).0 == BreakerState::Open, opens);
                if opens {
                    let wait = machine.admit(at(5)).unwrap_err();
                    prop_assert!(wait <= Duration::from_secs(60) && wait >= Duration::from_secs(54), "{:?}", wait);
                    break;
                }
            }
        }
    }
}
