//! The worlds that are explored, and what each must show.

use super::invariants::{
    AGAIN, AUDIT, BOUNDS, COMPLETED, EXCLUSIVE, FOUND_LATE, FRESH, LIMITED, NO_GHOST, ONCE, RATE, RESEND,
    STRICT_VELOCITY, SUPERSEDED, TOLD, VELOCITY,
};
use super::setup::{Flaw, Setup, Wish};
use super::{Expected, Size};

/// A world and what it must show.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) setup: Setup,
    pub(crate) expected: Expected,
}

fn holds(name: &'static str, setup: Setup, reached: &[&'static str]) -> Case {
    but(name, setup, &[], reached)
}

fn but(name: &'static str, setup: Setup, except: &[&'static str], reached: &[&'static str]) -> Case {
    Case { name, setup, expected: Expected::Holds { except: except.to_vec(), reached: reached.to_vec() } }
}

fn breaks(name: &'static str, setup: Setup, broken: &[&'static str]) -> Case {
    Case { name, setup, expected: Expected::Breaks(broken.to_vec()) }
}

const UP: Wish = Wish::new(1_000, 1_080).fuzzed(30);
const ON: Wish = Wish::new(1_110, 1_180).fuzzed(-30);
/// With the one before, above the limit of a window.
const FURTHER: Wish = Wish::new(1_110, 1_210);

/// All worlds of a size.
pub(crate) fn all(size: Size) -> Vec<Case> {
    let mut cases = sound();
    cases.extend(at_the_limits());
    cases.extend(edited());
    cases.extend(late());
    cases.extend(flawed());
    if size == Size::Large {
        return large();
    }
    cases
}

/// Faults of workers and of the wire.
fn sound() -> Vec<Case> {
    let one = Setup::new(2, &[1_000], &[Wish::new(1_000, 1_080)], 7);
    let two = Setup::new(2, &[1_000], &[UP, ON], 7);
    let ending = Setup::new(2, &[1_000], &[Wish::new(1_000, 1_080).until(3)], 7);
    let refused = Setup { refusals: 2, ..one.clone().faults(1, 1, 0) };
    let killed = Setup { kill: true, ..one.clone().faults(1, 1, 0) };
    vec![
        holds(
            "one change: 2 crashes, 2 lost replies, 2 lost requests",
            one.faults(2, 2, 2),
            &[COMPLETED, TOLD, AGAIN],
        ),
        holds(
            "two changes with fuzz: 1 crash, 1 lost reply",
            two.faults(1, 1, 0),
            &[COMPLETED, TOLD, SUPERSEDED],
        ),
        holds("one change, refused and throttled", refused, &[COMPLETED, AGAIN]),
        holds("one change under a kill switch", killed, &[COMPLETED]),
        holds("one change that expires", ending.faults(1, 1, 1), &[COMPLETED]),
    ]
}

/// More than the limits allow, on one ad set and on two of a campaign.
fn at_the_limits() -> Vec<Case> {
    let both = [Wish::new(1_000, 1_100), Wish::new(1_000, 1_100).of(1)];
    let two = Setup::new(2, &[1_000, 1_000], &both, 5);
    let over = Setup::new(2, &[1_000], &[UP, FURTHER], 7);
    let back = Setup::new(2, &[1_000], &[Wish::new(1_000, 1_090), Wish::new(1_090, 920)], 7);
    vec![
        holds("two changes over the velocity", over.clone().faults(1, 0, 0), &[COMPLETED, LIMITED]),
        holds("two changes over the velocity, nothing hidden", over.unhidden(), &[COMPLETED, LIMITED]),
        holds("up and down", back, &[COMPLETED, LIMITED]),
        holds(
            "two ad sets of a campaign, one change a window",
            two.clone().rate(1).faults(1, 0, 0),
            &[COMPLETED, LIMITED],
        ),
        holds(
            "two ad sets of a campaign, nothing hidden",
            two.clone().rate(1).unhidden(),
            &[COMPLETED, LIMITED],
        ),
        holds("two ad sets of an account, room for one of them", two.cap(2_100), &[LIMITED]),
    ]
}

/// Somebody else edits.
fn edited() -> Vec<Case> {
    let one = Setup::new(2, &[1_000], &[Wish::new(1_000, 1_080)], 7).edited(&[1_000, 800]).faults(1, 1, 1);
    let no_log = Setup { log: false, ..one.clone() };
    // Between the last look and the landing there is a gap that only the platform could close.
    vec![
        but("an edit at any time", one, &[STRICT_VELOCITY], &[COMPLETED, TOLD]),
        but("an edit, and no log of edits", no_log, &[STRICT_VELOCITY], &[COMPLETED, TOLD]),
    ]
}

