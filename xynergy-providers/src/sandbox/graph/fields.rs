//! The choice of fields and the paging of lists.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{Call, GraphError};
use crate::sandbox::record::Surface;

const DEFAULT_LIMIT: usize = 25;
const MAX_LIMIT: usize = 5_000;

/// The fields that `fields=` asks for, or the defaults.
pub(super) fn wanted(call: &Call<'_>, defaults: &[&str]) -> Vec<String> {
    let asked: Vec<String> = call
        .param("fields")
        .unwrap_or("")
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if asked.is_empty() { defaults.iter().map(|name| (*name).to_owned()).collect() } else { asked }
}

/// The chosen fields of an object. `all` has every field that the type knows; those that are null are left out, as Meta does.
pub(super) fn choose(all: &Map<String, Value>, wanted: &[String], node: &str) -> Result<Value, GraphError> {
    let mut chosen = Map::new();
    for name in wanted {
        let Some(value) = all.get(name) else {
            let name: String = name.chars().take(80).collect();
            return Err(GraphError::invalid(format!(
                "(#100) Tried accessing nonexisting field ({name}) on node type ({node})"
            )));
        };
        if !value.is_null() {
            chosen.insert(name.clone(), value.clone());
        }
    }
    Ok(Value::Object(chosen))
}

/// One page of `items`, each with the key that its cursor holds; the cursors point at keys, so that a list may grow meanwhile.
pub(super) fn page<K: ToString>(
    call: &Call<'_>,
    version: &str,
    edge: &str,
    items: impl Iterator<Item = (K, Value)>,
    follows: impl Fn(&K, &str) -> bool,
) -> Result<Value, GraphError> {
    let limit = match call.param("limit") {
        None => DEFAULT_LIMIT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| (1..=MAX_LIMIT).contains(n))
            .ok_or_else(|| GraphError::invalid(format!("(#100) limit must be from 1 to {MAX_LIMIT}")))?,
    };
    let after = call.param("after").map(decode).transpose()?;
    let mut rest = items.filter(|(key, _)| after.as_deref().is_none_or(|after| follows(key, after)));
    let page: Vec<(K, Value)> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let mut answer = json!({});
    if let (Some((first, _)), Some((last, _))) = (page.first(), page.last()) {
        let after = encode(&last.to_string());
        let mut paging = json!({"cursors": {"before": encode(&first.to_string()), "after": after}});
        if more {
            paging["next"] = next_url(call, version, edge, &after).into();
        }
        answer["paging"] = paging;
    }
    answer["data"] = page.into_iter().map(|(_, value)| value).collect();
    Ok(answer)
}

/// The address of the next page. Like Meta's it carries the caller's token if the query did.
fn next_url(call: &Call<'_>, version: &str, edge: &str, after: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.request.query.iter().filter(|(name, _)| name != "after") {
        query.append_pair(name, value);
    }
    query.append_pair("after", after);
    debug_assert_eq!(call.request.surface, Surface::Graph);
    let prefix = if call.request.path.starts_with("/graph/") { "/graph" } else { "" };
    format!("http://{}{prefix}/{version}/{edge}?{}", call.request.host, query.finish())
}

fn encode(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

fn decode(cursor: &str) -> Result<String, GraphError> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| GraphError::invalid("(#100) Invalid cursors values"))
}
