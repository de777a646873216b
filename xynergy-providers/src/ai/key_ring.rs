//! Which of several API keys is used next. Without I/O, and without the keys: a value only tells whether it changed.

use std::time::Duration;

use xynergy_core::env::Timestamp;

/// The keys of one provider and tenant, by their place in the configuration: those that are well take turns.
#[derive(Debug)]
pub(crate) struct KeyRing<V> {
    next: usize,
    rests: Vec<Option<Rest<V>>>,
}

#[derive(Debug)]
struct Rest<V> {
    until: Timestamp,
    why: Why,
    /// What was refused or throttled: another value in its place has nothing to do with it.
    value: V,
}

/// Why a key rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is wrong, without a right, or its money is used up.
    Refused,
    /// It has been used too often for now.
    Throttled,
}

impl<V: PartialEq> KeyRing<V> {
    /// So many keys, all well.
    pub(crate) fn new(count: usize) -> Self {
        Self { next: 0, rests: (0..count).map(|_| None).collect() }
    }

    /// The order in which the keys are looked at for one request.
    pub(crate) fn turn(&mut self) -> Vec<usize> {
        let count = self.rests.len();
        let order = (0..count).map(|step| (self.next + step) % count).collect();
        // Others who ask before a key is taken begin with the next one.
        self.next = (self.next + 1) % count.max(1);
        order
    }

    /// Takes a key to be used now, unless it rests and still has this value. The turn goes on after it.
    pub(crate) fn take(&mut self, index: usize, value: &V, now: Timestamp) -> bool {
        let Some(place) = self.rests.get_mut(index) else { return false };
        let rests = place.as_ref().is_some_and(|rest| rest.until > now && rest.value == *value);
        if !rests {
            *place = None;
            self.next = (index + 1) % self.rests.len();
        }
        !rests
    }

    /// Lets a key rest. A longer rest of the same value holds.
    pub(crate) fn rest(&mut self, index: usize, value: V, why: Why, until: Timestamp) {
        let Some(place) = self.rests.get_mut(index) else { return };
        let holds = place.as_ref().is_some_and(|rest| rest.value == value && rest.until >= until);
        if !holds {
            *place = Some(Rest { until, why, value });
        }
    }

    /// The key whose rest ends first, whatever it is for: when all rest, that is the one to ask all the same.
    pub(crate) fn soonest(&self) -> Option<usize> {
        let until = |(index, rest): (usize, &Option<Rest<V>>)| Some((rest.as_ref()?.until, index));
        self.rests.iter().enumerate().filter_map(until).min().map(|(_, index)| index)
    }

    /// The time until the first of the keys that are throttled may be used again.
    pub(crate) fn wait(&self, now: Timestamp) -> Option<Duration> {
        let throttled = self.rests.iter().flatten().filter(|rest| rest.why == Why::Throttled);
        throttled.map(|rest| rest.until.since(now)).filter(|wait| !wait.is_zero()).min()
    }

    /// Whether nothing would be lost with it.
    pub(crate) fn is_well(&self, now: Timestamp) -> bool {
        self.rests.iter().flatten().all(|rest| rest.until <= now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    /// What happens to a ring of keys, whose values are numbers.
    #[derive(Clone, Debug)]
    enum Step {
        Ask,
        Rest { key: usize, seconds: i64, refused: bool },
        Rotate { key: usize },
        Pass { seconds: i64 },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Ask),
            2 => (0_usize..5, 1_i64..40, any::<bool>())
                .prop_map(|(key, seconds, refused)| Step::Rest { key, seconds, refused }),
            1 => (0_usize..5).prop_map(|key| Step::Rotate { key }),
            2 => (0_i64..30).prop_map(|seconds| Step::Pass { seconds }),
        ]
    }

    proptest! {
        #[test]
        fn the_well_take_turns_fairly(count in 1_usize..6, rounds in 1_usize..20, resting in 0_usize..6) {
            let mut ring = KeyRing::new(count);
            if resting < count && count > 1 {
                ring.rest(resting, 0_u8, Why::Refused, at(1_000));
            }
            let well = (0..count).filter(|index| count == 1 || *index != resting).count();
            let mut uses = vec![0_usize; count];
            for _ in 0..rounds * well {
                let taken = ring.turn().into_iter().find(|index| ring.take(*index, &0, at(0)));
                uses[taken.unwrap()] += 1;
            }
            for (index, used) in uses.into_iter().enumerate() {
                let expected = if count > 1 && index == resting { 0 } else { rounds };
                prop_assert_eq!(used, expected);
            }
        }

        /// Against a list of when each key may be used again.
        #[test]
        fn a_key_rests_until_its_time_or_its_change(steps in proptest::collection::vec(step(), 0..60)) {
            const COUNT: usize = 5;
            let mut ring = KeyRing::new(COUNT);
            let (mut now, mut values, mut until) = (0, [0_u32; COUNT], [0_i64; COUNT]);
            for step in steps {
                match step {
                    Step::Pass { seconds } => now += seconds,
                    Step::Rest { key, seconds, refused } => {
                        let why = if refused { Why::Refused } else { Why::Throttled };
                        ring.rest(key, values[key], why, at(now + seconds));
                        until[key] = until[key].max(now + seconds);
                    }
                    Step::Rotate { key } => {
                        values[key] += 1;
                        until[key] = 0;
                    }
                    Step::Ask => {
                        let order = ring.turn();
                        let mut sorted = order.clone();
                        sorted.sort_unstable();
                        prop_assert_eq!(sorted, (0..COUNT).collect::<Vec<_>>(), "every key is looked at, once");
                        for index in order {
                            let taken = ring.take(index, &values[index], at(now));
                            prop_assert_eq!(taken, until[index] <= now, "key {} at {}", index, now);
                        }
                        let first = (0..COUNT).filter(|index| until[*index] > now).min_by_key(|index| until[*index]);
                        prop_assert_eq!(ring.soonest().map(|index| until[index]), first.map(|index| until[index]));
                        prop_assert_eq!(ring.is_well(at(now)), first.is_none());
                        if let Some(wait) = ring.wait(at(now)) {
                            prop_assert!(until.iter().any(|until| at(*until) == at(now).plus(wait)));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn only_throttling_is_waited_for() {
        let mut ring = KeyRing::new(3);
        ring.rest(0, 0_u8, Why::Refused, at(5));
        assert_eq!(ring.wait(at(0)), None);
        ring.rest(1, 0, Why::Throttled, at(9));
        ring.rest(2, 0, Why::Throttled, at(7));
        assert_eq!((ring.wait(at(0)), ring.soonest()), (Some(Duration::from_secs(7)), Some(0)));
        assert_eq!(ring.wait(at(8)), Some(Duration::from_secs(1)));
    }
}
