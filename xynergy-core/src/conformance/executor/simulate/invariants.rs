//! The invariants, each under its number: those of a moment while it passes, the others from what the platform recorded.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ledger::{AttemptKey, Begun, Held, Ledger, Wire, deadline};
use super::profile::Delivery;
use super::world::{Tenant, World};
use crate::ads::{AdWrite, ChangeField, DeliveryStatus, Owner, OwnerLevel, PlatformEffect};
use crate::env::Timestamp;
use crate::execution::machine::{Action, Settlement, Transitioned};
use crate::execution::{AuditKind, AuditRow, ChangeRow, ChangeStatus, LeaseToken, Reason};

const I1: &str = "I1 velocity";
const I2: &str = "I2 once";
const I3: &str = "I3 audit first";
const I4: &str = "I4 rate";
const I5: &str = "I5 exclusive";
const I6: &str = "I6 fence";
const I7: &str = "I7 no blind resend";
const I8: &str = "I8 fail closed";
const I9: &str = "I9 bounds";
const I10: &str = "I10 kill";
pub(super) const I11: &str = "I11 liveness";
const I12: &str = "I12 freshness";
const I14: &str = "I14 order";
const I15: &str = "I15 isolation";
pub(super) const I16: &str = "I16 dry run";
const APPROVAL: &str = "approval";

/// How far the platform's log may be behind a value, with the time between the readings of both.
const UNLOGGED: Duration = Duration::from_secs(120);

/// Looks at an answer of the store, before anybody else can ask it.
pub(super) fn transitioned(world: &World, life: usize, tenant: usize, asked: &Action, answer: &Transitioned) {
    let mut guard = world.ledger();
    let ledger = &mut *guard;
    let row = &answer.row;
    let key = (tenant, row.change.id);
    i6_fence(ledger, key, asked, answer);
    if !answer.taken {
        return;
    }
    match asked {
        Action::Abandon => ledger.count("lease abandoned"),
        Action::Postpone { .. } => ledger.count("postponed"),
        Action::Reserve { .. } if row.status == ChangeStatus::Claimed => {
            ledger.reserved_at.insert((tenant, row.change.id, row.attempt), world.now());
            ledger.took.insert(life, (tenant, row.change.id, row.attempt));
            i9_bounds(ledger, tenant, row);
        }
        Action::Begin { live, .. } if row.status == ChangeStatus::Executing => {
            i10_kill(ledger, world, tenant, row);
            i12_freshness(ledger, life, tenant, row, live.value(row.change.field));
            let landing = Duration::from_millis(world.profile.policy.landing_ms);
            let lease_until = row.lease_until.unwrap_or(row.updated_at);
            let deadline = deadline(world.now(), row.updated_at, lease_until, landing);
            ledger.begun.insert(life, Begun { key: (tenant, row.change.id, row.attempt), deadline });
        }
        _ => {}
    }
    let token = match asked {
        Action::Reserve { token, .. } => Some(*token),
        _ => ledger.held.get(&key).and_then(|h| h.token),
    };
    ledger.held.insert(key, Held { attempt: row.attempt, token, status: row.status });
    i5_exclusive(ledger, tenant, row);
    drop(guard);
    world.tell(|| {
        let reason = row.reason.map_or("", Reason::as_str);
        format!(
            "life {life}: t{tenant} {} {} {}#{} -> {:?} {reason} ({:?}..{:?})",
            name_of(asked),
            row.change.owner,
            &row.change.id.to_string()[..6],
            row.attempt,
            row.status,
            row.observed_from,
            row.sent_value,
        )
    });
}

fn name_of(action: &Action) -> &'static str {
    match action {
        Action::Abandon => "abandon",
        Action::Begin { .. } => "begin",
        Action::Cancel => "cancel",
        Action::Late { .. } => "late",
        Action::Postpone { .. } => "postpone",
        Action::Reconcile { .. } => "reconcile",
        Action::Refuse { .. } => "refuse",
        Action::Reserve { .. } => "reserve",
        Action::Resolve { .. } => "resolve",
        Action::Retry { .. } => "retry",
        Action::Settle { .. } => "settle",
        Action::Wake => "wake",
    }
}

