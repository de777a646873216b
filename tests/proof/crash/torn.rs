//! The power goes while a transaction is being written: of its frames in the write-ahead log some are there, and the last
//! one in parts. It was not acknowledged, so that nothing was sent on its account.

use std::path::Path;

use crate::check;
use crate::child::{End, Order, start};
use crate::full;
use crate::killed::{fresh, template};
use crate::place::Place;
use crate::site::Site;
use crate::unit::Unit;

/// A frame: its header and a page.
const FRAME: u64 = 24 + 4_096;

fn wal(site: &Site) -> std::path::PathBuf {
    let Place::Sqlite(path) = &site.place else { panic!("it has no log") };
    path.with_extension("sqlite-wal")
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// The points of a unit that follow a commit, each with the length of the log before it and after it.
async fn commits(unit: Unit, folder: &Path, template: &Path) -> Vec<(u64, u64, u64)> {
    let (mut found, mut before) = (Vec::new(), None);
    for point in 1.. {
        let site = fresh(unit, folder, template, &format!("torn-{unit:?}-{point}")).await;
        let order = Order::new(&site, unit, point);
        let end = tokio::task::spawn_blocking(move || start(&order).go()).await.unwrap();
        let after = length(&wal(&site));
        if end != End::Killed {
            return found;
        }
        // A killed process leaves the log as it was: where it grew, a transaction was written.
        if before.is_some_and(|before| after > before) {
            found.push((point, before.unwrap_or_default(), after));
        }
        before = Some(after);
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_was_written_in_parts_is_as_one_that_never_was() {
    let folder = tempfile::tempdir().unwrap();
    let template = template(folder.path()).await;
    let mut tears = 0;
    for unit in [Unit::Apply, Unit::Queue, Unit::Yield] {
        if !full() && unit != Unit::Queue {
            continue;
        }
        let commits = commits(unit, folder.path(), &template).await;
        assert!(!commits.is_empty());
        for (point, before, after) in commits {
            let frames = (before..after).step_by(usize::try_from(FRAME).unwrap());
            for cut in frames.flat_map(|at| [at, at + 12, at + FRAME / 2]).filter(|cut| *cut < after) {
                let name = format!("torn-{unit:?}-{point}-{cut}");
                let site = fresh(unit, folder.path(), &template, &name).await;
                let order = Order::new(&site, unit, point);
                let end = tokio::task::spawn_blocking(move || start(&order).go()).await.unwrap();
                assert_eq!(end, End::Killed);
                std::fs::File::options().write(true).open(wal(&site)).unwrap().set_len(cut).unwrap();
                let scope = site.scope().await;
                unit.go_on(&site, &scope).await;
                let context = format!("{unit:?}, its log torn at byte {cut} of {after} after point {point}");
                check::ended(&site, &scope, unit, &context).await;
                tears += 1;
            }
        }
    }
    println!("torn writes sqlite: {tears} tried");
    assert!(tears > 0);
}
