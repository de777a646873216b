//! Refunds: in other currencies, of deals that were merged, and before a deal is won again.

use std::collections::BTreeMap;

use xynergy_core::Minor;
use xynergy_core::crm::{CrmChange, CrmEvent};
use xynergy_core::store::DealFacts;
use xynergy_core::store::EntryCause::{self, Amount, Currency, Merged, Refund, Stage};

use super::currencies::Rate;
use super::ledger::{Book, Ledger, fold};
use super::rules::Rules;
use super::testing::{Said, amount, currency, event, merge, refund, stage};

/// A euro is 1.0842 dollars, and 1.2 from the second 100 on; a yen 0.0064.
fn rules(use_amounts: bool) -> Rules {
    let mut rules = Rules { use_amounts, ..Rules::default() };
    let rate = |currency: &str, rate: &str, since: Option<&str>| Rate {
        currency: currency.parse().unwrap(),
        rate: rate.into(),
        since: since.map(|since| since.parse().unwrap()),
    };
    rules.currencies.rates = vec![
        rate("EUR", "1.0842", None),
        rate("EUR", "1.2", Some("1970-01-01T00:01:40Z")),
        rate("JPY", "0.0064", None),
    ];
    rules
}

fn refund_in(amount: &str, currency: &str) -> Said {
    Said::Change(CrmChange::Refund { amount: amount.into(), currency: Some(currency.into()) })
}

fn fold_all(rules: &Rules, events: &[CrmEvent]) -> BTreeMap<String, Ledger> {
    fold(events, &BTreeMap::new(), Book { rules, tables: &[], values_seen: 0 })
}

fn of_seven(use_amounts: bool, said: Vec<(i64, Said)>) -> Ledger {
    let numbered = (1_u32..).zip(said);
    let events: Vec<CrmEvent> =
        numbered.map(|(n, (second, said))| event(n, second * 1_000, "7", said)).collect();
    fold_all(&rules(use_amounts), &events).remove("7").unwrap()
}

fn deltas(ledger: &Ledger) -> Vec<(EntryCause, Minor)> {
    ledger.entries.iter().map(|entry| (entry.cause, entry.delta_minor)).collect()
}

#[test]
fn a_refund_in_another_currency_goes_by_the_rate_of_its_time() {
    let ledger = of_seven(
        true,
        vec![
            (1, stage("closedwon")),
            (2, amount("100")),
            (3, currency("EUR")),
            (4, refund_in("1000", "JPY")),
            (5, refund_in("10", "USD")),
            (150, refund_in("10", "EUR")),
            (151, refund_in("1", "GBP")),
        ],
    );
    // 100 EUR; less 6.40; less 10; less 10 EUR, the other 90 at the new rate: 108.00 - 16.40.
    assert_eq!(
        deltas(&ledger),
        [
            (Stage, 500_000),
            (Amount, -490_000),
            (Currency, 842),
            (Refund, -640),
            (Refund, -1_000),
            (Refund, -42)
        ]
    );
    assert_eq!((ledger.value_minor, ledger.amount_minor), (9_160, Some(9_160)));
    assert_eq!(ledger.problem.unwrap(), "refund: currency: \"GBP\" has no rate to USD at this time");
}

#[test]
fn what_went_back_whole_leaves_nothing_when_the_rate_moves_and_the_deal_is_won_again() {
    let ledger = of_seven(
        true,
        vec![
            (1, currency("EUR")),
            (2, amount("100.05")),
            (3, stage("closedwon")),
            // In parts each of which would be rounded.
            (4, refund("33.37")),
            (5, refund("33.34")),
            (6, refund("33.34")),
            (7, stage("closedlost")),
            (150, stage("closedwon")),
        ],
    );
    assert_eq!((ledger.value_minor, ledger.amount_minor), (0, Some(0)));
    assert_eq!(deltas(&ledger)[4..], [(Stage, 0), (Stage, 0)]);
    let more = of_seven(
        true,
        vec![
            (1, currency("EUR")),
            (2, amount("100")),
            (3, stage("closedwon")),
            (4, refund("40")),
            (5, stage("closedlost")),
            (150, stage("closedwon")),
            (151, amount("90")),
        ],
    );
    // 60 EUR of the new rate, and 50 when the amount is another.
    assert_eq!(deltas(&more)[2..], [(Stage, -6_505), (Stage, 7_200), (Amount, -1_200)]);
}

#[test]
fn a_value_of_a_stage_is_less_by_the_refund_at_the_rate_of_its_time() {
    let ledger = of_seven(
        false,
        vec![
            (1, currency("EUR")),
            (2, stage("closedwon")),
            (3, refund("100")),
            (150, stage("closedlost")),
            (151, stage("closedwon")),
        ],
    );
    assert_eq!(deltas(&ledger), [(Stage, 500_000), (Refund, -10_842), (Stage, -489_158), (Stage, 489_158)]);
    assert_eq!(ledger.amount_minor, None);
    let unknown = of_seven(
        true,
        vec![(1, currency("GBP")), (2, amount("5")), (3, stage("closedwon")), (4, refund("1"))],
    );
    assert_eq!(unknown.value_minor, 500_000);
    assert!(unknown.problem.unwrap().starts_with("currency: \"GBP\""));
}

#[test]
fn a_refund_of_a_merged_deal_stays_in_the_money_of_that_deal() {
    let events = [
        event(1, 1, "a", stage("closedwon")),
        event(2, 2, "a", amount("500")),
        event(3, 3, "b", currency("EUR")),
        event(4, 4, "b", stage("closedwon")),
        event(5, 5, "b", amount("200")),
        event(6, 6, "b", refund("100")),
        event(7, 7, "c", refund("7")),
        event(8, 8, "a", merge(&["b", "c"])),
        event(9, 150_000, "b", refund("10")),
    ];
    let ledgers = fold_all(&rules(true), &events);
    // c never had money of its own: what went back is in that of its survivor.
    assert_eq!(
        deltas(&ledgers["a"]),
        [(Stage, 500_000), (Amount, -450_000), (Merged, -10_842 - 700), (Refund, -1_200)]
    );
    assert_eq!(ledgers["b"].value_minor, 0);
    // The survivor without an amount of its own has that of the other, less what went back of both.
    let events: Vec<CrmEvent> = events.into_iter().filter(|event| event.event_id != "2").collect();
    let survivor = &fold_all(&rules(true), &events)["a"];
    assert_eq!(survivor.amount_minor, Some((20_000 - 11_000 - 700) * 12 / 10));
}

#[test]
fn the_money_of_a_merged_deal_may_be_known_by_the_crm_alone() {
    let facts = |currency: &str| DealFacts { currency: Some(currency.into()), ..DealFacts::default() };
    let facts = BTreeMap::from([("b".to_owned(), facts("EUR"))]);
    let events = [
        event(1, 1, "a", stage("closedwon")),
        event(2, 2, "a", amount("500")),
        event(3, 3, "b", refund("100")),
        event(4, 4, "a", merge(&["b"])),
    ];
    let rules = rules(true);
    let ledgers = fold(&events, &facts, Book { rules: &rules, tables: &[], values_seen: 0 });
    assert_eq!(ledgers["a"].amount_minor, Some(50_000 - 10_842));
}
