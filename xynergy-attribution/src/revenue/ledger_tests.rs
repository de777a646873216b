use proptest::prelude::*;
use serde_json::json;

use super::super::currencies::Rate;
use super::super::learn::{learn, seen_until};
use super::super::rules::{Pipeline, PipelineStage};
use super::super::testing::{Said, amount, currency, event, histories, merge, refund, stage};
use super::*;
use xynergy_core::crm::CrmChange;

fn rules() -> Rules {
    let mut rules = Rules { use_amounts: true, ..Rules::default() };
    rules.currencies.rates = vec![Rate { currency: "EUR".parse().unwrap(), rate: "1.1".into(), since: None }];
    let of = |id: &str, probability_permille| PipelineStage {
        id: id.into(),
        probability_permille,
        value_minor: None,
    };
    let stages = vec![of("lead", 100), of("contractsent", 900), of("closedwon", 1000), of("closedlost", 0)];
    rules.pipelines = vec![Pipeline { id: "sales".into(), stages }];
    rules
}

fn fold_by(rules: &Rules, tables: &[StageTable], events: &[CrmEvent]) -> BTreeMap<String, Ledger> {
    fold(events, &BTreeMap::new(), Book { rules, tables, values_seen: 0 })
}

fn one(rules: &Rules, events: &[CrmEvent]) -> Ledger {
    fold_by(rules, &[], events).remove("7").unwrap()
}

fn deltas(ledger: &Ledger) -> Vec<(EntryCause, Minor)> {
    ledger.entries.iter().map(|entry| (entry.cause, entry.delta_minor)).collect()
}

#[test]
fn each_event_is_worth_what_it_changed() {
    let ledger = one(
        &Rules::default(),
        &[
            event(4, 40, "7", stage("closedlost")),
            event(1, 10, "7", stage("lead")),
            event(5, 50, "7", stage("closedwon")),
            event(2, 20, "7", stage("appointmentscheduled")),
            event(3, 30, "7", stage("closedwon")),
        ],
    );
    let shown: Vec<_> = ledger.entries.iter().map(|e| e.delta_minor).collect();
    assert_eq!(shown, [50_000, 100_000, 350_000, -500_000, 500_000]);
    assert_eq!(ledger.entries[0].stage_from, None);
    assert_eq!(ledger.entries[4].stage_from.as_deref(), Some("closedlost"));
    assert_eq!((ledger.stage.as_deref(), ledger.value_minor), (Some("closedwon"), 500_000));
    assert_eq!(ledger.first_at, Timestamp::from_millis(10));
}

#[test]
fn ties_go_by_the_event_id_as_an_integer_then_by_the_stage() {
    let last = |a: (&str, &str), b: (&str, &str)| {
        let of = |n, (id, to): (&str, &str)| CrmEvent { event_id: id.into(), ..event(n, 10, "7", stage(to)) };
        one(&Rules::default(), &[of(1, a), of(2, b)]).stage.unwrap()
    };
    assert_eq!(last(("9", "x"), ("10", "a")), "a", "9 is before 10");
    let long = last(("99999999999999999999999", "a"), ("100000000000000000000000", "b"));
    assert_eq!(long, "b", "of any length");
    assert_eq!(last(("010", "a"), ("9", "b")), "a", "leading zeros are nothing");
    assert_eq!(last(("abc", "a"), ("7", "b")), "a", "what is no integer comes last");
    assert_eq!(last(("7", "closedwon"), ("7", "closedlost")), "closedwon", "then the stage in text order");
}

#[test]
fn an_amount_is_worth_its_probability() {
    let ledger = one(
        &rules(),
        &[
            event(1, 1, "7", stage("lead")),
            event(2, 2, "7", amount("1000.05")),
            event(3, 3, "7", currency("EUR")),
            event(4, 4, "7", stage("contractsent")),
            event(5, 5, "7", stage("closedwon")),
            event(6, 6, "7", refund("100")),
            event(7, 7, "7", refund("5000")),
        ],
    );
    use EntryCause::{Amount, Currency, Refund, Stage};
    // 10 % of 5,000; of 1,000.05; of 1,100.055 (110,005.5 cents are 110,006); 90 %; all; less 110; never below zero.
    assert_eq!(
        deltas(&ledger),
        [
            (Stage, 50_000),
            (Amount, -39_999),
            (Currency, 1_000),
            (Stage, 88_004),
            (Stage, 11_001),
            (Refund, -11_000),
            (Refund, -99_006)
        ]
    );
    assert_eq!((ledger.value_minor, ledger.amount_minor, ledger.problem), (0, Some(0), None));
}

