//! The lines of the log: what was asked, what changed, and who changed it.
//!
//! Values change by [`EffectLine`]s alone, and objects come and get their other fields by [`ObjectLine`]s, so that whoever reads
//! the log can fold it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xynergy_core::{Minor, Timestamp};

use super::fault::{Fault, FaultRule, HumanEdit};

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The line's number: 1, 2, 3 without a gap.
    pub seq: u64,
    /// The sandbox's time; it never goes back from one line to the next.
    pub at: Timestamp,
    /// What the line says.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What a line says; `kind` in JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// A request and what was answered.
    Request(RequestLine),
    /// A value that changed.
    Effect(EffectLine),
    /// A human's edit; the effects that it had precede it.
    Edit(EditLine),
    /// A fault that befell a request.
    Fault(FaultLine),
    /// A call of the sandbox's own control.
    Control(ControlLine),
    /// An effect that lands late: announced, or landed.
    Scheduled(ScheduledLine),
    /// An object that was created, or whose name or other fields were set.
    Object(ObjectLine),
    /// A report that was ordered.
    Report(ReportLine),
}

/// Whom the sandbox stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// OpenAI.
    Openai,
    /// Abacus.AI.
    Abacus,
    /// A self-hosted model.
    Internal,
    /// The Meta Graph API.
    Graph,
    /// HubSpot's CRM.
    Hubspot,
    /// The sandbox's own control.
    Control,
    /// Nobody: the path is not served.
    Unknown,
}

/// The caller's ids of a call, from its headers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIds {
    /// `X-Request-ID`.
    pub request_id: Option<String>,
    /// `X-Xynergy-Change-Id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
    /// `X-Xynergy-Attempt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
}

/// A request and what was answered. Tokens and bodies are never in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestLine {
    /// The method.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query as sent, with `***` for the value of every token.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// Who was asked.
    pub surface: Surface,
    /// The HTTP status of the answer; null when the connection was cut.
    pub status: Option<u16>,
    /// Where the connection was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// The caller's ids.
    #[serde(flatten)]
    pub ids: CallerIds,
    /// The length of the request's body.
    pub body_bytes: u64,
    /// The fields that a Graph write asked to set, as sent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sent: BTreeMap<String, String>,
    /// The error that the answer carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorCode>,
    /// The block that this request brought on an ad set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_blocked: Option<BudgetBlock>,
    /// What an AI answer used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<AiUsage>,
}

/// Where a connection was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// Before the effect: there is none.
    Before,
    /// After the effect, before the answer.
    After,
    /// Before the answer; the effect lands late.
    Late,
    /// In the middle of a streamed answer.
    Stream,
}

/// An error's code as the vendor numbers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCode {
    /// Meta's code.
    pub code: u32,
    /// Meta's subcode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subcode: Option<u32>,
}

/// An ad set whose budget is blocked after too many changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetBlock {
    /// The ad set.
    pub object_id: String,
    /// The time from which its budget may change again.
    pub until: Timestamp,
}

/// What an AI answer used, by the sandbox's rule of four bytes a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AiUsage {
    /// The model that was asked for.
    pub model: String,
    /// Tokens of the prompt.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
}

/// What kind of object an id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A campaign.
    Campaign,
    /// An ad set.
    Adset,
    /// An ad.
    Ad,
    /// A creative.
    Creative,
    /// A video.
    Video,
}

/// A field that can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The bid.
    BidAmount,
    /// The daily budget.
    DailyBudget,
    /// How far the platform has learned: `LEARNING`, `SUCCESS` or `FAIL`.
    Learning,
    /// The status.
    Status,
}

/// The value of a [`Field`]: minor units as a number, a status as a string.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// A budget or bid in minor units.
    Minor(Minor),
    /// A status.
    Text(String),
}

/// A change of one field of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The object.
    pub object_id: String,
    /// What it is.
    pub object_type: ObjectKind,
    /// The field.
    pub field: Field,
    /// Its value before.
    pub before: FieldValue,
    /// Its value after; never the same.
    pub after: FieldValue,
}

/// Who changed a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// An app, through the API.
    App,
    /// A person, in the ads manager.
    Human,
}

/// A value that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectLine {
    /// What changed.
    #[serde(flatten)]
    pub change: FieldChange,
    /// Who changed it.
    pub actor: Actor,
    /// The person's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
    /// The ids of the call that changed it.
    #[serde(flatten)]
    pub ids: CallerIds,
    /// The number of the [`ScheduledLine`] that announced it, when it landed late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<u64>,
}

/// A human's edit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EditLine {
    /// What was asked.
    pub edit: HumanEdit,
    /// The id of the request that it came with.
    pub request_id: Option<String>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// A fault that befell a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultLine {
    /// The rule's number, from 1.
    pub rule: usize,
    /// The request's number among those that the rule matches.
    pub nth: u64,
    /// The fault.
    pub fault: Fault,
    /// The request's method.
    pub method: String,
    /// The request's path.
    pub path: String,
    /// The caller's id of the request.
    pub request_id: Option<String>,
}

/// A call of the sandbox's own control.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ControlLine {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The caller's id of the request.
    pub request_id: Option<String>,
    /// The fault rules from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<FaultRule>>,
    /// Whether everything begins anew from here on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
}

/// Whether a late effect is announced or has landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateEvent {
    /// It will land.
    Announced,
    /// It landed; the effects that it had precede the line.
    Landed,
}

/// An effect that lands late.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduledLine {
    /// Announced or landed.
    pub event: LateEvent,
    /// The number of the line that announced it.
    pub late: u64,
    /// When it lands.
    pub due: Timestamp,
    /// What it sets.
    #[serde(default, skip_serializing_if = "Write::is_nothing")]
    pub write: Write,
    /// What it creates, or which other fields it sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectWrite>,
    /// The ids of the call that asked for it.
    #[serde(flatten)]
    pub ids: CallerIds,
    /// Why it had no effect when it landed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The block that it brought on an ad set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_blocked: Option<BudgetBlock>,
}

/// Fields to set on one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// The object.
    pub object_id: String,
    /// The new daily budget in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_budget: Option<Minor>,
    /// The new status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The new bid in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_amount: Option<Minor>,
}

impl Write {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// An object to create, or the name and other fields to set on one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectWrite {
    /// What it is.
    pub object_type: ObjectKind,
    /// The object whose fields are set; absent for one to create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The status to begin with; of a create alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The other fields, those of money of a create among them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

/// An object that was created, or whose name or other fields were set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectLine {
    /// Whether it is new.
    pub created: bool,
    /// The object.
    pub object_id: String,
    /// What was set.
    pub object: ObjectWrite,
    /// The ids of the call that did it.
    #[serde(flatten)]
    pub ids: CallerIds,
    /// The number of the [`ScheduledLine`] that announced it, when it landed late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<u64>,
}

/// A report of insights that was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLine {
    /// Its id.
    pub report_run_id: String,
    /// What it is about.
    pub object_id: String,
    /// The parameters, those of credentials left out.
    pub params: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_as_it_was_written() {
        let line = r#"{"seq":4,"at":"2026-03-01T12:00:00Z","kind":"effect","object_id":"s1","object_type":"adset","field":"daily_budget","before":2500,"after":3000,"actor":"app","request_id":"req_1","change_id":"c1","attempt":1}"#;
        let record: Record = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&record).unwrap(), line);
    }
}
