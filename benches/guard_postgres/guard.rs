//! The guard's transaction beside the bare one, in turns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use xynergy::Currency;
use xynergy_core::env::SystemEntropy;
use xynergy_core::execution::machine::CallTime;
use xynergy_core::execution::{AccountLimits, AdChange, ChangeStatus, LeaseToken};
use xynergy_core::store::ChangeStore;

use crate::World;
use crate::bare::{self, Bare};
use crate::world::{WORKERS, at, change, reserve, tenant};

/// Between two changes of one account, so that an hour's window holds at most 900.
const STEP: i64 = 4;

/// Rounds that do not count.
const WARM: usize = 2;

struct Shape {
    name: &'static str,
    accounts: usize,
    /// Of one account in one round: few are in flight at once, as with real workers.
    ops: usize,
    rounds: usize,
    history: bool,
}

pub(crate) async fn run(url: &str) {
    println!("guard: {WORKERS} workers, medians of the rounds, transactions a second");
    println!("{:<34} {:>8} {:>8} {:>7} {:>17}", "", "bare", "guard", "ratio", "ratios of rounds");
    let shapes = [
        Shape { name: "64 accounts", accounts: 64, ops: 8, rounds: 30, history: false },
        Shape { name: "1 account", accounts: 1, ops: 64, rounds: 40, history: false },
        Shape { name: "64 accounts, 1 M rows of history", accounts: 64, ops: 8, rounds: 30, history: true },
    ];
    let mut of_64 = Vec::new();
    for shape in shapes {
        let world = World::new(url).await;
        let speed = measure(&world, &shape).await;
        if shape.accounts == 64 {
            of_64.push(speed);
        }
        world.drop().await;
    }
    if let [without, with] = of_64[..] {
        println!("a guard beside 1 M rows of history takes {:.2} x as long as without", without / with);
    }
}

/// The guard's transactions a second, measured in turns with the bare ones, and relative to them.
async fn measure(world: &World, shape: &Shape) -> f64 {
    let accounts: Vec<String> = (0..shape.accounts).map(|n| format!("act_{n}")).collect();
    bare::tables(world, &accounts).await;
    for account in &accounts {
        let limits = AccountLimits {
            currency: Currency::USD,
            total_daily_minor: None,
            min_minor: Some(100),
            max_minor: Some(1_000_000),
        };
        world.store.set_limits(&tenant(), account, &limits).await.unwrap();
        let changes =
            (0..shape.ops * (shape.rounds + WARM)).map(|set| (change(account, set, 0), Duration::ZERO));
        world.queue(&tenant(), account, changes.collect(), CallTime::bound(at(0))).await;
    }
    if shape.history {
        history(world, shape.accounts).await;
    }
    let client = world.client().await;
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        workers.push(Arc::new(Bare::new(world).await));
    }
    let (mut bares, mut guards, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let ops = shape.ops * shape.accounts;
    for round in 0..shape.rounds + WARM {
        let jobs = Arc::new(round_of(&accounts, shape.ops, round));
        let bare = in_turns(
            &jobs,
            |n| workers[n].clone(),
            |bare, (change, at)| async move {
                bare.once(&change.account_id, &change.owner.id, at.now.micros()).await;
            },
        );
        let bare = bare.await;
        let guard = in_turns(
            &jobs,
            |_| world.store.clone(),
            |store, (change, at)| async move {
                let token = LeaseToken::fresh(&SystemEntropy);
                let moved =
                    store.transition(&tenant(), change.id, reserve(&change, at, token)).await.unwrap();
                assert!(moved.taken && moved.row.status == ChangeStatus::Claimed, "{moved:?}");
            },
        );
        let guard = guard.await;
        settle(&client).await;
        // The first rounds fill caches, and the server learns what the tables hold, as it does by itself each minute.
        if round < WARM {
            client.batch_execute("ANALYZE").await.unwrap();
        } else {
            let per_second = |took: Duration| ops as f64 / took.as_secs_f64();
            bares.push(per_second(bare));
            guards.push(per_second(guard));
            ratios.push(bare.as_secs_f64() / guard.as_secs_f64());
        }
    }
    for values in [&mut bares, &mut guards, &mut ratios] {
        values.sort_by(f64::total_cmp);
    }
    let median = |values: &[f64]| values[values.len() / 2];
    println!(
        "{:<34} {:>8.0} {:>8.0} {:>7.2} {:>8.2} .. {:>5.2}",
        shape.name,
        median(&bares),
        median(&guards),
        median(&ratios),
        ratios[0],
        ratios[ratios.len() - 1]
    );
    median(&ratios)
}

