//! What a process did and what is still to be done, in Prometheus' text format.

use std::collections::{BTreeMap, BTreeSet};

use prometheus::{Encoder, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

mod ai;
mod busy;
mod series;

pub use ai::{AiMetrics, Ended};
pub(crate) use busy::Busy;

use crate::client::AiClient;
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::execution::machine::KillScope;
use crate::execution::{ChangeStatus, ExecutionMetrics, Reason};
use crate::store::Backlog;

/// The media type of [`text`], for whoever serves it.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// What the store says is still to be done, all tenants together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outstanding {
    open: BTreeMap<(ChangeStatus, Option<Reason>), u64>,
    needs_human: u64,
    oldest_due: Option<Timestamp>,
    kills: BTreeSet<(Option<String>, KillScope)>,
}

impl Outstanding {
    /// Adds what is to be done for one tenant, and its kill switches that are on.
    pub fn add(&mut self, tenant: &str, backlog: &Backlog, kills: Vec<KillScope>) {
        for open in &backlog.open {
            *self.open.entry((open.status, open.reason)).or_default() += open.count;
        }
        self.needs_human += backlog.needs_human;
        self.oldest_due = self.oldest_due.into_iter().chain(backlog.oldest_due).min();
        // Every tenant's list has the global one in it.
        let whose = |kill: &KillScope| (*kill != KillScope::Global).then(|| tenant.to_owned());
        self.kills.extend(kills.into_iter().map(|kill| (whose(&kill), kill)));
    }
}

/// Budget changes: what this process did, and what the store has still to be done; `None` for a store that cannot be read.
pub type Changes<'a> = (&'a ExecutionMetrics, Option<&'a Outstanding>);

/// The figures as text: of budget changes and of AI calls, where there are any. No label names a tenant, an account or an
/// object.
///
/// # Errors
/// None but a defect's.
pub fn text(changes: Option<Changes<'_>>, ai: Option<&AiClient>, now: Timestamp) -> Result<String> {
    encoded(changes, ai, now).map_err(|e| {
        Error::new(ErrorKind::Unexpected, "metrics", "the figures cannot be written").with_source(e)
    })
}