/// Requests land later than is promised, and the platform's log is searched for them.
fn late() -> Vec<Case> {
    let late = Setup { searching: true, ..Setup::new(2, &[1_000], &[Wish::new(1_000, 1_080)], 7) };
    let late = late.faults(1, 1, 1).broken(Flaw::LateLanding);
    // Until it is found, it is not in the history, and counts as somebody's edit where it is seen.
    vec![but("a late landing, searched for", late, &[AUDIT, NO_GHOST], &[COMPLETED, TOLD, FOUND_LATE])]
}

/// One rule broken: the model must notice.
fn flawed() -> Vec<Case> {
    let one = Setup::new(2, &[1_000], &[Wish::new(1_000, 1_080)], 7);
    let both = [Wish::new(1_000, 1_100), Wish::new(1_000, 1_100).of(1)];
    let two = Setup::new(2, &[1_000, 1_000], &both, 5);
    let whole = [Wish::new(1_000, 1_200).fuzzed(30)];
    let apart = [Wish::new(1_000, 1_090), Wish::new(1_000, 900)];
    let again = [Wish::new(1_000, 1_050), Wish::new(1_050, 1_020)];
    vec![
        breaks(
            "flaw: fuzz after the check",
            Setup::new(1, &[1_000], &whole, 4).broken(Flaw::FuzzAfterCheck),
            &[VELOCITY],
        ),
        breaks(
            "flaw: the window counts from the reservation",
            Setup::new(2, &[1_000], &[UP, FURTHER], 7).broken(Flaw::WindowFromReservation),
            &[VELOCITY],
        ),
        breaks(
            "flaw: two in flight on one ad set",
            Setup::new(2, &[1_000], &apart, 5).broken(Flaw::TwoInFlight).unhidden(),
            &[STRICT_VELOCITY, EXCLUSIVE],
        ),
        breaks(
            "flaw: a lock on the ad set alone, campaign's rate",
            two.clone().rate(1).broken(Flaw::OwnerLockAlone),
            &[RATE],
        ),
        breaks(
            "flaw: a lock on the ad set alone, account's total",
            two.clone().cap(2_100).broken(Flaw::OwnerLockAlone),
            &[BOUNDS],
        ),
        breaks(
            "flaw: expired leases go back to pending",
            Setup::new(2, &[1_000], &again, 6).broken(Flaw::NaiveRescue),
            &[ONCE, RESEND],
        ),
        breaks(
            "flaw: reading back the value alone, with an edit",
            one.clone().edited(&[1_000, 800]).faults(0, 1, 0).broken(Flaw::ValueOnly),
            &[ONCE, AUDIT],
        ),
        breaks(
            "flaw: no second look before sending, with an edit",
            one.clone().edited(&[900]).broken(Flaw::NoReread),
            &[FRESH],
        ),
        breaks(
            "limit: a request that lands later than any may",
            one.clone().faults(0, 1, 0).broken(Flaw::LateLanding),
            &[AUDIT],
        ),
    ]
}

/// Everything at once.
fn large() -> Vec<Case> {
    let further = [UP, FURTHER, Wish::new(1_210, 1_300)];
    let over = [Wish::new(1_000, 1_110), Wish::new(1_110, 1_210), Wish::new(1_000, 1_100).of(1)];
    let two = Setup::new(2, &[1_000], &[UP, ON], 7).rate(2);
    let one_set = Setup::new(3, &[1_000], &further, 8).rate(3).faults(2, 2, 0);
    let two_sets = Setup::new(3, &[1_000, 1_000], &over, 5).rate(2).faults(2, 2, 0);
    let edited = two.clone().edited(&[1_000, 800]).faults(1, 1, 1);
    vec![
        holds(
            "2 workers, 2 changes: 2 crashes, 2 lost replies, 2 lost requests",
            two.faults(2, 2, 2),
            &[COMPLETED, TOLD, AGAIN],
        ),
        but("2 workers, 2 changes, an edit", edited, &[STRICT_VELOCITY], &[COMPLETED, TOLD, AGAIN]),
        holds("3 workers, 3 changes over the velocity: 2 crashes, 2 lost replies", one_set, &[TOLD, LIMITED]),
        holds(
            "3 workers, 3 changes over the limits, 2 ad sets: 2 crashes, 2 lost replies",
            two_sets,
            &[TOLD, LIMITED],
        ),
    ]
}
