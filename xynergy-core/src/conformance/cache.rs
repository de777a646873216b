//! What every [`ResponseCache`] must do.

use std::sync::Arc;
use std::time::Duration;

use crate::cache::{CacheEntry, CacheKey, ResponseCache};
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::provider::{ChatRequest, ChatResponse};

fn key(tenant: &TenantId, prompt: &str) -> CacheKey {
    CacheKey::of(tenant, "suite", &ChatRequest::prompt(prompt), false).unwrap()
}

fn entry(provider: &str, text: &str, expires_at: Timestamp) -> CacheEntry {
    let mut response = ChatResponse::text("m", text);
    response.report.provider = provider.to_owned();
    response.report.model = "m".to_owned();
    CacheEntry { response: Arc::new(response), expires_at }
}

/// Runs the whole suite on an empty cache.
pub async fn suite(cache: Arc<dyn ResponseCache>) {
    let (a, b) = (TenantId::new("tenant-a").unwrap(), TenantId::new("tenant-b").unwrap());
    let now = Timestamp::from_millis(1_000_000);
    let later = now.plus(Duration::from_secs(60));
    let text = |found: Option<Arc<ChatResponse>>| found.map(|response| response.first_text());
    assert!(!cache.name().is_empty(), "a cache has a name");

    let one = key(&a, "one");
    assert!(cache.get(&a, &one, now).await.unwrap().is_none(), "an empty cache has nothing");
    cache.put(&a, &one, entry("p", "first", later)).await.unwrap();
    assert_eq!(
        text(cache.get(&a, &one, now).await.unwrap()).as_deref(),
        Some("first"),
        "what was put is there"
    );
    cache.put(&a, &one, entry("p", "second", later)).await.unwrap();
    assert_eq!(
        text(cache.get(&a, &one, now).await.unwrap()).as_deref(),
        Some("second"),
        "the newest replaces"
    );

    // The same key under another tenant: even an equal hash must not cross.
    assert!(cache.get(&b, &one, now).await.unwrap().is_none(), "a hit crossed a tenant");
    cache.put(&b, &one, entry("p", "of b", later)).await.unwrap();
    assert_eq!(
        text(cache.get(&a, &one, now).await.unwrap()).as_deref(),
        Some("second"),
        "a put crossed a tenant"
    );

    let just_before = Timestamp::from_micros(later.micros() - 1);
    assert!(cache.get(&a, &one, just_before).await.unwrap().is_some(), "it is served until it expires");
    assert!(cache.get(&a, &one, later).await.unwrap().is_none(), "it expired");

    cache.put(&a, &one, entry("openai", "1", later)).await.unwrap();
    cache.put(&a, &key(&a, "two"), entry("internal", "2", later)).await.unwrap();
    assert_eq!(cache.invalidate(&a, "openai/*").await.unwrap(), 1, "by provider and model");
    assert!(cache.get(&a, &one, now).await.unwrap().is_none());
    let name = key(&a, "two").stored_name(&a);
    assert_eq!(cache.invalidate(&a, &name).await.unwrap(), 1, "by its whole name");
    assert_eq!(cache.invalidate(&a, "*").await.unwrap(), 0, "nothing is left of the tenant");
    assert_eq!(
        text(cache.get(&b, &one, now).await.unwrap()).as_deref(),
        Some("of b"),
        "an invalidation crossed a tenant"
    );
    assert_eq!(cache.invalidate(&b, "*").await.unwrap(), 1);
}
