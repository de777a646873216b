//! The faults that the sandbox injects: rules over requests, as data.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xynergy_core::{Error, Minor, Result};

use super::file;

/// When a request matches, what goes wrong with it.
///
/// As JSON `{"method": "POST", "path": "/v*/adset_3", "nth": 1, "fault": {"cut": "after"}}`. Several rules may match one request;
/// their faults apply in the order of the rules, and the first that answers or cuts ends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The method; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path without the query; `*` stands for any characters, also for none. It is compared with the path as sent and
    /// with the path without a leading `/openai`, `/abacus`, `/internal`, `/graph` or `/hubspot`.
    pub path: String,
    /// Which of the requests that match method and path, counted from 1; every one when absent.
    #[serde(default)]
    pub nth: Nth,
    /// What goes wrong.
    pub fault: Fault,
}

/// Which of the matching requests a rule takes: `"every"`, `1` or `[1, 3]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawNth", into = "RawNth")]
pub enum Nth {
    /// All of them.
    #[default]
    Every,
    /// The one of this number.
    One(u64),
    /// Those of these numbers.
    These(Vec<u64>),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "nth is \"every\", a number from 1, or a list of them")]
enum RawNth {
    Word(String),
    One(u64),
    These(Vec<u64>),
}

impl TryFrom<RawNth> for Nth {
    type Error = String;

    fn try_from(raw: RawNth) -> Result<Self, String> {
        match raw {
            RawNth::Word(word) if word == "every" => Ok(Self::Every),
            RawNth::One(n) if n > 0 => Ok(Self::One(n)),
            RawNth::These(list) if !list.is_empty() && !list.contains(&0) => Ok(Self::These(list)),
            _ => Err("nth is \"every\", a number from 1, or a list of them".to_owned()),
        }
    }
}

impl From<Nth> for RawNth {
    fn from(nth: Nth) -> Self {
        match nth {
            Nth::Every => Self::Word("every".to_owned()),
            Nth::One(n) => Self::One(n),
            Nth::These(list) => Self::These(list),
        }
    }
}

impl Nth {
    fn takes(&self, count: u64) -> bool {
        match self {
            Self::Every => true,
            Self::One(n) => *n == count,
            Self::These(list) => list.contains(&count),
        }
    }
}

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawFault", into = "RawFault")]
pub enum Fault {
    /// `{"delay_ms": n}`: it is handled n real milliseconds later, also when the caller has gone by then.
    Delay(u64),
    /// `{"status": 503, "body"?, "headers"?}`: this answer, and no effect. A body that is no string is sent as JSON.
    Status(StatusFault),
    /// `{"graph_error": {"code": 17, ...}}`: this Graph error with usage headers to match, and no effect.
    Graph(GraphFault),
    /// `{"cut": "before"|"after"}`: the connection closes without an answer, before or after the effect.
    Cut(CutPoint),
    /// `{"late_ms": n}`: the connection closes without an answer, and the effect lands n milliseconds later by the
    /// sandbox's clock.
    Late(u64),
    /// `{"cut_stream_at": n}`: an answer that streams ends without an end after n events; any other closes after the effect.
    CutStream(usize),
    /// `{"edit": {"id", "daily_budget_percent"}}`: a human changes something just before; the request itself goes on.
    Edit(HumanEdit),
    /// `{"usage": {"percent": 96, "regain_minutes"?}}`: the usage headers of a Graph answer say so; the request itself goes on.
    Usage(UsageFault),
}

/// What the usage headers say with a [`Fault::Usage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageFault {
    /// How much of each quota is used, in percent.
    pub percent: u8,
    /// How many minutes until access is regained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regain_minutes: Option<u32>,
}

/// The answer of a [`Fault::Status`].
#[derive(Clone, Debug, PartialEq)]
pub struct StatusFault {
    /// The HTTP status, 200 to 599.
    pub status: u16,
    /// The body; a plain error object when absent.
    pub body: Option<Value>,
    /// Further headers.
    pub headers: Map<String, Value>,
}

/// The error of a [`Fault::Graph`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphFault {
    /// Meta's error code.
    pub code: u32,
    /// Meta's subcode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subcode: Option<u32>,
    /// The message; one that fits the code when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether Meta calls it transient; decided by the code when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_transient: Option<bool>,
    /// The HTTP status, 400 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How many minutes until access is regained, as the usage headers say it; with it they read 100 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regain_minutes: Option<u32>,
}