/// At most one change of an owner is on its way.
fn i5_exclusive(ledger: &mut Ledger, tenant: usize, row: &ChangeRow) {
    let place = (tenant, row.change.owner.clone());
    let flying = ledger.flying.get(&place).copied();
    if !row.in_flight() {
        if flying == Some(row.change.id) {
            ledger.flying.remove(&place);
        }
        return;
    }
    if let Some(other) = flying.filter(|other| *other != row.change.id) {
        ledger.break_rule(I5, format!("{} and {other} of {} are in flight", row.change.id, row.change.owner));
    }
    ledger.flying.insert(place, row.change.id);
}

/// Whoever does not hold the lease any more changes nothing.
fn i6_fence(
    ledger: &mut Ledger,
    key: (usize, crate::execution::ChangeId),
    asked: &Action,
    answer: &Transitioned,
) {
    let holds = |attempt: u32, token: LeaseToken, statuses: &[ChangeStatus]| {
        ledger.held.get(&key).is_some_and(|held| {
            held.attempt == attempt && held.token == Some(token) && statuses.contains(&held.status)
        })
    };
    let holder = match asked {
        Action::Begin { attempt, token, .. } => holds(*attempt, *token, &[ChangeStatus::Claimed]),
        Action::Settle { attempt, token, settlement: Settlement::Blocked { .. }, .. } => {
            holds(*attempt, *token, &[ChangeStatus::Claimed, ChangeStatus::Executing])
        }
        Action::Settle { attempt, token, .. } => holds(*attempt, *token, &[ChangeStatus::Executing]),
        _ => return,
    };
    match (holder, answer.taken) {
        (false, true) => {
            ledger.break_rule(I6, format!("{} was moved by one whose lease was over", answer.row.change.id));
        }
        (false, false) => ledger.count("zombie fenced"),
        _ => {}
    }
}

/// What is about to be sent is within the user's limits at that moment, and goes the way that was wanted.
fn i9_bounds(ledger: &mut Ledger, tenant: usize, row: &ChangeRow) {
    let (Some(from), Some(value)) = (row.observed_from, row.sent_value) else {
        return ledger.break_rule(I9, format!("{} is claimed without a value", row.change.id));
    };
    let wanted = row.change.target.cmp(&row.change.expected_from);
    if value.cmp(&from) != wanted {
        ledger.break_rule(I9, format!("{}: {from} to {value} is not the way that was wanted", row.change.id));
    }
    if row.change.field != ChangeField::Budget {
        return;
    }
    let limits = ledger.limits[tenant].as_ref();
    let least = limits.and_then(|l| l.min_minor).unwrap_or(1).max(1);
    let most = limits.and_then(|l| l.max_minor).unwrap_or(i64::MAX);
    if value < least || value > most {
        let message = format!("{}: {value} is outside of {least} to {most}", row.change.id);
        ledger.break_rule(I9, message);
    }
}

/// Nothing gets the permission to be sent while a switch covers it.
fn i10_kill(ledger: &mut Ledger, world: &World, tenant: usize, row: &ChangeRow) {
    if ledger.killed(tenant, &world.tenants[tenant].account, &row.change.owner) {
        ledger.break_rule(I10, format!("{} may be sent although a switch is on", row.change.id));
    }
}

/// What is sent is in time, was decided on the value that was seen, and that value was read after the decision.
fn i12_freshness(ledger: &mut Ledger, life: usize, tenant: usize, row: &ChangeRow, live: Option<i64>) {
    if row.updated_at >= row.expires_at {
        ledger.break_rule(I12, format!("{} may be sent after it expired", row.change.id));
    }
    let shown = ledger.shown.get(&(life, tenant, row.change.owner.clone()));
    let value = shown.and_then(|s| s.state.value(row.change.field));
    if live != Some(row.change.expected_from) || value != live {
        let message = format!(
            "{} was decided on {}, {live:?} was given, the platform showed {value:?}",
            row.change.id, row.change.expected_from
        );
        return ledger.break_rule(I12, message);
    }
    let reserved = ledger.reserved_at.get(&(tenant, row.change.id, row.attempt));
    if shown.zip(reserved).is_none_or(|(shown, reserved)| shown.at < *reserved) {
        ledger.break_rule(I12, format!("{} was not read again before it is sent", row.change.id));
    }
}