#[test]
fn without_amounts_only_refunds_touch_the_value_of_a_stage() {
    let events = [
        event(1, 1, "7", stage("lead")),
        event(2, 2, "7", amount("90000")),
        event(3, 3, "7", stage("closedwon")),
        event(4, 4, "7", refund("100.10")),
        event(4, 4, "7", refund("100.10")),
        event(5, 5, "7", stage("closedlost")),
        event(6, 6, "7", stage("closedwon")),
    ];
    let ledger = one(&Rules::default(), &events);
    use EntryCause::{Refund, Stage};
    assert_eq!(
        deltas(&ledger),
        [(Stage, 50_000), (Stage, 450_000), (Refund, -10_010), (Stage, -489_990), (Stage, 489_990)]
    );
    assert_eq!(ledger.events_seen, 6, "a repeated event is one");
    assert_eq!(ledger.amount_minor, Some(9_000_000 - 10_010));
}

#[test]
fn what_cannot_be_counted_is_told() {
    let told = |said: Said| {
        one(
            &rules(),
            &[event(1, 1, "7", stage("lead")), event(2, 2, "7", amount("10")), event(3, 3, "7", said)],
        )
    };
    let unrated = told(currency("GBP"));
    assert_eq!((unrated.value_minor, unrated.amount_minor), (50_000, None), "it counts by its stage");
    assert_eq!(unrated.problem.unwrap(), "currency: \"GBP\" has no rate to USD at this time");
    assert_eq!(told(amount("ten")).problem.unwrap(), "amount: \"ten\" is no decimal number");
    let other = told(Said::Change(CrmChange::Pipeline { pipeline: "77".into() }));
    assert!(other.problem.unwrap().starts_with("pipeline: \"77\" is not in attribution.pipelines"));
    assert!(told(stage("unheard")).problem.unwrap().starts_with("stage: \"unheard\""));
    assert!(told(refund("-3")).problem.unwrap().starts_with("refund: amount: \"-3\" is below zero"));
    assert_eq!(told(stage("contractsent")).problem, None);
}

#[test]
fn a_deletion_takes_the_value_and_a_restoration_gives_it_back() {
    let ledger = one(
        &Rules::default(),
        &[
            event(1, 1, "7", Said::Change(CrmChange::Created)),
            event(2, 2, "7", stage("closedwon")),
            event(3, 3, "7", Said::Change(CrmChange::Deleted)),
            event(4, 4, "7", stage("lead")),
            event(5, 5, "7", Said::Change(CrmChange::Restored)),
        ],
    );
    use EntryCause::{Deleted, Restored, Stage};
    assert_eq!(deltas(&ledger), [(Stage, 500_000), (Deleted, -500_000), (Stage, 0), (Restored, 50_000)]);
    let nothing = one(&Rules::default(), &[event(1, 1, "7", Said::Change(CrmChange::Created))]);
    assert_eq!((nothing.stage, nothing.entries.len(), nothing.events_seen), (None, 0, 1));
}

#[test]
fn a_merged_deal_counts_once_and_in_its_survivor() {
    let events = [
        event(1, 1, "a", stage("lead")),
        event(2, 2, "b", stage("closedwon")),
        event(3, 3, "b", amount("80")),
        event(4, 4, "b", refund("30")),
        event(5, 5, "c", Said::Change(CrmChange::Created)),
        // A new deal without a word of its own has what it took up.
        event(6, 6, "c", merge(&["b", "a"])),
        event(7, 7, "b", stage("contractsent")),
        event(8, 8, "c", stage("closedwon")),
    ];
    let ledgers = fold_by(&rules(), &[], &events);
    use EntryCause::{Amount, Merged, Refund, Stage};
    assert_eq!(deltas(&ledgers["a"]), [(Stage, 50_000), (Merged, -50_000)]);
    assert_eq!(
        deltas(&ledgers["b"]),
        [(Stage, 500_000), (Amount, -492_000), (Refund, -3_000), (Merged, -5_000), (Stage, 0)]
    );
    assert_eq!(deltas(&ledgers["c"]), [(Merged, 5_000), (Stage, -500), (Stage, 500)]);
    assert_eq!(ledgers["a"].merged_into.as_deref(), Some("c"));
    assert_eq!(ledgers["b"].merged_into.as_deref(), Some("c"));
    assert_eq!((ledgers["c"].value_minor, ledgers["c"].merged_into.as_deref()), (5_000, None));
}

