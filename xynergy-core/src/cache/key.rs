use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::ctx::TenantId;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{ChatRequest, Message};

/// The name of a question: equal for equal questions of one tenant under one configuration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey([u8; 32]);

/// Everything that can change an answer, in a fixed order. Objects inside are sorted by their keys.
#[derive(Serialize)]
struct Identity<'a> {
    version: u32,
    tenant: &'a str,
    routing: &'a str,
    stream: bool,
    sized: bool,
    model: &'a str,
    messages: &'a [Message],
    limit: Option<u32>,
    temperature: Option<f64>,
    n: Option<u32>,
    tools: &'a [Value],
    format: Option<&'a Value>,
    parameters: &'a Map<String, Value>,
}

impl CacheKey {
    /// The key of a request. `routing` stands for the configuration that chooses the model; streamed and whole answers never
    /// share a key. Tags and the request's id are no part of the question.
    pub fn of(tenant: &TenantId, routing: &str, request: &ChatRequest, stream: bool) -> Result<Self> {
        let identity = Identity {
            version: 1,
            tenant: tenant.as_str(),
            routing,
            stream,
            sized: request.options.optimize_tokens,
            model: if request.model == "auto" { "" } else { &request.model },
            messages: &request.messages,
            limit: request.token_limit(),
            temperature: request.temperature,
            n: request.n,
            tools: &request.tools,
            format: request.response_format.as_ref(),
            parameters: &request.extra,
        };
        let bytes = serde_json::to_vec(&identity).map_err(|error| {
            Error::new(ErrorKind::Unexpected, "ai.cache", "the request cannot be written as JSON")
                .with_source(error)
        })?;
        Ok(Self(Sha256::digest(&bytes).into()))
    }

    /// The name under which stores keep it.
    pub fn stored_name(&self, tenant: &TenantId) -> String {
        format!("ai_routing:response:{tenant}:{self}")
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::CallOptions;

    #[test]
    fn whatever_changes_the_answer_changes_the_key() {
        let tenant = TenantId::default();
        let base = ChatRequest::prompt("hi");
        let key = |request: &ChatRequest| CacheKey::of(&tenant, "r", request, false).unwrap();
        let extra = |name: &str| Map::from_iter([(name.to_owned(), Value::from(1))]);
        let others = [
            ChatRequest::prompt("hi "),
            ChatRequest { model: "openai".into(), ..base.clone() },
            ChatRequest { temperature: Some(0.0), ..base.clone() },
            ChatRequest { max_tokens: Some(5), ..base.clone() },
            ChatRequest { n: Some(2), ..base.clone() },
            ChatRequest { tools: vec![Value::Null], ..base.clone() },
            ChatRequest { response_format: Some(Value::Null), ..base.clone() },
            ChatRequest { extra: extra("seed"), ..base.clone() },
            ChatRequest {
                options: CallOptions { optimize_tokens: true, ..CallOptions::default() },
                ..base.clone()
            },
        ];
        for other in &others[..6] {
            assert_ne!(key(&base), key(other), "{other:?}");
        }
        let mut keys: Vec<CacheKey> = others.iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), others.len());
        assert_ne!(key(&base), CacheKey::of(&tenant, "r", &base, true).unwrap());
        assert_ne!(key(&base), CacheKey::of(&tenant, "s", &base, false).unwrap());
        assert_ne!(key(&base), CacheKey::of(&TenantId::new("b").unwrap(), "r", &base, false).unwrap());
    }

    #[test]
    fn names_of_the_same_thing_share_a_key() {
        let tenant = TenantId::default();
        let key = |request: &ChatRequest| CacheKey::of(&tenant, "r", request, false).unwrap();
        let base = ChatRequest { max_tokens: Some(5), ..ChatRequest::prompt("hi") };
        let same = ChatRequest {
            model: "auto".into(),
            max_tokens: None,
            max_completion_tokens: Some(5),
            options: CallOptions { tags: ["a".to_owned()].into(), ..CallOptions::default() },
            ..base.clone()
        };
        assert_eq!(key(&base), key(&same));
    }
}
