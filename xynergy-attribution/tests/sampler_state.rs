//! What the sampler remembers is a join: order, repetition and replicas do not matter.

use proptest::prelude::*;
use xynergy_attribution::sampler::{
    AdObservation, Day, DealFeedback, DealOutcome, Millionths, SamplerEvent, SamplerOptions, SamplerState,
    posteriors,
};
use xynergy_core::{ErrorKind, Timestamp};

const DAY: i64 = 86_400_000_000;

fn observation(ad_id: &str, day: i32, clicks: i64, read_at: i64) -> AdObservation {
    AdObservation {
        ad_id: ad_id.into(),
        day: Day::new(day),
        impressions: clicks * 50,
        clicks,
        spend_minor: clicks * 80,
        observed_at: Some(Timestamp::from_micros(read_at)),
    }
}

fn feedback(event_id: &str, ad_id: &str, deal: Option<&str>, value: i64, at: i64) -> DealFeedback {
    DealFeedback {
        event_id: event_id.into(),
        ad_id: ad_id.into(),
        pipeline_value_minor: value,
        occurred_at: Timestamp::from_micros(at),
        outcome: DealOutcome::Won,
        credit: Millionths::ONE,
        deal_id: deal.map(str::to_owned),
        clicked_at: None,
        spend_minor: None,
    }
}

/// Events of few ads, days and deals, so that they meet; some of one id and time that differ.
fn event() -> impl Strategy<Value = SamplerEvent> {
    let ad = prop_oneof![Just("a"), Just("b"), Just("c")];
    prop_oneof![
        (ad.clone(), 0_i32..6, 0_i64..5, 0_i64..4)
            .prop_map(|(ad, day, clicks, at)| SamplerEvent::Observation(observation(ad, day, clicks, at))),
        (ad, 0_u8..6, prop::option::of(0_u8..3), 0_i64..4, 0_i64..6, 0_u32..3, 0_i64..3).prop_map(
            |(ad, event, deal, value, day, outcome, spend)| {
                let deal = deal.map(|deal| format!("d{deal}"));
                SamplerEvent::Feedback(DealFeedback {
                    outcome: [DealOutcome::Open, DealOutcome::Won, DealOutcome::Lost][outcome as usize],
                    credit: Millionths::new(300_000 * outcome + 100_000),
                    clicked_at: (spend > 0).then(|| Timestamp::from_micros((day - spend) * DAY)),
                    spend_minor: (spend > 1).then_some(spend),
                    ..feedback(&format!("e{event}"), ad, deal.as_deref(), value, day * DAY)
                })
            }
        ),
    ]
}

fn bytes(state: &SamplerState) -> String {
    serde_json::to_string(state).unwrap()
}

fn merged(a: &SamplerState, b: &SamplerState) -> SamplerState {
    let mut both = a.clone();
    both.merge(b);
    both
}

proptest! {
    #[test]
    fn any_order_repetition_and_partition_ends_in_the_same_bytes(
        events in prop::collection::vec(event(), 0..60),
        shuffled in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let whole = SamplerState::replay(&events).unwrap();
        // A fixed permutation by a multiplicative walk, with every third event given twice.
        let mut other: Vec<_> = events.iter().enumerate().map(|(i, event)| {
            ((i as u64 + 1).wrapping_mul(seed | 1), event)
        }).collect();
        other.sort_by_key(|(key, _)| *key);
        let mut again: Vec<_> = other.iter().map(|(_, event)| *event).collect();
        again.extend(events.iter().step_by(3));
        prop_assert_eq!(bytes(&SamplerState::replay(again.iter().copied()).unwrap()), bytes(&whole));
        let at = if again.is_empty() { 0 } else { shuffled.index(again.len()) };
        let (left, right) = again.split_at(at);
        let (left, right) = (SamplerState::replay(left.iter().copied()).unwrap(), SamplerState::replay(right.iter().copied()).unwrap());
        prop_assert_eq!(bytes(&merged(&left, &right)), bytes(&whole));
        let read: SamplerState = serde_json::from_str(&bytes(&whole)).unwrap();
        prop_assert_eq!(bytes(&read), bytes(&whole));
        read.validate().unwrap();
    }

    #[test]
    fn merging_is_a_join(
        parts in prop::collection::vec((prop::collection::vec(event(), 0..20), prop::option::of(0_i32..6)), 3),
    ) {
        let states: Vec<_> = parts.iter().map(|(events, forgotten)| {
            let mut state = SamplerState::replay(events).unwrap();
            if let Some(day) = forgotten {
                state.forget_before(Day::new(*day));
            }
            state
        }).collect();
        let [a, b, c] = [&states[0], &states[1], &states[2]];
        prop_assert_eq!(bytes(&merged(a, b)), bytes(&merged(b, a)));
        prop_assert_eq!(bytes(&merged(&merged(a, b), c)), bytes(&merged(a, &merged(b, c))));
        prop_assert_eq!(bytes(&merged(a, a)), bytes(a));
        prop_assert_eq!(bytes(&merged(&merged(a, b), b)), bytes(&merged(a, b)));
    }

    #[test]
    fn forgetting_early_or_late_is_the_same(
        events in prop::collection::vec(event(), 1..40), at in any::<prop::sample::Index>(), day in 0_i32..6,
    ) {
        // Every ad is known before, so that each remembers what it has forgotten.
        let known: Vec<_> =
            ["a", "b", "c"].iter().map(|ad| SamplerEvent::Observation(observation(ad, 9, 1, 1))).collect();
        let (early, late) = events.split_at(at.index(events.len()));
        let mut one = SamplerState::replay(known.iter().chain(early)).unwrap();
        one.forget_before(Day::new(day));
        for event in late {
            one.apply(event).unwrap();
        }
        let mut other = SamplerState::replay(known.iter().chain(&events)).unwrap();
        other.forget_before(Day::new(day));
        prop_assert_eq!(bytes(&one), bytes(&other));
    }
}