#[test]
fn chains_and_circles_of_merges_have_one_end() {
    let events = [
        event(1, 1, "a", stage("lead")),
        event(2, 1, "b", stage("contractsent")),
        event(3, 1, "c", stage("closedwon")),
        event(4, 2, "b", merge(&["a"])),
        event(5, 3, "c", merge(&["b"])),
        // Who is gone takes up nobody, neither its survivor nor another.
        event(6, 4, "a", merge(&["c"])),
        event(7, 5, "a", merge(&["d", "a"])),
    ];
    let ledgers = fold_by(&Rules::default(), &[], &events);
    for (id, end) in [("a", Some("c")), ("b", Some("c")), ("c", None), ("d", Some("c"))] {
        assert_eq!(ledgers[id].merged_into.as_deref(), end, "{id}");
    }
    assert_eq!(ledgers.values().map(|ledger| ledger.value_minor).sum::<i64>(), 500_000);
    let of =
        |id: &str| -> Vec<&CrmEvent> { events.iter().filter(|e| e.deals.iter().any(|d| d == id)).collect() };
    for id in ["a", "b", "c", "d"] {
        assert_eq!(group(id, of), ["a", "b", "c", "d"].into(), "{id}");
    }
}

#[test]
fn what_the_crm_says_counts_where_no_event_does() {
    let facts = BTreeMap::from([(
        "7".to_owned(),
        DealFacts {
            pipeline: Some("sales".into()),
            amount: Some("100".into()),
            currency: Some("EUR".into()),
        },
    )]);
    let rules = rules();
    let book = Book { rules: &rules, tables: &[], values_seen: 4 };
    let mut events = vec![event(1, 1, "7", stage("contractsent"))];
    let ledger = fold(&events, &facts, book).remove("7").unwrap();
    assert_eq!((ledger.value_minor, ledger.amount_minor, ledger.values_seen), (9_900, Some(11_000), 4));
    events.push(event(2, 2, "7", amount("200")));
    assert_eq!(fold(&events, &facts, book)["7"].value_minor, 19_800);
    events.push(event(3, 3, "7", Said::Change(CrmChange::Amount { amount: None })));
    let emptied = &fold(&events, &facts, book)["7"];
    assert_eq!(
        (emptied.value_minor, emptied.amount_minor),
        (450_000, None),
        "an amount that was emptied is none"
    );
}

#[test]
fn a_revaluation_is_an_entry_at_its_cut() {
    let rules = Rules::default();
    let mut events = Vec::new();
    for n in 0..10_u32 {
        let id = format!("won-{n}");
        events.push(event(10 + 2 * n, 1, &id, stage("lead")));
        events.push(event(11 + 2 * n, 2, &id, stage("closedwon")));
    }
    events.push(event(1, 3, "7", stage("lead")));
    events.push(event(2, 9, "7", stage("contractsent")));
    let cut = Timestamp::from_millis(5);
    let table = learn(&events, &rules, cut);
    let own: Vec<CrmEvent> = events.iter().filter(|e| e.deals[0] == "7").cloned().collect();
    let ledger = &fold_by(&rules, std::slice::from_ref(&table), &own)["7"];
    // (20 * 500 + 10 * 5000) / 30 dollars; no closed deal was in the other stage.
    use EntryCause::{Revalued, Stage};
    assert_eq!(deltas(ledger), [(Stage, 50_000), (Revalued, 150_000), (Stage, -50_000)]);
    assert_eq!(ledger.entries[1].occurred_at, cut);
    assert_eq!(ledger.entries[1].event, Revaluation::entry_key(cut));
}

