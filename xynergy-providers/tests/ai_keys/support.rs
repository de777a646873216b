use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use xynergy_core::config::{ApiKeys, ProviderConfig, Secret, SecretRef, SecretSource};
use xynergy_core::env::{
    HttpBody, HttpFailure, HttpRequest, HttpResponse, HttpSend, ManualClock, MemoryEvents, SystemEntropy,
};
use xynergy_core::layer::Layer;
use xynergy_core::layers::AttemptLayer;
use xynergy_core::provider::{Attempt, AttemptStatus, ChatRequest, Provider};
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, Env, Error, ErrorKind, Result, TenantId};
use xynergy_providers::registry::providers;

const WHOLE: &str = r#"{"id":"1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#;
const EMBEDDED: &str =
    r#"{"data":[{"index":0,"embedding":[0.5,1.0]}],"usage":{"prompt_tokens":2,"total_tokens":2}}"#;
const STREAMED: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// What a provider says to a key.
#[derive(Clone, Debug)]
pub(crate) struct Says {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<&'static str>,
    pub(crate) code: &'static str,
}

pub(crate) fn says(status: u16) -> Says {
    Says { status, retry_after: None, code: "as_told" }
}

/// A provider that answers by the key, well where it is not told otherwise.
#[derive(Default)]
pub(crate) struct Wire {
    answers: Mutex<BTreeMap<String, Says>>,
    keys: Mutex<Vec<String>>,
}

impl Wire {
    pub(crate) fn tell(&self, key: &str, says: Says) {
        self.answers.lock().unwrap().insert(key.to_owned(), says);
    }

    pub(crate) fn heal(&self, key: &str) {
        self.answers.lock().unwrap().remove(key);
    }

    /// The keys that were used since the last look.
    pub(crate) fn used(&self) -> Vec<String> {
        std::mem::take(&mut *self.keys.lock().unwrap())
    }

    fn answer(&self, request: &HttpRequest, whole: &'static str) -> (StatusCode, HeaderMap, Bytes) {
        let bearer = request.headers["authorization"].to_str().unwrap();
        let key = bearer.strip_prefix("Bearer ").unwrap().to_owned();
        self.keys.lock().unwrap().push(key.clone());
        let mut headers = HeaderMap::new();
        let told = self.answers.lock().unwrap().get(&key).cloned();
        let Some(Says { status, retry_after, code }) = told else {
            return (StatusCode::OK, headers, Bytes::from_static(whole.as_bytes()));
        };
        if let Some(wait) = retry_after {
            headers.insert(HeaderName::from_static("retry-after"), HeaderValue::from_static(wait));
        }
        // Providers repeat the credential where it does not belong.
        let body =
            format!(r#"{{"error":{{"message":"no {key}","code":"{code}","type":"{key}","param":"{key}"}}}}"#);
        (StatusCode::from_u16(status).unwrap(), headers, body.into())
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

#[async_trait]
impl HttpSend for Wire {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let whole = if request.url.path().ends_with("/embeddings") { EMBEDDED } else { WHOLE };
        let (status, headers, body) = self.answer(&request, whole);
        Ok(HttpResponse { status, headers, body })
    }

    async fn stream(&self, request: HttpRequest) -> Result<HttpBody, HttpFailure> {
        let (status, headers, body) = self.answer(&request, STREAMED);
        Ok(HttpBody { status, headers, chunks: futures_util::stream::iter([Ok(body)]).boxed() })
    }
}

/// Credentials that a test changes. A name that is not set is a key of that name.
#[derive(Default)]
pub(crate) struct Vault(Mutex<BTreeMap<String, Option<String>>>);

impl Vault {
    pub(crate) fn set(&self, name: &str, value: Option<&str>) {
        self.0.lock().unwrap().insert(name.to_owned(), value.map(str::to_owned));
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

#[async_trait]
impl SecretSource for Vault {
    async fn get(&self, tenant: &TenantId, reference: &SecretRef) -> Result<Secret> {
        let SecretRef::Env(name) = reference else { unreachable!() };
        let of_tenant =
            || if tenant.as_str() == "default" { name.clone() } else { format!("{name}-{tenant}") };
        let value = self.0.lock().unwrap().get(name).cloned().unwrap_or_else(|| Some(of_tenant()));
        value
            .map(Secret::new)
            .ok_or_else(|| Error::new(ErrorKind::Unauthorized, "secrets.get", "there is none"))
    }
}

pub(crate) struct World {
    pub(crate) wire: Arc<Wire>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) events: Arc<MemoryEvents>,
    pub(crate) ctx: Ctx,
    pub(crate) provider: Arc<dyn Provider>,
}

pub(crate) fn config(names: &[&str]) -> ProviderConfig {
    let references: Vec<SecretRef> = names.iter().map(|name| SecretRef::Env((*name).to_owned())).collect();
    let api_key = match references.as_slice() {
        [one] => ApiKeys::One(one.clone()),
        _ => ApiKeys::Several(references),
    };
    ProviderConfig {
        base_url: Some("https://somebody.example/v1".into()),
        model: Some("m".into()),
        api_key: Some(api_key),
        ..ProviderConfig::default()
    }
}

/// A provider with these keys, each attempt in the trace.
pub(crate) fn world(names: &[&str]) -> World {
    let (wire, vault) = (Arc::new(Wire::default()), Arc::new(Vault::default()));
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    let events = Arc::new(MemoryEvents::default());
    let env = Env { clock: clock.clone(), entropy: Arc::new(SystemEntropy), events: events.clone() };
    let parts = ProviderParts { http: wire.clone(), secrets: vault.clone() };
    let built = providers().build("somebody", &config(names), &parts).unwrap();
    let provider = AttemptLayer.wrap(built);
    World { wire, vault, clock, events, ctx: Ctx::new(&env, TenantId::default()), provider }
}

impl World {
    /// One request, and its trace.
    pub(crate) async fn ask(&self) -> (Result<()>, Vec<Attempt>) {
        let request = ChatRequest::prompt("Hi");
        let outcome = self.provider.chat(&self.ctx, &request).await.map(drop);
        (outcome, request.call.attempts())
    }

    pub(crate) async fn stream(&self) -> (Result<()>, Vec<Attempt>) {
        let request = ChatRequest::prompt("Hi");
        let outcome = self.provider.stream(&self.ctx, &request).await.map(drop);
        (outcome, request.call.attempts())
    }

    /// One request that is answered, and the keys that were used for it.
    pub(crate) async fn used(&self) -> Vec<String> {
        self.wire.used();
        self.ask().await.0.unwrap();
        self.wire.used()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(std::time::Duration::from_secs(seconds));
    }
}

/// An attempt in short: its reason and its error.
pub(crate) fn short(attempts: &[Attempt]) -> Vec<(String, String)> {
    let of = |attempt: &Attempt| {
        let fate = match attempt.status {
            AttemptStatus::Answered => "answered".to_owned(),
            AttemptStatus::Failed | AttemptStatus::Skipped => attempt.error.clone().unwrap(),
        };
        (attempt.reason.clone().unwrap_or_default(), fate)
    };
    attempts.iter().map(of).collect()
}
