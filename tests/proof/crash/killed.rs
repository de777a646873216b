//! A process is killed before each of its SQL statements and after each of its commits, one after the other.

use std::path::Path;

use futures_util::{StreamExt, stream};

use crate::check;
use crate::child::{self, End};
use crate::place::Place;
use crate::site::Site;
use crate::unit::Unit;

/// Most of the time of one is spent waiting for the disk.
const AT_ONCE: usize = 4;

/// Points of a unit: those that there are, and those at which a process was killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Points {
    found: u64,
    covered: u64,
}

/// A store with its tables, to be copied.
async fn template(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("template.sqlite");
    let place = Place::Sqlite(path.clone());
    let site = Site::new(place, "nobody", false).await;
    site.scope().stores().await.unwrap();
    path
}

async fn site(unit: Unit, folder: &Path, template: &Path, name: &str) -> Site {
    let path = folder.join(format!("{name}.sqlite"));
    if unit != Unit::Open {
        std::fs::copy(template, &path).unwrap();
    }
    let site = Site::with_faults(Place::Sqlite(path), "t", unit.requires_approval(), unit.faults()).await;
    unit.prepare(&site).await;
    site
}

/// Kills at one point; how the process ended.
async fn kill_at(unit: Unit, folder: &Path, template: &Path, point: u64) -> End {
    let name = format!("{unit:?}-{point}").replace(['(', ')'], "-");
    let site = site(unit, folder, template, &name).await;
    let order = child::Order::new(&site, unit, point);
    let end = tokio::task::spawn_blocking(move || child::start(&order).go()).await.unwrap();
    let scope = site.scope();
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
    let full = std::env::var_os("XYNERGY_PROOF_FULL").is_some();
    let stride = if full { 1 } else { 7 };
    let mut table = Vec::new();
    for (number, unit) in (0..).zip(Unit::ALL) {
        let first = if full { 1 } else { 1 + number % stride };
        let started = std::time::Instant::now();
        let points = points(unit, folder.path(), &template, first, stride).await;
        let (found, covered, took) = (points.found, points.covered, started.elapsed());
        println!("crash points sqlite {unit:?}: {found} found, {covered} covered, in {took:.1?}");
        assert!(found > 0, "{unit:?}");
        table.push(points);
    }
    let total = table.iter().fold(Points::default(), |sum, points| Points {
        found: sum.found + points.found,
        covered: sum.covered + points.covered,
    });
    println!("crash points sqlite in all: {} found, {} covered", total.found, total.covered);
    assert!(!full || total.found == total.covered);
}