/// Looks at a request that a worker is about to let go of; until when it may land.
pub(super) fn sending(
    world: &World,
    life: usize,
    tenant: usize,
    write: &AdWrite,
    history: &[AuditRow],
) -> Timestamp {
    let mut guard = world.ledger();
    let ledger = &mut *guard;
    ledger.count("sent");
    let key = (tenant, write.change_id, write.attempt);
    let deadline = i8_fail_closed(ledger, world, life, key);
    i3_intent_first(ledger, write, history);
    i7_no_blind_resend(ledger, key, history);
    i2_same_bytes(ledger, key, write);
    i14_order(ledger, world, key);
    if world.tenants[tenant].approves && !ledger.approved.contains(&(tenant, write.change_id)) {
        ledger.break_rule(APPROVAL, format!("{} is sent, and nobody has approved it", write.change_id));
    }
    let shown = ledger.shown.get(&(life, tenant, write.owner.clone()));
    let observed = shown.and_then(|s| s.state.value(write.field)).unwrap_or(0);
    let campaign = shown.map(|s| s.state.campaign_id.clone()).unwrap_or_default();
    let wire = Wire {
        owner: write.owner.clone(),
        field: write.field,
        campaign,
        value: write.value,
        observed,
        arrived: Vec::new(),
        without_effect: false,
    };
    ledger.wire.insert(key, wire);
    drop(guard);
    world.tell(|| {
        let id = &write.change_id.to_string()[..6];
        format!("life {life}: t{tenant} sends {id}#{} {} = {}", write.attempt, write.owner, write.value)
    });
    deadline
}

/// No request without the store's word, to this very worker, that it may be sent.
fn i8_fail_closed(ledger: &mut Ledger, world: &World, life: usize, key: AttemptKey) -> Timestamp {
    match ledger.begun.remove(&life) {
        Some(begun) if begun.key == key => begun.deadline,
        other => {
            let message = format!("{}#{} is sent on the permission {other:?}", key.1, key.2);
            ledger.break_rule(I8, message);
            world.now()
        }
    }
}

/// An intent of the same attempt and value is in the history before the request is on the wire.
fn i3_intent_first(ledger: &mut Ledger, write: &AdWrite, history: &[AuditRow]) {
    let intended = history.iter().any(|row| {
        row.kind == AuditKind::Intent
            && row.attempt == write.attempt
            && row.to_value == write.value
            && row.owner == write.owner
            && row.field == write.field
    });
    if !intended {
        ledger.break_rule(I3, format!("{}#{} is sent without an intent", write.change_id, write.attempt));
    }
}

/// A request follows an earlier one of the same change only after the verdict that that one had no effect.
fn i7_no_blind_resend(ledger: &mut Ledger, key: AttemptKey, history: &[AuditRow]) {
    if ledger.wire.contains_key(&key) {
        ledger.break_rule(I7, format!("{}#{} is sent twice", key.1, key.2));
    }
    for attempt in 1..key.2 {
        let verdict = history
            .iter()
            .rfind(|r| r.attempt == attempt && matches!(r.kind, AuditKind::Outcome | AuditKind::Resolved));
        let no_effect = verdict.is_some_and(|row| {
            row.status != ChangeStatus::Completed
                && row.status != ChangeStatus::Executing
                && row.reason != Some(Reason::Conflict)
        });
        if !no_effect {
            ledger.break_rule(I7, format!("{}#{} is sent while #{attempt} is open", key.1, key.2));
        }
    }
}

