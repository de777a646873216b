//! A process is killed before each of its SQL statements and after each of its commits, one after the other.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use xynergy::{Client, Config, StoreConfig};

use crate::child::{self, End};
use crate::place::Place;
use crate::site::Site;
use crate::unit::Unit;
use crate::{check, full, units};

/// Most of the time of one is spent waiting for the disk.
const AT_ONCE: usize = 4;

/// Points of a unit: those that there are, and those at which a process was killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Points {
    pub(crate) found: u64,
    pub(crate) covered: u64,
}

impl Points {
    pub(crate) fn report(self, store: &str, unit: Unit, took: Duration) {
        let Self { found, covered } = self;
        println!("crash points {store} {unit:?}: {found} found, {covered} covered, in {took:.1?}");
        assert!(found > 0, "{unit:?}");
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.found += other.found;
        self.covered += other.covered;
    }

    pub(crate) fn report_all(self, store: &str, all: bool) {
        println!("crash points {store} in all: {} found, {} covered", self.found, self.covered);
        assert!(!all || self.found == self.covered);
    }
}

/// A store with its tables, to be copied: nobody has it open.
pub(crate) async fn template(folder: &Path) -> PathBuf {
    let path = folder.join("template.sqlite");
    let store = StoreConfig::Sqlite { path: path.clone() };
    let client = Client::new(Config { store, ..Config::default() }).unwrap();
    let tables = client.migrate(true).await.unwrap().sql.unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch(&tables).unwrap();
    path
}

/// A site that is prepared for a unit, on a copy of the template.
pub(crate) async fn fresh(unit: Unit, folder: &Path, template: &Path, name: &str) -> Site {
    let path = folder.join(format!("{name}.sqlite"));
    if unit != Unit::Open {
        std::fs::copy(template, &path).unwrap();
    }
    let site = Site::new(Place::Sqlite(path), "t", unit.requires_approval(), unit.faults()).await;
    unit.prepare(&site).await;
    // Whoever prepared it closes it on a thread of its own; the last one to do so takes the log away.
    let log = folder.join(format!("{name}.sqlite-wal"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while log.exists() {
        assert!(Instant::now() < deadline, "{name}: somebody still has it open");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    site
}

/// Kills at one point; how the process ended.
async fn kill_at(unit: Unit, folder: &Path, template: &Path, point: u64) -> End {
    let name = format!("{unit:?}-{point}").replace(['(', ')'], "-");
    let site = fresh(unit, folder, template, &name).await;
    let order = child::Order::new(&site, unit, point);
    let end = tokio::task::spawn_blocking(move || child::start(&order).go()).await.unwrap();
    let scope = site.scope().await;
    unit.go_on(&site, &scope).await;
    let context = format!("{unit:?}, killed at point {point} ({end:?}), {}", folder.display());
    check::ended(&site, &scope, unit, &context).await;
    end
}

/// The points of a unit, every `stride`-th of them tried, the first one at `first`.
async fn points(unit: Unit, folder: &Path, template: &Path, first: u64, stride: u64) -> Points {
    let End::Done(found) = kill_at(unit, folder, template, 0).await else { panic!("nobody kills it") };
    let tried = (first..=found).step_by(usize::try_from(stride).unwrap());
    let ends = tried.map(|point| async move {
        assert_eq!(kill_at(unit, folder, template, point).await, End::Killed, "{unit:?}, point {point}");
    });
    let covered = stream::iter(ends).buffer_unordered(AT_ONCE).count().await;
    // One more than there are: nothing was overlooked.
    assert_eq!(kill_at(unit, folder, template, found + 1).await, End::Done(found), "{unit:?}");
    Points { found, covered: u64::try_from(covered).unwrap() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_whichever_statement_on_sqlite_is_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let template = template(folder.path()).await;
    let stride = if full() { 1 } else { 19 };
    let mut total = Points::default();
    for (number, unit) in units() {
        let started = Instant::now();
        let points = points(unit, folder.path(), &template, 1 + number % stride, stride).await;
        points.report("sqlite", unit, started.elapsed());
        total.add(points);
    }
    total.report_all("sqlite", full());
}
