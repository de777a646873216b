use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::crash::{Work, gated, wait};
use super::gate::Gate;
use super::world::{ACCOUNT, World};
use crate::ads::{ChangeField, Owner, WriteFault};
use crate::execution::machine::CallTime;
use crate::execution::{ChangeRow, ChangeStatus, Policy, Reason};
use crate::store::ChangeStore;

const HOUR: Duration = Duration::from_secs(3_600);
const BEFORE: i64 = 1_000;
const TARGET: i64 = 1_100;
const EDITED: i64 = 1_050;

/// What a person does between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    /// Sets another value.
    Away,
    /// Sets another value, and the one before again.
    AwayAndBack,
    /// Sets the very value that the change is about to set.
    ToTarget,
}

/// Lets a person edit the object between every two steps of a change: at every place where its worker waits, one after
/// the other. No change takes effect twice, what waits for the object ends by the edit, and the edit counts as movement.
/// The places by name, with how often each was found.
///
/// # Panics
/// At the first place after which one of these does not hold.
pub async fn executor_edits(store: &Arc<dyn ChangeStore>) -> BTreeMap<&'static str, usize> {
    let mut places = BTreeMap::new();
    for edit in [Edit::Away, Edit::AwayAndBack, Edit::ToTarget] {
        for work in [Work::Apply, Work::Reconcile(true), Work::Reconcile(false)] {
            for point in 0.. {
                let name = format!("edit-{point}-{}-{edit:?}", work.name()).to_lowercase();
                let world = World::new(store, &name, Policy::standard());
                match edited(&world, store, work, edit, point).await {
                    Some(place) => *places.entry(place).or_insert(0) += 1,
                    None => break,
                }
            }
        }
    }
    places
}

/// One run with an edit at one place; which one it was.
async fn edited(
    world: &World,
    store: &Arc<dyn ChangeStore>,
    work: Work,
    edit: Edit,
    point: usize,
) -> Option<&'static str> {
    // Two decisions are waiting: the second one was made on what the first one leads to.
    world.queue(vec![world.change("first", "s1", BEFORE, TARGET)]).await;
    let lost = match work {
        Work::Apply => None,
        Work::Reconcile(true) => Some(WriteFault::LostAfter),
        Work::Reconcile(false) => Some(WriteFault::LostBefore),
    };
    if lost.is_some() {
        world.platform.fault_writes([lost.clone()]);
        world.step().await;
        world.queue(vec![world.change("next", "s1", TARGET, TARGET + 50)]).await;
    }
    let due = world.executor.next_due(&world.ctx).await.unwrap().unwrap();
    world.clock.set(due.max(world.now()));
    if lost.is_some() {
        // The next one is due, and waits for the first one.
        let unknown = world.get("first").await.due_at.unwrap();
        world.clock.set(unknown.max(world.now()));
    }
    let gate = Gate::new(point);
    let worker = gated(world, store, &gate, Policy::standard());
    let ctx = world.ctx.clone();
    let step = tokio::spawn(async move { worker.run_once(&ctx).await });
    let place = tokio::select! {
        biased;
        place = gate.stopped() => place,
        () = wait(&step) => return None,
    };
    let shown = world.budget("s1");
    let set = |value| world.platform.edit(&Owner::ad_set("s1"), ChangeField::Budget, value, world.now());
    match edit {
        Edit::Away => set(EDITED),
        Edit::AwayAndBack => {
            set(EDITED);
            set(shown);
        }
        Edit::ToTarget => set(TARGET),
    }
    gate.release();
    step.await.unwrap().unwrap();
    if lost.is_none() {
        world.queue(vec![world.change("next", "s1", TARGET, TARGET + 50)]).await;
    }
    world.run(HOUR).await;
    let context = format!("{work:?}, {edit:?} {place}");
    judged(world, store, edit, &context).await;
    Some(place)
}

async fn judged(world: &World, store: &Arc<dyn ChangeStore>, edit: Edit, context: &str) {
    let (first, next) = (world.get("first").await, world.get("next").await);
    for row in [&first, &next] {
        assert!(row.is_over(), "{context}: {row:?}");
        ended_by_an_edit_or_well(world, row, context);
    }
    let landed = world.platform.effects().iter().any(|e| e.change == Some((first.change.id, first.attempt)));
    if edit == Edit::Away && !landed {
        let yields = matches!(next.reason, Some(Reason::Edited | Reason::Drifted));
        assert!(yields, "{context}: it was decided on what never came about: {next:?}");
    }
    world.at_rest().await;
    // A last reading finds what nobody has read yet: from the value at the start, the movements lead to the live one.
    let live = world.budget("s1");
    world.queue(vec![world.change("last", "s1", live, live + live / 5)]).await;
    world.run(Duration::from_secs(60)).await;
    let last = world.get("last").await;
    let at = CallTime::of(&*world.ctx.env.clock);
    let view = store.view(&world.ctx.tenant, &last.change, at, &Policy::standard()).await.unwrap();
    let moves: Vec<_> = view.movements.iter().filter(|m| m.owner == Owner::ad_set("s1")).collect();
    let net: i64 = moves.iter().map(|m| m.to - m.from).sum();
    assert_eq!(net, world.budget("s1") - BEFORE, "{context}: an edit is not counted: {moves:?}");
    if live != BEFORE {
        assert_eq!(
            last.reason,
            Some(Reason::Velocity),
            "{context}: what moved before leaves no room: {last:?}"
        );
    }
    assert!(view.movements.iter().all(|m| m.field == ChangeField::Budget));
    assert_eq!(last.change.account_id, ACCOUNT);
}

/// A change is completed, once; or the edit ended it; or nobody can tell and a person has to look.
fn ended_by_an_edit_or_well(world: &World, row: &ChangeRow, context: &str) {
    let effects = world.platform.effects();
    let of_change = effects.iter().filter(|e| e.change.is_some_and(|(id, _)| id == row.change.id)).count();
    assert!(of_change <= 1, "{context}: it took effect {of_change} times: {row:?}");
    let edited = matches!(row.reason, Some(Reason::Edited | Reason::Drifted | Reason::Conflict));
    let well = row.status == ChangeStatus::Completed;
    assert!(well || (edited && row.status == ChangeStatus::Blocked), "{context}: {row:?}");
}
