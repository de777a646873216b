//! What the sampler learns from, in every store: many workers at once lose nothing.
#![cfg(all(feature = "allocation", feature = "attribution"))]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;

use xynergy::ads::OwnerLevel;
use xynergy::allocation::{
    AdEvidence, AdObservation, AllocationRequest, Constraints, Day, DealFeedback, DealOutcome, Millionths,
    OwnerBudget, SamplerEvent, SamplerOptions, SamplerState,
};
use xynergy::env::ManualClock;
use xynergy::{Client, Config, Currency, ErrorKind, Scope, StoreConfig, TenantId, Timestamp};

const DAY: i64 = 86_400_000_000;
const ADS: i64 = 3;
const DAYS: i32 = 8;

fn observations() -> Vec<AdObservation> {
    (0..ADS)
        .flat_map(|ad| (0..DAYS).map(move |day| (ad, day)))
        .map(|(ad, day)| AdObservation {
            ad_id: format!("ad{ad}"),
            day: Day::new(20_000 + day),
            impressions: 1_000 * (ad + 1),
            clicks: 20 + ad,
            spend_minor: 5_000,
            observed_at: Some(Timestamp::from_micros(i64::from(20_001 + day) * DAY)),
        })
        .collect()
}

fn feedback() -> Vec<DealFeedback> {
    (0..40)
        .map(|n| DealFeedback {
            event_id: format!("e{n}"),
            ad_id: format!("ad{}", n % ADS),
            pipeline_value_minor: 100_000 + n,
            occurred_at: Timestamp::from_micros((20_001 + n % 6) * DAY + n),
            outcome: if n % 3 == 0 { DealOutcome::Won } else { DealOutcome::Open },
            credit: Millionths::new(900_000),
            deal_id: None,
            clicked_at: Some(Timestamp::from_micros(20_000 * DAY)),
            spend_minor: None,
        })
        .collect()
}

fn client(store: StoreConfig) -> Client {
    let config = Config { store, ..Config::default() };
    let clock = ManualClock::new(Timestamp::from_micros(20_010 * DAY));
    Client::builder(config).clock(Arc::new(clock)).build().unwrap()
}

async fn nothing_is_lost(store: StoreConfig) {
    let client = client(store);
    client.migrate(false).await.unwrap();
    let scope = client.scope(TenantId::new("acme").unwrap());
    for observation in observations() {
        // Known first, so that feedback finds its ad.
        scope.allocation().observe(&observation).await.unwrap();
    }
    let mut tasks = tokio::task::JoinSet::new();
    // Each event by two workers, so that one of them changes nothing.
    for event in feedback().into_iter().chain(feedback()) {
        let scope: Scope = scope.clone();
        tasks.spawn(async move { scope.allocation().feedback(&event).await.unwrap() });
    }
    let taken = tasks.join_all().await.into_iter().filter(|taken| *taken).count();
    assert_eq!(taken, 40);
    let events: Vec<_> = observations()
        .into_iter()
        .map(SamplerEvent::Observation)
        .chain(feedback().into_iter().rev().map(SamplerEvent::Feedback))
        .collect();
    let expected = SamplerState::replay(&events).unwrap();
    let state = scope.allocation().state().await.unwrap();
    assert_eq!(serde_json::to_string(&state).unwrap(), serde_json::to_string(&expected).unwrap());
    assert_eq!(scope.allocation().merge(&expected).await.unwrap(), 0);
    assert!(client.scope(TenantId::new("other").unwrap()).allocation().state().await.unwrap().ads.is_empty());
    decides(&scope).await;
}

async fn decides(scope: &Scope) {
    let ads = |ids: &[&str]| {
        ids.iter()
            .map(|id| AdEvidence { ad_id: (*id).to_owned(), active: true, ..AdEvidence::default() })
            .collect()
    };
    let request = AllocationRequest {
        currency: Currency::USD,
        owners: vec![
            OwnerBudget::new("1", OwnerLevel::AdSet, 10_000, ads(&["ad0", "ad1"])),
            OwnerBudget::new("2", OwnerLevel::AdSet, 10_000, ads(&["ad2", "new"])),
        ],
        constraints: Constraints {
            total_daily_minor: 20_000,
            min_minor: 1_000,
            max_minor: 30_000,
            ..Constraints::default()
        },
        seed: 7,
        draws: 1_000,
        sampler: Some(SamplerOptions::default()),
    };
    let allocation = scope.allocation().select("april", &request).await.unwrap();
    assert_eq!(allocation.proposed_total_minor, 20_000);
    let log = scope.allocation().log(None).await.unwrap();
    assert_eq!(log.iter().map(|row| row.ad_id.as_str()).collect::<Vec<_>>(), ["ad0", "ad1", "ad2", "new"]);
    assert_eq!(log.iter().map(|row| row.propensity.get()).sum::<u32>(), 1_000_000);
    assert_eq!(log[0].decided_at, Timestamp::from_micros(20_010 * DAY));
    let row = &allocation.rows[0];
    assert_eq!(row.propensity.unwrap().get(), log[0].propensity.get() + log[1].propensity.get());
    let later = Some(Timestamp::from_micros(20_011 * DAY));
    assert!(scope.allocation().log(later).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_in_memory() {
    nothing_is_lost(StoreConfig::Memory).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    nothing_is_lost(StoreConfig::Sqlite { path: folder.path().join("a.db") }).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_in_postgres() {
    use xynergy::env::{Entropy, SystemEntropy};
    use xynergy::{DatabaseUrl, PostgresConfig};

    let Ok(url) = std::env::var("XYNERGY_TEST_POSTGRES") else {
        println!("skipped: XYNERGY_TEST_POSTGRES is not set (tests/services start DIR)");
        return;
    };
    let schema = format!("test_{:016x}", SystemEntropy.next_u64());
    let config =
        PostgresConfig { schema: schema.clone(), ..PostgresConfig::new(DatabaseUrl::Text(url.clone())) };
    nothing_is_lost(StoreConfig::Postgres(config)).await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_changes_nothing() {
    let scope = client(StoreConfig::Memory).scope(TenantId::new("acme").unwrap());
    let allocation = scope.allocation();
    let unknown = allocation.feedback(&feedback()[0]).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    let wrong = AdObservation { spend_minor: -1, ..observations()[0].clone() };
    assert_eq!(allocation.observe(&wrong).await.unwrap_err().operation(), "allocation.observe");
    let error = allocation.learn(&[observations()[0].clone(), wrong], &[]).await.unwrap_err();
    assert!(error.message().starts_with("observations: 1: ad ad0: spend_minor"), "{error}");
    assert!(allocation.state().await.unwrap().ads.is_empty());
    assert!(allocation.observe(&observations()[0]).await.unwrap());
    assert!(allocation.feedback(&feedback()[0]).await.unwrap());
    let other = DealFeedback { pipeline_value_minor: 1, ..feedback()[0].clone() };
    assert_eq!(allocation.feedback(&other).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(allocation.learn(&[], &feedback()[..3]).await.unwrap(), 2);
}
