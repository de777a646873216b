use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::Currency;
use xynergy::allocation::{Allocation, AllocationRequest, Pipeline};
use xynergy::execution::{AdChange, propose};

use super::{Nothing, methods};

methods! {
    /// What the deals behind each ad are worth now, by ad: the evidence of the later return.
    "allocation.pipeline"() Value Nothing => BTreeMap<String, Pipeline> =
        |session, _: Nothing| async move { session.scope.allocation().pipeline().await };

    /// Draws the next budgets and stores them under `allocation_id` with their reasons and propensities. The same id gives the
    /// stored allocation again, whatever the request.
    "allocation.select"(allocation_id, request) Value SelectArguments => Allocation = |session, arguments: SelectArguments| async move {
        session.scope.allocation().select(&arguments.allocation_id, &arguments.request).await
    };

    /// A stored allocation; null when there is none.
    "allocation.get"(allocation_id) Value GetArguments => Option<Allocation> = |session, arguments: GetArguments| async move {
        session.scope.allocation().get(&arguments.allocation_id).await
    };

    /// The changes that an allocation asks for: one for each owner whose budget moves, with an id that follows from the allocation's,
    /// so that asking again queues nothing twice. `campaigns` has the campaign of each owner.
    "allocation.propose"(allocation_id, account_id, currency, allocation, campaigns) Value ProposeArguments => Vec<AdChange> =
        |_, a: ProposeArguments| async move {
            propose(&a.allocation_id, &a.account_id, a.currency, &a.allocation, &a.campaigns)
        };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelectArguments {
    /// Names the allocation.
    allocation_id: String,
    /// The evidence, the bounds and the seed.
    request: AllocationRequest,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetArguments {
    /// Names the allocation.
    allocation_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProposeArguments {
    /// Names the allocation.
    allocation_id: String,
    /// The ad account.
    account_id: String,
    /// The account's currency.
    currency: Currency,
    /// The allocation.
    allocation: Allocation,
    /// The campaign of each owner, by owner id.
    campaigns: BTreeMap<String, String>,
}
