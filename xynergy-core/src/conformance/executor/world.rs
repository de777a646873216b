use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::ads::{ChangeField, MemoryPlatform, Owner, PlatformEffect};
use crate::ctx::{Ctx, TenantId};
use crate::env::{Env, ManualClock, MemoryEvents, SeededEntropy, Timestamp};
use crate::execution::{
    AdChange, AuditKind, AuditRow, ChangeId, ChangeRow, ChangeStatus, DrawKey, Executor, Policy, Reason, Step,
};
use crate::money::Currency;
use crate::store::{ChangeStore, HistoryFilter};

pub(super) const ACCOUNT: &str = "act_1";

/// A tenant with an account of its own: two ad sets of 1,000 in the campaign `c1`, one of 2,000 in `c2`.
pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    pub(super) events: Arc<MemoryEvents>,
    pub(super) ctx: Ctx,
    pub(super) platform: MemoryPlatform,
    pub(super) executor: Executor,
}

impl World {
    pub(super) fn new(store: &Arc<dyn ChangeStore>, name: &str, policy: Policy) -> Self {
        let platform = MemoryPlatform::new(ACCOUNT, Currency::USD)
            .with_owner(Owner::ad_set("s1"), "c1", 1_000)
            .with_owner(Owner::ad_set("s2"), "c1", 1_000)
            .with_owner(Owner::ad_set("s3"), "c2", 2_000);
        Self::with_platform(store, name, policy, 7, platform)
    }

    pub(super) fn with_platform(
        store: &Arc<dyn ChangeStore>,
        name: &str,
        policy: Policy,
        seed: u64,
        platform: MemoryPlatform,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_770_000_000_000)));
        let events = Arc::new(MemoryEvents::default());
        let env = Env {
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(SeededEntropy::new(seed)),
            events: Arc::clone(&events) as _,
        };
        let ctx = Ctx::new(&env, TenantId::new(name).unwrap()).with_actor("tester");
        let executor =
            Executor::new(Arc::clone(store), Arc::new(platform.clone()), policy, DrawKey::from_seed(seed))
                .unwrap();
        Self { clock, events, ctx, platform, executor }
    }

    pub(super) fn now(&self) -> Timestamp {
        use crate::env::Clock;
        self.clock.now()
    }

    /// A budget change of an ad set.
    pub(super) fn change(&self, name: &str, set: &str, expected_from: i64, target: i64) -> AdChange {
        AdChange {
            id: ChangeId::derive(&[name]),
            account_id: ACCOUNT.into(),
            campaign_id: if set == "s3" { "c2" } else { "c1" }.into(),
            owner: Owner::ad_set(set),
            field: ChangeField::Budget,
            expected_from,
            target,
            currency: Currency::USD,
            allocation_id: None,
            causation_id: Some("event_7".into()),
            reason: "it earns more".into(),
            expires_at: None,
            ramp: None,
        }
    }

    pub(super) async fn queue(&self, changes: Vec<AdChange>) -> Vec<ChangeRow> {
        self.executor.queue(&self.ctx, changes).await.unwrap()
    }

    /// Goes to the next due time and does what is due.
    pub(super) async fn step(&self) -> Step {
        let due = self.executor.next_due(&self.ctx).await.unwrap().expect("something is due");
        self.clock.set(due.max(self.now()));
        self.executor.run_once(&self.ctx).await.unwrap().expect("it is due now")
    }

    /// Goes on until nothing is due any more, or only later than the horizon.
    pub(super) async fn run(&self, horizon: Duration) {
        let end = self.now().plus(horizon);
        while self.executor.next_due(&self.ctx).await.unwrap().is_some_and(|due| due <= end) {
            self.step().await;
        }
    }

    pub(super) async fn get(&self, name: &str) -> ChangeRow {
        self.executor.get(&self.ctx, ChangeId::derive(&[name])).await.unwrap().unwrap()
    }

    /// Where a change stands.
    pub(super) async fn status(&self, name: &str) -> (ChangeStatus, Option<Reason>) {
        let row = self.get(name).await;
        (row.status, row.reason)
    }

    /// The events of these changes since the last time, blocks with their reason. None came twice.
    pub(super) fn told<const N: usize>(&self, names: [&str; N]) -> [Vec<String>; N] {
        let events = self.events.drain();
        let ids: BTreeSet<_> = events.iter().map(|event| &event.event_id).collect();
        assert_eq!(ids.len(), events.len(), "told twice: {events:#?}");
        names.map(|name| {
            let id = ChangeId::derive(&[name]).to_string();
            let own = events.iter().filter(|event| event.metadata.correlation_id == id);
            let told = own.map(|event| match event.payload["reason"].as_str() {
                Some(reason) if event.event_type == "change.blocked" => format!("change.blocked {reason}"),
                _ => event.event_type.to_owned(),
            });
            told.collect()
        })
    }

    pub(super) fn budget(&self, set: &str) -> i64 {
        self.platform.value(&Owner::ad_set(set), ChangeField::Budget).unwrap()
    }

    pub(super) async fn history(&self) -> Vec<AuditRow> {
        let filter = HistoryFilter { limit: usize::MAX, ..HistoryFilter::default() };
        self.executor.history(&self.ctx, ACCOUNT, &filter).await.unwrap()
    }

    /// What must hold whenever nothing is in flight: the history is whole, every effect of ours has its intent, and
    /// no change had more than one.
    pub(super) async fn at_rest(&self) {
        let report = self.executor.verify_audit(&self.ctx).await.unwrap();
        assert!(report.chain_ok, "{report:?}");
        assert_eq!(report.open_intents, 0, "every intent has its outcome");
        let history = self.history().await;
        let effects = self.platform.effects();
        for effect in &effects {
            let Some((id, attempt)) = effect.change else { continue };
            let of =
                |kind| history.iter().find(|r| r.change_id == id && r.attempt == attempt && r.kind == kind);
            let intent = of(AuditKind::Intent).expect("an effect has an intent");
            assert_eq!((intent.to_value, intent.at <= effect.at), (effect.after, true), "{effect:?}");
            let outcome = of(AuditKind::Outcome).expect("an effect has an outcome");
            let known = outcome.status == ChangeStatus::Completed || outcome.reason == Some(Reason::Conflict);
            assert!(known, "the history denies {effect:?}: {outcome:?}");
            let others = effects.iter().filter(|e| e.change.is_some_and(|(other, _)| other == id));
            assert_eq!(others.count(), 1, "a change takes effect once");
        }
        for row in
            history.iter().filter(|r| r.kind == AuditKind::Outcome && r.status == ChangeStatus::Completed)
        {
            // Where somebody else set the very value just before, the platform changes nothing and confirms it.
            let set =
                |e: &PlatformEffect| e.change.is_none() && e.owner == row.owner && e.after == row.to_value;
            let landed = effects.iter().any(|e| e.change == Some((row.change_id, row.attempt)) || set(e));
            assert!(landed, "the history claims what did not happen: {row:?}");
        }
    }
}
