//! The scripted objects of a host, as `tests/vectors/README.md` specifies them, behind the library's own traits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use xynergy::ai::cache::{CacheEntry, CacheKey, ResponseCache};
use xynergy::crm::{Contact, Crm, CrmEvent, Deal};
use xynergy::env::Clock;
use xynergy::provider::{
    Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream, FinishReason, Provider,
};
use xynergy::secrets::{Secret, SecretRef, SecretSource};
use xynergy::store::{
    Appended, Candidate, Click, ClickStore, DealRevenue, Document, KeyedHash, Revaluation, RevenueStore,
    RevenueTotals, StateStore, Tracked,
};
use xynergy::{Ctx, Error, ErrorKind, Result, Retry, Stores, TenantId, Timestamp};

use crate::dispatch::boom;
use crate::runner::Script;

/// What an object has seen of calls.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    calls: AtomicUsize,
    cancelled: AtomicUsize,
}

impl Seen {
    pub(crate) fn to_json(&self) -> Value {
        json!({"calls": self.calls.load(Ordering::SeqCst), "cancelled": self.cancelled.load(Ordering::SeqCst)})
    }
}

/// An object that behaves as its script says.
#[derive(Debug)]
pub(crate) struct Scripted {
    name: String,
    pub(crate) script: Script,
    seen: Arc<Seen>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    answers: Mutex<BTreeMap<(String, String), CacheEntry>>,
    documents: Arc<dyn StateStore>,
    pub(crate) budgets: Mutex<BTreeMap<String, i64>>,
}

impl Scripted {
    pub(crate) fn new(name: &str, script: Script, seen: Seen, clock: Option<Arc<dyn Clock>>) -> Self {
        Self {
            name: name.to_owned(),
            script,
            seen: Arc::new(seen),
            clock,
            answers: Mutex::default(),
            documents: Stores::memory().state,
            budgets: Mutex::default(),
        }
    }

    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Counts the call, and does what no answer follows.
    pub(crate) async fn begin(&self) -> Result<()> {
        self.seen.calls.fetch_add(1, Ordering::SeqCst);
        match self.script.script.as_str() {
            "throw" => Err(boom()),
            "error" => Err(self.error()),
            "hang" => {
                let _counted = CountOnDrop(self.seen.clone());
                std::future::pending().await
            }
            _ => Ok(()),
        }
    }

    fn error(&self) -> Error {
        let parameters = &self.script.parameters;
        let kind: ErrorKind = serde_json::from_value(parameters["kind"].clone()).unwrap();
        let error = Error::new(kind, "host", parameters["message"].as_str().unwrap().to_owned());
        match parameters.get("retry_after_ms").and_then(Value::as_u64) {
            Some(ms) => error.with_retry(Retry::After(Duration::from_millis(ms))),
            None => error,
        }
    }

    fn traits(&self) -> Value {
        self.script.parameters.get("traits").cloned().unwrap_or_default()
    }
}

struct CountOnDrop(Arc<Seen>);

impl Drop for CountOnDrop {
    fn drop(&mut self) {
        self.0.cancelled.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Provider for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    fn capability(&self) -> Capability {
        let traits = self.traits();
        let has = |name: &str| traits[name].as_bool().unwrap_or_default();
        Capability {
            default_model: traits["default_model"].as_str().unwrap_or(&self.name).to_owned(),
            streaming: has("streaming"),
            tools: has("tools"),
            response_format: has("response_format"),
            images: has("images"),
            prefill: false,
        }
    }

    async fn chat(&self, _: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        self.begin().await?;
        if self.script.script == "return" {
            let response: ChatResponse =
                serde_json::from_value(self.script.parameters["value"].clone()).unwrap();
            return Ok(response.judged());
        }
        Ok(ChatResponse::text(self.capability().default_model, echo(request)))
    }

    async fn stream(&self, _: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        self.begin().await?;
        let words = || echo(request).split_inclusive(' ').map(|word| json!(word)).collect();
        let given = self.script.parameters.get("pieces").and_then(Value::as_array).cloned();
        let pieces: Vec<Value> = given.unwrap_or_else(words);
        let chunks: Vec<Result<ChatChunk>> = pieces
            .iter()
            .map(|piece| match piece {
                Value::String(text) => Ok(ChatChunk::text(text)),
                thrown if thrown.get("throw").is_some() => Err(boom()),
                chunk => Ok(serde_json::from_value(chunk.clone()).unwrap()),
            })
            .collect();
        if self.script.parameters.contains_key("then_hang") {
            let counted = CountOnDrop(self.seen.clone());
            let hanging = stream::once(async move {
                let _counted = counted;
                std::future::pending().await
            });
            return Ok(stream::iter(chunks).chain(hanging).boxed());
        }
        let ends = chunks.iter().all(|chunk| {
            chunk.as_ref().is_ok_and(|chunk| chunk.choices.iter().all(|c| c.finish_reason.is_none()))
        });
        let end = ends.then(|| Ok(ChatChunk::end(FinishReason::Stop)));
        Ok(stream::iter(chunks.into_iter().chain(end)).boxed())
    }
}

fn echo(request: &ChatRequest) -> String {
    let last = request.messages.last().map(|message| message.texts().collect::<String>());
    format!("echo: {}", last.unwrap_or_default())
}

#[async_trait]
impl ResponseCache for Scripted {
    fn name(&self) -> &str {
        "host"
    }