fn encoded(
    changes: Option<Changes<'_>>,
    ai: Option<&AiClient>,
    now: Timestamp,
) -> prometheus::Result<String> {
    let registry = Registry::new();
    let mut families = Vec::new();
    if let Some((done, outstanding)) = changes {
        families = done.registry().gather();
        let up = u64::from(outstanding.is_some());
        gauge(&registry, "store_up", "Whether the store could be read for these figures.", up)?;
        if let Some(outstanding) = outstanding {
            still_to_do(&registry, outstanding, now)?;
        }
    }
    if let Some(ai) = ai {
        families.extend(ai.families(now)?);
    }
    families.extend(registry.gather());
    families.sort_by(|a, b| a.name().cmp(b.name()));
    let mut bytes = Vec::new();
    TextEncoder::new().encode(&families, &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn still_to_do(registry: &Registry, outstanding: &Outstanding, now: Timestamp) -> prometheus::Result<()> {
    let open = IntGaugeVec::new(
        Opts::new("xynergy_execution_changes_open", "Budget changes that are not over, by where they stand."),
        &["status", "reason"],
    )?;
    for ((status, reason), count) in &outstanding.open {
        open.with_label_values(&[status.as_str(), reason.map_or("", Reason::as_str)]).set(signed(*count));
    }
    registry.register(Box::new(open))?;
    let people = "Budget changes that wait for a person's verdict or retry.";
    gauge(registry, "execution_needs_human", people, outstanding.needs_human)?;
    let overdue = outstanding.oldest_due.map_or(0, |due| now.since(due).as_secs());
    gauge(
        registry,
        "execution_oldest_due_seconds",
        "How long the change that was due first is overdue.",
        overdue,
    )?;
    let kills = IntGaugeVec::new(
        Opts::new("xynergy_execution_kill_switches_on", "Kill switches that are on, by what they cover."),
        &["scope"],
    )?;
    for scope in ["account", "global", "owner", "tenant"] {
        let on = outstanding.kills.iter().filter(|(_, kill)| kind(kill) == scope).count();
        kills.with_label_values(&[scope]).set(i64::try_from(on).unwrap_or(i64::MAX));
    }
    registry.register(Box::new(kills))
}

fn kind(kill: &KillScope) -> &'static str {
    match kill {
        KillScope::Account(_) => "account",
        KillScope::Global => "global",
        KillScope::Owner { .. } => "owner",
        KillScope::Tenant => "tenant",
    }
}

fn gauge(registry: &Registry, name: &str, help: &str, value: u64) -> prometheus::Result<()> {
    let gauge = IntGauge::new(format!("xynergy_{name}"), help)?;
    gauge.set(signed(value));
    registry.register(Box::new(gauge))
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::BacklogCount;

    fn backlog(status: ChangeStatus, reason: Option<Reason>, count: u64) -> Backlog {
        let oldest_due = Some(Timestamp::from_millis(60_000 + i64::try_from(count).unwrap()));
        Backlog { open: vec![BacklogCount { status, reason, count }], needs_human: count, oldest_due }
    }

    fn written(outstanding: Option<&Outstanding>, ai: Option<&AiClient>) -> String {
        let now = Timestamp::from_millis(70_000);
        text(Some((&ExecutionMetrics::new().unwrap(), outstanding)), ai, now).unwrap()
    }

    fn holds(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.lines().any(|l| l == *line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn tenants_are_added_up_and_never_named() {
        let mut outstanding = Outstanding::default();
        let account = KillScope::Account("act_77".into());
        let kills = vec![account.clone(), KillScope::Global];
        outstanding.add("acme", &backlog(ChangeStatus::Blocked, Some(Reason::Velocity), 3), kills);
        let kills = vec![account, KillScope::Global, KillScope::Tenant];
        outstanding.add("umbrella", &backlog(ChangeStatus::Blocked, Some(Reason::Velocity), 4), kills);
        outstanding.add("initech", &backlog(ChangeStatus::Pending, None, 1), Vec::new());
        let text = written(Some(&outstanding), None);
        holds(
            &text,
            &[
                "xynergy_store_up 1",
                "xynergy_execution_changes_open{reason=\"velocity\",status=\"blocked\"} 7",
                "xynergy_execution_changes_open{reason=\"\",status=\"pending\"} 1",
                "xynergy_execution_needs_human 8",
                "xynergy_execution_oldest_due_seconds 9",
                "xynergy_execution_kill_switches_on{scope=\"account\"} 2",
                "xynergy_execution_kill_switches_on{scope=\"global\"} 1",
                "xynergy_execution_kill_switches_on{scope=\"owner\"} 0",
                "xynergy_execution_kill_switches_on{scope=\"tenant\"} 1",
            ],
        );
        for private in ["acme", "umbrella", "act_77"] {
            assert!(!text.contains(private), "{private} is in\n{text}");
        }
    }

    #[test]
    fn a_store_that_is_away_is_told_and_hides_nothing_else() {
        let ai = AiClient::new(Default::default(), crate::client::AiParts::new(Vec::new())).unwrap();
        let text = written(None, Some(&ai));
        holds(
            &text,
            &[
                "xynergy_store_up 0",
                "xynergy_ai_requests_in_flight 0",
                "xynergy_execution_writes_total{class=\"applied\"} 0",
            ],
        );
        assert!(!text.contains("xynergy_execution_changes_open"), "{text}");
    }

    #[test]
    fn what_is_not_used_is_not_in_it() {
        assert_eq!(text(None, None, Timestamp::from_millis(0)).unwrap(), "");
    }

    #[test]
    fn nothing_due_is_no_delay() {
        let mut outstanding = Outstanding::default();
        let later = Backlog { oldest_due: Some(Timestamp::from_millis(99_000)), ..Backlog::default() };
        outstanding.add("acme", &later, Vec::new());
        holds(&written(Some(&outstanding), None), &["xynergy_execution_oldest_due_seconds 0"]);
    }
}
