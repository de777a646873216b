//! One run: processes, trouble, rest, judgement.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xynergy::env::{Clock, SystemClock};
use xynergy::execution::{ChangeFilter, ChangeRow, KillScope};
use xynergy::{Client, TenantId};

use crate::chaos::Draw;
use crate::database::Database;
use crate::field::TENANTS;
use crate::judge::judge;
use crate::role::{Process, Role, Site};

/// How large a run is.
pub(crate) struct Size {
    pub(crate) workers: usize,
    pub(crate) seconds: u64,
    /// Whether the database is restarted meanwhile.
    pub(crate) restarts: bool,
}

/// After the trouble is over, all is at rest within the lease, the landing, the longest wait that a limit asks for, and
/// what slow machines take.
const REST_WITHIN: Duration = Duration::from_secs(60);

const PATHS: &[&str] = &[
    "cancelled",
    "completed",
    "edit",
    "not_applied",
    "reconciled",
    "sent_again",
    "superseded",
    "throttled",
    "velocity",
];

const PATHS_OF_A_LONG_RUN: &[&str] = &[
    "abandoned",
    "awaiting_cuts",
    "conflict",
    "drifted",
    "edited",
    "expired",
    "kill_switch",
    "landed_late",
    "platform_rejected",
    "rate_limit_owner",
    "resolved",
    "unauthorized",
    "unreachable",
];

struct Stage {
    site: Site,
    base: String,
    folder: PathBuf,
    http: reqwest::Client,
    client: Client,
    runtime: tokio::runtime::Runtime,
    seed: u64,
}

/// Nobody can force which paths a run takes, so there are more runs, each on a database of its own, until all of them together
/// took every path. Each must hold.
const MOST_RUNS: usize = 5;

/// Runs until every path was taken; nothing without a database.
pub(crate) fn run_all(database: impl Fn() -> Option<Database>, size: &Size) {
    let mut taken: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..MOST_RUNS {
        let Some(database) = database() else { return };
        for (path, count) in run(&database, size) {
            *taken.entry(path).or_default() += count;
        }
        if missed(&taken, size).is_empty() {
            break;
        }
    }
    let missed = missed(&taken, size);
    assert!(missed.is_empty(), "paths that were never taken in {MOST_RUNS} runs: {missed:?}");
}

fn missed(taken: &BTreeMap<String, u64>, size: &Size) -> Vec<&'static str> {
    let long = if size.seconds >= 60 { PATHS_OF_A_LONG_RUN } else { &[] };
    PATHS.iter().chain(long).copied().filter(|path| taken.get(*path).is_none_or(|n| *n == 0)).collect()
}