type Job = (AdChange, CallTime);

/// The round's changes, one account after the other, each with its time.
fn round_of(accounts: &[String], ops: usize, round: usize) -> Vec<Job> {
    let sets = round * ops..(round + 1) * ops;
    let job = |account: &String, set: usize| {
        let time = at(i64::try_from(set).unwrap() * STEP);
        (change(account, set, 0), CallTime::bound(time))
    };
    sets.flat_map(|set| accounts.iter().map(move |account| job(account, set))).collect()
}

/// How long all workers together take for all jobs.
async fn in_turns<W, F>(
    jobs: &Arc<Vec<Job>>,
    worker: impl Fn(usize) -> W,
    work: impl Fn(W, Job) -> F + Copy + Send + Sync + 'static,
) -> Duration
where
    W: Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send,
{
    let start = Arc::new(Barrier::new(WORKERS + 1));
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let running: Vec<_> = (0..WORKERS)
        .map(|n| {
            let (jobs, start, worker, next) = (jobs.clone(), start.clone(), worker(n), next.clone());
            tokio::spawn(async move {
                start.wait().await;
                loop {
                    let place = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(job) = jobs.get(place) else { break };
                    work(worker.clone(), job.clone()).await;
                }
            })
        })
        .collect();
    start.wait().await;
    let began = Instant::now();
    for one in running {
        one.await.unwrap();
    }
    began.elapsed()
}

/// What the round reserved is settled, as workers would have done meanwhile.
async fn settle(client: &tokio_postgres::Client) {
    client
        .batch_execute(
            "UPDATE pending_ad_changes SET status = 'completed', due_at = NULL, lease_until = NULL, token = NULL
             WHERE status IN ('claimed', 'executing');
             UPDATE ad_owner_movements SET open = false, at = at - 180000000 WHERE open",
        )
        .await
        .unwrap();
}

/// A million rows of history, with the changes and movements that they tell of, older than every window.
async fn history(world: &World, accounts: usize) {
    let client = world.client().await;
    client
        .batch_execute(&format!(
            "SET session_replication_role = replica;
             CREATE TEMP TABLE past AS
                SELECT n, 'act_' || n % {accounts} AS account, md5(n::text) AS id, 's' || n % 5000 AS owner,
                       1000000::bigint * (1600000000 + n) AS at, 2 * (n / {accounts}) AS seq
                FROM generate_series(0, 499999) AS n;
             INSERT INTO ad_change_history
                (tenant_id, account_id, seq, kind, change_id, attempt, campaign_id, owner_level, owner_id, field,
                 from_value, to_value, status, purpose, request_id, at, prev_hash, hash)
                SELECT 'default', account, seq + k.place, k.kind, id, 1, 'c', 'adset', owner, 'budget', 10000, 11000,
                       k.status, 'deals worth more than the share of the budget', 'req_000000000009', at,
                       repeat('a', 64), repeat('b', 64)
                FROM past, (VALUES (1, 'intent', 'claimed'), (2, 'outcome', 'completed')) AS k (place, kind, status);
             INSERT INTO ad_owner_movements
                (tenant_id, account_id, campaign_id, owner_level, owner_id, field, from_value, to_value, at, change_id,
                 attempt, open)
                SELECT 'default', account, account || '-c' || n % 40, 'adset', owner, 'budget', 10000, 11000, at, id, 1, false
                FROM past;
             INSERT INTO pending_ad_changes
                (tenant_id, id, account_id, campaign_id, owner_level, owner_id, field, expected_from, target, currency,
                 purpose, status, run_at, expires_at, attempt, attempts_forgiven, queued_at, updated_at)
                SELECT 'default', id, account, 'c', 'adset', owner, 'budget', 10000, 11000, 'USD', 'because', 'completed',
                       at, at, 1, 0, at, at
                FROM past;
             UPDATE ad_accounts a SET head_seq = h.seq FROM
                (SELECT account_id, max(seq) AS seq FROM ad_change_history GROUP BY account_id) AS h
                WHERE h.account_id = a.account_id;
             CHECKPOINT"
        ))
        .await
        .unwrap();
    let rows: i64 = client.query_one("SELECT count(*) FROM ad_change_history", &[]).await.unwrap().get(0);
    assert!(rows >= 1_000_000, "{rows}");
}
