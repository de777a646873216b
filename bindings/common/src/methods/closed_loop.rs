use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::allocation::Allocation;
use xynergy::closed_loop::{AdAccount, Tick};
use xynergy::execution::AdChange;

use super::methods;

methods! {
    /// Does everything that there is to do now: books the deals behind new events, draws the next budgets, queues the changes,
    /// and does every step that is due. Call it again at `next_due`, and with another `allocation_id` when the next allocation is
    /// wanted.
    "closed_loop.tick"(account, allocation_id, seed) Value DrawArguments => Tick = |session, a: DrawArguments| async move {
        session.scope.closed_loop(&a.account).tick(&a.allocation_id, a.seed).await
    };

    /// Works on at most `limit` deals that have new events, and returns how many it was.
    "closed_loop.process"(account, limit) Value LimitedArguments => u64 = |session, a: LimitedArguments| async move {
        let limit = usize::try_from(a.limit.unwrap_or(100)).unwrap_or(usize::MAX);
        session.scope.closed_loop(&a.account).process(limit).await.map(|done| done as u64)
    };

    /// Draws the next budgets from the live ones, the ads' figures and the deals behind them, and stores them.
    "closed_loop.allocate"(account, allocation_id, seed) Value DrawArguments => Allocation = |session, a: DrawArguments| async move {
        session.scope.closed_loop(&a.account).allocate(&a.allocation_id, a.seed).await
    };

    /// The changes that an allocation asks for. The account's constraints become the limits that the guards keep.
    "closed_loop.changes"(account, allocation_id, allocation) Value ChangesArguments => Vec<AdChange> =
        |session, a: ChangesArguments| async move {
            session.scope.closed_loop(&a.account).changes(&a.allocation_id, &a.allocation).await
        };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrawArguments {
    /// The ad account.
    account: AdAccount,
    /// Names the allocation: the same id never draws again.
    allocation_id: String,
    /// The seed of the draw.
    seed: u64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitedArguments {
    /// The ad account.
    account: AdAccount,
    /// At most so many deals; 100 when absent.
    #[serde(default)]
    limit: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangesArguments {
    /// The ad account.
    account: AdAccount,
    /// Names the allocation.
    allocation_id: String,
    /// The allocation.
    allocation: Allocation,
}
