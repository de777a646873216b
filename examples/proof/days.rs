//! Days of the deterministic simulation.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use indicatif::{ProgressBar, ProgressStyle};
use xynergy_core::conformance::executor_simulation;
use xynergy_core::conformance::simulation::{EVERY_PATH, Flaw, Simulated, Simulation};
use xynergy_core::store::ChangeStore;
use xynergy_core::store::memory::MemoryChanges;

use crate::Size;
use crate::card::{Card, Days};

/// So many days must notice a flaw.
const MOST_DAYS_FOR_A_FLAW: u64 = 400;
/// Fewer days than these need not take every path.
const DAYS_FOR_EVERY_PATH: u64 = 200;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Store {
    Memory,
    Sqlite,
}

impl Store {
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "SQLite",
        }
    }
}

/// The days of a size on both stores.
pub(crate) fn simulate(card: &mut Card, size: Size, from: u64) {
    let (memory, sqlite) = match size {
        Size::Small => (100, 2),
        Size::Default => (1_000, 20),
        Size::Full => (10_000, 200),
    };
    for (store, days) in [(Store::Memory, memory), (Store::Sqlite, sqlite)] {
        let all = run(store, from, days, None, store.name());
        report(card, store, &all);
        if store == Store::Sqlite {
            same_as_reference(card, &all);
        }
    }
}

/// A day is the same day on every store, to the last count: the store changes nothing about what happens.
fn same_as_reference(card: &mut Card, all: &[Simulated]) {
    for day in all {
        if *day != one(Store::Memory, Simulation::day(day.seed)) {
            card.violations.push(format!("seed {}: the day on SQLite is not the one in memory", day.seed));
        }
    }
}

/// One day on both stores, told.
pub(crate) fn replay(card: &mut Card, seed: u64) {
    for store in [Store::Memory, Store::Sqlite] {
        let day = one(store, Simulation::day(seed));
        eprintln!("{}: {}", store.name(), day.explain());
        report(card, store, &[day]);
    }
}

/// Builds every flaw in, one after the other: each must be noticed.
pub(crate) fn catch_flaws(card: &mut Card, from: u64) {
    for flaw in Flaw::ALL {
        let name = format!("{flaw:?}");
        let days = run(Store::Memory, from, MOST_DAYS_FOR_A_FLAW, Some(*flaw), &name);
        let noticed = days.iter().find(|day| !day.violations.is_empty()).map(|day| day.seed - from + 1);
        if noticed.is_none() {
            card.violations.push(format!("the flaw {name} is not noticed in {MOST_DAYS_FOR_A_FLAW} days"));
        }
        card.flaws.insert(name, noticed);
    }
}

fn report(card: &mut Card, store: Store, all: &[Simulated]) {
    let mut paths: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (path, times) in all.iter().flat_map(|day| &day.counts) {
        *paths.entry(path).or_default() += times;
    }
    let of = |path: &str| paths.get(path).copied().unwrap_or(0);
    let never: Vec<_> = EVERY_PATH.iter().copied().filter(|path| of(path) == 0).collect();
    if store == Store::Memory && all.len() as u64 >= DAYS_FOR_EVERY_PATH && !never.is_empty() {
        card.violations.push(format!("the days prove little: never {}", never.join(", ")));
    }
    for day in all.iter().filter(|day| !day.violations.is_empty()) {
        card.violations.push(format!("{}: {}", store.name(), day.explain()));
    }
    let days: f64 = all.iter().map(|day| day.simulated.as_secs_f64()).sum();
    card.days.push(Days {
        store: store.name(),
        days: all.len(),
        simulated_years: days / (365.25 * 86_400.0),
        requests: of("sent"),
        effects: of("effect"),
        chains: all.iter().map(|day| day.chains).sum(),
        worst_unknown_seconds: all.iter().map(|d| d.worst_unknown.as_secs_f64()).fold(0.0, f64::max),
        worst_rest_hours: all.iter().map(|d| d.worst_rest.as_secs_f64()).fold(0.0, f64::max) / 3_600.0,
        paths,
        never,
    });
}

/// Days side by side on all processors, by seed; with a flaw, until one notices it.
fn run(store: Store, from: u64, days: u64, flaw: Option<Flaw>, name: &str) -> Vec<Simulated> {
    let next = Arc::new(AtomicU64::new(from));
    let stop = Arc::new(AtomicU64::new(from + days));
    let (sender, receiver) = mpsc::channel();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let (next, stop, sender) = (Arc::clone(&next), Arc::clone(&stop), sender.clone());
            std::thread::spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let day = one(store, Simulation { flaw, ..Simulation::day(seed) });
                    if flaw.is_some() && !day.violations.is_empty() {
                        stop.fetch_min(seed, Ordering::SeqCst);
                    }
                    if sender.send(day).is_err() {
                        return;
                    }
                }
            })
        })
        .collect();
    drop(sender);
    let bar = bar(name, days);
    let mut all: Vec<Simulated> = receiver.into_iter().inspect(|_| bar.inc(1)).collect();
    bar.finish_and_clear();
    let fine = workers.into_iter().all(|worker| worker.join().is_ok());
    assert!(fine, "a day broke off");
    all.sort_by_key(|day| day.seed);
    all
}

fn bar(name: &str, days: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix:22} {wide_bar} {pos}/{len} days, {eta}");
    let bar = ProgressBar::new(days).with_prefix(name.to_owned());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn one(store: Store, simulation: Simulation) -> Simulated {
    match store {
        Store::Memory => {
            let store: Arc<dyn ChangeStore> = Arc::new(MemoryChanges::default());
            executor_simulation(&store, simulation)
        }
        Store::Sqlite => {
            let (_folder, store) = sqlite();
            executor_simulation(&store, simulation)
        }
    }
}

/// An empty store in a file. What a crash leaves of a file is proven elsewhere: here a disk in memory will do.
#[allow(clippy::expect_used, reason = "without a file there is nothing to prove")]
pub(crate) fn sqlite() -> (tempfile::TempDir, Arc<dyn ChangeStore>) {
    let in_memory = PathBuf::from("/dev/shm");
    let folder = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a temporary folder");
    let path = folder.path().join("days.sqlite");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let store = runtime.block_on(xynergy_providers::store::sqlite::SqliteStore::open(path));
    (folder, Arc::new(store.expect("a new store")))
}
