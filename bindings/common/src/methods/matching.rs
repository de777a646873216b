use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::attribution::{Explanation, ReceiptCheck, Trained};

use super::methods;

methods! {
    /// Learns how probable matches are from the tenant's own clicks and deals: weights without labels, and calibration on deals whose
    /// click is known by its id and hidden on purpose. Returns what choosing by probability brings over choosing by tier. `least_masked`
    /// is how many deals with a known click it takes: 200 by default.
    "attribution.train"(least_masked) Value TrainArguments => Trained = |session, arguments: TrainArguments| async move {
        let least = arguments.least_masked.map(|least| usize::try_from(least).unwrap_or(usize::MAX));
        session.scope.attribution().train(least).await
    };

    /// Why a deal is attributed as it is: its receipt, checked and replayed, in words and as a picture (SVG).
    "attribution.explain"(deal_id) Value ExplainArguments => Explanation = |session, arguments: ExplainArguments| async move {
        session.scope.attribution().explain(&arguments.deal_id).await
    };

    /// Checks a receipt that was kept somewhere: one changed byte fails, and what it lists must lead to what it says.
    "attribution.verify_receipt"(receipt) Value ReceiptArguments => ReceiptCheck = |session, arguments: ReceiptArguments| async move {
        Ok(session.scope.attribution().verify_receipt(&arguments.receipt))
    };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainArguments {
    /// How many deals with a known click it takes.
    #[serde(default)]
    least_masked: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainArguments {
    /// The CRM's id of the deal.
    deal_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceiptArguments {
    /// The receipt of a match.
    receipt: String,
}
