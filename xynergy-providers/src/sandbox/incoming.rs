//! A request as the sandbox sees it: whom it is for, its parameters, its credential.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use url::form_urlencoded;
use xynergy_core::config::Secret;

use super::record::{CallerIds, Surface};

/// The greatest body that is read.
pub(super) const MAX_BODY_BYTES: usize = 1 << 20;

/// Parameters whose values are credentials.
const SECRETS: [&str; 6] =
    ["access_token", "appsecret_proof", "hapikey", "input_token", "client_secret", "api_key"];

const MAX_ID_CHARS: usize = 200;

pub(super) struct Incoming {
    pub(super) method: http::Method,
    pub(super) path: String,
    pub(super) surface: Surface,
    /// The path's parts behind the surface's prefix, decoded.
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    /// The query for the log, without credentials.
    pub(super) shown_query: String,
    pub(super) ids: CallerIds,
    pub(super) bearer: Option<Secret>,
    pub(super) host: String,
    pub(super) content_type: String,
    /// The body, or how long one was that is too long.
    pub(super) body: Result<Bytes, u64>,
}

impl Incoming {
    pub(super) fn new(parts: &http::request::Parts, body: Result<Bytes, u64>) -> Self {
        let path = parts.uri.path().to_owned();
        let (surface, rest) = surface_of(&path);
        let segments = rest.split('/').filter(|s| !s.is_empty()).map(decode).collect();
        let query: Vec<(String, String)> =
            form_urlencoded::parse(parts.uri.query().unwrap_or("").as_bytes()).into_owned().collect();
        Self {
            method: parts.method.clone(),
            surface,
            segments,
            shown_query: shown(&query),
            query,
            ids: CallerIds {
                request_id: header(&parts.headers, "x-request-id").map(short),
                change_id: header(&parts.headers, "x-xynergy-change-id").map(short),
                attempt: header(&parts.headers, "x-xynergy-attempt").and_then(|n| n.parse().ok()),
            },
            bearer: header(&parts.headers, "authorization")
                .and_then(|value| value.split_once(' '))
                .filter(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty())
                .map(|(_, token)| Secret::new(token.trim())),
            host: header(&parts.headers, "host").unwrap_or("localhost").to_owned(),
            content_type: header(&parts.headers, "content-type").unwrap_or("").to_ascii_lowercase(),
            path,
            body,
        }
    }

    pub(super) fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// A query parameter; of several with one name the first.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn body_len(&self) -> u64 {
        match &self.body {
            Ok(body) => u64::try_from(body.len()).unwrap_or(u64::MAX),
            Err(length) => *length,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    /// The body as JSON. The error names the position, never the content.
    pub(super) fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(self.bytes())
            .map_err(|e| format!("the body is no JSON: line {}, column {}", e.line(), e.column()))
    }

    /// The parameters of a Graph call: the query's, then the body's, form or JSON; a later one of the same name counts.
    pub(super) fn params(&self) -> Result<Vec<(String, String)>, String> {
        let mut params = self.query.clone();
        let body = self.bytes();
        if self.content_type.contains("json") || body.first() == Some(&b'{') {
            let Value::Object(object) = self.json()? else {
                return Err("the body is no JSON object".to_owned());
            };
            params.extend(object.into_iter().map(|(key, value)| match value {
                Value::String(text) => (key, text),
                other => (key, other.to_string()),
            }));
        } else {
            params.extend(form_urlencoded::parse(body).into_owned());
        }
        Ok(params)
    }
}

/// Whom a path is for, and the path behind the prefix that says so.
pub(super) fn surface_of(path: &str) -> (Surface, &str) {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or("");
    let surface = match first {
        "openai" => Surface::Openai,
        "abacus" => Surface::Abacus,
        "internal" => Surface::Internal,
        "graph" => Surface::Graph,
        "hubspot" => Surface::Hubspot,
        "_sandbox" => Surface::Control,
        "v1" => return (Surface::Openai, path),
        "crm" => return (Surface::Hubspot, path),
        version if is_graph_version(version) => return (Surface::Graph, path),
        _ => return (Surface::Unknown, path),
    };
    (surface, &path[path.find(first).unwrap_or(0) + first.len()..])
}

/// Whether it is `v26.0` or another version of the Graph API.
pub(super) fn is_graph_version(text: &str) -> bool {
    text.strip_prefix('v')
        .and_then(|rest| rest.strip_suffix(".0"))
        .is_some_and(|number| (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()))
}

pub(super) fn is_secret(name: &str) -> bool {
    SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

fn shown(query: &[(String, String)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in query {
        text.append_pair(name, if is_secret(name) { "***" } else { value });
    }
    text.finish()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty())
}

fn short(text: &str) -> String {
    text.chars().take(MAX_ID_CHARS).collect()
}

/// A path's part with its `%xx` decoded; unlike in a form, `+` is itself.
fn decode(segment: &str) -> String {
    if !segment.contains('%') {
        return segment.to_owned();
    }
    form_urlencoded::parse(segment.replace('+', "%2B").replace(['&', '='], "%26").as_bytes())
        .next()
        .map(|(key, _)| key.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surfaces() {
        for (path, surface, rest) in [
            ("/v1/models", Surface::Openai, "/v1/models"),
            ("/abacus/v1/models", Surface::Abacus, "/v1/models"),
            ("/v26.0/s1", Surface::Graph, "/v26.0/s1"),
            ("/graph/v26.0/s1", Surface::Graph, "/v26.0/s1"),
            ("/crm/v3/objects", Surface::Hubspot, "/crm/v3/objects"),
            ("/hubspot/crm/v3", Surface::Hubspot, "/crm/v3"),
            ("/_sandbox/log", Surface::Control, "/log"),
            ("/v26.1/s1", Surface::Unknown, "/v26.1/s1"),
            ("/", Surface::Unknown, "/"),
        ] {
            assert_eq!(surface_of(path), (surface, rest), "{path}");
        }
    }

    fn incoming(uri: &str, content_type: &str, body: &'static str) -> Incoming {
        let request =
            http::Request::builder().uri(uri).header("content-type", content_type).body(()).unwrap();
        Incoming::new(&request.into_parts().0, Ok(Bytes::from_static(body.as_bytes())))
    }

    #[test]
    fn credentials_stay_out_of_the_shown_query() {
        let request = incoming("/v26.0/s1?access_token=EAAB&fields=id%2Cname&Appsecret_Proof=x", "", "");
        assert_eq!(request.shown_query, "access_token=***&fields=id%2Cname&Appsecret_Proof=***");
    }

    #[test]
    fn parameters_come_from_form_and_json() {
        let form = incoming("/v26.0/s1?a=1", "application/x-www-form-urlencoded", "daily_budget=25&x=a%20b");
        assert_eq!(
            form.params().unwrap()[1..],
            [("daily_budget".into(), "25".into()), ("x".into(), "a b".into())]
        );
        let json = incoming("/v26.0/s1", "application/json", r#"{"daily_budget":25,"o":["validate_only"]}"#);
        let params = json.params().unwrap();
        assert!(params.contains(&("daily_budget".into(), "25".into())));
        assert!(params.contains(&("o".into(), r#"["validate_only"]"#.into())));
        assert!(
            incoming("/v26.0/s1", "application/json", "{secret").params().unwrap_err().contains("column")
        );
    }

    #[test]
    fn paths_are_decoded() {
        assert_eq!(incoming("/crm/v3/objects/deals/a%20b+c", "", "").segments[4], "a b+c");
    }
}
