use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::approval::plan_digest;
use super::change::{AdChange, ChangeRow, Direction, Movement, Reason};
use super::execute::Executor;
use super::guard::{self, GuardInput, Verdict};
use crate::ads::{AdWrite, ChangeField, OwnerState};
use crate::ctx::Ctx;
use crate::env::Timestamp;
use crate::error::{ErrorKind, Result};
use crate::execution::guard::RecentChanges;
use crate::execution::machine::{AccountView, CallTime};

/// What would become of changes if they were applied now. Nothing is written, here or on the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// One for each change, in the given order.
    pub changes: Vec<PlannedChange>,
    /// What these changes are approved by once they are queued: 64 hex digits, the same for the same changes in any order.
    pub digest: String,
}

/// What would become of one change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedChange {
    /// The change.
    pub change: AdChange,
    /// The verdict.
    pub outcome: PlannedOutcome,
}

/// The verdict on a planned change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum PlannedOutcome {
    /// It would be blocked.
    Blocked {
        /// Why.
        reason: Reason,
        /// Until when; `None` when waiting would not help.
        retry_at: Option<Timestamp>,
    },
    /// The platform says that it would refuse it.
    Refused {
        /// The platform's words.
        message: String,
    },
    /// It would be sent.
    Sent {
        /// The live value.
        from: i64,
        /// The final value.
        value: i64,
    },
}

impl Executor {
    /// Decides every change against the live values, cuts before raises as they would run, each in the light of
    /// those before it. With `ask_platform` the platform validates what would be sent.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a change that no platform could execute and for two changes of one id, and those of the store
    /// and of reading the platform; an object that does not exist is a blocked change, not an error.
    pub async fn plan(&self, ctx: &Ctx, changes: &[AdChange], ask_platform: bool) -> Result<Plan> {
        changes.iter().try_for_each(AdChange::validate)?;
        let digest = plan_digest(changes)?;
        let mut accounts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, change) in changes.iter().enumerate() {
            accounts.entry(&change.account_id).or_default().push(index);
        }
        let mut outcomes: BTreeMap<usize, PlannedOutcome> = BTreeMap::new();
        for (account_id, mut indices) in accounts {
            indices.sort_by_key(|i| changes[*i].direction() == Direction::Raise);
            let rehearsal =
                Rehearsal::start(self, ctx, account_id, indices.iter().map(|i| &changes[*i])).await?;
            rehearsal.run(ctx, &indices, &mut outcomes, ask_platform).await?;
        }
        let changes = changes
            .iter()
            .enumerate()
            .filter_map(|(i, change)| {
                Some(PlannedChange { change: change.clone(), outcome: outcomes.remove(&i)? })
            })
            .collect();
        Ok(Plan { changes, digest })
    }
}

/// One account's changes played through in memory.
struct Rehearsal<'a> {
    executor: &'a Executor,
    /// The account as read, and as it would be after the changes that were decided.
    owners: Option<Vec<OwnerState>>,
    /// Those still to be decided, in their order.
    waiting: Vec<ChangeRow>,
    /// What the changes that were decided would add to the windows.
    movements: Vec<Movement>,
    now: Timestamp,
}

impl<'a> Rehearsal<'a> {
    async fn start(
        executor: &'a Executor,
        ctx: &Ctx,
        account_id: &str,
        changes: impl Iterator<Item = &AdChange>,
    ) -> Result<Self> {
        let (store, platform, policy, _) = executor.dry();
        let rules = store.rules(&ctx.tenant, account_id, CallTime::of(&*ctx.env.clock)).await?;
        let owners = match rules.limits.and_then(|l| l.total_daily_minor) {
            Some(_) => Some(platform.owners(ctx, account_id).await?),
            None => None,
        };
        let now = rules.now;
        let expires = now.plus(std::time::Duration::from_millis(policy.expires_after_ms));
        let waiting = changes.map(|c| ChangeRow::queued(c.clone(), now, now, expires)).collect();
        Ok(Self { executor, owners, waiting, movements: Vec::new(), now })
    }

