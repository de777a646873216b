use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::change::{ChangeId, ChangeRow, ChangeStatus, Reason};
use crate::ads::{ChangeField, Owner};
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// What a row of the history tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// Somebody approved the change; who is the row's actor, and the detail names the plan.
    Approved,
    /// A guard refused the change, or it was withdrawn.
    Blocked,
    /// A write is about to be sent.
    Intent,
    /// An attempt that was judged not applied was found to have taken effect.
    Late,
    /// What became of an intent; exactly one for each.
    Outcome,
    /// A person said what became of an attempt whose outcome was a conflict.
    Resolved,
    /// A person wants the change sent again.
    Retried,
}

impl AuditKind {
    /// The kind as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Blocked => "blocked",
            Self::Intent => "intent",
            Self::Late => "late",
            Self::Outcome => "outcome",
            Self::Resolved => "resolved",
            Self::Retried => "retried",
        }
    }
}

impl FromStr for AuditKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        [
            Self::Approved,
            Self::Blocked,
            Self::Intent,
            Self::Late,
            Self::Outcome,
            Self::Resolved,
            Self::Retried,
        ]
        .into_iter()
        .find(|k| k.as_str() == name)
        .ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, "execution.history", "a stored kind is unknown to this version")
        })
    }
}

/// One row of an account's history: append-only, without gaps, each row sealed with the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRow {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The ad account.
    pub account_id: String,
    /// 1, 2, 3 ... within the account.
    pub seq: u64,
    /// What it tells.
    pub kind: AuditKind,
    /// The change.
    pub change_id: ChangeId,
    /// Which of its attempts; 0 before the first.
    pub attempt: u32,
    /// The campaign.
    pub campaign_id: String,
    /// The object.
    pub owner: Owner,
    /// The field.
    pub field: ChangeField,
    /// The value before: as observed, or as expected where it was not read.
    pub from_value: i64,
    /// The value to set.
    pub to_value: i64,
    /// Where the change stands with this row.
    pub status: ChangeStatus,
    /// Why.
    pub reason: Option<Reason>,
    /// When it is asked again.
    pub retry_at: Option<Timestamp>,
    /// What the platform said.
    pub detail: Option<String>,
    /// How long the write took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// The allocation it belongs to.
    pub allocation_id: Option<String>,
    /// The event or request that caused the change.
    pub causation_id: Option<String>,
    /// Why the change was wanted.
    pub purpose: String,
    /// Who asked.
    pub actor: Option<String>,
    /// The caller's request id.
    pub request_id: String,
    /// When.
    pub at: Timestamp,
    /// The hash of the row before; zeros for the first.
    pub prev_hash: String,
    /// The SHA-256 of `prev_hash` and this row's canonical bytes, in hex.
    pub hash: String,
}

/// The newest row of an account's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// Its sequence number; 0 when there is none.
    pub seq: u64,
    /// Its hash; zeros when there is none.
    pub hash: String,
}

impl Default for ChainHead {
    fn default() -> Self {
        Self { seq: 0, hash: "0".repeat(64) }
    }
}

/// Who and why, of a row to be appended.
#[derive(Clone, Debug)]
pub(super) struct AuditOrigin<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) actor: Option<&'a str>,
    pub(super) request_id: &'a str,
    pub(super) at: Timestamp,
}

impl ChainHead {
    /// Appends a row that tells where `row` stands, and moves on to it.
    pub(super) fn append(
        &mut self,
        kind: AuditKind,
        row: &ChangeRow,
        duration: Option<Duration>,
        origin: &AuditOrigin<'_>,
    ) -> AuditRow {
        let change = &row.change;
        let mut audit = AuditRow {
            tenant_id: origin.tenant.clone(),
            account_id: change.account_id.clone(),
            seq: self.seq + 1,
            kind,
            change_id: change.id,
            attempt: row.attempt,
            campaign_id: change.campaign_id.clone(),
            owner: change.owner.clone(),
            field: change.field,
            from_value: row.observed_from.unwrap_or(change.expected_from),
            to_value: row.sent_value.unwrap_or(change.target),
            status: row.status,
            reason: row.reason,
            retry_at: row.retry_at,
            detail: row.detail.clone(),
            duration_ms: duration.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
            allocation_id: change.allocation_id.clone(),
            causation_id: change.causation_id.clone(),
            purpose: change.reason.clone(),
            actor: origin.actor.map(str::to_owned),
            request_id: origin.request_id.to_owned(),
            at: origin.at,
            prev_hash: self.hash.clone(),
            hash: String::new(),
        };
        audit.hash = audit.seal();
        *self = Self { seq: audit.seq, hash: audit.hash.clone() };
        audit
    }
}

