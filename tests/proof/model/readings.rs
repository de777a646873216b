//! A reading of the platform tells nothing about what was settled after it.

use xynergy_core::execution::machine::{Action, Settlement};
use xynergy_core::execution::{ChangeStatus, Reason};

use super::setup::{Setup, Wish};
use super::store::{Store, WishIndex, token};

/// Two ad sets with room for the raise of one. Both are read; then the second is raised and settled.
fn second_raised() -> (Setup, Store) {
    let both = [Wish::new(1_000, 1_100), Wish::new(1_000, 1_100).of(1)];
    let setup = Setup::new(2, &[1_000, 1_000], &both, 9).cap(2_100);
    let mut store = Store::new(&setup);
    (0..2).for_each(|wish| store.queue(&setup, wish, 0));
    assert!(store.apply(&setup, 1, 0, reserve(1, &[1_000, 1_000], 0)));
    let live = Box::new(Setup::shown(1, 1_000, 0));
    assert!(store.apply(&setup, 1, 0, Action::Begin { attempt: 1, token: token(1, 1), live }));
    let settle =
        Action::Settle { attempt: 1, token: token(1, 1), settlement: Settlement::Applied, took: None };
    assert!(store.apply(&setup, 1, 1, settle));
    (setup, store)
}

fn reserve(wish: WishIndex, values: &[i32], read_at: u8) -> Action {
    let account: Vec<_> = (0..).zip(values).map(|(o, value)| Setup::shown(o, *value, read_at)).collect();
    let live = Box::new(account[usize::from(wish)].clone());
    Action::Reserve { live, account: Some(account), fuzz: 0, token: token(wish, 1) }
}

#[test]
fn a_reading_from_before_a_settlement_does_not_pass_the_accounts_total() {
    let (setup, mut store) = second_raised();
    store.apply(&setup, 0, 1, reserve(0, &[1_000, 1_000], 0));
    assert_ne!(
        store.row(0).map(|row| row.status),
        Some(ChangeStatus::Claimed),
        "1,100 and 1,100 are above 2,100"
    );
}

/// A worker reads, and comes back with its reading at the tick, when another has raised the value at tick 4.
fn slow_worker(back: u8) -> Store {
    let setup = Setup::new(2, &[1_000], &[Wish::new(1_000, 1_110), Wish::new(1_110, 1_200)], 9);
    let live = |value, now| Box::new(Setup::shown(0, value, now));
    let reserve =
        |wish, attempt, live| Action::Reserve { live, account: None, fuzz: 0, token: token(wish, attempt) };
    let begin = |attempt, live| Action::Begin { attempt: u32::from(attempt), token: token(0, attempt), live };
    let mut store = Store::new(&setup);
    store.queue(&setup, 0, 0);
    assert!(store.apply(&setup, 0, 0, reserve(0, 1, live(1_000, 0))));
    // Queued behind the first, which then is not sent in time and waits again.
    store.queue(&setup, 1, 0);
    assert!(store.apply(&setup, 0, 2, begin(1, live(1_000, 2))));
    let slow = live(1_000, 2);
    assert!(store.apply(&setup, 0, 4, reserve(0, 2, live(1_000, 4))));
    assert!(store.apply(&setup, 0, 4, begin(2, live(1_000, 4))));
    let settle =
        Action::Settle { attempt: 2, token: token(0, 2), settlement: Settlement::Applied, took: None };
    assert!(store.apply(&setup, 0, 4, settle));
    store.apply(&setup, 1, back, reserve(1, 1, slow));
    store
}

fn assert_stale(store: &Store) {
    let foreign: Vec<_> = store.moves.iter().filter(|m| m.own.is_none()).collect();
    assert!(foreign.is_empty(), "nobody set it back: {foreign:?}");
    assert_eq!(store.row(1).and_then(|row| row.reason), Some(Reason::StaleSnapshot));
}

#[test]
fn a_reading_that_is_too_old_shows_nobodys_edit() {
    assert_stale(&slow_worker(4));
}

#[test]
fn a_reading_from_before_a_whole_window_shows_nobodys_edit() {
    assert_stale(&slow_worker(7));
}

#[test]
fn a_later_reading_does_not_pass_it_either() {
    let (setup, mut store) = second_raised();
    store.apply(&setup, 0, 2, reserve(0, &[1_000, 1_100], 2));
    assert_eq!(store.row(0).and_then(|row| row.reason), Some(Reason::AccountCap));
}
