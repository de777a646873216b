use proptest::prelude::*;

use super::*;
use crate::ads::Owner;
use crate::execution::{AdChange, ChangeId, ChangeStatus};
use crate::money::Currency;

const HOUR: u64 = 3_600_000;

fn now() -> Timestamp {
    Timestamp::from_millis(1_770_000_000_000)
}

fn row(set: &str, expected_from: i64, target: i64) -> ChangeRow {
    let change = AdChange {
        id: ChangeId::derive(&[set, &target.to_string()]),
        account_id: "act_1".into(),
        campaign_id: "c1".into(),
        owner: Owner::ad_set(set),
        field: ChangeField::Budget,
        expected_from,
        target,
        currency: Currency::USD,
        allocation_id: Some("a".into()),
        causation_id: None,
        reason: String::new(),
        expires_at: None,
        ramp: None,
    };
    ChangeRow::queued(change, now(), now(), after(now(), 24 * HOUR))
}

fn state(set: &str, budget: i64) -> OwnerState {
    OwnerState {
        owner: Owner::ad_set(set),
        account_id: "act_1".into(),
        campaign_id: "c1".into(),
        name: set.into(),
        currency: Currency::USD,
        daily_budget_minor: Some(budget),
        lifetime_budget_minor: None,
        bid_minor: Some(10),
        status: DeliveryStatus::Active,
        learning: false,
        read_at: now(),
    }
}

fn input(row: ChangeRow) -> GuardInput {
    GuardInput {
        now: now(),
        snapshot_age: Duration::ZERO,
        read_at: now(),
        live: state(&row.change.owner.id, row.change.expected_from),
        account: None,
        fuzz: 0,
        limits: None,
        killed: false,
        pauses: vec![],
        recent: RecentChanges::default(),
        open: vec![],
        movements: vec![],
        row,
    }
}

fn limits(total: Option<i64>, min: Option<i64>, max: Option<i64>) -> Option<AccountLimits> {
    Some(AccountLimits { currency: Currency::USD, total_daily_minor: total, min_minor: min, max_minor: max })
}

fn movement(set: &str, from: i64, to: i64, minutes_ago: u64, own: bool) -> Movement {
    Movement {
        owner: Owner::ad_set(set),
        campaign_id: "c1".into(),
        field: ChangeField::Budget,
        from,
        to,
        at: now().minus(Duration::from_secs(60 * minutes_ago)),
        own: own.then(|| (ChangeId::derive(&[set, &minutes_ago.to_string()]), 1)),
        open: false,
    }
}

fn blocked(reason: Reason, retry_at: Option<Timestamp>) -> Verdict {
    Verdict::Block { reason, retry_at }
}

fn judge(input: &GuardInput) -> Verdict {
    decide(input, &Policy::standard())
}

#[test]
fn what_the_platform_wants_left_alone_is() {
    let pause = |owner: Option<&str>, minutes: u64| Pause {
        owner: owner.map(Owner::ad_set),
        until: after(now(), minutes * 60_000),
        reason: Reason::Throttled,
        learned: None,
    };
    let mut input = input(row("s1", 1_000, 1_100));
    input.pauses = vec![pause(Some("s2"), 60)];
    assert_eq!(judge(&input), Verdict::Send { from: 1_000, value: 1_100 }, "another owner's");
    input.pauses = vec![pause(None, 10), pause(Some("s1"), 60)];
    assert_eq!(judge(&input), blocked(Reason::Throttled, Some(after(now(), HOUR))), "the longer of both");
    input.now = after(now(), HOUR);
    assert_eq!(judge(&input), Verdict::Send { from: 1_000, value: 1_100 }, "it is over");
}

#[test]
fn a_limit_that_the_platform_taught_is_kept() {
    let mut input = input(row("s1", 1_000, 1_010));
    input.movements = vec![movement("s1", 990, 1_000, 30, true)];
    assert_eq!(judge(&input), Verdict::Send { from: 1_000, value: 1_010 });
    let learned = |owner: Option<Owner>, changes| Pause {
        owner,
        until: now(),
        reason: Reason::Throttled,
        learned: Some(crate::execution::LearnedRate { changes, until: after(now(), HOUR) }),
    };
    input.pauses = vec![learned(Some(Owner::ad_set("s1")), 1)];
    assert_eq!(judge(&input), blocked(Reason::RateLimitOwner, Some(after(now(), HOUR / 2))));
    input.pauses = vec![learned(None, 40)];
    assert_eq!(judge(&input), Verdict::Send { from: 1_000, value: 1_010 });
    input.recent = RecentChanges { count: 40, oldest: Some(now().minus(Duration::from_secs(1_800))) };
    assert_eq!(judge(&input), blocked(Reason::RateLimitAccount, Some(after(now(), HOUR / 2))));
    input.pauses[0].learned.as_mut().unwrap().until = now();
    assert_eq!(judge(&input), Verdict::Send { from: 1_000, value: 1_010 }, "a lesson is forgotten");
    input.recent.count = Policy::standard().account_changes;
    assert_eq!(judge(&input), blocked(Reason::RateLimitAccount, Some(after(now(), HOUR / 2))));
}

