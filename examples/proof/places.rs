//! A crash at every place.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use xynergy_core::conformance::{executor_crashes, executor_zombies};
use xynergy_core::store::ChangeStore;
use xynergy_core::store::memory::MemoryChanges;

use crate::card::{Card, Places};
use crate::{Size, days, suite};

/// Ends a worker at every place where it waits, halts it there, and ends processes between every two statements.
pub(crate) fn crash(card: &mut Card, size: Size) {
    let memory: Arc<dyn ChangeStore> = Arc::new(MemoryChanges::default());
    await_points(card, "memory", &memory);
    let (_folder, sqlite) = days::sqlite();
    await_points(card, "SQLite", &sqlite);
    statements(card, size);
}

/// These suites panic at the first place that breaks something, and count only those that they tried: all that they find.
fn await_points(card: &mut Card, store_name: &str, store: &Arc<dyn ChangeStore>) {
    suite::progress(&format!("crashes at every await point on {store_name}"));
    let tried = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let halted = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map(|runtime| runtime.block_on(executor_zombies(store)));
        (executor_crashes(store), halted.unwrap_or_default())
    }));
    let sum = |places: &BTreeMap<&'static str, usize>| places.values().map(|n| *n as u64).sum::<u64>();
    match tried {
        Ok((crashes, halts)) => {
            for (what, count) in [("ended", sum(&crashes)), ("halted and woken", sum(&halts))] {
                let what = format!("await points on {store_name}, each worker {what} there");
                card.places.push(Places { what, covered: count, found: count });
            }
        }
        Err(_) => card.violations.push(format!("a crash at an await point on {store_name}: see above")),
    }
}

/// The points between statements and messages, which the test of that name counts: it starts itself as the process that
/// is killed.
fn statements(card: &mut Card, size: Size) {
    let Some(lines) = suite::run(card, "crash", size) else { return };
    for store in ["sqlite", "postgres"] {
        let prefix = format!("crash points {store} in all: ");
        match lines.iter().find_map(|line| line.split_once(&prefix)).map(|(_, counts)| numbers(counts)) {
            Some([found, covered]) => {
                let what = format!("points between statements on {store}, each process killed there");
                card.places.push(Places { what, covered, found });
            }
            None => card.not_run.push(format!("crashes between statements on {store}: it needs its server")),
        }
    }
}

/// The first two numbers of `230 found, 46 covered`.
fn numbers(text: &str) -> [u64; 2] {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok());
    [numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)]
}