#[test]
fn a_deal_counts_once_by_its_latest_event() {
    let mut state = SamplerState::default();
    state.observe(&observation("a", 1, 10, 1)).unwrap();
    let open = DealFeedback { outcome: DealOutcome::Open, ..feedback("e1", "a", Some("d"), 500, DAY) };
    let won = feedback("e2", "a", Some("d"), 5_000, 3 * DAY);
    assert!(state.feedback(&won).unwrap());
    assert!(!state.feedback(&open).unwrap(), "it is older");
    assert!(!state.feedback(&won).unwrap(), "it was given before");
    assert_eq!(state.ads["a"].deals.len(), 1);
    assert_eq!(state.ads["a"].deals["d"].value_minor, 5_000);
}

#[test]
fn what_is_wrong_is_named_and_changes_nothing() {
    let mut state = SamplerState::default();
    state.observe(&observation("a", 1, 10, 1)).unwrap();
    state.feedback(&feedback("e", "a", None, 5, DAY)).unwrap();
    let before = bytes(&state);
    let mut refuse = |result: &dyn Fn(&mut SamplerState) -> xynergy_core::Result<bool>, kind, text: &str| {
        let error = result(&mut state).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(text), "{error}");
        assert_eq!(bytes(&state), before);
    };
    let invalid = ErrorKind::InvalidInput;
    refuse(&|s| s.feedback(&feedback("e", "x", None, 5, DAY)), ErrorKind::NotFound, "x was never observed");
    refuse(&|s| s.feedback(&feedback("e", "a", None, 6, DAY)), ErrorKind::Conflict, "e was given before");
    refuse(
        &|s| s.feedback(&feedback("f", "a", None, -1, DAY)),
        invalid,
        "pipeline_value_minor: -1 is negative",
    );
    refuse(&|s| s.feedback(&feedback("", "a", None, 1, DAY)), invalid, "event_id: is empty");
    refuse(&|s| s.feedback(&feedback(&"x".repeat(600), "a", None, 1, DAY)), invalid, "600 bytes");
    refuse(&|s| s.observe(&observation("", 1, 1, 1)), invalid, "ad_id: is empty");
    refuse(&|s| s.observe(&observation("a", 1, -1, 1)), invalid, "impressions: -50 is negative");
    refuse(
        &|s| s.observe(&AdObservation { clicks: 501, ..observation("a", 1, 10, 1) }),
        invalid,
        "501 are more than its 500 impressions",
    );
    refuse(
        &|s| s.observe(&AdObservation { spend_minor: i64::MAX, ..observation("a", 1, 10, 1) }),
        invalid,
        "is above 1000000000000000",
    );
    let early = Some(Timestamp::from_micros(2 * DAY));
    refuse(
        &|s| s.feedback(&DealFeedback { clicked_at: early, ..feedback("f", "a", None, 1, DAY) }),
        invalid,
        "clicked_at: is after occurred_at",
    );
    for number in ["NaN", "1e999", "1.5", "\"7\"", "null"] {
        let json = format!(
            "{{\"ad_id\":\"a\",\"day\":\"2026-03-01\",\"impressions\":{number},\"clicks\":0,\"spend_minor\":0}}"
        );
        assert!(serde_json::from_str::<AdObservation>(&json).is_err(), "{number}");
    }
}

/// Whatever was remembered, believing it does not panic, and says numbers.
#[test]
fn extremes_are_believed_without_a_panic() {
    let mut state = SamplerState::default();
    let huge = 1_000_000_000_000_000;
    for (ad, impressions, clicks, spend_minor) in
        [("a", huge, huge, huge), ("b", huge, 0, 0), ("c", 0, 0, huge), ("d", 0, 0, 0), ("e", 1, 1, 1)]
    {
        let day = Day::new(10);
        let observed_at = None;
        state
            .observe(&AdObservation { ad_id: ad.into(), day, impressions, clicks, spend_minor, observed_at })
            .unwrap();
        for (event, value, clicked) in
            [("1", huge, 0), ("2", 0, -600 * DAY), ("3", 1, 9 * DAY), ("4", huge, i64::MIN)]
        {
            let clicked_at = Some(Timestamp::from_micros(clicked));
            state
                .feedback(&DealFeedback { clicked_at, ..feedback(event, ad, None, value, 10 * DAY) })
                .unwrap();
        }
    }
    for (day, discount) in
        [(10, 970_000), (0, 1_000_000), (400, 500_000), (i32::MAX, 970_000), (i32::MIN, 970_000)]
    {
        let options = SamplerOptions {
            day: Some(Day::new(day)),
            discount: Millionths::new(discount),
            ..SamplerOptions::default()
        };
        assert_eq!(posteriors(&state, &options).unwrap().ads.len(), 5);
    }
}