/// Another worker's change was settled after the account was read: the reading lacks it.
#[test]
fn what_was_settled_after_the_reading_counts() {
    let mut input = input(row("s1", 1_000, 1_100));
    input.limits = limits(Some(2_150), None, None);
    input.account = Some(vec![state("s1", 1_000), state("s2", 1_000)]);
    input.read_at = now().minus(Duration::from_secs(5));
    assert_eq!(judge(&input), Verdict::Send { from: 1_000, value: 1_100 });
    let settled =
        Movement { at: now().minus(Duration::from_secs(2)), ..movement("s2", 1_000, 1_100, 0, true) };
    input.movements = vec![settled.clone()];
    assert!(matches!(judge(&input), Verdict::Block { reason: Reason::AccountCap, .. }));
    input.movements = vec![Movement { owner: Owner::ad_set("s1"), ..settled }];
    assert_eq!(
        judge(&input),
        blocked(Reason::StaleSnapshot, Some(after(now(), 1_000))),
        "its own: read again"
    );
    input.read_at = now().minus(Duration::from_secs(1));
    assert_eq!(judge(&input), Verdict::Send { from: 1_000, value: 1_100 }, "the reading has it");
}

#[test]
fn a_learning_phase_is_not_disturbed() {
    let learning = |from, target| {
        let mut input = input(row("s1", from, target));
        input.live.learning = true;
        input
    };
    let held = blocked(Reason::LearningPhase, Some(after(now(), 6 * HOUR)));
    assert_eq!(judge(&learning(1_000, 1_100)), held);
    assert_eq!(
        judge(&learning(1_000, 900)),
        Verdict::Send { from: 1_000, value: 900 },
        "a cut is never held"
    );
    let careless = Policy { respect_learning: false, ..Policy::standard() };
    assert_eq!(decide(&learning(1_000, 1_100), &careless), Verdict::Send { from: 1_000, value: 1_100 });
}

#[test]
fn a_daily_budget_is_not_set_where_a_lifetime_one_is() {
    let mut input = input(row("s1", 1_000, 1_100));
    input.live.daily_budget_minor = None;
    assert_eq!(judge(&input), blocked(Reason::WrongObject, None));
    input.live.lifetime_budget_minor = Some(90_000);
    assert_eq!(judge(&input), blocked(Reason::WrongBudgetType, None));
}

#[test]
fn nothing_is_sent_that_still_needs_an_approval() {
    use crate::execution::Approval;
    let awaited = Approval { digest: "d".into(), approved_by: None, approved_at: None };
    let given = Approval { approved_by: Some("me".into()), approved_at: Some(now()), ..awaited.clone() };
    let with = |approval| input(ChangeRow { approval: Some(approval), ..row("s", 1_000, 1_100) });
    let until = Some(after(now(), 24 * HOUR));
    assert_eq!(judge(&with(awaited.clone())), blocked(Reason::AwaitingApproval, until));
    assert_eq!(judge(&with(given)), Verdict::Send { from: 1_000, value: 1_100 });
    let late = GuardInput { now: after(now(), 24 * HOUR), ..with(awaited.clone()) };
    assert_eq!(judge(&late), blocked(Reason::Expired, None));
    let killed = GuardInput { killed: true, ..with(awaited) };
    assert_eq!(judge(&killed), blocked(Reason::KillSwitch, Some(after(now(), HOUR))));
}

#[test]
fn a_step_of_a_fifth_is_the_most() {
    assert_eq!(judge(&input(row("s", 1004, 1204))), Verdict::Send { from: 1004, value: 1204 });
    assert_eq!(judge(&input(row("s", 1004, 1205))), blocked(Reason::Velocity, None));
    assert_eq!(judge(&input(row("s", 1004, 804))), Verdict::Send { from: 1004, value: 804 });
    assert_eq!(judge(&input(row("s", 1004, 803))), blocked(Reason::Velocity, None));
}

