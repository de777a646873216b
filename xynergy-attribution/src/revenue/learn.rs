//! What the stages are worth, from what became of the deals.

use std::collections::{BTreeMap, BTreeSet};

use xynergy_core::Timestamp;
use xynergy_core::crm::{CrmChange, CrmEvent};

use super::deals::Deals;
use super::decimal::divide;
use super::hazard::{Stay, ages};
use super::order::ordered;
use super::rules::{Outcome, Rules};
use super::table::{StageRow, StageTable, bucket};
use super::worth::{ONE, worth};

/// So many deals at its configured value does each stage begin with.
pub const PRIOR_DEALS: u64 = 20;

/// From so many closed deals on, age counts.
pub const ENOUGH_DEALS: u64 = 200;

/// What the stages are worth by the events of a tenant up to `cut`; later ones are left out. A pure function of the set of
/// events: order and repetition change nothing.
///
/// Each deal that was won or lost by then counts in every stage that it was in, once: with what it brought, which is its amount
/// less refunds, or the configured value of its stage where that is not known, or nothing when it was lost. The value of a stage
/// is `(n0 * V0 + sum of what they brought) / (n0 + n)` with `n0` = [`PRIOR_DEALS`] deals at the configured `V0`. Stages of lost
/// deals stay worth nothing. Deals that were deleted or merged away count nowhere.
pub fn learn(events: &[CrmEvent], rules: &Rules, cut: Timestamp) -> StageTable {
    let no_facts = BTreeMap::new();
    let mut deals = Deals::with_facts(&no_facts);
    let mut visits: BTreeMap<&str, BTreeMap<&str, Timestamp>> = BTreeMap::new();
    for event in ordered(events).into_iter().take_while(|event| event.occurred_at <= cut) {
        deals.apply(event);
        if let (Some(CrmChange::Stage { stage }), Some(id)) = (&event.change, event.deals.first()) {
            visits.entry(id).or_default().entry(stage).or_insert(event.occurred_at);
        }
    }
    let mut stages: BTreeMap<(Option<&str>, &str), Seen> = BTreeMap::new();
    let mut closed_deals = 0;
    for (id, visited) in &visits {
        let view = deals.view(id);
        let (Some(stage), None, false) = (view.stage, view.merged_into, view.deleted) else { continue };
        let outcome = rules.stage(view.pipeline, stage).outcome;
        let worth = worth(&view, rules, None, cut);
        let brought = match outcome {
            Outcome::Won => worth.amount_minor.unwrap_or(worth.value_minor),
            Outcome::Open | Outcome::Lost => 0,
        };
        closed_deals += u64::from(outcome != Outcome::Open);
        let ended_at = if outcome == Outcome::Open { cut } else { view.entered_at };
        for (stage, entered_at) in visited {
            let configured = rules.stage(view.pipeline, stage);
            let seen = stages.entry((configured.pipeline, stage)).or_default();
            if outcome != Outcome::Open {
                seen.closed += 1;
                seen.won += u64::from(outcome == Outcome::Won);
                seen.brought += i128::from(brought);
            }
            if configured.outcome == Outcome::Open {
                seen.stays.push((bucket(ended_at.micros().saturating_sub(entered_at.micros())), outcome));
            }
        }
    }
    let with_ages = closed_deals >= ENOUGH_DEALS;
    let rows =
        stages.into_iter().map(|((pipeline, stage), seen)| seen.row(pipeline, stage, rules, with_ages));
    StageTable { cut, closed_deals, prior_deals: PRIOR_DEALS, rows: rows.collect() }
}

/// The deals that were in a stage.
#[derive(Default)]
struct Seen {
    closed: u64,
    won: u64,
    brought: i128,
    stays: Vec<Stay>,
}

impl Seen {
    fn row(self, pipeline: Option<&str>, stage: &str, rules: &Rules, with_ages: bool) -> StageRow {
        let configured = rules.stage(pipeline, stage);
        let lost = configured.outcome == Outcome::Lost;
        let (prior, closed) = (i128::from(PRIOR_DEALS), i128::from(self.closed));
        let shrunk = |configured: i64, seen: i128| {
            let mean = divide(prior * i128::from(configured) + seen, prior + closed);
            if lost { 0 } else { i64::try_from(mean).unwrap_or(i64::MAX) }
        };
        let value_minor = shrunk(configured.value_minor, self.brought);
        let probability_millionths = match configured.outcome {
            Outcome::Won => ONE,
            Outcome::Open | Outcome::Lost => {
                shrunk(configured.probability_millionths, i128::from(self.won) * i128::from(ONE))
            }
        };
        let ages = if with_ages && configured.outcome == Outcome::Open {
            ages(&self.stays, value_minor, probability_millionths, PRIOR_DEALS)
        } else {
            Vec::new()
        };
        StageRow {
            pipeline: pipeline.map(str::to_owned),
            stage: stage.to_owned(),
            default_minor: configured.value_minor,
            value_minor,
            probability_millionths,
            closed_deals: self.closed,
            won_deals: self.won,
            realised_minor: i64::try_from(self.brought).unwrap_or(i64::MAX),
            ages,
        }
    }
}