/// Every request of a change says the same.
fn i2_same_bytes(ledger: &mut Ledger, key: AttemptKey, write: &AdWrite) {
    let other = ledger
        .wire
        .range((key.0, key.1, 0)..(key.0, key.1, u32::MAX))
        .find(|(_, wire)| (&wire.owner, wire.field, wire.value) != (&write.owner, write.field, write.value));
    if let Some((_, wire)) = other {
        let message = format!("{}: {} was sent before, {} now", key.1, wire.value, write.value);
        ledger.break_rule(I2, message);
    }
}

/// What was withdrawn while it waited is never sent.
fn i14_order(ledger: &mut Ledger, world: &World, key: AttemptKey) {
    if let Some(at) = ledger.withdrawn.get(&(key.0, key.1)) {
        let before = world.now().since(*at);
        ledger.break_rule(I14, format!("{} is sent {before:?} after it was withdrawn", key.1));
    }
}

/// Looks at a request as the platform takes it.
pub(super) fn arrived(world: &World, key: AttemptKey, value: i64, without_effect: bool) {
    let mut ledger = world.ledger();
    let Some(wire) = ledger.wire.get_mut(&key) else { return };
    wire.arrived.push(value);
    wire.without_effect |= without_effect;
    let (times, intended) = (wire.arrived.len(), wire.value);
    if times > 1 {
        ledger.break_rule(I7, format!("{}#{} arrived {times} times", key.1, key.2));
    }
    if value != intended {
        ledger.break_rule(I3, format!("{}#{} says {value}, its intent {intended}", key.1, key.2));
    }
}

/// What is known of a tenant when everything has come to rest.
pub(super) struct Facts<'a> {
    pub(super) world: &'a World,
    pub(super) number: usize,
    pub(super) effects: &'a [PlatformEffect],
    pub(super) history: &'a [AuditRow],
}

type Broken = Vec<(&'static str, String)>;

/// The invariants over all that happened to a tenant.
pub(super) fn at_rest(facts: &Facts<'_>) {
    let mut broken = Vec::new();
    let bounded = facts.world.profile.delivery == Delivery::Bounded;
    if bounded {
        i1_velocity(facts, &mut broken);
        i2_once(facts, &mut broken);
        i4_rate(facts, &mut broken);
        i9_total(facts, &mut broken);
        i10_at_most_one(facts, &mut broken);
    }
    i3_history_agrees(facts, bounded, &mut broken);
    i15_isolation(facts, &mut broken);
    let mut ledger = facts.world.ledger();
    for (invariant, message) in broken {
        ledger.break_rule(invariant, format!("tenant {}: {message}", facts.number));
    }
}

impl Facts<'_> {
    fn tenant(&self) -> &Tenant {
        &self.world.tenants[self.number]
    }

    /// Our own effects with what had been seen before each.
    fn own(&self) -> Vec<(&PlatformEffect, Wire)> {
        let ledger = self.world.ledger();
        let own = self.effects.iter().filter_map(|effect| {
            let (id, attempt) = effect.change?;
            Some((effect, ledger.wire.get(&(self.number, id, attempt))?.clone()))
        });
        own.collect()
    }
}

/// When, from the value that was seen, to which one.
type Move = (Timestamp, i64, i64);

/// Within any window, an owner moves no further than the share of the value that was seen at its first move.
fn i1_velocity(facts: &Facts<'_>, broken: &mut Broken) {
    let policy = &facts.world.profile.policy;
    let window = Duration::from_millis(policy.velocity_window_ms);
    let mut by_place: BTreeMap<(&Owner, ChangeField), Vec<Move>> = BTreeMap::new();
    let own = facts.own();
    for (effect, wire) in own.iter().filter(|(e, _)| e.field != ChangeField::Status) {
        let move_ = (effect.at, wire.observed, effect.after);
        by_place.entry((&effect.owner, effect.field)).or_default().push(move_);
    }
    for ((owner, field), moves) in by_place {
        for (first, (start, base, _)) in moves.iter().enumerate() {
            let mut moved: i128 = 0;
            for (at, from, to) in moves[first..].iter().take_while(|(at, ..)| at.since(*start) < window) {
                moved += i128::from((to - from).abs());
                if moved * 1_000 > i128::from(*base) * i128::from(policy.velocity_per_mille) {
                    let time = at.since(*start);
                    broken.push((I1, format!("{owner} {field:?}: {moved} of {base} within {time:?}")));
                    return;
                }
            }
        }
    }
}