#[test]
fn switches_expiry_and_other_requests_come_first() {
    let killed = GuardInput { killed: true, ..input(row("s", 1000, 1100)) };
    assert_eq!(judge(&killed), blocked(Reason::KillSwitch, Some(after(now(), HOUR))));
    let mut late = input(row("s", 1000, 1100));
    late.row.expires_at = now();
    assert_eq!(judge(&late), blocked(Reason::Expired, None));
    let mut other = row("s", 1000, 1050);
    other.status = ChangeStatus::Executing;
    let busy = GuardInput { open: vec![other], ..input(row("s", 1000, 1100)) };
    assert_eq!(judge(&busy), Verdict::Wait);
}

#[test]
fn what_was_read_must_be_fresh_and_be_what_is_meant() {
    let base = || input(row("s", 1000, 1100));
    let old = GuardInput { snapshot_age: Duration::from_millis(10_001), ..base() };
    assert!(matches!(judge(&old), Verdict::Block { reason: Reason::StaleSnapshot, retry_at: Some(_) }));
    let drifted = GuardInput { live: state("s", 1001), ..base() };
    assert_eq!(judge(&drifted), blocked(Reason::Drifted, None));
    let foreign = OwnerState { account_id: "act_2".into(), ..state("s", 1000) };
    assert_eq!(judge(&GuardInput { live: foreign, ..base() }), blocked(Reason::WrongObject, None));
    let moved = OwnerState { campaign_id: "c2".into(), ..state("s", 1000) };
    assert_eq!(judge(&GuardInput { live: moved, ..base() }), blocked(Reason::WrongObject, None));
    let unbudgeted = OwnerState { daily_budget_minor: None, ..state("s", 1000) };
    assert_eq!(judge(&GuardInput { live: unbudgeted, ..base() }), blocked(Reason::WrongObject, None));
    let yen = OwnerState { currency: "JPY".parse().unwrap(), ..state("s", 1000) };
    assert_eq!(judge(&GuardInput { live: yen, ..base() }), blocked(Reason::WrongCurrency, None));
}

#[test]
fn rates_count_the_hour_and_say_when_it_is_over() {
    let third = [50, 40, 30].map(|m| movement("s", 1000, 1000, m, true));
    let blocked_owner = GuardInput { movements: third.to_vec(), ..input(row("s", 1000, 1010)) };
    let leaves = after(third[0].at, HOUR);
    assert_eq!(judge(&blocked_owner), blocked(Reason::RateLimitOwner, Some(leaves)));
    let then = GuardInput { now: leaves, ..blocked_owner };
    assert!(matches!(judge(&then), Verdict::Send { .. }));

    let others: Vec<_> = (0..15).map(|n| movement(&format!("o{n}"), 10, 10, 59 - n, true)).collect();
    let busy = GuardInput { movements: others.clone(), ..input(row("s", 1000, 1010)) };
    assert_eq!(judge(&busy), blocked(Reason::RateLimitCampaign, Some(after(others[0].at, HOUR))));
    let people: Vec<_> = others.into_iter().map(|m| Movement { own: None, ..m }).collect();
    let quiet = GuardInput { movements: people, ..input(row("s", 1000, 1010)) };
    assert!(matches!(judge(&quiet), Verdict::Send { .. }), "other people's edits are not our actions");
}

#[test]
fn a_reservation_counts_however_old_it_is() {
    let open = Movement { open: true, ..movement("s", 900, 1000, 60 * 24, true) };
    let reserved = GuardInput { movements: vec![open], ..input(row("s", 1000, 1150)) };
    assert!(matches!(judge(&reserved), Verdict::Block { reason: Reason::Velocity, .. }));
}

#[test]
fn movement_counts_both_ways_and_leaves_with_the_window() {
    let swing = vec![movement("s", 1000, 1080, 200, true), movement("s", 1080, 1000, 100, false)];
    let next = GuardInput { movements: swing, ..input(row("s", 1000, 1050)) };
    let leaves = after(next.movements[0].at, 6 * HOUR);
    assert_eq!(judge(&next), blocked(Reason::Velocity, Some(leaves)));
    let before = GuardInput { now: Timestamp::from_micros(leaves.micros() - 1), ..next.clone() };
    assert_eq!(judge(&before), blocked(Reason::Velocity, Some(leaves)));
    let then = GuardInput { now: leaves, ..next };
    assert_eq!(judge(&then), Verdict::Send { from: 1000, value: 1050 });
}

