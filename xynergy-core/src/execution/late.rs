//! The search for requests that landed after the verdict that they had not.

use std::collections::BTreeMap;
use std::time::Duration;

use super::attempt::Parts;
use super::change::AdChange;
use super::machine::{AccountView, Action, CallTime};
use crate::ads::{Activity, Owner};
use crate::ctx::Ctx;
use crate::env::Timestamp;
use crate::error::Result;
use crate::store::WatchedAttempt;

/// The time may go on between two looks.
const MARGIN: Duration = Duration::from_secs(3_600);

/// How many were found. The platform's log tells: it has more edits of ours to the value than changes that are known
/// to have made them. A platform without such a log, or away, tells nothing.
pub(super) async fn search(parts: &Parts, ctx: &Ctx) -> Result<u64> {
    let at = CallTime::of(&*ctx.env.clock);
    // A worker whose clock is ahead must not look past what is watched.
    let now = parts.store.high_water(&ctx.tenant).await?.map_or(at.now, |seen| seen.min(at.now));
    let since = now.minus(Duration::from_millis(parts.policy.late_watch_ms));
    let mut by_owner: BTreeMap<(String, Owner), Vec<WatchedAttempt>> = BTreeMap::new();
    for watched in parts.store.watched(&ctx.tenant, since).await? {
        let change = &watched.row.change;
        by_owner.entry((change.account_id.clone(), change.owner.clone())).or_default().push(watched);
    }
    let mut late = 0;
    for ((account_id, owner), attempts) in by_owner {
        let skew = Duration::from_millis(parts.policy.clock_skew_ms);
        let Some(earliest) = attempts.iter().map(|a| a.intent_at.minus(skew)).min() else { continue };
        let Ok(activities) = parts.platform.activities(ctx, &account_id, &owner, earliest).await else {
            continue;
        };
        for watched in attempts {
            if landed(parts, ctx, &watched, &activities).await? {
                let detail = "the platform's log of edits shows it after the verdict".to_owned();
                let action = Action::Late { attempt: watched.attempt, detail };
                late += u64::from(parts.transition(ctx, watched.row.change.id, action).await?.moved);
            }
        }
    }
    Ok(late)
}

async fn landed(parts: &Parts, ctx: &Ctx, watched: &WatchedAttempt, activities: &[Activity]) -> Result<bool> {
    let (change, Some(value)) = (&watched.row.change, watched.row.sent_value) else { return Ok(false) };
    let since = watched.intent_at.minus(Duration::from_millis(parts.policy.clock_skew_ms));
    let shown = activities
        .iter()
        .filter(|a| a.own && a.field == change.field && a.after == Some(value) && a.at >= since)
        .count();
    if shown == 0 {
        return Ok(false);
    }
    // Every other request of ours that set this value since then, and every one that may be about to.
    let view = view_since(parts, ctx, change, since).await?;
    let accounted = view.movements.iter().filter(|m| {
        let other = m.own.is_some_and(|own| own != (change.id, watched.attempt));
        other && m.owner == change.owner && m.field == change.field && m.to == value && m.at >= since
    });
    Ok(shown > accounted.count())
}

/// The account with all that moved since then: the store's time, from which it looks back, may be far ahead of what is watched.
async fn view_since(parts: &Parts, ctx: &Ctx, change: &AdChange, since: Timestamp) -> Result<AccountView> {
    let mut policy = parts.policy;
    loop {
        let view = parts.store.view(&ctx.tenant, change, CallTime::of(&*ctx.env.clock), &policy).await?;
        let back = view.now.since(since);
        if back < policy.longest_window() {
            return Ok(view);
        }
        policy.velocity_window_ms = u64::try_from((back + MARGIN).as_millis()).unwrap_or(u64::MAX);
    }
}