/// On which side of the effect a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutPoint {
    /// Nothing took effect.
    Before,
    /// It took effect, and nobody was told.
    After,
}

/// A change that a person makes in the ads manager.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HumanEdit {
    /// The campaign, ad set or ad.
    pub id: String,
    /// The new daily budget in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_budget: Option<Minor>,
    /// The change of the daily budget in whole percent of the present one, rounded towards zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_budget_percent: Option<i64>,
    /// The new status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The new bid of an ad set in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_amount: Option<Minor>,
    /// How far the platform has learned about an ad set: `LEARNING`, `SUCCESS` or `FAIL`; no person does that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning: Option<String>,
    /// The person's name in the activity log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

/// The shape of a [`Fault`] in JSON: exactly one of the first eight keys.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFault {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    graph_error: Option<GraphFault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut: Option<CutPoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut_stream_at: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edit: Option<HumanEdit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usage: Option<UsageFault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    headers: Map<String, Value>,
}

impl TryFrom<RawFault> for Fault {
    type Error = String;

    fn try_from(raw: RawFault) -> Result<Self, String> {
        if raw.status.is_none() && (raw.body.is_some() || !raw.headers.is_empty()) {
            return Err("body and headers belong to a status fault".to_owned());
        }
        let bad_header = |(name, value): (&String, &Value)| {
            name.parse::<http::HeaderName>().is_err()
                || value.as_str().is_none_or(|text| text.parse::<http::HeaderValue>().is_err())
        };
        if raw.headers.iter().any(bad_header) {
            return Err("headers: names and values are plain strings".to_owned());
        }
        let status = |status: u16| (200..=599).contains(&status);
        let mut faults = Vec::new();
        faults.extend(raw.delay_ms.map(Self::Delay));
        if let Some(code) = raw.status {
            if !status(code) {
                return Err(format!("status: {code} is not from 200 to 599"));
            }
            faults.push(Self::Status(StatusFault { status: code, body: raw.body, headers: raw.headers }));
        }
        if raw.graph_error.as_ref().is_some_and(|e| e.status.is_some_and(|code| !status(code))) {
            return Err("graph_error.status is not from 200 to 599".to_owned());
        }
        faults.extend(raw.graph_error.map(Self::Graph));
        faults.extend(raw.cut.map(Self::Cut));
        faults.extend(raw.late_ms.map(Self::Late));
        faults.extend(raw.cut_stream_at.map(Self::CutStream));
        faults.extend(raw.edit.map(Self::Edit));
        faults.extend(raw.usage.map(Self::Usage));
        match (faults.pop(), faults.is_empty()) {
            (Some(fault), true) => Ok(fault),
            _ => Err(
                "a fault has exactly one of delay_ms, status, graph_error, cut, late_ms, cut_stream_at, edit, usage"
                    .to_owned(),
            ),
        }
    }
}

impl From<Fault> for RawFault {
    fn from(fault: Fault) -> Self {
        let mut raw = Self::default();
        match fault {
            Fault::Delay(ms) => raw.delay_ms = Some(ms),
            Fault::Status(answer) => {
                raw.status = Some(answer.status);
                raw.body = answer.body;
                raw.headers = answer.headers;
            }
            Fault::Graph(error) => raw.graph_error = Some(error),
            Fault::Cut(point) => raw.cut = Some(point),
            Fault::Late(ms) => raw.late_ms = Some(ms),
            Fault::CutStream(chunks) => raw.cut_stream_at = Some(chunks),
            Fault::Edit(edit) => raw.edit = Some(edit),
            Fault::Usage(usage) => raw.usage = Some(usage),
        }
        raw
    }
}

/// Reads fault rules from `{"rules": [...]}` or a bare list.
///
/// # Errors
///
/// A rule that is not one; the message has its number.
pub fn parse_faults(text: &str) -> Result<Vec<FaultRule>> {
    let value: Value = serde_json::from_str(text)
        .map_err(|e| Error::invalid(file::OPERATION, format!("the faults are no JSON: {e}")))?;
    let list = match value {
        Value::Array(list) => list,
        Value::Object(mut object) => match object.remove("rules") {
            Some(Value::Array(list)) => list,
            _ => return Err(Error::invalid(file::OPERATION, "rules: a list of fault rules is missing")),
        },
        _ => return Err(Error::invalid(file::OPERATION, "the faults are {\"rules\": [...]} or a list")),
    };
    list.into_iter()
        .enumerate()
        .map(|(index, rule)| {
            serde_json::from_value(rule)
                .map_err(|e| Error::invalid(file::OPERATION, format!("fault rule {}: {e}", index + 1)))
        })
        .collect()
}

