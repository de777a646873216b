use std::time::Duration;

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

/// A circuit breaker: closed, open after consecutive faults, half open with counted probes, which must all succeed.
#[derive(Clone, Debug)]
pub struct Machine {
    settings: BreakerConfig,
    period: u64,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed { faults: u32 },
    Open { until: Timestamp },
    HalfOpen { in_flight: u32, good: u32 },
}

impl Machine {
    /// A closed breaker.
    pub fn new(settings: BreakerConfig) -> Self {
        Self { settings, period: 0, state: State::Closed { faults: 0 } }
    }

    /// The right to call, or how long until there may be one.
    pub fn admit(&mut self, now: Timestamp) -> Result<Permit, Duration> {
        if let State::Open { until } = self.state {
            if now < until {
                return Err(until.since(now));
            }
            self.enter(State::HalfOpen { in_flight: 0, good: 0 });
        }
        if let State::HalfOpen { in_flight, good } = &mut self.state {
            if *in_flight + *good >= self.settings.probes {
                // The probes in flight decide soon.
                return Err(Duration::from_secs(1));
            }
            *in_flight += 1;
        }
        Ok(Permit { period: self.period })
    }

    /// Takes the permit back, with what the call says about the provider.
    pub fn report(&mut self, permit: Permit, verdict: Verdict, now: Timestamp) {
        if permit.period != self.period {
            return;
        }
        let open = State::Open { until: now.plus(Duration::from_secs(self.settings.open_seconds)) };
        match (&mut self.state, verdict) {
            (State::Closed { faults }, Verdict::Good) => *faults = 0,
            (State::Closed { faults }, Verdict::Fault) => {
                *faults += 1;
                if *faults >= self.settings.failures {
                    self.enter(open);
                }
            }
            (State::HalfOpen { in_flight, .. }, Verdict::Nothing) => *in_flight = in_flight.saturating_sub(1),
            (State::HalfOpen { in_flight, good }, Verdict::Good) => {
                *in_flight = in_flight.saturating_sub(1);
                *good += 1;
                if *good >= self.settings.probes {
                    self.enter(State::Closed { faults: 0 });
                }
            }
            (State::HalfOpen { .. }, Verdict::Fault) => self.enter(open),
            (State::Closed { .. }, Verdict::Nothing) | (State::Open { .. }, _) => {}
        }
    }

    /// The state at `now`, and the consecutive faults.
    pub fn state(&self, now: Timestamp) -> (BreakerState, u32) {
        match self.state {
            State::Closed { faults } => (BreakerState::Closed, faults),
            State::Open { until } if now < until => (BreakerState::Open, self.settings.failures),
            State::Open { .. } | State::HalfOpen { .. } => (BreakerState::HalfOpen, self.settings.failures),
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.period += 1;
    }
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
            machine.report(permit, Verdict::Fault, at(0));
        }
        machine
    }

    #[test]
    fn five_consecutive_faults_open_it_for_a_minute() {
        let mut machine = Machine::new(BreakerConfig::default());
        for verdict in [Verdict::Fault, Verdict::Fault, Verdict::Fault, Verdict::Fault, Verdict::Good] {
            let permit = machine.admit(at(0)).unwrap();
            machine.report(permit, verdict, at(0));
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
        machine.report(probes[0], Verdict::Good, at(61));
        machine.report(probes[1], Verdict::Good, at(61));
        assert!(machine.admit(at(61)).is_err());
        assert_eq!(machine.state(at(61)).0, BreakerState::HalfOpen);
        machine.report(probes[2], Verdict::Good, at(61));
        assert_eq!(machine.state(at(61)), (BreakerState::Closed, 0));
    }

    #[test]
    fn one_failed_probe_opens_it_again() {
        let mut machine = opened();
        let first = machine.admit(at(60)).unwrap();
        let second = machine.admit(at(60)).unwrap();
        machine.report(first, Verdict::Fault, at(60));
        machine.report(second, Verdict::Good, at(60));
        assert_eq!(machine.state(at(119)).0, BreakerState::Open);
    }

    #[test]
    fn a_dropped_probe_frees_its_place() {
        let mut machine = opened();
        for _ in 0..10 {
            let permit = machine.admit(at(60)).unwrap();
            machine.report(permit, Verdict::Nothing, at(60));
        }
        assert!(machine.admit(at(60)).is_ok());
    }

    #[test]
    fn late_verdicts_of_an_earlier_period_do_not_count() {
        let mut machine = Machine::new(BreakerConfig::default());
        let late = machine.admit(at(0)).unwrap();
        for _ in 0..5 {
            let permit = machine.admit(at(0)).unwrap();
            machine.report(permit, Verdict::Fault, at(0));
        }
        machine.admit(at(60)).unwrap();
        machine.report(late, Verdict::Fault, at(60));
        assert_eq!(machine.state(at(60)).0, BreakerState::HalfOpen);
    }

    proptest! {
        /// Whatever happens in whatever order, half open never holds more than three calls, and it never sticks.
        #[test]
        fn probes_are_bounded_and_nothing_sticks(steps in proptest::collection::vec((0_u8..4, 0_usize..8), 1..200)) {
            let mut machine = Machine::new(BreakerConfig::default());
            let mut now = 0;
            let mut flying: Vec<(Permit, BreakerState)> = Vec::new();
            for (step, which) in steps {
                match step {
                    0 => if let Ok(permit) = machine.admit(at(now)) {
                        flying.push((permit, machine.state(at(now)).0));
                    },
                    1 => now += 20,
                    _ if flying.is_empty() => {}
                    _ => {
                        let (permit, _) = flying.remove(which % flying.len());
                        machine.report(permit, if step == 2 { Verdict::Fault } else { Verdict::Good }, at(now));
                    }
                }
                let probes = flying.iter().filter(|(p, s)| p.period == machine.period && *s == BreakerState::HalfOpen).count();
                prop_assert!(probes <= 3);
            }
            for (permit, _) in flying {
                machine.report(permit, Verdict::Nothing, at(now));
            }
            prop_assert!(machine.admit(at(now + 60)).is_ok());
        }
    }
}
