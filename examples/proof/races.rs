//! The race that a count before a write loses: many workers, one campaign, a real database.

use crate::Size;
use crate::card::Card;

#[cfg(not(feature = "postgres"))]
pub(crate) fn race(card: &mut Card, _size: Size) {
    card.not_run.push("races on PostgreSQL: it is built without the feature postgres".to_owned());
}

#[cfg(feature = "postgres")]
pub(crate) fn race(card: &mut Card, size: Size) {
    let Ok(url) = std::env::var("XYNERGY_TEST_POSTGRES") else {
        card.not_run.push("races on PostgreSQL: XYNERGY_TEST_POSTGRES names no server".to_owned());
        return;
    };
    let runs = match size {
        Size::Small => 3,
        Size::Default => 20,
        Size::Full => 200,
    };
    postgres::race(card, &url, runs);
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::task::JoinSet;
    use xynergy_core::ads::{ChangeField, MemoryPlatform, Owner};
    use xynergy_core::config::EnvSecrets;
    use xynergy_core::env::Env;
    use xynergy_core::execution::{AdChange, ChangeId, DrawKey, Executor, Policy};
    use xynergy_core::money::Currency;
    use xynergy_core::store::ChangeStore;
    use xynergy_core::{Ctx, TenantId};
    use xynergy_providers::store::postgres::{DatabaseUrl, PostgresConfig, PostgresStore};

    use crate::card::{Card, Races};
    use crate::suite::progress;

    const WORKERS: u32 = 16;
    const OWNERS: u32 = 30;
    const BUDGET: i64 = 10_000;

    pub(super) fn race(card: &mut Card, url: &str, runs: u32) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let raced = runtime.map_err(|e| e.to_string()).and_then(|r| r.block_on(all(url, runs)));
        match raced {
            Ok(over) => {
                if over > 0 {
                    card.violations.push(format!("{over} of {runs} races went over a limit"));
                }
                card.races = Some(Races { runs, workers: WORKERS, over });
            }
            Err(error) => card.violations.push(format!("races on PostgreSQL: {error}")),
        }
    }

    async fn all(url: &str, runs: u32) -> Result<u32, String> {
        let mut config = PostgresConfig::new(DatabaseUrl::Text(url.to_owned()));
        config.schema = format!("race_{}", std::process::id());
        config.max_connections = 16;
        let store = PostgresStore::open(&config, Arc::new(EnvSecrets)).await.map_err(|e| e.to_string())?;
        let store: Arc<dyn ChangeStore> = Arc::new(store);
        let mut over = 0;
        for run in 0..runs {
            over += u32::from(!one(&store, run).await?);
            progress(&format!("race {} of {runs} on PostgreSQL", run + 1));
        }
        Ok(over)
    }

    /// 30 owners of one campaign that takes 15 changes, and 3 small raises of each: whether every limit held.
    async fn one(store: &Arc<dyn ChangeStore>, run: u32) -> Result<bool, String> {
        let account = format!("act_race_{run}");
        let platform = (0..OWNERS)
            .fold(MemoryPlatform::new(account.clone(), Currency::USD), |platform, n| {
                platform.with_owner(Owner::ad_set(format!("s{n}")), "c", BUDGET)
            });
        let tenant = TenantId::new(format!("race-{run}")).map_err(|e| e.to_string())?;
        let ctx = Ctx::new(&Env::default(), tenant).with_actor("race");
        let policy = Policy::exact();
        let executor = Executor::new(
            Arc::clone(store),
            Arc::new(platform.clone()),
            policy,
            DrawKey::from_seed(u64::from(run)),
        )
        .map_err(|e| e.to_string())?;
        let changes = (0..OWNERS).map(|n| AdChange {
            id: ChangeId::derive(&[&account, &n.to_string()]),
            account_id: account.clone(),
            campaign_id: "c".into(),
            owner: Owner::ad_set(format!("s{n}")),
            field: ChangeField::Budget,
            expected_from: BUDGET,
            target: BUDGET + 1_000,
            currency: Currency::USD,
            allocation_id: None,
            causation_id: None,
            reason: String::new(),
            expires_at: None,
            ramp: None,
        });
        executor.queue(&ctx, changes.collect()).await.map_err(|e| e.to_string())?;
        let mut workers = JoinSet::new();
        for _ in 0..WORKERS {
            let (executor, ctx) = (executor.clone(), ctx.clone());
            workers.spawn(async move {
                let mut idle = 0;
                while idle < 5 {
                    match executor.run_once(&ctx).await {
                        Ok(Some(_)) => idle = 0,
                        Ok(None) | Err(_) => {
                            idle += 1;
                            tokio::time::sleep(Duration::from_millis(10)).await;
                        }
                    }
                }
            });
        }
        while let Some(ended) = workers.join_next().await {
            ended.map_err(|e| e.to_string())?;
        }
        let effects = platform.effects().len();
        let most = usize::try_from(policy.campaign_changes).unwrap_or(usize::MAX);
        // Fewer would show that the workers did not work.
        if effects < most {
            return Err(format!("only {effects} of {most} changes were made"));
        }
        Ok(effects == most)
    }
}