    async fn get(
        &self,
        tenant: &TenantId,
        key: &CacheKey,
        now: Timestamp,
    ) -> Result<Option<Arc<ChatResponse>>> {
        self.begin().await?;
        let answers = self.answers.lock().unwrap();
        let entry = answers.get(&(tenant.to_string(), key.stored_name(tenant)));
        Ok(entry.filter(|entry| entry.expires_at > now).map(|entry| entry.response.clone()))
    }

    async fn put(&self, tenant: &TenantId, key: &CacheKey, entry: CacheEntry) -> Result<()> {
        self.begin().await?;
        self.answers.lock().unwrap().insert((tenant.to_string(), key.stored_name(tenant)), entry);
        Ok(())
    }

    async fn invalidate(&self, tenant: &TenantId, pattern: &str) -> Result<u64> {
        self.begin().await?;
        let mut answers = self.answers.lock().unwrap();
        let before = answers.len();
        answers.retain(|(of, key), entry| {
            let report = &entry.response.report;
            let answered = format!("{}/{}", report.provider, report.model);
            let meant =
                xynergy::ai::cache::matches(pattern, key) || xynergy::ai::cache::matches(pattern, &answered);
            *of != tenant.to_string() || !meant
        });
        Ok((before - answers.len()) as u64)
    }
}

#[async_trait]
impl SecretSource for Scripted {
    async fn get(&self, _: &TenantId, reference: &SecretRef) -> Result<Secret> {
        self.begin().await?;
        let SecretRef::Env(name) = reference else { panic!("scripts name the environment") };
        let value = self.script.parameters["values"][name].as_str().filter(|value| !value.is_empty());
        value.map(Secret::new).ok_or_else(|| {
            Error::new(ErrorKind::Unauthorized, "secrets.get", format!("no credential for the {reference}"))
        })
    }
}

#[async_trait]
impl Crm for Scripted {
    async fn deals(&self, _: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Deal>> {
        self.begin().await?;
        Ok(self.asked("deals", ids))
    }

    async fn contacts(&self, _: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Contact>> {
        self.begin().await?;
        Ok(self.asked("contacts", ids))
    }
}

impl Scripted {
    fn asked<T: serde::de::DeserializeOwned>(&self, kind: &str, ids: &[String]) -> BTreeMap<String, T> {
        let mut all: BTreeMap<String, T> =
            serde_json::from_value(self.script.parameters[kind].clone()).unwrap();
        all.retain(|id, _| ids.contains(id));
        all
    }
}

#[async_trait]
impl StateStore for Scripted {
    async fn get(&self, tenant: &TenantId, collection: &str, key: &str) -> Result<Option<Document>> {
        self.begin().await?;
        self.documents.get(tenant, collection, key).await
    }

    async fn put(
        &self,
        tenant: &TenantId,
        collection: &str,
        key: &str,
        expected: Option<u64>,
        value: &str,
    ) -> Result<u64> {
        self.begin().await?;
        self.documents.put(tenant, collection, key, expected, value).await
    }

    async fn list(&self, tenant: &TenantId, collection: &str) -> Result<Vec<(String, Document)>> {
        self.begin().await?;
        self.documents.list(tenant, collection).await
    }
}

/// Scripts for these two only fail.
#[async_trait]
impl ClickStore for Scripted {
    async fn track(&self, _: &TenantId, _: &[Click], _: &str) -> Result<Tracked> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn candidates(
        &self,
        _: &TenantId,
        _: &[KeyedHash],
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Vec<Candidate>> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn count(&self, _: &TenantId, _: Option<&str>) -> Result<u64> {
        self.begin().await.map(|()| unreachable!())
    }
}

#[async_trait]
impl RevenueStore for Scripted {
    async fn append_events(&self, _: &TenantId, _: &[CrmEvent], _: &str) -> Result<Appended> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn pending_deals(&self, _: &TenantId, _: usize) -> Result<Vec<String>> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn events(&self, _: &TenantId, _: &str) -> Result<Vec<CrmEvent>> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn events_after(&self, _: &TenantId, _: Option<KeyedHash>, _: usize) -> Result<Vec<CrmEvent>> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn count_until(&self, _: &TenantId, _: Timestamp) -> Result<u64> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn put_deals(&self, _: &TenantId, _: &[DealRevenue]) -> Result<bool> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn find_deals(&self, _: &TenantId, _: &[String]) -> Result<Vec<DealRevenue>> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn put_revaluation(&self, _: &TenantId, _: &Revaluation) -> Result<bool> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn revaluations(&self, _: &TenantId) -> Result<Vec<Revaluation>> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn deals(&self, _: &TenantId) -> Result<Vec<DealRevenue>> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn totals(&self, _: &TenantId) -> Result<RevenueTotals> {
        self.begin().await.map(|()| unreachable!())
    }

    async fn count_events(&self, _: &TenantId, _: Option<&str>) -> Result<u64> {
        self.begin().await.map(|()| unreachable!())
    }
}