#[test]
fn a_deal_converts_when_it_was_created() {
    let ledger = one(&Rules::default(), &[event(1, 10, "7", stage("lead"))]);
    let deal = |created: &str| Deal {
        properties: [("createdate".to_owned(), Some(created.to_owned()))].into(),
        contacts: Vec::new(),
    };
    assert_eq!(anchor(Some(&deal("2026-03-01T00:00:00Z")), &ledger).to_string(), "2026-03-01T00:00:00Z");
    assert_eq!(anchor(Some(&deal("1772323200000")), &ledger).to_string(), "2026-03-01T00:00:00Z");
    for unusable in ["", "soon", "99999999999999999999999"] {
        assert_eq!(anchor(Some(&deal(unusable)), &ledger), ledger.first_at, "{unusable:?}");
    }
    assert_eq!(anchor(None, &ledger), ledger.first_at);
}

/// 100,000 events, among them merges, refunds and deletions: any order, repetition and partition gives the same bytes.
#[test]
fn a_hundred_thousand_events_in_any_order_end_in_the_same_bytes() {
    let (mut dice, mut events) = (Dice(7), Vec::new());
    for n in 0..100_000_u32 {
        let deal = dice.below(12_000);
        let said = match dice.below(100) {
            0..60 => stage(super::super::testing::STAGES[dice.below(5)]),
            60..73 => amount(&format!("{}.{:02}", dice.below(90_000), dice.below(100))),
            73..78 => currency(["EUR", "JPY", "USD"][dice.below(3)]),
            78..85 => Said::Change(CrmChange::Refund {
                amount: format!("{}.{:02}", dice.below(20_000), dice.below(100)),
                currency: [None, Some("EUR"), Some("JPY"), Some("USD")][dice.below(4)].map(str::to_owned),
            }),
            85..88 => Said::Change(CrmChange::Deleted),
            88..91 => Said::Change(CrmChange::Restored),
            91..95 => Said::Change(CrmChange::Pipeline { pipeline: "sales".into() }),
            95..97 => merge(&[&format!("deal-{}", deal / 8 * 8 + dice.below(8))]),
            _ => Said::Change(CrmChange::Created),
        };
        let at = i64::try_from(dice.below(5_000_000)).unwrap();
        events.push(event(n, at, &format!("deal-{deal}"), said));
    }
    let rules = rules();
    let cuts = [Timestamp::from_millis(2_000_000), Timestamp::from_millis(4_000_000)];
    let bytes = |events: &[CrmEvent]| -> Vec<u8> {
        let tables: Vec<StageTable> = cuts.iter().map(|cut| learn(events, &rules, *cut)).collect();
        let mut by_deal: BTreeMap<&str, Vec<&CrmEvent>> = BTreeMap::new();
        for event in events {
            event.deals.iter().for_each(|id| by_deal.entry(id).or_default().push(event));
        }
        let (mut done, mut text) = (BTreeSet::new(), serde_json::to_vec(&tables).unwrap());
        for id in by_deal.keys() {
            if done.contains(id) {
                continue;
            }
            let members = group(id, |id| by_deal.get(id).cloned().unwrap_or_default());
            let own: Vec<CrmEvent> =
                members.iter().flat_map(|id| by_deal[id].iter().copied().cloned()).collect();
            for (id, ledger) in fold_by(&rules, &tables, &own) {
                text.extend(format!("{id} {ledger:?}\n").bytes());
            }
            done.extend(members);
        }
        text
    };
    let first = bytes(&events);
    let seen = seen_until(&events, cuts[0]);
    events.reverse();
    assert!(first == bytes(&events), "all reversed");
    for round in 0..2 {
        // Shuffled, and a tenth of them there again, some a thousand times.
        for at in (1..events.len()).rev() {
            events.swap(at, dice.below(at + 1));
        }
        let again: Vec<CrmEvent> = events.iter().take(10_000).cloned().collect();
        events.extend(again);
        events.extend(std::iter::repeat_n(events[5].clone(), 1_000));
        assert!(first == bytes(&events), "shuffle {round}");
        assert_eq!(seen_until(&events, cuts[0]), seen);
    }
    if let Some(path) = std::env::var_os("XYNERGY_LEDGERS") {
        std::fs::write(path, written(&rules, &events)).unwrap();
    }
}

