//! The AI facade: what works without a provider, and a cache of the host's own.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use xynergy::ai::cache::{CacheEntry, CacheKey, ResponseCache};
use xynergy::ai::{GenerateRequest, Tokenizer};
use xynergy::embed::{EmbedResponse, MemoryEmbedder};
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

/// A provider and an embedder of the host's under the names `own` and `vectors`, in a client of this configuration.
fn of_the_host(config: &str) -> Result<Client> {
    let own = MemoryProvider::new("own", "own-1", |_| Ok("fresh".to_owned()));
    let vectors = MemoryEmbedder::new("vectors", "vectors-1", |request| {
        Ok(EmbedResponse { vectors: vec![vec![1.0]; request.input.len()], tokens: Some(2) })
    });
    let config = Config::from_toml(&format!("version = 1\n{config}")).unwrap();
    Client::builder(config).provider(Arc::new(own)).embedder(Arc::new(vectors)).build()
}

/// Under a hard limit nothing is asked whose price is not known, so what the host gives needs a place for its price.
#[tokio::test]
async fn the_hosts_own_objects_have_prices_and_limits() {
    const LIMIT: &str = "[[ai.limits]]\nwindow = 'day'\namount_nano_usd = 2500\nhard = true\n";
    const OWN: &str = "[ai.providers.own]\ntype = 'host'\nprice = { per_request_nano_usd = 1000 }\n";
    const VECTORS: &str = "[ai.providers.vectors]\ntype = 'host'\nprice = { input_per_million_nano_usd = 10_000_000, output_per_million_nano_usd = 0 }\n";
    let unpriced = of_the_host(LIMIT).unwrap();
    let (chat, embed) =
        (unpriced.ai().generate(GenerateRequest::new("a")).await, unpriced.ai().embed(["a"]).await);
    for error in [chat.unwrap_err(), embed.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
        assert!(error.message().contains("ai.providers.NAME.price"), "{error}");
    }

    let priced = of_the_host(&[LIMIT, OWN, VECTORS].concat()).unwrap();
    let ai = priced.ai();
    assert_eq!(ai.generate(GenerateRequest::new("a")).await.unwrap().cost_nano_usd, Some(1_000));
    assert_eq!(ai.embed(["a"]).await.unwrap().cost_nano_usd, Some(20));
    assert_eq!(ai.generate(GenerateRequest::new("b")).await.unwrap().cost_nano_usd, Some(1_000));
    assert_eq!(ai.generate(GenerateRequest::new("c")).await.unwrap_err().kind(), ErrorKind::LimitExceeded);
    let embeds = "e".repeat(8_000);
    assert_eq!(ai.embed([embeds]).await.unwrap_err().kind(), ErrorKind::LimitExceeded);
    let spend = ai.spend(None).await.unwrap();
    assert_eq!((spend.cost_nano_usd, spend.reserved_nano_usd), (2_020, 0));
    assert_eq!(spend.by_provider["vectors"].cost_nano_usd, 20);

    let limited = of_the_host(
        "[ai.providers.own]\ntype = 'host'\nrate_limit = { requests_per_minute = 1 }\n[ai.retry]\nmax_retries = 0",
    )
    .unwrap();
    limited.ai().generate(GenerateRequest::new("a")).await.unwrap();
    assert_eq!(
        limited.ai().generate(GenerateRequest::new("b")).await.unwrap_err().kind(),
        ErrorKind::Throttled
    );
}

#[test]
fn what_is_configured_of_the_host_is_given_by_it() {
    let error = of_the_host("[ai.providers.other]\ntype = 'host'").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(error.message().starts_with("ai.providers.other.type: host"), "{error}");
    let error = of_the_host("[ai.providers.own]\nprice = { per_request_nano_usd = 1 }").unwrap_err();
    assert!(error.message().contains("type = \"host\""), "who forgets the type is told: {error}");
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
