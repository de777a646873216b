//! The next budgets, from what the ads brought.

mod learning;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use xynergy_attribution::sampler;
use xynergy_core::env::EventType;
use xynergy_core::store::DealRevenue;
use xynergy_core::{Error, ErrorKind, Minor, Result, Timestamp};

pub use xynergy_attribution::sampler::{
    AdEvidence, AdObservation, AdPrior, AdShare, AdState, Allocation, AllocationLogRow, AllocationRequest,
    BestProbability, BetaAd, BetaPrior, ClickThrough, Constraints, DAYS_THAT_COUNT, DEFAULT_DRAWS, Day,
    DayFigures, DealFeedback, DealOutcome, DealRecord, GroupLimit, Millionths, OwnerAllocation, OwnerBudget,
    PosteriorSummary, Posteriors, Ratio, ReturnOnSpend, ReturnPrior, SamplerEvent, SamplerOptions,
    SamplerState, ScoringMethod, ShareBy, allocate, allocate_from, log_rows, posteriors, probability_best,
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

    /// Computes the next budgets and stores them under `allocation_id` with their reasons and propensities: from the figures in the
    /// request, or with [`sampler`](AllocationRequest::sampler) from what was observed and fed back.
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
        let allocation = match &request.sampler {
            None => sampler::allocate(request)?,
            Some(options) => {
                let request = AllocationRequest { sampler: Some(self.dated(options)), ..request.clone() };
                sampler::allocate_from(&request, &self.state().await?)?
            }
        };
        let decided = Decided { decided_at: self.now(), allocation };
        let text = serde_json::to_string(&decided).map_err(|e| {
            Error::new(ErrorKind::Unexpected, OPERATION, "the allocation cannot be stored").with_source(e)
        })?;
        let state = &self.0.stores().await?.state;
        match state.put(self.0.tenant(), COLLECTION, allocation_id, Some(0), &text).await {
            Ok(_) => {
                let allocation = decided.allocation;
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
        Ok(stored
            .map(|document| Decided::read(&document.value))
            .transpose()?
            .map(|decided| decided.allocation))
    }

    /// What every stored allocation did with every ad that ran, with its propensities: what the evaluation of another policy needs
    /// beside the rewards. By allocation id, owner and ad; with `since`, of allocations made then or later.
    ///
    /// # Errors
    /// Those of the store, and [`Corrupt`](ErrorKind::Corrupt).
    pub async fn log(&self, since: Option<Timestamp>) -> Result<Vec<AllocationLogRow>> {
        let mut rows = Vec::new();
        for (decision_id, document) in self.0.stores().await?.state.list(self.0.tenant(), COLLECTION).await? {
            let Decided { decided_at, allocation } = Decided::read(&document.value)?;
            if since.is_none_or(|since| decided_at >= since) {
                rows.extend(log_rows(&decision_id, decided_at, &allocation));
            }
        }
        Ok(rows)
    }
}

/// A stored allocation.
#[derive(Debug, Serialize, Deserialize)]
struct Decided {
    decided_at: Timestamp,
    allocation: Allocation,
}

impl Decided {
    fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|e| {
            Error::new(ErrorKind::Corrupt, OPERATION, "the stored allocation cannot be read").with_source(e)
        })
    }
}