#[test]
fn floors_ceilings_and_totals_are_never_met_by_shrinking() {
    let floor = GuardInput { limits: limits(None, Some(900), None), ..input(row("s", 1000, 899)) };
    assert_eq!(judge(&floor), blocked(Reason::BelowFloor, None));
    let ceiling = GuardInput { limits: limits(None, None, Some(1100)), ..input(row("s", 1000, 1101)) };
    assert_eq!(judge(&ceiling), blocked(Reason::AboveCeiling, None));
    let mut total = GuardInput { limits: limits(Some(3000), None, None), ..input(row("s", 1000, 1100)) };
    assert!(matches!(judge(&total), Verdict::Block { reason: Reason::StaleSnapshot, .. }), "fails closed");
    total.account = Some(vec![state("s", 1000), state("t", 1901)]);
    assert_eq!(judge(&total), blocked(Reason::AccountCap, Some(after(now(), 6 * HOUR))));
    total.account = Some(vec![state("s", 1000), state("t", 1900)]);
    assert_eq!(judge(&total), Verdict::Send { from: 1000, value: 1100 });
    let mut flying = row("t", 1900, 2000);
    flying.status = ChangeStatus::Executing;
    flying.sent_value = Some(1950);
    total.open = vec![flying];
    assert!(matches!(judge(&total), Verdict::Block { reason: Reason::AccountCap, .. }), "in flight counts");
    let cut = GuardInput { row: row("s", 1000, 900), ..total };
    assert!(matches!(judge(&cut), Verdict::Send { .. }), "a cut needs no room");
}

#[test]
fn switching_on_needs_room_for_the_budget() {
    let mut on = input(row("s", 1000, 1100));
    on.row.change =
        AdChange { field: ChangeField::Status, expected_from: 0, target: 1, ..on.row.change.clone() };
    on.live = OwnerState { status: DeliveryStatus::Paused, ..state("s", 1000) };
    on.limits = limits(Some(2000), None, None);
    on.account = Some(vec![on.live.clone(), state("t", 1001)]);
    assert!(matches!(judge(&on), Verdict::Block { reason: Reason::AccountCap, .. }));
    on.account = Some(vec![on.live.clone(), state("t", 1000)]);
    assert_eq!(judge(&on), Verdict::Send { from: 0, value: 1 });
    let paused = OwnerState { status: DeliveryStatus::Paused, ..state("t", 9000) };
    on.account = Some(vec![on.live.clone(), paused]);
    assert_eq!(judge(&on), Verdict::Send { from: 0, value: 1 }, "what is off spends nothing");
}

#[test]
fn a_raise_waits_for_the_cuts_of_its_allocation() {
    let mut cut = row("t", 1000, 900);
    cut.due_at = Some(after(now(), 5_000));
    let mut raise = input(row("s", 1000, 1100));
    raise.open = vec![cut.clone()];
    assert_eq!(judge(&raise), blocked(Reason::AwaitingCuts, Some(after(now(), 5_001))));
    cut.status = ChangeStatus::Blocked;
    cut.retry_at = cut.due_at;
    raise.open = vec![cut.clone()];
    assert!(matches!(judge(&raise), Verdict::Block { reason: Reason::AwaitingCuts, .. }));
    cut.retry_at = None;
    raise.open = vec![cut.clone()];
    assert!(matches!(judge(&raise), Verdict::Send { .. }), "a cut that is over holds nothing up");
    cut.status = ChangeStatus::Pending;
    cut.change.allocation_id = Some("another".into());
    raise.open = vec![cut];
    assert!(matches!(judge(&raise), Verdict::Send { .. }));
}

#[test]
fn fuzz_never_takes_the_room_of_a_raise_that_still_waits() {
    // 2,000 in all; s goes up to 1,100 and t to 900, which is exactly the total.
    let waiting = row("t", 850, 900);
    let mut raise = input(row("s", 1000, 1100));
    raise.fuzz = 33;
    raise.limits = limits(Some(2000), None, None);
    raise.account = Some(vec![state("s", 1000), state("t", 850)]);
    raise.open = vec![waiting];
    assert_eq!(judge(&raise), Verdict::Send { from: 1000, value: 1100 });
    raise.fuzz = -33;
    assert_eq!(judge(&raise), Verdict::Send { from: 1000, value: 1067 }, "a lower value stays");
    raise.fuzz = 33;
    raise.limits = limits(Some(2010), None, None);
    assert_eq!(judge(&raise), Verdict::Send { from: 1000, value: 1110 });
}