/// Reads the fault rules of the file at `path`, blocking: a host calls it before it serves. See [`parse_faults`].
pub fn load_faults(path: &Path) -> Result<Vec<FaultRule>> {
    parse_faults(&file::read(path, "faults")?).map_err(|e| file::in_file(e, path))
}

impl FaultRule {
    /// Whether a request of this method and path is one that the rule counts.
    pub(super) fn counts(&self, method: &str, path: &str) -> bool {
        let method_fits = self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        let path = trim(path);
        method_fits
            && (glob(trim(&self.path), path) || glob(trim(&self.path), super::incoming::surface_of(path).1))
    }

    /// Whether the rule's fault befalls the matching request of this number.
    pub(super) fn takes(&self, count: u64) -> bool {
        self.nth.takes(count)
    }
}

fn trim(path: &str) -> &str {
    if path.len() > 1 { path.trim_end_matches('/') } else { path }
}

/// Whether `text` is `pattern` with every `*` replaced by some characters.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|head| text.strip_prefix(head)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, fits) in [
            ("/v26.0/adset_3", "/v26.0/adset_3", true),
            ("/v*/adset_3", "/v26.0/adset_3", true),
            ("/v*/adset_3", "/v26.0/adset_3/insights", false),
            ("/v*/adset_3", "/v26.0/adset_33", false),
            ("*", "/anything", true),
            ("/a*b*c", "/abc", true),
            ("/a*b*c", "/acb", false),
            ("/a*a", "/a", false),
            ("/v1/*", "/v1/", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn rules_fit_with_and_without_the_prefix() {
        let rule = &parse_faults(r#"[{"path":"/v*/s1/","fault":{"cut":"after"}}]"#).unwrap()[0];
        assert!(rule.counts("POST", "/v26.0/s1") && rule.counts("GET", "/graph/v25.0/s1/"));
        let rule =
            &parse_faults(r#"[{"method":"post","path":"/openai/v1/*","fault":{"delay_ms":1}}]"#).unwrap()[0];
        assert!(rule.counts("POST", "/openai/v1/chat/completions"));
        assert!(
            !rule.counts("POST", "/abacus/v1/chat/completions") && !rule.counts("GET", "/openai/v1/models")
        );
    }

    #[test]
    fn every_fault_survives_a_round_trip() {
        let text = r#"[
            {"path":"/a","nth":"every","fault":{"delay_ms":5}},
            {"path":"/a","nth":2,"fault":{"status":503,"body":{"a":1},"headers":{"retry-after":"1"}}},
            {"path":"/a","nth":[1,3],"fault":{"graph_error":{"code":17,"subcode":2446079,"regain_minutes":5}}},
            {"path":"/a","nth":1,"fault":{"cut":"before"}},
            {"path":"/a","nth":1,"fault":{"late_ms":90000}},
            {"path":"/a","nth":1,"fault":{"cut_stream_at":3}},
            {"path":"/a","nth":1,"fault":{"usage":{"percent":96}}},
            {"path":"/a","nth":1,"fault":{"edit":{"id":"s","daily_budget_percent":8}}}]"#;
        let rules = parse_faults(text).unwrap();
        let shown: Value = serde_json::to_value(&rules).unwrap();
        assert_eq!(shown, serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn a_wrong_rule_is_named() {
        for (text, words) in [
            (
                r#"[{"path":"/a","fault":{"delay_ms":1}},{"path":"/a","fault":{}}]"#,
                "rule 2: a fault has exactly one of",
            ),
            (r#"[{"path":"/a","fault":{"cut":"after","late_ms":1}}]"#, "exactly one of"),
            (r#"[{"path":"/a","nth":0,"fault":{"late_ms":1}}]"#, "nth is"),
            (r#"[{"path":"/a","fault":{"status":99}}]"#, "99"),
            (r#"[{"path":"/a","fualt":{}}]"#, "fualt"),
            (r#"{"rulez":[]}"#, "rules"),
            ("nonsense", "no JSON"),
        ] {
            let error = parse_faults(text).unwrap_err();
            assert!(error.message().contains(words), "{error}");
        }
    }
}