/// How many of the events happened up to `cut` and concern deals, each key once: what a
/// [revaluation](xynergy_core::store::Revaluation) at it has seen.
pub fn seen_until(events: &[CrmEvent], cut: Timestamp) -> u64 {
    let seen = events.iter().filter(|event| !event.deals.is_empty() && event.occurred_at <= cut);
    seen.map(|event| event.key).collect::<BTreeSet<_>>().len() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Said, amount, event, merge, stage};
    use super::*;

    fn day(day: i64) -> i64 {
        day * 24 * 60 * 60 * 1000
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn row<'a>(table: &'a StageTable, stage: &str) -> &'a StageRow {
        table.row(None, stage).unwrap()
    }

    #[test]
    fn values_shrink_from_the_configured_ones_to_what_deals_brought() {
        let rules = Rules::default();
        let mut events = Vec::new();
        for (n, id) in (0..10_u32).zip(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]) {
            events.push(event(4 * n, day(1), id, stage("lead")));
            events.push(event(4 * n + 1, day(2), id, amount("1000")));
            // Six are lost, three are won, one is open.
            let end = if n < 6 {
                "closedlost"
            } else if n < 9 {
                "closedwon"
            } else {
                "contractsent"
            };
            events.push(event(4 * n + 2, day(3), id, stage(end)));
        }
        let none = learn(&[], &rules, at(day(9)));
        assert_eq!((none.closed_deals, none.rows.len()), (0, 0), "day one is as configured");
        let table = learn(&events, &rules, at(day(9)));
        assert_eq!(table.closed_deals, 9);
        let lead = row(&table, "lead");
        // (20 * 500 + 3 * 1000) / 29 dollars; (20 * 0.1 + 3) / 29.
        assert_eq!((lead.value_minor, lead.closed_deals, lead.won_deals), (44_828, 9, 3));
        assert_eq!(lead.probability_millionths, 172_414);
        assert_eq!(lead.realised_minor, 300_000);
        let won = row(&table, "closedwon");
        assert_eq!(
            (won.value_minor, won.probability_millionths),
            (447_826, ONE),
            "(20 * 5000 + 3 * 1000) / 23"
        );
        assert_eq!(row(&table, "closedlost").value_minor, 0);
        assert_eq!(row(&table, "contractsent").value_minor, 150_000, "no closed deal was in it");
        assert_eq!(
            learn(&events, &rules, at(day(2))).closed_deals,
            0,
            "what happened after the cut is not known"
        );
    }

    #[test]
    fn a_merged_or_deleted_deal_teaches_nothing() {
        let rules = Rules::default();
        let events = [
            event(1, day(1), "a", stage("lead")),
            event(2, day(2), "a", stage("closedwon")),
            event(3, day(1), "b", stage("lead")),
            event(4, day(2), "b", stage("closedwon")),
            event(5, day(3), "a", merge(&["b"])),
            event(6, day(1), "c", stage("closedwon")),
            event(7, day(2), "c", Said::Change(CrmChange::Deleted)),
        ];
        let table = learn(&events, &rules, at(day(9)));
        assert_eq!((table.closed_deals, row(&table, "lead").won_deals), (1, 1));
    }

    #[test]
    fn age_counts_from_two_hundred_closed_deals_on() {
        let rules = Rules::default();
        let deals: Vec<String> = (0..230).map(|n| format!("d{n}")).collect();
        let mut events = Vec::new();
        for (n, id) in (0_u32..).zip(&deals) {
            events.push(event(2 * n, 0, id, stage("lead")));
            // Won in the first week, lost in the fifth; thirty stay open.
            match n {
                0..100 => events.push(event(2 * n + 1, day(1), id, stage("closedwon"))),
                100..200 => events.push(event(2 * n + 1, day(30), id, stage("closedlost"))),
                _ => {}
            }
        }
        let few = learn(&events[..398], &rules, at(day(60)));
        assert!(few.closed_deals == 199 && row(&few, "lead").ages.is_empty());
        let table = learn(&events, &rules, at(day(60)));
        let ages = &row(&table, "lead").ages;
        assert_eq!(table.closed_deals, 200);
        assert_eq!((ages[0].at_risk, ages[0].won, ages[4].at_risk, ages[4].lost), (230, 100, 130, 100));
        assert_eq!(ages.len(), 9, "up to the oldest that was seen");
        assert!(ages[1].value_minor < ages[0].value_minor / 3, "a stale deal is worth less: {ages:?}");
        assert_eq!(
            row(&table, "lead").at_age(i64::MAX),
            ages[8].factor_millionths,
            "an older one takes the oldest known"
        );
        assert!(row(&table, "closedwon").ages.is_empty());
    }

    proptest! {
        #[test]
        fn order_and_repetition_change_nothing(
            (events, shuffled) in super::super::testing::histories().prop_flat_map(|events| {
                let twice = events.iter().chain(&events).cloned().collect::<Vec<_>>();
                (Just(events), Just(twice).prop_shuffle())
            }),
            cut in 0_i64..12
        ) {
            let rules = Rules::default();
            prop_assert_eq!(learn(&events, &rules, at(cut)), learn(&shuffled, &rules, at(cut)));
            prop_assert_eq!(seen_until(&events, at(cut)), seen_until(&shuffled, at(cut)));
        }
    }
}
