//! The next budgets, from what the ads brought.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use xynergy_attribution::sampler;
use xynergy_core::env::EventType;
use xynergy_core::store::DealRevenue;
use xynergy_core::{Error, ErrorKind, Minor, Result};

pub use xynergy_attribution::sampler::{
    AdEvidence, AdShare, Allocation, AllocationRequest, Constraints, DEFAULT_DRAWS, Millionths,
    OwnerAllocation, OwnerBudget, allocate,
};

use crate::scope::Scope;

const OPERATION: &str = "allocation.select";
const COLLECTION: &str = "allocations";

/// The allocation of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Allocations<'a>(pub(crate) &'a Scope);

/// What the deals of an ad are expected to bring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pipeline {
    /// Deals, lost ones included.
    pub deals: i64,
    /// What they are worth together, in minor units.
    pub value_minor: Minor,
}

impl Scope {
    /// The next budgets.
    pub fn allocation(&self) -> Allocations<'_> {
        Allocations(self)
    }
}

impl Allocations<'_> {
    /// What the deals behind each ad are worth now, by ad: the evidence of the later return.
    pub async fn pipeline(&self) -> Result<BTreeMap<String, Pipeline>> {
        let mut by_ad: BTreeMap<String, Pipeline> = BTreeMap::new();
        for deal in self.0.stores().await?.revenue.deals(self.0.tenant()).await? {
            let DealRevenue { value_minor, matched, merged_into, .. } = deal;
            // A deal that was merged into another counts there.
            if let Some(found) = matched.found.filter(|_| merged_into.is_none()) {
                let pipeline = by_ad.entry(found.ad_id).or_default();
                pipeline.deals += 1;
                pipeline.value_minor = pipeline.value_minor.saturating_add(value_minor);
            }
        }
        Ok(by_ad)
    }

    /// Draws the next budgets and stores them under `allocation_id` with their reasons and propensities.
    ///
    /// The same id gives the stored allocation again, whatever the request: what was once proposed can be resumed, and
    /// can be evaluated later. Cancel safety: it is stored whole or not at all.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field of the request.
    pub async fn select(&self, allocation_id: &str, request: &AllocationRequest) -> Result<Allocation> {
        if let Some(stored) = self.get(allocation_id).await? {
            return Ok(stored);
        }
        let allocation = sampler::allocate(request)?;
        let text = serde_json::to_string(&allocation).map_err(|e| {
            Error::new(ErrorKind::Unexpected, OPERATION, "the allocation cannot be stored").with_source(e)
        })?;
        let state = &self.0.stores().await?.state;
        match state.put(self.0.tenant(), COLLECTION, allocation_id, Some(0), &text).await {
            Ok(_) => {
                self.0.ctx().emit(EventType::ALLOCATION_MADE, || {
                    serde_json::json!({
                        "allocation_id": allocation_id,
                        "owners": allocation.rows.len(),
                        "left_out": allocation.left_out.len(),
                        "total_minor": allocation.total_minor,
                        "proposed_total_minor": allocation.proposed_total_minor,
                    })
                });
                Ok(allocation)
            }
            // Another worker was first: its draw is the one that is queued.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                self.get(allocation_id).await?.ok_or_else(|| error.in_operation(OPERATION))
            }
            Err(error) => Err(error),
        }
    }

    /// A stored allocation.
    pub async fn get(&self, allocation_id: &str) -> Result<Option<Allocation>> {
        let stored = self.0.stores().await?.state.get(self.0.tenant(), COLLECTION, allocation_id).await?;
        stored.map(|document| serde_json::from_str(&document.value)).transpose().map_err(|e| {
            Error::new(ErrorKind::Corrupt, OPERATION, "the stored allocation cannot be read").with_source(e)
        })
    }
}
