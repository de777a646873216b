use std::collections::{BTreeMap, BTreeSet};

use xynergy_core::crm::{CrmEvent, Deal};
use xynergy_core::store::{DealFacts, DealRevenue, EntryCause, KeyedHash, LedgerEntry, Match, Revaluation};
use xynergy_core::{Minor, Timestamp};

use super::deals::Deals;
use super::order::ordered;
use super::rules::Rules;
use super::table::StageTable;
use super::worth::{Worth, worth};

/// A deal's history with what each event of it was worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The stage after all of them; `None` when it was in none.
    pub stage: Option<String>,
    /// The pipeline, where it is known.
    pub pipeline: Option<String>,
    /// What it is worth, in minor units: the sum of the entries.
    pub value_minor: Minor,
    /// Its amount less refunds, in minor units of the base currency.
    pub amount_minor: Option<Minor>,
    /// The deal that it was merged into.
    pub merged_into: Option<String>,
    /// Why its amount, or its stage, does not count as it might.
    pub problem: Option<String>,
    /// When the first of its stage changes happened, or else of all events.
    pub first_at: Timestamp,
    /// One entry for each move to a stage, and for everything else that changed the value.
    pub entries: Vec<LedgerEntry>,
    /// How many events concern it.
    pub events_seen: u64,
    /// The [sum](Revaluation::sum) of the revaluations.
    pub values_seen: u64,
}

impl Ledger {
    /// The state to store for the deal.
    pub fn into_deal(self, deal_id: impl Into<String>, facts: DealFacts, matched: Match) -> DealRevenue {
        DealRevenue {
            deal_id: deal_id.into(),
            stage: self.stage,
            pipeline: self.pipeline,
            value_minor: self.value_minor,
            amount_minor: self.amount_minor,
            merged_into: self.merged_into,
            problem: self.problem,
            facts,
            entries: self.entries,
            matched,
            events_seen: self.events_seen,
            values_seen: self.values_seen,
        }
    }
}

/// What a fold goes by, besides the events.
#[derive(Clone, Copy, Debug)]
pub struct Book<'a> {
    /// What deals are worth; [valid](Rules::validate).
    pub rules: &'a Rules,
    /// The values that were learned, by cut. Each holds from its cut on.
    pub tables: &'a [StageTable],
    /// The [sum](Revaluation::sum) of the revaluations that these are of.
    pub values_seen: u64,
}

/// The deals that hang together with `id` by merges, `id` included. `events_of` gives the events that concern a deal.
pub fn group<'a>(id: &'a str, events_of: impl Fn(&str) -> Vec<&'a CrmEvent>) -> BTreeSet<&'a str> {
    let (mut found, mut open) = (BTreeSet::from([id]), vec![id]);
    while let Some(next) = open.pop() {
        for deal in events_of(next).into_iter().flat_map(|event| &event.deals) {
            if found.insert(deal) {
                open.push(deal);
            }
        }
    }
    found
}

/// Folds the events of deals that hang together by merges, or of one deal, by time, then event id as an integer, then what they
/// say. A pure function of the set of events: order and repetition change nothing. Gives every deal that an event concerns.
///
/// Each event books what it changed: the value after it less the value before it. A revaluation books the same at its cut,
/// behind the events of that time.
pub fn fold(
    events: &[CrmEvent],
    facts: &BTreeMap<String, DealFacts>,
    book: Book<'_>,
) -> BTreeMap<String, Ledger> {
    let mut fold = Fold { deals: Deals::with_facts(facts), ledgers: BTreeMap::new(), book, table: None };
    let mut cuts = book.tables.iter().peekable();
    for event in ordered(events) {
        while let Some(table) = cuts.next_if(|table| table.cut < event.occurred_at) {
            fold.revalue(table);
        }
        fold.take(event);
    }
    for table in cuts {
        fold.revalue(table);
    }
    fold.end()
}

struct Fold<'a> {
    deals: Deals<'a>,
    ledgers: BTreeMap<&'a str, Open<'a>>,
    book: Book<'a>,
    table: Option<&'a StageTable>,
}

/// A ledger that is being written.
#[derive(Default)]
struct Open<'a> {
    ledger: Ledger,
    stage: Option<&'a str>,
    worth: Worth,
    in_stage_at: Option<Timestamp>,
    first_at: Option<Timestamp>,
}

impl<'a> Fold<'a> {
    fn take(&mut self, event: &'a CrmEvent) {
        let distinct: BTreeSet<&String> = event.deals.iter().collect();
        for id in distinct {
            let open = self.ledgers.entry(id).or_default();
            open.ledger.events_seen += 1;
            open.first_at.get_or_insert(event.occurred_at);
        }
        let Some((cause, changed)) = self.deals.apply(event) else { return };
        let about = event.deals.first();
        for id in changed {
            let moved = cause == EntryCause::Stage && about.is_some_and(|about| about == id);
            self.look(id, event.key, event.occurred_at, cause, moved);
        }
    }

    fn revalue(&mut self, table: &'a StageTable) {
        self.table = Some(table);
        let ids: Vec<&str> = self.deals.ids().collect();
        for id in ids {
            self.look(id, Revaluation::entry_key(table.cut), table.cut, EntryCause::Revalued, false);
        }
    }

    /// Books what a deal is worth now beside what it was worth before.
    fn look(&mut self, id: &'a str, key: KeyedHash, at: Timestamp, cause: EntryCause, moved: bool) {
        let view = self.deals.view(id);
        let now = worth(&view, self.book.rules, self.table, at);
        let open = self.ledgers.entry(id).or_default();
        let delta_minor = now.value_minor.saturating_sub(open.worth.value_minor);
        if moved {
            open.in_stage_at.get_or_insert(at);
        }
        if let Some(stage) = view.stage
            && (moved || delta_minor != 0)
        {
            open.ledger.entries.push(LedgerEntry {
                event: key,
                occurred_at: at,
                cause,
                stage_from: open.stage.map(str::to_owned),
                stage_to: stage.to_owned(),
                delta_minor,
            });
        }
        open.stage = view.stage;
        open.worth = now;
    }

    fn end(self) -> BTreeMap<String, Ledger> {
        let Self { deals, ledgers, book, .. } = self;
        let closed = ledgers.into_iter().map(|(id, open)| {
            let view = deals.view(id);
            let ledger = Ledger {
                stage: view.stage.map(str::to_owned),
                pipeline: view.pipeline.map(str::to_owned),
                value_minor: open.worth.value_minor,
                amount_minor: open.worth.amount_minor,
                merged_into: view.merged_into.map(str::to_owned),
                problem: open.worth.problem,
                first_at: open.in_stage_at.or(open.first_at).unwrap_or(Timestamp::from_micros(0)),
                values_seen: book.values_seen,
                ..open.ledger
            };
            (id.to_owned(), ledger)
        });
        closed.collect()
    }
}

/// What the CRM says of a deal where no event does.
pub fn facts(deal: &Deal) -> DealFacts {
    let property = |name: &str| deal.property(name).map(str::to_owned);
    DealFacts {
        pipeline: property("pipeline"),
        amount: property("amount"),
        currency: property("deal_currency_code"),
    }
}

/// The time of a deal's conversion: its `createdate` in the CRM (RFC 3339 or milliseconds), else its first stage change.
pub fn anchor(deal: Option<&Deal>, ledger: &Ledger) -> Timestamp {
    let created = deal.and_then(|deal| deal.property("createdate")).and_then(|text| {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            text.parse().ok().map(Timestamp::from_millis)
        } else {
            text.parse().ok()
        }
    });
    created.unwrap_or(ledger.first_at)
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
