//! A ledger that is away: what a hard limit refuses, what a soft one lets pass, and that a guard loses nothing.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::StreamExt;
use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::AiConfig;
use xynergy_core::provider::{ChatRequest, MemoryProvider};
use xynergy_core::spend::{
    CloseNotes, LimitScope, MemoryLedger, Reserve, Settlement, Spend, SpendLedger, SpendLimit, Window,
};
use xynergy_core::{Ctx, Env, Error, ErrorKind, Result, TenantId, Timestamp};

/// A ledger that can be cut off, and writes closing notes with the next call as those with I/O do.
#[derive(Debug, Default)]
struct Cut {
    inner: MemoryLedger,
    notes: CloseNotes,
    is_away: AtomicBool,
    is_new: AtomicBool,
}

impl Cut {
    fn here(&self) -> Result<&MemoryLedger> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Unavailable, "ledger", "away"));
        }
        let taken = self.notes.take();
        for note in taken.notes() {
            self.inner.close(&note.tenant, note.id, note.used.clone());
        }
        taken.written();
        Ok(&self.inner)
    }
}

#[async_trait]
impl SpendLedger for Cut {
    async fn set_limit(&self, tenant: &TenantId, limit: SpendLimit) -> Result<()> {
        self.here()?.set_limit(tenant, limit).await
    }
    async fn remove_limit(&self, tenant: &TenantId, scope: &LimitScope, window: Window) -> Result<bool> {
        self.here()?.remove_limit(tenant, scope, window).await
    }
    async fn limits(&self, tenant: &TenantId) -> Result<Vec<SpendLimit>> {
        self.here()?.limits(tenant).await
    }
    fn remembered(&self, tenant: &TenantId) -> Option<Vec<SpendLimit>> {
        if self.is_new.load(Ordering::Relaxed) { None } else { self.inner.remembered(tenant) }
    }
    async fn reserve(&self, tenant: &TenantId, request: &Reserve) -> Result<Vec<SpendLimit>> {
        self.here()?.reserve(tenant, request).await
    }
    async fn settle(&self, tenant: &TenantId, id: u128, settlement: &Settlement) -> Result<()> {
        self.here()?.settle(tenant, id, settlement).await
    }
    fn close(&self, tenant: &TenantId, id: u128, used: Option<Settlement>) {
        self.notes.push(tenant, id, used);
    }
    async fn drain(&self) -> Result<()> {
        self.here().map(drop)
    }
    async fn spend(&self, tenant: &TenantId, since: Option<Timestamp>, now: Timestamp) -> Result<Spend> {
        self.here()?.spend(tenant, since, now).await
    }
}

fn world(config: &str) -> (Arc<Cut>, AiClient, Ctx) {
    let config: AiConfig = toml::from_str(&format!(
        "{config}\n[cache]\nenabled = false\n[providers.m]\nbase_url = 'http://localhost/v1'\nmodel = 'm'\n\
         price = {{ per_request_nano_usd = 10 }}"
    ))
    .unwrap();
    let ledger = Arc::new(Cut::default());
    let provider = MemoryProvider::new("m", "m", |_: &ChatRequest| Ok("one two three".to_owned()));
    let parts = AiParts { ledger: Some(ledger.clone()), ..AiParts::new(vec![Arc::new(provider)]) };
    let ai = AiClient::new(config, parts).unwrap();
    (ledger, ai, Ctx::new(&Env::default(), TenantId::default()))
}

fn limit(hard: bool) -> SpendLimit {
    let (scope, window, zone) = (LimitScope::Tenant, Window::Day, Default::default());
    SpendLimit { scope, window, zone, amount_nano_usd: 1_000, hard }
}

#[tokio::test]
async fn a_hard_limit_refuses_while_the_ledger_is_away() {
    let (ledger, ai, ctx) = world("");
    ai.set_limit(&ctx, limit(true)).await.unwrap();
    ai.chat(&ctx, ChatRequest::prompt("a")).await.unwrap();
    ledger.is_away.store(true, Ordering::Relaxed);
    let error = ai.chat(&ctx, ChatRequest::prompt("b")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("ledger is away and a hard limit holds"), "{error}");
    ledger.is_away.store(false, Ordering::Relaxed);
    ai.chat(&ctx, ChatRequest::prompt("b")).await.unwrap();
    let spend = ai.spend(&ctx, None).await.unwrap();
    assert_eq!((spend.cost_nano_usd, spend.reserved_nano_usd), (20, 0));
}

#[tokio::test]
async fn a_standing_hard_limit_refuses_too_unless_a_soft_one_replaces_it() {
    let (ledger, ai, ctx) = world("limits = [{ window = 'day', amount_nano_usd = 1000 }]");
    ledger.is_away.store(true, Ordering::Relaxed);
    assert!(
        ai.chat(&ctx, ChatRequest::prompt("a")).await.unwrap_err().message().contains("hard limit holds")
    );
    ledger.is_away.store(false, Ordering::Relaxed);
    ai.set_limit(&ctx, limit(false)).await.unwrap();
    ledger.is_away.store(true, Ordering::Relaxed);
    ai.chat(&ctx, ChatRequest::prompt("a")).await.unwrap();
}

#[tokio::test]
async fn without_a_hard_limit_calls_go_on() {
    let (ledger, ai, ctx) = world("");
    ai.set_limit(&ctx, limit(false)).await.unwrap();
    ledger.is_away.store(true, Ordering::Relaxed);
    let answer = ai.chat(&ctx, ChatRequest::prompt("a")).await.unwrap();
    assert_eq!(answer.report.cost_nano_usd, Some(10), "the caller is told what it cost");
    ledger.is_new.store(true, Ordering::Relaxed);
    let error = ai.chat(&ctx, ChatRequest::prompt("b")).await.unwrap_err();
    assert!(error.message().contains("is not known"), "what was never seen may be hard: {error}");
}

#[tokio::test]
async fn what_a_broken_stream_used_is_settled_when_the_client_drains() {
    let (ledger, ai, ctx) = world("");
    let mut stream = ai.stream(&ctx, ChatRequest::prompt("a")).await.unwrap();
    stream.next().await.unwrap().unwrap();
    ledger.is_away.store(true, Ordering::Relaxed);
    drop(stream);
    ai.drain().await.unwrap_err();
    ledger.is_away.store(false, Ordering::Relaxed);
    ai.drain().await.unwrap();
    let spend = ai.spend(&ctx, None).await.unwrap();
    assert_eq!((spend.cost_nano_usd, spend.reserved_nano_usd, spend.requests), (10, 0, 1));
}

#[tokio::test]
async fn an_answer_is_not_lost_with_its_settlement() {
    let (ledger, ai, ctx) = world("");
    let stream = ai.stream(&ctx, ChatRequest::prompt("a")).await.unwrap();
    ledger.is_away.store(true, Ordering::Relaxed);
    let chunks: Vec<_> = stream.collect().await;
    assert!(chunks.iter().all(Result::is_ok), "{chunks:?}");
    ledger.is_away.store(false, Ordering::Relaxed);
    let spend = ai.spend(&ctx, None).await.unwrap();
    assert_eq!((spend.cost_nano_usd, spend.reserved_nano_usd), (10, 0), "the guard took note");
}