/// A change takes effect once.
fn i2_once(facts: &Facts<'_>, broken: &mut Broken) {
    let mut times: BTreeMap<_, u32> = BTreeMap::new();
    for (id, _) in facts.effects.iter().filter_map(|e| e.change) {
        *times.entry(id).or_default() += 1;
    }
    for (id, times) in times.into_iter().filter(|(_, times)| *times > 1) {
        broken.push((I2, format!("{id} took effect {times} times")));
    }
}

/// The history claims every effect, and nothing but effects.
fn i3_history_agrees(facts: &Facts<'_>, bounded: bool, broken: &mut Broken) {
    let mut by_change: BTreeMap<_, Vec<&AuditRow>> = BTreeMap::new();
    for row in facts.history {
        by_change.entry(row.change_id).or_default().push(row);
    }
    let none = Vec::new();
    let claims = |row: &&&AuditRow| {
        let outcome = row.kind == AuditKind::Outcome
            && (row.status == ChangeStatus::Completed || row.reason == Some(Reason::Conflict));
        let resolved = row.kind == AuditKind::Resolved && row.status == ChangeStatus::Completed;
        outcome || resolved || row.kind == AuditKind::Late
    };
    for effect in facts.effects {
        let Some((id, attempt)) = effect.change else { continue };
        let rows = by_change.get(&id).unwrap_or(&none);
        let intent = rows.iter().find(|r| r.kind == AuditKind::Intent && r.attempt == attempt);
        if intent.is_none_or(|row| row.to_value != effect.after) {
            broken.push((I3, format!("{id}#{attempt} set {}, its intent is {intent:?}", effect.after)));
        }
        // Beyond the promise it may be told of another attempt of the change.
        let told = rows.iter().filter(|r| !bounded || r.attempt == attempt).filter(claims).count();
        if told == 0 {
            broken.push((I3, format!("{id}#{attempt} took effect, and the history denies it")));
        }
    }
    let ledger = facts.world.ledger();
    for row in facts.history {
        if row.kind != AuditKind::Outcome || row.status != ChangeStatus::Completed {
            continue;
        }
        let (id, attempt) = (row.change_id, row.attempt);
        let same =
            |change: (crate::execution::ChangeId, u32)| change.0 == id && (!bounded || change.1 == attempt);
        let took_effect = facts.effects.iter().filter_map(|e| e.change).any(same);
        let was_there = ledger.wire.get(&(facts.number, id, attempt)).is_some_and(|w| w.without_effect);
        if !took_effect && !was_there && !set_by_another_hand(facts, row) {
            broken.push((I3, format!("{id}#{attempt} is told to have taken effect, and had none")));
        }
    }
}

/// Whether a person set the very target so shortly before the verdict that the platform's log, read before the value and
/// behind it, could not say so. The value is the wanted one and counts as moved; whose hand it was cannot be told.
fn set_by_another_hand(facts: &Facts<'_>, row: &AuditRow) -> bool {
    let exact = facts.world.profile.store_ahead.is_zero();
    row.reason == Some(Reason::Reconciled)
        && facts.effects.iter().any(|effect| {
            effect.change.is_none()
                && (&effect.owner, effect.field, effect.after) == (&row.owner, row.field, row.to_value)
                && (!exact || effect.at <= row.at && row.at.since(effect.at) < UNLOGGED)
        })
}