impl AuditRow {
    /// The hash that the row must carry.
    pub fn seal(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.prev_hash.as_bytes());
        hash.update(self.canonical_bytes());
        hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
            use std::fmt::Write;
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// The row's fields in their order, each with its length before it; an absent one has the length 2^64 - 1.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        let mut put = |field: Option<&str>| match field {
            Some(text) => {
                bytes.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX - 1).to_be_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
            None => bytes.extend_from_slice(&u64::MAX.to_be_bytes()),
        };
        put(Some("xynergy.ad_change_history.1"));
        put(Some(self.tenant_id.as_str()));
        put(Some(&self.account_id));
        put(Some(&self.seq.to_string()));
        put(Some(self.kind.as_str()));
        put(Some(&self.change_id.to_string()));
        put(Some(&self.attempt.to_string()));
        put(Some(&self.campaign_id));
        put(Some(self.owner.level.as_str()));
        put(Some(&self.owner.id));
        put(Some(self.field.as_str()));
        put(Some(&self.from_value.to_string()));
        put(Some(&self.to_value.to_string()));
        put(Some(self.status.as_str()));
        put(self.reason.map(Reason::as_str));
        put(self.retry_at.map(|t| t.micros().to_string()).as_deref());
        put(self.detail.as_deref());
        put(self.duration_ms.map(|d| d.to_string()).as_deref());
        put(self.allocation_id.as_deref());
        put(self.causation_id.as_deref());
        put(Some(&self.purpose));
        put(self.actor.as_deref());
        put(Some(&self.request_id));
        put(Some(&self.at.micros().to_string()));
        bytes
    }
}

/// What the verification of a history found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditReport {
    /// Rows read.
    pub rows: u64,
    /// Whether every account's history is whole: no gap, no row altered, none cut off, one outcome an intent.
    pub chain_ok: bool,
    /// The first row that is wrong, as `account#seq: what`.
    pub first_bad: Option<String>,
    /// Intents that have no outcome yet: 0 when nothing is in flight.
    pub open_intents: u64,
}

/// Verifies one account's history, row by row in their order; needs nothing but the rows.
#[derive(Debug, Default)]
pub struct ChainVerifier {
    head: ChainHead,
    outcomes: BTreeMap<(ChangeId, u32), bool>,
    first_bad: Option<String>,
    rows: u64,
}

impl ChainVerifier {
    /// Takes the next row.
    pub fn push(&mut self, row: &AuditRow) {
        self.rows += 1;
        let problem = self.problem(row);
        if let (Some(problem), None) = (problem, &self.first_bad) {
            self.first_bad = Some(format!("{}#{}: {problem}", row.account_id, row.seq));
        }
        self.head = ChainHead { seq: row.seq, hash: row.hash.clone() };
    }

