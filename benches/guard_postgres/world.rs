use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::{Client, NoTls};
use xynergy::Timestamp;
use xynergy::ads::{ChangeField, DeliveryStatus, Owner, OwnerState};
use xynergy::env::{Entropy, SystemEntropy};
use xynergy::secrets::EnvSecrets;
use xynergy::{Currency, TenantId};
use xynergy_core::execution::machine::{Action, CallTime, QueueBatch, Settlement, Transition};
use xynergy_core::execution::{AdChange, ChangeId, LeaseToken, Policy};
use xynergy_core::store::ChangeStore;
use xynergy_providers::store::postgres::{DatabaseUrl, PostgresConfig, PostgresStore};

pub(crate) const WORKERS: usize = 16;

/// A schema of the run's own.
pub(crate) struct World {
    pub(crate) store: PostgresStore,
    pub(crate) config: PostgresConfig,
    url: String,
}

impl World {
    pub(crate) async fn new(url: &str) -> Self {
        let mut random = [0; 8];
        SystemEntropy.fill(&mut random);
        let schema = format!("bench_{:016x}", u64::from_le_bytes(random));
        let config = PostgresConfig { schema, ..PostgresConfig::new(DatabaseUrl::Text(url.to_owned())) };
        let store = PostgresStore::open(&config, Arc::new(EnvSecrets)).await.unwrap();
        Self { store, config, url: url.to_owned() }
    }

    /// Another process's store in the same schema.
    pub(crate) async fn another(&self) -> PostgresStore {
        PostgresStore::open(&self.config, Arc::new(EnvSecrets)).await.unwrap()
    }

    pub(crate) async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("SET search_path TO \"{}\"", self.config.schema)).await.unwrap();
        client
    }

    pub(crate) async fn drop(self) {
        let client = self.client().await;
        drop(self.store);
        client.batch_execute(&format!("DROP SCHEMA \"{}\" CASCADE", self.config.schema)).await.unwrap();
    }

    /// Queues changes, each with how long after its queueing it is due.
    pub(crate) async fn queue(
        &self,
        tenant: &TenantId,
        account: &str,
        changes: Vec<(AdChange, Duration)>,
        at: CallTime,
    ) {
        let batch = QueueBatch {
            at,
            policy: Policy::exact(),
            actor: None,
            request_id: "req_000000000001".into(),
            account_id: account.into(),
            changes,
            plan_digest: None,
        };
        self.store.queue(tenant, batch).await.unwrap();
    }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::default()
}

/// Seconds from a fixed start.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_770_000_000_000 + seconds * 1_000)
}

/// The change `n` of an account's ad set `set`; eight sets make a campaign.
pub(crate) fn change(account: &str, set: usize, n: usize) -> AdChange {
    AdChange {
        id: ChangeId::derive(&[account, &set.to_string(), &n.to_string()]),
        account_id: account.into(),
        campaign_id: format!("{account}-c{}", set / 8),
        owner: Owner::ad_set(format!("{account}-s{set}")),
        field: ChangeField::Budget,
        expected_from: 10_000 + i64::try_from(n).unwrap(),
        target: 10_001 + i64::try_from(n).unwrap(),
        currency: Currency::USD,
        allocation_id: Some(format!("allocation_{}", set / 8)),
        causation_id: Some("evt_01hzy3v7k2m4n6p8".into()),
        reason: "deals worth more than the share of the budget came from this ad set".into(),
        expires_at: None,
        ramp: None,
    }
}

fn transition(at: CallTime, action: Action) -> Transition {
    Transition {
        at,
        // Only the limits on numbers are wide: the queue that is worked off would fill any real one.
        policy: Policy {
            account_changes: 1_000_000,
            campaign_changes: 1_000_000,
            adset_budget_changes: 1_000_000,
            ..Policy::exact()
        },
        actor: Some("worker".into()),
        request_id: "req_000000000002".into(),
        action,
    }
}

fn live(change: &AdChange, read_at: Timestamp) -> Box<OwnerState> {
    Box::new(OwnerState {
        owner: change.owner.clone(),
        account_id: change.account_id.clone(),
        campaign_id: change.campaign_id.clone(),
        name: "an ad set".into(),
        currency: change.currency,
        daily_budget_minor: Some(change.expected_from),
        lifetime_budget_minor: None,
        bid_minor: None,
        status: DeliveryStatus::Active,
        learning: false,
        read_at,
    })
}

/// The guard's transaction, as the executor asks for it.
pub(crate) fn reserve(change: &AdChange, at: CallTime, token: LeaseToken) -> Transition {
    transition(at, Action::Reserve { live: live(change, at.now), account: None, fuzz: 0, token })
}

pub(crate) fn begin(change: &AdChange, at: CallTime, token: LeaseToken) -> Transition {
    transition(at, Action::Begin { attempt: 1, token, live: live(change, at.now) })
}

pub(crate) fn applied(at: CallTime, token: LeaseToken) -> Transition {
    let settlement = Settlement::Applied;
    transition(at, Action::Settle { attempt: 1, token, settlement, took: Some(Duration::from_millis(90)) })
}