/// One run; how often it took each path.
fn run(database: &Database, size: &Size) -> BTreeMap<String, u64> {
    let seed = std::env::var("XYNERGY_PROOF_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| SystemClock.now().micros().cast_unsigned());
    let folder = database.folder.path().to_owned();
    println!("seed {seed}, {} workers, {} s, {}", size.workers, size.seconds, database.store.address());
    let log = folder.join("platform.ndjson");
    let errors = folder.join("errors.txt");
    let platform = Process::start(&Role::Platform(log.clone()), &errors).expect("the platform starts");
    let base = platform.told().to_owned();
    let site =
        Site { store: database.store.clone(), graph: format!("{base}/graph"), folder: folder.clone(), seed };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let client = runtime.block_on(async {
        let client = site.client();
        client.stores().await.unwrap();
        client
    });
    let stage = Stage { site, base, folder, http: reqwest::Client::new(), client, runtime, seed };
    let (workers, killed) = stage.trouble(database, size, &errors);
    let took = stage.rest();
    println!("killed {killed} workers; at rest {took:.1?} after the trouble was over");
    let ended = workers.into_iter().map(Process::end).filter(|well| *well).count();
    assert_eq!(ended, size.workers, "a worker failed: {}", tail(&errors));
    assert!(platform.end());
    let verdict = judge(&log, &database.store, &stage.folder.join("kills.ndjson"));
    for (path, count) in &verdict.paths {
        println!("path {path}: {count}");
    }
    verdict.notes.iter().for_each(|note| println!("note {note}"));
    keep(&stage.folder);
    if !verdict.problems.is_empty() {
        panic!("seed {seed}: {} problems:\n{}", verdict.problems.len(), verdict.problems.join("\n"));
    }
    verdict.paths
}

impl Stage {
    fn post(&self, path: &str, body: &Value) -> bool {
        let request = self.http.post(format!("{}/_sandbox/{path}", self.base)).body(body.to_string());
        self.runtime.block_on(request.send()).is_ok_and(|answer| answer.status() == 200)
    }

    /// Starts the processes and troubles them; the workers that are left, and how many were killed.
    fn trouble(&self, database: &Database, size: &Size, errors: &Path) -> (Vec<Process>, usize) {
        let draw = Draw::new(self.seed);
        let work = Role::Work(self.site.clone());
        let mut workers: Vec<Process> = Vec::new();
        let mut load = Process::start(&Role::Load(self.site.clone()), errors);
        let (started, length) = (Instant::now(), Duration::from_secs(size.seconds));
        let mut restarts = if size.restarts { vec!["fast", "immediate"] } else { vec![] };
        let mut killed = 0;
        let mut troubles = 0_usize;
        while started.elapsed() < length {
            if workers.len() < size.workers {
                workers.extend(Process::start(&work, errors));
                continue;
            }
            if load.as_mut().is_none_or(|load| !load.runs()) {
                load = Process::start(&Role::Load(self.site.clone()), errors);
            }
            workers.retain_mut(Process::runs);
            if !restarts.is_empty()
                && started.elapsed() > length / 4 * u32::try_from(3 - restarts.len()).unwrap_or(1)
            {
                database.restart(restarts.pop().unwrap_or("fast"));
            }
            troubles += 1;
            match troubles % 6 {
                0 | 2 | 4 if !workers.is_empty() => {
                    workers.swap_remove(draw.below(workers.len())).kill();
                    killed += 1;
                }
                1 => (0..3).for_each(|_| {
                    self.post("edit", &draw.edit());
                }),
                3 => assert!(self.post("faults", &draw.rules())),
                _ => self.dead_or_killed(&draw),
            }
            std::thread::sleep(draw.pause(160));
        }
        assert!(self.post("faults", &json!({"rules": []})));
        for tenant in TENANTS {
            let _ = std::fs::remove_file(self.folder.join(format!("dead-{tenant}")));
        }
        if let Some(load) = load {
            load.end();
        }
        while workers.len() < size.workers {
            workers.extend(Process::start(&work, errors));
        }
        (workers, killed)
    }

    /// A token dies for a while, or somebody switches a tenant off for a while.
    fn dead_or_killed(&self, draw: &Draw) {
        let tenant = draw.tenant();
        if draw.below(2) == 0 {
            let token = self.folder.join(format!("dead-{tenant}"));
            std::fs::write(&token, "").unwrap();
            std::thread::sleep(Duration::from_millis(300));
            let _ = std::fs::remove_file(&token);
            return;
        }
        let scope = self.client.scope(TenantId::new(tenant).unwrap()).with_actor("operator");
        let switch = |on| self.runtime.block_on(scope.execution().kill(&KillScope::Tenant, on));
        let before = SystemClock.now();
        let on = switch(true);
        let from = SystemClock.now();
        std::thread::sleep(Duration::from_millis(900));
        let until = SystemClock.now();
        let mut off = switch(false);
        while off.is_err() {
            std::thread::sleep(Duration::from_millis(50));
            off = switch(false);
        }
        if on.is_ok() {
            let line = json!({"tenant": tenant, "asked": before, "from": from, "until": until});
            let path = self.folder.join("kills.ndjson");
            let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
            writeln!(file, "{line}").unwrap();
        }
    }

    /// Waits until nothing is to be done any more; how long it took. What a ramp has planned for later is withdrawn.
    fn rest(&self) -> Duration {
        let started = Instant::now();
        loop {
            let open = self.runtime.block_on(async {
                let mut open = Vec::new();
                for tenant in TENANTS {
                    let scope = self.client.scope(TenantId::new(tenant).unwrap()).with_actor("operator");
                    let rows = scope.execution().list(&ChangeFilter::default()).await.unwrap();
                    for row in rows.into_iter().filter(|row| !row.is_over()) {
                        if row.change.ramp.is_some_and(|ramp| ramp.step > 1) && row.waiting() {
                            scope.execution().cancel(row.change.id).await.unwrap();
                        }
                        open.push(row);
                    }
                }
                open
            });
            if open.iter().all(ChangeRow::is_over) {
                // What lands late lands now, and the search for it comes round.
                std::thread::sleep(Duration::from_secs(7));
                return started.elapsed();
            }
            assert!(started.elapsed() < REST_WITHIN, "{} changes are not over, as {:?}", open.len(), open[0]);
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

fn tail(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.chars().rev().take(4_000).collect::<Vec<_>>().into_iter().rev().collect()
}

/// Keeps what a run can be understood by, where `XYNERGY_PROOF_KEEP` says.
fn keep(folder: &Path) {
    let Ok(to) = std::env::var("XYNERGY_PROOF_KEEP") else { return };
    let _ = std::fs::create_dir_all(&to);
    for name in ["platform.ndjson", "kills.ndjson", "errors.txt", "store.sqlite", "store.sqlite-wal"] {
        let _ = std::fs::copy(folder.join(name), Path::new(&to).join(name));
    }
}
