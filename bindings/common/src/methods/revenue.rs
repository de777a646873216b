use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::Timestamp;
use xynergy::attribution::{AdSpend, Roas, RoasDimension, ShownValues, StageTable, StageWorth};

use super::methods;

methods! {
    /// What a deal in `stage_to` is worth and what its move there changes, by the values that hold now. `amount` is in major
    /// units of `currency`, as decimal text.
    "attribution.synthetic_revenue"(stage_to, stage_from, pipeline, amount, currency) Value SyntheticArguments => StageWorth =
        |session, a: SyntheticArguments| async move {
            let attribution = session.scope.attribution();
            let (from, pipeline) = (a.stage_from.as_deref(), a.pipeline.as_deref());
            attribution.synthetic_revenue(&a.stage_to, from, pipeline, a.amount.as_deref(), a.currency.as_deref()).await
        };

    /// Learns the stages' values from the events up to `cut` and applies them from there on: every deal gets an entry of its own
    /// at the cut, with the next `hubspot.process`. Late events before the cut are learned from as if they had been there.
    "attribution.revalue"(cut) Value RevalueArguments => StageTable =
        |session, a: RevalueArguments| async move { session.scope.attribution().revalue(a.cut).await };

    /// What the stages would be worth if they were valued by the events up to `cut`, which is now when absent: configured,
    /// learned, and by age from 200 closed deals on. Nothing is stored.
    "attribution.stage_values"(cut) Value CutArguments => StageTable =
        |session, a: CutArguments| async move { session.scope.attribution().stage_values(a.cut).await };

    /// The same for people: a table as text and a picture (SVG).
    "attribution.show_values"(cut) Value CutArguments => ShownValues =
        |session, a: CutArguments| async move { session.scope.attribution().show_values(a.cut).await };

    /// What the ads brought beside what they cost, with an interval of 95 %: of the deals that converted from `since` on and
    /// before `until`. `spend` is what is known of the cost, over the same time.
    "attribution.roas"(by, spend, since, until) Value RoasArguments => Roas = |session, a: RoasArguments| async move {
        session.scope.attribution().roas(a.by, &a.spend, a.since, a.until).await
    };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyntheticArguments {
    /// The CRM's id of the stage after the move.
    stage_to: String,
    /// The stage before it; none for a new deal.
    #[serde(default)]
    stage_from: Option<String>,
    /// The CRM's id of the pipeline.
    #[serde(default)]
    pipeline: Option<String>,
    /// The deal's amount in major units, as decimal text.
    #[serde(default)]
    amount: Option<String>,
    /// The amount's currency; that of the configuration when absent.
    #[serde(default)]
    currency: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevalueArguments {
    /// Events up to this time count.
    cut: Timestamp,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CutArguments {
    /// Events up to this time count; now when absent.
    #[serde(default)]
    cut: Option<Timestamp>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoasArguments {
    /// By what.
    by: RoasDimension,
    /// What the ads cost.
    #[serde(default)]
    spend: Vec<AdSpend>,
    /// Deals that converted at this time or later.
    #[serde(default)]
    since: Option<Timestamp>,
    /// Deals that converted before this time.
    #[serde(default)]
    until: Option<Timestamp>,
}
