//! What must hold once a unit of work was brought to its end, judged by the platform's own log.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use xynergy::Scope;
use xynergy::execution::{AuditRow, ChangeFilter, ChangeRow, ChangeStatus, HistoryFilter, Reason};

use crate::site::{ACCOUNT, Site};
use crate::unit::Unit;

/// Nothing lost, nothing doubled, nothing unaudited, and everything where the unit leads to.
pub(crate) async fn ended(site: &Site, scope: &Scope, unit: Unit, context: &str) {
    for (name, ends) in unit.ends() {
        let row = site.get(scope, name).await;
        assert!(ends.contains(&(row.status, row.reason)), "{context}: {name} ends as {row:?}");
    }
    for (id, budget) in unit.budgets() {
        assert_eq!(site.budget(scope, id).await, *budget, "{context}: the budget of {id}");
    }
    invariants(site, scope, context).await;
}

/// The invariants that hold whenever nothing is in flight.
pub(crate) async fn invariants(site: &Site, scope: &Scope, context: &str) {
    let execution = scope.execution();
    let report = execution.verify_audit().await.unwrap();
    assert!(report.chain_ok, "{context}: {report:?}");
    assert_eq!(report.open_intents, 0, "{context}: every intent has its outcome");
    let rows = execution.list(&ChangeFilter::default()).await.unwrap();
    assert!(rows.iter().all(ChangeRow::is_over), "{context}: something goes on for ever: {rows:?}");
    let all = HistoryFilter { limit: 100_000, ..HistoryFilter::default() };
    let history = execution.history(ACCOUNT, &all).await.unwrap();
    let log = site.log();
    requests(&log, &history, context);
    effects(&log, &history, context);
    for row in rows.iter().filter(|row| row.status == ChangeStatus::Completed) {
        let landed = own_effects(&log).any(|e| e["change_id"] == *row.change.id.to_string());
        let told = row.reason == Some(Reason::Resolved);
        assert!(landed || told, "{context}: it is said to be completed and never landed: {row:?}");
    }
}

/// Each request has its intent, with the same value; all requests of a change are the same.
fn requests(log: &[Value], history: &[AuditRow], context: &str) {
    let mut sent: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut attempts = BTreeSet::new();
    for line in log.iter().filter(|l| l["kind"] == "request" && l["method"] == "POST") {
        let Some(change) = line["change_id"].as_str() else { continue };
        let value = line["sent"]["daily_budget"].as_str().unwrap_or_default();
        sent.entry(change).or_default().insert(format!("{} {}", line["path"], line["sent"]));
        assert!(attempts.insert((change, line["attempt"].as_u64())), "{context}: an attempt was sent twice");
        let intent =
            of_attempt(history, line, "intent").unwrap_or_else(|| panic!("{context}: no intent: {line}"));
        assert_eq!(intent.to_value.to_string(), value, "{context}: {line}");
        let at: xynergy::Timestamp = line["at"].as_str().unwrap().parse().unwrap();
        assert!(intent.at <= at, "{context}: it was sent before its intent: {line}");
        if let Some(attempt) = line["attempt"].as_u64().filter(|attempt| *attempt > 1) {
            let before = history.iter().find(|row| {
                row.kind.as_str() == "outcome"
                    && row.change_id == intent.change_id
                    && u64::from(row.attempt) == attempt - 1
            });
            let denied =
                before.is_some_and(|row| row.seq < intent.seq && row.status != ChangeStatus::Completed);
            assert!(denied, "{context}: it was sent again without a verdict: {line}");
        }
    }
    assert!(sent.values().all(|bodies| bodies.len() == 1), "{context}: requests differ: {sent:?}");
}

/// Each effect of ours is the only one of its change, and the history knows of it.
fn effects(log: &[Value], history: &[AuditRow], context: &str) {
    let mut changes = BTreeSet::new();
    for effect in own_effects(log) {
        let change = effect["change_id"].as_str().unwrap_or_else(|| panic!("{context}: unaudited: {effect}"));
        assert!(changes.insert(change), "{context}: it took effect twice: {effect}");
        assert!(of_attempt(history, effect, "intent").is_some(), "{context}: unaudited: {effect}");
        let outcome = of_attempt(history, effect, "outcome").unwrap();
        let known = outcome.status == ChangeStatus::Completed
            || outcome.reason == Some(Reason::Conflict)
            || of_attempt(history, effect, "late").is_some();
        assert!(known, "{context}: the history denies {effect}");
    }
}

fn own_effects(log: &[Value]) -> impl Iterator<Item = &Value> {
    log.iter().filter(|line| line["kind"] == "effect" && line["actor"] == "app")
}

fn of_attempt<'a>(history: &'a [AuditRow], line: &Value, kind: &str) -> Option<&'a AuditRow> {
    history.iter().find(|row| {
        row.kind.as_str() == kind
            && line["change_id"] == *row.change_id.to_string()
            && line["attempt"].as_u64() == Some(u64::from(row.attempt))
    })
}