    async fn run(
        mut self,
        ctx: &Ctx,
        indices: &[usize],
        outcomes: &mut BTreeMap<usize, PlannedOutcome>,
        ask_platform: bool,
    ) -> Result<()> {
        for index in indices {
            let row = self.waiting.remove(0);
            let mut outcome = self.decide(ctx, &row).await?;
            if let (PlannedOutcome::Sent { value, .. }, true) = (&outcome, ask_platform) {
                let write = AdWrite {
                    owner: row.change.owner.clone(),
                    field: row.change.field,
                    value: *value,
                    change_id: row.change.id,
                    attempt: 1,
                };
                if let Err(failure) = self.executor.dry().1.validate(ctx, &write).await {
                    outcome = PlannedOutcome::Refused { message: failure.message };
                }
            }
            if let PlannedOutcome::Sent { from, value } = outcome {
                self.played(&row.change, from, value);
            }
            outcomes.insert(*index, outcome);
        }
        Ok(())
    }

    async fn decide(&self, ctx: &Ctx, row: &ChangeRow) -> Result<PlannedOutcome> {
        let (store, platform, policy, key) = self.executor.dry();
        let at = CallTime::of(&*ctx.env.clock);
        let view = store.view(&ctx.tenant, &row.change, at, policy).await?;
        let live = match platform.owner(ctx, &row.change.owner).await {
            Ok(live) => self.as_played(live),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(PlannedOutcome::Blocked { reason: Reason::WrongObject, retry_at: None });
            }
            Err(error) => return Err(error),
        };
        let input = self.input(row, view, live, key.fuzz(&row.change, policy));
        Ok(match guard::decide(&input, policy) {
            Verdict::Block { reason, retry_at } => PlannedOutcome::Blocked { reason, retry_at },
            Verdict::Send { from, value } => PlannedOutcome::Sent { from, value },
            Verdict::Wait => {
                let retry_at =
                    input.open.iter().filter(|o| o.change.owner == row.change.owner).find_map(|o| o.due_at);
                PlannedOutcome::Blocked { reason: Reason::InFlight, retry_at }
            }
        })
    }

    fn input(&self, row: &ChangeRow, view: AccountView, live: OwnerState, fuzz: i64) -> GuardInput {
        // A change that is queued already is planned as the one here, not beside it.
        let stored = view.open.into_iter().filter(|o| {
            o.change.id != row.change.id
                && (o.in_flight() || self.waiting.iter().all(|w| w.change.id != o.change.id))
        });
        GuardInput {
            now: self.now,
            snapshot_age: std::time::Duration::ZERO,
            read_at: self.now,
            killed: view.kills.iter().any(|k| k.covers(&row.change.account_id, &row.change.owner)),
            pauses: view.pauses,
            recent: RecentChanges {
                count: view
                    .recent
                    .count
                    .saturating_add(u32::try_from(self.movements.len()).unwrap_or(u32::MAX)),
                oldest: view.recent.oldest,
            },
            account: self.owners.clone(),
            fuzz,
            limits: view.limits,
            open: stored.chain(self.waiting.iter().cloned()).collect(),
            movements: view.movements.into_iter().chain(self.movements.iter().cloned()).collect(),
            row: row.clone(),
            live,
        }
    }

    /// The owner as it would be after the changes that were decided.
    fn as_played(&self, mut live: OwnerState) -> OwnerState {
        for movement in &self.movements {
            if movement.owner == live.owner {
                set(&mut live, movement.field, movement.to);
            }
        }
        live
    }

    fn played(&mut self, change: &AdChange, from: i64, value: i64) {
        if let Some(owner) = self.owners.iter_mut().flatten().find(|o| o.owner == change.owner) {
            set(owner, change.field, value);
        }
        self.movements.push(Movement {
            owner: change.owner.clone(),
            campaign_id: change.campaign_id.clone(),
            field: change.field,
            from,
            to: value,
            at: self.now,
            own: Some((change.id, 1)),
            open: false,
        });
    }
}

fn set(state: &mut OwnerState, field: ChangeField, value: i64) {
    use crate::ads::DeliveryStatus;
    match field {
        ChangeField::Bid => state.bid_minor = Some(value),
        ChangeField::Budget => state.daily_budget_minor = Some(value),
        ChangeField::Status if value == DeliveryStatus::Active.code() => {
            state.status = DeliveryStatus::Active;
        }
        ChangeField::Status => state.status = DeliveryStatus::Paused,
    }
}