/// Rules, events and ledgers for `tests/python/ledger_oracle.py --ledgers`, one JSON object a line.
fn written(rules: &Rules, events: &[CrmEvent]) -> String {
    let Rules { use_amounts, pipelines, currencies, .. } = rules;
    let mut lines =
        vec![json!({"use_amounts": use_amounts, "pipelines": pipelines, "currencies": currencies})];
    lines.extend(events.iter().map(|event| {
        let said = serde_json::to_value(&event.change).unwrap();
        let cause = said["type"].as_str().unwrap();
        let value = said.get(if cause == "refund" { "amount" } else { cause });
        json!({"said": {
            "key": event.key, "at": event.occurred_at.millis(), "id": event.event_id, "cause": cause, "deal": event.deals[0],
            "others": event.deals[1..], "value": value, "currency": said.get("currency"), "recorded": 0,
        }})
    }));
    let known = fold_by(rules, &[], events).into_iter().filter(|(_, ledger)| ledger.stage.is_some());
    lines.extend(known.map(|(id, ledger)| {
        json!({"ledger": {
            "deal_id": id, "stage": ledger.stage, "pipeline": ledger.pipeline, "value_minor": ledger.value_minor,
            "amount_minor": ledger.amount_minor, "merged_into": ledger.merged_into, "entries": ledger.entries,
            "problem": ledger.problem.map(|problem| problem.split(':').next().unwrap().to_owned()),
            "events_seen": ledger.events_seen,
        }})
    }));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A fixed stream of numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(end).unwrap()).unwrap()
    }
}

proptest! {
    #[test]
    fn order_and_repetition_change_nothing(
        (events, shuffled) in histories().prop_flat_map(|events| {
            let twice = events.iter().chain(&events).cloned().collect::<Vec<_>>();
            (Just(events), Just(twice).prop_shuffle())
        }),
        cuts in proptest::collection::btree_set(0_i64..14, 0..3)
    ) {
        let rules = rules();
        let tables = |events: &[CrmEvent]| -> Vec<StageTable> {
            cuts.iter().map(|cut| learn(events, &rules, Timestamp::from_millis(*cut))).collect()
        };
        prop_assert_eq!(fold_by(&rules, &tables(&events), &events), fold_by(&rules, &tables(&shuffled), &shuffled));
    }

    #[test]
    fn the_entries_add_up_to_the_value(events in histories(), use_amounts: bool, cut in 0_i64..14) {
        let rules = Rules { use_amounts, ..rules() };
        let table = learn(&events, &rules, Timestamp::from_millis(cut));
        for (id, ledger) in fold_by(&rules, &[table], &events) {
            prop_assert_eq!(ledger.entries.iter().map(|e| e.delta_minor).sum::<i64>(), ledger.value_minor, "{}", id);
            prop_assert!(ledger.value_minor >= 0);
            prop_assert!(ledger.merged_into.is_none() || ledger.value_minor == 0);
            let of = events.iter().filter(|e| e.deals.contains(&id)).count() as u64;
            prop_assert_eq!(ledger.events_seen, of);
            prop_assert!(ledger.entries.is_sorted_by_key(|entry| entry.occurred_at));
        }
    }

    #[test]
    fn groups_are_folded_as_the_whole_is(events in histories()) {
        let rules = rules();
        let whole = fold_by(&rules, &[], &events);
        for (id, ledger) in &whole {
            let of = |id: &str| -> Vec<&CrmEvent> { events.iter().filter(|e| e.deals.iter().any(|d| d == id)).collect() };
            let members = group(id, of);
            let own: Vec<CrmEvent> =
                events.iter().filter(|e| e.deals.iter().any(|d| members.contains(d.as_str()))).cloned().collect();
            prop_assert_eq!(&fold_by(&rules, &[], &own)[id], ledger);
        }
    }

    #[test]
    fn when_it_was_recorded_decides_nothing(events in histories(), times in proptest::collection::vec(any::<u32>(), 40)) {
        let rules = rules();
        let moved: Vec<CrmEvent> = events
            .iter()
            .zip(times)
            .map(|(e, at)| CrmEvent { recorded_at: Timestamp::from_millis(i64::from(at)), ..e.clone() })
            .collect();
        prop_assert_eq!(fold_by(&rules, &[], &events), fold_by(&rules, &[], &moved));
    }
}
