//! Every place where a worker waits: before and after each call of the store and of the platform. It stops there for good,
//! wakes there long after, or somebody edits the object there.

use std::collections::BTreeMap;
use std::sync::Arc;

use xynergy::store::ChangeStore;
use xynergy_core::conformance::{executor_crashes, executor_edits, executor_zombies};

use crate::place::Place;

type Found = BTreeMap<&'static str, usize>;

/// The three sweeps, each on a store of its own.
fn sweep(name: &str, place: impl Fn(&str) -> Place) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let open = |what| -> Arc<dyn ChangeStore> { runtime.block_on(place(what).open()).changes };
    report(name, "stopped for good", &executor_crashes(&open("crashes")), 20);
    report(name, "woken long after", &runtime.block_on(executor_zombies(&open("zombies"))), 15);
    report(name, "edited by a person", &runtime.block_on(executor_edits(&open("edits"))), 60);
}

fn report(store: &str, what: &str, places: &Found, least: usize) {
    let points: usize = places.values().sum();
    println!("await points {store}, {what}: {points} points in {} places, all covered", places.len());
    assert!(places.len() >= 9 && points >= least, "{what}: {places:?}");
}

#[test]
fn every_await_point_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    sweep("sqlite", |what| Place::Sqlite(folder.path().join(format!("{what}.sqlite"))));
}

#[cfg(feature = "postgres")]
#[test]
fn every_await_point_on_postgres() {
    let Some(url) = crate::place::database() else { return };
    let run = std::process::id();
    sweep("postgres", |what| Place::Postgres { url: url.clone(), schema: format!("await_{what}_{run}") });
}
