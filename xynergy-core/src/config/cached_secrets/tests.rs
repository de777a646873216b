use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::env::ManualClock;

/// Gives what it is told to, and counts.
#[derive(Debug, Default)]
struct Vault {
    value: Mutex<Option<String>>,
    away: Mutex<bool>,
    slow: Mutex<Option<Duration>>,
    reads: AtomicU32,
    refused: AtomicU32,
}

impl Vault {
    fn set(&self, value: &str) {
        *self.value.lock().unwrap() = Some(value.to_owned());
    }

    fn reads(&self) -> u32 {
        self.reads.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl SecretSource for Vault {
    async fn get(&self, tenant: &TenantId, _reference: &SecretRef) -> Result<Secret> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let slow = *self.slow.lock().unwrap();
        match slow {
            Some(time) => tokio::time::sleep(time).await,
            None => tokio::task::yield_now().await,
        }
        if *self.away.lock().unwrap() {
            return Err(Error::new(ErrorKind::Unavailable, "secrets.get", "the vault is away"));
        }
        let value = self.value.lock().unwrap().clone();
        value
            .map(|value| Secret::new(format!("{value} of {tenant}")))
            .ok_or_else(|| Error::new(ErrorKind::Unauthorized, "secrets.get", "there is no such credential"))
    }

    fn refused(&self, _tenant: &TenantId, _reference: &SecretRef, _secret: &Secret) {
        self.refused.fetch_add(1, Ordering::SeqCst);
    }
}

struct World {
    vault: Arc<Vault>,
    clock: Arc<ManualClock>,
    secrets: CachedSecrets,
    tenant: TenantId,
}

fn world() -> World {
    let vault = Arc::new(Vault::default());
    vault.set("old");
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    let secrets = CachedSecrets::new(
        Arc::clone(&vault) as Arc<dyn SecretSource>,
        Duration::from_secs(300),
        Arc::clone(&clock) as Arc<dyn Clock>,
    );
    World { vault, clock, secrets, tenant: TenantId::default() }
}

impl World {
    async fn get(&self) -> Result<String> {
        let reference = SecretRef::Env("KEY".into());
        self.secrets.get(&self.tenant, &reference).await.map(|secret| secret.expose().to_owned())
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

#[tokio::test]
async fn a_rotated_secret_is_taken_after_its_time() {
    let world = world();
    assert_eq!(world.get().await.unwrap(), "old of default");
    world.vault.set("new");
    world.pass(299);
    assert_eq!((world.get().await.unwrap().as_str(), world.vault.reads()), ("old of default", 1));
    world.pass(1);
    assert_eq!((world.get().await.unwrap().as_str(), world.vault.reads()), ("new of default", 2));
}

#[tokio::test]
async fn tenants_and_references_are_kept_apart() {
    let world = world();
    let other = TenantId::new("other").unwrap();
    let (a, b) = (SecretRef::Env("A".into()), SecretRef::Env("B".into()));
    for (tenant, reference) in [(&world.tenant, &a), (&other, &a), (&other, &b), (&other, &b)] {
        let secret = world.secrets.get(tenant, reference).await.unwrap();
        assert_eq!(secret.expose(), format!("old of {tenant}"));
    }
    assert_eq!(world.vault.reads(), 3);
}

#[tokio::test]
async fn a_refused_secret_is_read_anew_at_once() {
    let world = world();
    world.get().await.unwrap();
    world.vault.set("new");
    let reference = SecretRef::Env("KEY".into());
    world.secrets.refused(&world.tenant, &reference, &Secret::new("old of default"));
    assert_eq!(world.get().await.unwrap(), "new of default");
    // A late answer about the old one does not throw the new one away.
    world.secrets.refused(&world.tenant, &reference, &Secret::new("old of default"));
    assert_eq!((world.get().await.unwrap().as_str(), world.vault.reads()), ("new of default", 2));
    assert_eq!(world.vault.refused.load(Ordering::SeqCst), 2, "the source was not told");
}

#[tokio::test]
async fn one_call_reads_for_all() {
    let world = world();
    let all = futures_util::future::join_all((0..100).map(|_| world.get())).await;
    assert!(all.into_iter().all(|got| got.unwrap() == "old of default"));
    assert_eq!(world.vault.reads(), 1);
    // Also when it fails, and when it is dropped on the way.
    let gone = World { vault: Arc::default(), ..self::world() };
    *gone.vault.away.lock().unwrap() = true;
    let secrets = CachedSecrets::new(
        Arc::clone(&gone.vault) as Arc<dyn SecretSource>,
        Duration::from_secs(300),
        Arc::clone(&gone.clock) as Arc<dyn Clock>,
    );
    let gone = World { secrets, ..gone };
    let all = futures_util::future::join_all((0..100).map(|_| gone.get())).await;
    assert!(all.into_iter().all(|got| got.unwrap_err().message() == "the vault is away"));
    assert_eq!(gone.vault.reads(), 1);
    *gone.vault.away.lock().unwrap() = false;
    gone.vault.set("found");
    let mut dropped = Box::pin(gone.get());
    assert!(futures_util::poll!(&mut dropped).is_pending());
    drop(dropped);
    assert_eq!(gone.get().await.unwrap(), "found of default");
}

#[tokio::test(start_paused = true)]
async fn an_old_secret_is_used_while_the_source_is_away() {
    let world = world();
    world.get().await.unwrap();
    *world.vault.away.lock().unwrap() = true;
    world.pass(301);
    for _ in 0..5 {
        assert_eq!(world.get().await.unwrap(), "old of default");
    }
    assert_eq!(world.vault.reads(), 2, "a source that is away is not asked at each call");
    *world.vault.slow.lock().unwrap() = Some(Duration::from_secs(60));
    world.pass(10);
    let before = tokio::time::Instant::now();
    assert_eq!(world.get().await.unwrap(), "old of default");
    assert!(before.elapsed() <= PATIENCE, "a hanging source held the call");
    *world.vault.slow.lock().unwrap() = None;
    world.pass(3_600);
    assert_eq!(world.get().await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_source_that_says_there_is_none_is_obeyed() {
    let world = world();
    world.get().await.unwrap();
    *world.vault.value.lock().unwrap() = None;
    world.pass(300);
    assert_eq!(world.get().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    world.vault.set("new");
    assert_eq!(world.get().await.unwrap(), "new of default");
}

#[tokio::test]
async fn without_a_time_it_is_read_at_each_call() {
    let world = world();
    let secrets = CachedSecrets::new(
        Arc::clone(&world.vault) as Arc<dyn SecretSource>,
        Duration::ZERO,
        Arc::clone(&world.clock) as Arc<dyn Clock>,
    );
    let world = World { secrets, ..world };
    world.get().await.unwrap();
    world.get().await.unwrap();
    assert_eq!(world.vault.reads(), 2);
}

#[tokio::test]
async fn what_is_kept_is_bounded_and_never_shown() {
    let world = world();
    for number in 0..MANY + 10 {
        let reference = SecretRef::Env(format!("KEY_{number}"));
        world.secrets.get(&world.tenant, &reference).await.unwrap();
    }
    assert_eq!(world.secrets.slots.lock().unwrap().len(), MANY);
    assert!(!format!("{:?}", world.secrets).contains("of default"));
}