    fn problem(&mut self, row: &AuditRow) -> Option<&'static str> {
        if row.seq != self.head.seq + 1 {
            return Some("a row is missing before it");
        }
        if row.prev_hash != self.head.hash {
            return Some("the row before it was replaced");
        }
        if row.hash != row.seal() {
            return Some("it was altered");
        }
        let key = (row.change_id, row.attempt);
        match row.kind {
            AuditKind::Approved | AuditKind::Blocked | AuditKind::Retried => None,
            AuditKind::Late | AuditKind::Resolved => (self.outcomes.get(&key) != Some(&true))
                .then_some("it corrects an attempt without an outcome"),
            AuditKind::Intent => self.outcomes.insert(key, false).map(|_| "its intent was written twice"),
            AuditKind::Outcome => match self.outcomes.insert(key, true) {
                Some(false) => None,
                Some(true) => Some("its intent has two outcomes"),
                None => Some("it is an outcome without an intent"),
            },
        }
    }

    /// The verdict, given the head that the store keeps beside the rows: a history whose end was cut off differs.
    pub fn finish(self, account_id: &str, head: &ChainHead) -> AuditReport {
        let cut = (self.head != *head)
            .then(|| format!("{account_id}#{}: rows after it are missing", self.head.seq));
        let first_bad = self.first_bad.or(cut);
        let open_intents = self.outcomes.values().filter(|closed| !**closed).count();
        AuditReport {
            rows: self.rows,
            chain_ok: first_bad.is_none(),
            first_bad,
            open_intents: u64::try_from(open_intents).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn chain() -> (Vec<AuditRow>, ChainHead) {
        let change = super::super::change::AdChange {
            id: ChangeId::derive(&["one"]),
            account_id: "act_1".into(),
            campaign_id: "c1".into(),
            owner: Owner::ad_set("s1"),
            field: ChangeField::Budget,
            expected_from: 1_000,
            target: 1_100,
            currency: Currency::USD,
            allocation_id: Some("a".into()),
            causation_id: Some("e".into()),
            reason: "because".into(),
            expires_at: None,
            ramp: None,
        };
        let at = Timestamp::from_millis(1_770_000_000_000);
        let mut row = ChangeRow::queued(change, at, at, at);
        row.attempt = 1;
        let (tenant, mut head) = (TenantId::default(), ChainHead::default());
        let origin = AuditOrigin { tenant: &tenant, actor: Some("me"), request_id: "req_1", at };
        let rows = [AuditKind::Intent, AuditKind::Outcome, AuditKind::Blocked]
            .map(|kind| head.append(kind, &row, Some(Duration::from_millis(40)), &origin));
        (rows.to_vec(), head)
    }

    fn verify(rows: &[AuditRow], head: &ChainHead) -> AuditReport {
        let mut verifier = ChainVerifier::default();
        rows.iter().for_each(|r| verifier.push(r));
        verifier.finish("act_1", head)
    }

    #[test]
    fn a_whole_history_verifies() {
        let (rows, head) = chain();
        let report = verify(&rows, &head);
        assert_eq!(report, AuditReport { rows: 3, chain_ok: true, first_bad: None, open_intents: 0 });
        let report = verify(&rows[..1], &ChainHead { seq: 1, hash: rows[0].hash.clone() });
        assert_eq!((report.chain_ok, report.open_intents), (true, 1), "an intent may still be open");
    }

    /// Every field is sealed: a row with any of them altered is found.
    #[test]
    fn any_altered_field_is_found() {
        let (rows, head) = chain();
        let whole = serde_json::to_value(&rows[1]).unwrap();
        for (field, value) in whole.as_object().unwrap() {
            let other = match field.as_str() {
                "owner" => serde_json::json!({"level": "campaign", "id": "s1"}),
                "tenant_id" => "other".into(),
                "change_id" => ChangeId::derive(&["two"]).to_string().into(),
                "kind" => "blocked".into(),
                "field" => "bid".into(),
                "status" => "failed".into(),
                "reason" => "velocity".into(),
                "at" | "retry_at" => "2030-01-01T00:00:00Z".into(),
                _ if value.is_number() => 77.into(),
                _ => "x".into(),
            };
            let mut altered = whole.clone();
            altered[field.as_str()] = other;
            let mut tampered = rows.clone();
            tampered[1] = serde_json::from_value(altered).unwrap();
            assert!(!verify(&tampered, &head).chain_ok, "{field}");
        }
    }

    #[test]
    fn missing_moved_and_cut_rows_are_found() {
        let (rows, head) = chain();
        for wrong in [
            vec![rows[0].clone(), rows[2].clone()],
            vec![rows[1].clone(), rows[0].clone(), rows[2].clone()],
            rows[..2].to_vec(),
            rows[1..].to_vec(),
            vec![],
        ] {
            assert!(!verify(&wrong, &head).chain_ok);
        }
    }

    #[test]
    fn fields_cannot_run_into_each_other() {
        let (rows, _) = chain();
        let mut a = rows[0].clone();
        let mut b = rows[0].clone();
        (a.allocation_id, a.causation_id) = (Some("ab".into()), Some("c".into()));
        (b.allocation_id, b.causation_id) = (Some("a".into()), Some("bc".into()));
        assert_ne!(a.seal(), b.seal());
        b.clone_from(&a);
        (a.actor, b.actor) = (None, Some(String::new()));
        assert_ne!(a.seal(), b.seal());
    }
}
