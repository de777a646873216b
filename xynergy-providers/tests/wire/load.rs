//! A thousand calls at once whose callers go when they like, against one hard cap.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::{AiConfig, PriceConfig, ProviderConfig, StaticSecrets};
use xynergy_core::registry::ProviderParts;
use xynergy_core::spend::{LimitScope, SpendLedger, SpendLimit, Window, Zone};
use xynergy_core::{Ctx, Env, ErrorKind, TenantId};
use xynergy_providers::http::ReqwestHttp;
use xynergy_providers::registry::providers;

use crate::server::{EVENTS, Step, http, json, serve};

const PRICE: u64 = 1_000;
const CAP: u64 = 300 * PRICE;

async fn client(ledger: Option<Arc<dyn SpendLedger>>) -> (AiClient, Ctx) {
    let word = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word\"}}]}\n\n";
    let stop = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    let whole = r#"{"choices":[{"index":0,"message":{"content":"word"},"finish_reason":"stop"}]}"#;
    let pause = || Step::Pause(Duration::from_millis(5));
    let half = [Step::Send(http(200, EVENTS, word)), pause()];
    // The first of the two breaks off, in the answer or in the stream.
    let faulty = serve(vec![pause(), Step::Reset], [&half[..], &[Step::Reset]].concat()).await;
    let good = serve(
        vec![pause(), Step::Send(json(200, "", whole))],
        [&half[..], &[Step::Send(stop.into()), pause()]].concat(),
    )
    .await;
    let mut config = AiConfig::default();
    for (name, url) in [("internal", faulty.base_url), ("openai", good.base_url)] {
        let price = PriceConfig { per_request_nano_usd: Some(PRICE), ..PriceConfig::default() };
        let provider =
            ProviderConfig { base_url: Some(url), price: Some(price), ..ProviderConfig::default() };
        config.providers.insert(name.to_owned(), provider);
    }
    config.cache.enabled = false;
    config.retry.base_ms = 1;
    config.breaker.failures = 10_000;
    config.breaker.rate_percent = 0;
    let parts =
        ProviderParts { http: Arc::new(ReqwestHttp::new()), secrets: Arc::new(StaticSecrets::default()) };
    let built = providers().build_all(&config.providers, &parts).unwrap();
    let ai = AiClient::new(config, AiParts { ledger, ..AiParts::new(built) }).unwrap();
    let ctx = Ctx::new(&Env::default(), TenantId::default());
    let limit = SpendLimit {
        scope: LimitScope::Tenant,
        window: Window::Month,
        zone: Zone::UTC,
        amount_nano_usd: CAP,
        hard: true,
    };
    ai.set_limit(&ctx, limit).await.unwrap();
    (ai, ctx)
}

async fn call(ai: AiClient, ctx: Ctx, number: u64) -> Result<(), ErrorKind> {
    let prompt = format!("Hi {number}");
    let work = async {
        if number.is_multiple_of(2) {
            return ai.chat(&ctx, prompt.as_str().into()).await.map(drop).map_err(|error| error.kind());
        }
        let mut stream = ai.stream(&ctx, prompt.as_str().into()).await.map_err(|error| error.kind())?;
        while stream.next().await.is_some() {}
        Ok(())
    };
    // A third stays to the end, the others go after 0 to 60 ms.
    let patience = if number.is_multiple_of(3) { 60_000 } else { number.wrapping_mul(0x9E37_79B9) % 61 };
    tokio::time::timeout(Duration::from_millis(patience), work).await.unwrap_or(Ok(()))
}

async fn race(ledger: Option<Arc<dyn SpendLedger>>) {
    let (ai, ctx) = client(ledger).await;
    let calls: Vec<_> =
        (0..1_000).map(|number| tokio::spawn(call(ai.clone(), ctx.clone(), number))).collect();
    let mut most = 0;
    while !calls.iter().all(tokio::task::JoinHandle::is_finished) {
        let spend = ai.spend(&ctx, None).await.unwrap();
        most = most.max(spend.cost_nano_usd + spend.reserved_nano_usd);
        assert!(most <= CAP, "{most} is more than {CAP}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut refused = 0;
    for call in calls {
        refused += u32::from(call.await.unwrap() == Err(ErrorKind::LimitExceeded));
    }
    ai.drain().await.unwrap();
    let spend = ai.spend(&ctx, None).await.unwrap();
    assert_eq!(spend.reserved_nano_usd, 0, "at rest nothing is reserved");
    assert!(spend.cost_nano_usd <= CAP && spend.cost_nano_usd % PRICE == 0, "{spend:?}");
    assert!(
        spend.cost_nano_usd > 0 && refused > 0 && most > CAP / 2,
        "{spend:?}, {refused} refused, {most} at most"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cap_in_memory_holds() {
    race(None).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cap_in_a_file_holds() {
    let directory = tempfile::tempdir().unwrap();
    let store =
        xynergy_providers::store::sqlite::SqliteStore::open(directory.path().join("spend.db")).await.unwrap();
    race(Some(Arc::new(store))).await;
}
