//! The AI facade: what works without a provider, and a cache of the host's own.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use xynergy::ai::cache::{CacheEntry, CacheKey, ResponseCache};
use xynergy::ai::{GenerateRequest, Tokenizer};
use xynergy::provider::{ChatRequest, ChatResponse, MemoryProvider};
use xynergy::{Client, Config, ErrorKind, Result, TenantId, Timestamp};

type Kept = BTreeMap<(TenantId, String), CacheEntry>;

/// A host's cache as simple as it can be.
#[derive(Debug, Default)]
struct HostCache(Mutex<Kept>);

#[async_trait]
impl ResponseCache for HostCache {
    fn name(&self) -> &str {
        "host"
    }

    async fn get(
        &self,
        tenant: &TenantId,
        key: &CacheKey,
        now: Timestamp,
    ) -> Result<Option<Arc<ChatResponse>>> {
        let kept = self.0.lock().unwrap();
        let found = kept.get(&(tenant.clone(), format!("{key:?}")));
        Ok(found.filter(|entry| entry.expires_at > now).map(|entry| entry.response.clone()))
    }

    async fn put(&self, tenant: &TenantId, key: &CacheKey, entry: CacheEntry) -> Result<()> {
        self.0.lock().unwrap().insert((tenant.clone(), format!("{key:?}")), entry);
        Ok(())
    }

    async fn invalidate(&self, tenant: &TenantId, _pattern: &str) -> Result<u64> {
        let mut kept = self.0.lock().unwrap();
        let before = kept.len();
        kept.retain(|(of, _), _| of != tenant);
        Ok((before - kept.len()) as u64)
    }
}

#[tokio::test]
async fn answers_are_kept_in_the_hosts_own_cache() {
    let cache = Arc::new(HostCache::default());
    let client = |cache: &Arc<HostCache>| {
        let own = MemoryProvider::new("internal", "own-1", |_| Ok("fresh".to_owned()));
        Client::builder(Config::default()).provider(Arc::new(own)).cache(cache.clone()).build().unwrap()
    };
    let first = client(&cache).ai().generate(GenerateRequest::new("Hello?")).await.unwrap();
    assert!(!first.cache_hit);
    assert_eq!(cache.0.lock().unwrap().len(), 1);

    let second = client(&cache);
    let again = second.ai().generate(GenerateRequest::new("Hello?")).await.unwrap();
    assert!(again.cache_hit, "another client over the same cache finds the answer");
    assert_eq!(second.ai().cache_stats().unwrap().provider, "host");
    assert_eq!(second.ai().cache_invalidate(None).await.unwrap(), 1);
    assert!(!second.ai().generate(GenerateRequest::new("Hello?")).await.unwrap().cache_hit);
}

/// Counts words, as a model might.
#[derive(Debug)]
struct Words;

impl Tokenizer for Words {
    fn name(&self) -> &str {
        "words"
    }

    fn count(&self, text: &str) -> u64 {
        text.split_whitespace().count() as u64
    }
}

#[test]
fn a_tokenizer_of_the_host_counts_its_models() {
    let client = Client::builder(Config::default()).tokenizer("acme-", Arc::new(Words)).build().unwrap();
    let text = client.ai().count_tokens("one two three", Some("openrouter/Acme-7b:free")).unwrap();
    assert_eq!((text.tokens, text.exact, text.encoding.as_deref()), (3, true, Some("words")));
    let request = client.ai().count_tokens(&ChatRequest::prompt("one two three"), Some("acme-7b")).unwrap();
    assert_eq!((request.tokens, request.exact), (10, false), "it does not say what frames the messages");
    assert!(request.error_percent > 0);
    let other = client.ai().count_tokens("one two three", Some("other-7b")).unwrap();
    assert_eq!((other.exact, other.encoding), (false, None));
}

#[test]
fn tokens_are_counted_and_sized_without_a_provider() {
    let client = Client::new(Config::default()).unwrap();
    let ai = client.ai();
    let short = ai.count_tokens("Hello there", None).unwrap();
    let long = ai.count_tokens(&ChatRequest::prompt("Hello there".repeat(50)), Some("gpt-4o")).unwrap();
    assert!(!short.exact && short.error_percent > 0 && short.tokens == 2, "{short:?}");
    assert!(long.exact && long.error_percent == 0 && long.tokens > 100, "{long:?}");
    assert_eq!(long.encoding.as_deref(), Some("o200k_base"));

    let sized = ai.optimize_tokens("What is 2 + 2?", None, None).unwrap();
    assert_eq!((sized.original_limit, sized.optimized_limit, sized.savings_percent), (512, 256, 50));
    let own = ai.optimize_tokens("What is 2 + 2?", Some(1_000), Some(100)).unwrap();
    assert_eq!((own.original_limit, own.optimized_limit), (100, 100), "a user's own limit is never raised");

    let configured =
        Config::from_toml("version = 1\n[ai.tokens]\ndefault_limit = 40\nsimple_limit = 10").unwrap();
    let configured = Client::new(configured).unwrap();
    assert_eq!(configured.ai().optimize_tokens("What is 2 + 2?", None, None).unwrap().optimized_limit, 10);

    let none = ChatRequest { messages: vec![], ..ChatRequest::prompt("") };
    for (error, field) in [
        (ai.count_tokens(&none, None).unwrap_err(), "messages"),
        (ai.count_tokens(&ChatRequest::prompt("x"), Some(" ")).unwrap_err(), "model"),
        (ai.optimize_tokens(" ", None, None).unwrap_err(), "prompt"),
        (ai.optimize_tokens("x", Some(0), None).unwrap_err(), "default_limit"),
        (ai.optimize_tokens("x", None, Some(0)).unwrap_err(), "user_limit"),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().starts_with(field), "{error}");
    }
}