/// No more changes in the rate's window than the policy allows an ad set, a campaign and the account.
fn i4_rate(facts: &Facts<'_>, broken: &mut Broken) {
    let policy = &facts.world.profile.policy;
    let window = Duration::from_millis(policy.rate_window_ms);
    let own = facts.own();
    for (last, (effect, wire)) in own.iter().enumerate() {
        let recent: Vec<_> = own[..=last].iter().filter(|(e, _)| effect.at.since(e.at) < window).collect();
        let budgets = recent.iter().filter(|(e, _)| {
            e.owner == effect.owner && e.field == ChangeField::Budget && e.owner.level == OwnerLevel::AdSet
        });
        let campaign = recent.iter().filter(|(_, w)| w.campaign == wire.campaign);
        for (what, count, most) in [
            ("the ad set", budgets.count(), policy.adset_budget_changes),
            ("the campaign", campaign.count(), policy.campaign_changes),
            ("the account", recent.len(), policy.account_changes),
        ] {
            if count as u64 > u64::from(most) {
                broken.push((
                    I4,
                    format!("{count} changes of {what} of {} in an hour, not {most}", effect.owner),
                ));
                return;
            }
        }
    }
}

/// After a raise of ours the account's daily total is within its cap, where nobody else edits.
fn i9_total(facts: &Facts<'_>, broken: &mut Broken) {
    let tenant = facts.tenant();
    let cap = facts.world.ledger().limits[facts.number].as_ref().and_then(|l| l.total_daily_minor);
    let Some(cap) = cap.filter(|_| tenant.calm) else { return };
    let daily = || tenant.objects.iter().filter(|o| !o.lifetime);
    let mut budgets = BTreeMap::new();
    let mut statuses = BTreeMap::new();
    for object in daily() {
        let first = |field| {
            let of = |e: &&PlatformEffect| e.owner == object.owner && e.field == field;
            let before = facts.effects.iter().find(of).map(|e| e.before);
            before.or_else(|| tenant.value(&object.owner, field)).unwrap_or(0)
        };
        budgets.insert(&object.owner, first(ChangeField::Budget));
        statuses.insert(&object.owner, first(ChangeField::Status));
    }
    for effect in facts.effects {
        match effect.field {
            ChangeField::Budget => budgets.insert(&effect.owner, effect.after),
            ChangeField::Status => statuses.insert(&effect.owner, effect.after),
            ChangeField::Bid => continue,
        };
        let on = |owner: &&Owner| statuses.get(*owner) == Some(&DeliveryStatus::Active.code());
        let total: i64 = budgets.iter().filter(|(owner, _)| on(owner)).map(|(_, budget)| budget).sum();
        let raise = effect.after > effect.before && on(&&effect.owner);
        if raise && total > cap {
            broken.push((I9, format!("{total} a day is over the cap {cap} after {effect:?}")));
            return;
        }
    }
}

/// While a switch is on, at most one request of each owner lands: the one that was on its way.
fn i10_at_most_one(facts: &Facts<'_>, broken: &mut Broken) {
    let ledger = facts.world.ledger();
    for period in &ledger.kills {
        let mut landed: BTreeMap<&Owner, u32> = BTreeMap::new();
        let off = period.off.unwrap_or(Timestamp::from_micros(i64::MAX));
        let during = facts.effects.iter().filter(|e| e.change.is_some() && period.on < e.at && e.at < off);
        for effect in during.filter(|e| period.covers(facts.number, &facts.tenant().account, &e.owner)) {
            *landed.entry(&effect.owner).or_default() += 1;
        }
        if let Some((owner, times)) = landed.into_iter().find(|(_, times)| *times > 1) {
            broken.push((I10, format!("{times} changes of {owner} landed under {:?}", period.scope)));
        }
    }
}

/// What holds a tenant's changes back is its own trouble.
fn i15_isolation(facts: &Facts<'_>, broken: &mut Broken) {
    let trouble = facts.tenant().trouble();
    for (reason, own) in [
        (Reason::Unauthorized, trouble.had_dead_token),
        (Reason::Throttled, trouble.had_throttle),
        (Reason::Unreachable, trouble.had_unreadable),
        (Reason::KillSwitch, trouble.had_kill),
    ] {
        if !own && let Some(row) = facts.history.iter().find(|r| r.reason == Some(reason)) {
            broken.push((I15, format!("{} is {reason}, which is another tenant's trouble", row.change_id)));
        }
    }
}