#[test]
fn a_second_attempt_sends_the_first_ones_value() {
    let mut again = input(row("s", 1000, 1100));
    again.row.sent_value = Some(1090);
    again.fuzz = 25;
    assert_eq!(judge(&again), Verdict::Send { from: 1000, value: 1090 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The invariants I1 and I4: whatever is asked and whoever else edits, own moves within any window stay within
    /// a fifth of the value at its start, and their number within the limits.
    #[test]
    fn own_moves_stay_within_the_limits(
        start in 1i64..2_000_000,
        steps in prop::collection::vec((0u64..4 * HOUR, -300i64..=300, -70i64..=70, prop::bool::weighted(0.2)), 1..60),
    ) {
        let policy = Policy::seed();
        let (mut clock, mut value) = (now(), start);
        let mut movements: Vec<Movement> = vec![];
        for (gap, per_mille, fuzz, human) in steps {
            clock = after(clock, gap);
            let target = (value + value * per_mille / 1_000).max(1);
            if target == value {
                continue;
            }
            let (to, own) = if human {
                (target, None)
            } else {
                let mut asked = input(row("s", value, target));
                asked.now = clock;
                asked.fuzz = target * fuzz.clamp(-30, 30) / 1_000;
                asked.row.expires_at = after(clock, HOUR);
                asked.movements = movements.clone();
                match decide(&asked, &policy) {
                    Verdict::Send { value: to, .. } => (to, Some((ChangeId::derive(&[&clock.to_string()]), 1))),
                    Verdict::Block { reason, retry_at } => {
                        prop_assert!(retry_at.is_none_or(|at| at > clock), "{reason} would be asked at once again");
                        continue;
                    }
                    Verdict::Wait => continue,
                }
            };
            movements.push(Movement { from: value, to, at: clock, own, ..movement("s", 0, 0, 0, true) });
            value = to;
        }
        for (i, last) in movements.iter().enumerate().filter(|(_, m)| m.own.is_some()) {
            let window = |ms| {
                let since = last.at.minus(Duration::from_millis(ms));
                movements[..=i].iter().filter(move |m| m.at > since)
            };
            let base = window(6 * HOUR).next().map_or(0, |m| m.from);
            let moved: i64 = window(6 * HOUR).filter(|m| m.own.is_some()).map(|m| (m.to - m.from).abs()).sum();
            prop_assert!(moved * 5 <= base, "{moved} of {base}");
            prop_assert!(window(HOUR).filter(|m| m.own.is_some()).count() <= 3);
        }
    }

    /// Fuzz moves a value only as far as every limit lets it, keeps the direction, and never makes a change that
    /// is allowed without it a blocked one.
    #[test]
    fn fuzz_never_leaves_the_limits(
        live in 1i64..1_000_000,
        per_mille in -220i64..=220,
        fuzz_per_mille in -30i64..=30,
        room_above in 0i64..50_000,
        room_below in 0i64..50_000,
        others in prop::collection::vec((1i64..100_000, 0i64..20_000), 0..4),
        slack in -10_000i64..20_000,
        earlier in prop::option::of((1i64..=150, 1u64..360)),
    ) {
        let target = live + live * per_mille / 1_000;
        prop_assume!(target > 0 && target != live);
        let mut asked = input(row("s", live, target));
        let planned: i64 = others.iter().map(|(budget, more)| budget + more).sum();
        let cap = (planned + target.max(live) + slack).max(0);
        asked.limits = limits(Some(cap), Some(target.saturating_sub(room_below).max(1)), Some(target + room_above));
        asked.account = Some(
            others.iter().enumerate().map(|(i, (budget, _))| state(&format!("o{i}"), *budget)).chain([state("s", live)]).collect(),
        );
        asked.open = others.iter().enumerate().map(|(i, (budget, more))| row(&format!("o{i}"), *budget, budget + more)).collect();
        if let Some((parts, minutes)) = earlier {
            let from = live + live * parts / 1_000;
            asked.movements = vec![movement("s", from, live, minutes, true)];
        }
        let without = decide(&asked, &Policy::seed());
        asked.fuzz = target * fuzz_per_mille / 1_000;
        let with = decide(&asked, &Policy::seed());
        match (without, with) {
            (Verdict::Send { value, .. }, Verdict::Send { value: fuzzed, .. }) => {
                prop_assert_eq!(value, target);
                prop_assert!((fuzzed - target).abs() <= asked.fuzz.abs());
                prop_assert_eq!((fuzzed - live).signum(), (target - live).signum());
                prop_assert!((fuzzed - live).abs() * 5 <= live);
                let l = asked.limits.unwrap();
                prop_assert!(l.min_minor.unwrap() <= fuzzed && fuzzed <= l.max_minor.unwrap());
                prop_assert!(fuzzed <= target || planned + fuzzed <= cap, "{} + {} over {}", planned, fuzzed, cap);
            }
            (x, y) => prop_assert_eq!(x, y),
        }
    }
}
