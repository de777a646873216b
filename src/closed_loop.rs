//! The loop that joins everything: CRM events, revenue, attribution, allocation, guarded budget change.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::ads::{Owner, OwnerLevel};
use xynergy_core::{Currency, Error, ErrorKind, Minor, Result, Timestamp};

use crate::allocation::{AdEvidence, Allocation, AllocationRequest, Constraints, DEFAULT_DRAWS, OwnerBudget};
use crate::attribution::AdParents;
use crate::execution::{AccountLimits, AdChange, propose};
use crate::inbox::Processed;
use crate::scope::Scope;

const OPERATION: &str = "closed_loop";

/// Deals that are read from the CRM at once.
const DEALS: usize = 100;

/// An ad account as the loop sees it: its ads with what they brought, and the bounds of its budgets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdAccount {
    /// The ad platform's id of the account.
    pub account_id: String,
    /// The currency of every amount.
    pub currency: Currency,
    /// The ads whose owners' budgets are to be allocated.
    pub ads: Vec<Ad>,
    /// The bounds of the next budgets, in minor units a day.
    pub constraints: Constraints,
}

/// An ad with its figures over one period, the same for all ads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ad {
    /// The ad.
    pub ad_id: String,
    /// Its ad set.
    pub adset_id: String,
    /// Its campaign.
    pub campaign_id: String,
    /// Which of the two owns its budget.
    pub level: OwnerLevel,
    /// Whether it may be delivered; one that may not gets no share.
    pub active: bool,
    /// How often it was shown.
    pub impressions: i64,
    /// How often it was clicked.
    pub clicks: i64,
    /// What it cost, in minor units.
    pub spend_minor: Minor,
}

impl Ad {
    /// The object whose budget it draws on.
    pub fn owner(&self) -> Owner {
        let id = match self.level {
            OwnerLevel::AdSet => &self.adset_id,
            OwnerLevel::Campaign => &self.campaign_id,
        };
        Owner { level: self.level, id: id.clone() }
    }
}

/// What one [`tick`](ClosedLoop::tick) did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tick {
    /// Deals that were worked on.
    pub deals: usize,
    /// The budgets that are proposed.
    pub allocation: Allocation,
    /// Steps of budget changes that were done.
    pub steps: usize,
    /// When there is something to do again; nothing is when `None`.
    pub next_due: Option<Timestamp>,
}

/// The loop of one tenant over one ad account.
#[derive(Clone, Copy, Debug)]
pub struct ClosedLoop<'a> {
    scope: &'a Scope,
    account: &'a AdAccount,
}

impl Scope {
    /// The loop over an ad account.
    pub fn closed_loop<'a>(&'a self, account: &'a AdAccount) -> ClosedLoop<'a> {
        ClosedLoop { scope: self, account }
    }
}

impl ClosedLoop<'_> {
    /// Does everything that there is to do now: books the deals behind new events, draws the next budgets, queues the
    /// changes, and does every step that is due. For a scheduler, or a function that scales to zero: call it again at
    /// `next_due`, and with another `allocation_id` when the next allocation is wanted.
    ///
    /// Cancel safety: what was done stays done; calling it again with the same id goes on from there.
    ///
    /// # Errors
    /// Those of the CRM, the ad platform's reads and the store, and [`InvalidInput`](ErrorKind::InvalidInput) for an account
    /// that contradicts itself or the platform. What becomes of a change is no error: its row says it.
    pub async fn tick(&self, allocation_id: &str, seed: u64) -> Result<Tick> {
        let mut deals = 0;
        loop {
            let processed = self.process_deals(DEALS).await?;
            if processed.is_idle() {
                break;
            }
            deals += usize::try_from(processed.deals).unwrap_or(usize::MAX);
        }
        let allocation = self.allocate(allocation_id, seed).await?;
        let execution = self.scope.execution();
        execution.queue_ramped(self.changes(allocation_id, &allocation).await?).await?;
        let mut steps = 0;
        while execution.run_once().await?.is_some() {
            steps += 1;
        }
        Ok(Tick { deals, allocation, steps, next_due: execution.next_due().await? })
    }

    /// Works on at most `limit` deals that have new events, and says how many were booked; see
    /// [`Hubspot::process`](crate::hubspot::Hubspot::process).
    pub async fn process(&self, limit: usize) -> Result<usize> {
        Ok(usize::try_from(self.process_deals(limit).await?.deals).unwrap_or(usize::MAX))
    }

    async fn process_deals(&self, limit: usize) -> Result<Processed> {
        let parents = |ad: &Ad| AdParents {
            adset_id: Some(ad.adset_id.clone()),
            campaign_id: Some(ad.campaign_id.clone()),
        };
        let ads = self.account.ads.iter().map(|ad| (ad.ad_id.clone(), parents(ad))).collect();
        self.scope.hubspot().process(&ads, limit).await
    }

    /// Draws the next budgets from the live ones, the ads' figures and the deals behind them, and stores them. The same id
    /// gives what was stored, without reading or drawing again.
    pub async fn allocate(&self, allocation_id: &str, seed: u64) -> Result<Allocation> {
        let allocation = self.scope.allocation();
        match allocation.get(allocation_id).await? {
            Some(stored) => Ok(stored),
            None => allocation.select(allocation_id, &self.request(seed).await?).await,
        }
    }

    /// The changes that an allocation asks for. The account's constraints become the limits that the guards keep.
    pub async fn changes(&self, allocation_id: &str, allocation: &Allocation) -> Result<Vec<AdChange>> {
        let AdAccount { account_id, currency, ads, constraints } = self.account;
        let limits = AccountLimits {
            currency: *currency,
            total_daily_minor: Some(constraints.total_daily_minor),
            min_minor: Some(constraints.min_minor),
            max_minor: Some(constraints.max_minor),
        };
        self.scope.execution().set_limits(account_id, &limits).await?;
        let campaigns = ads.iter().map(|ad| (ad.owner().id, ad.campaign_id.clone())).collect();
        propose(allocation_id, account_id, *currency, allocation, &campaigns)
    }

    async fn request(&self, seed: u64) -> Result<AllocationRequest> {
        let AdAccount { account_id, currency, ads, constraints } = self.account;
        let pipeline = self.scope.allocation().pipeline().await?;
        let live: BTreeMap<_, _> = self
            .scope
            .execution()
            .owners(account_id)
            .await?
            .into_iter()
            .map(|state| (state.owner.clone(), state))
            .collect();
        let mut owners: BTreeMap<Owner, Vec<AdEvidence>> = BTreeMap::new();
        for ad in ads {
            let pipeline = pipeline.get(&ad.ad_id).copied().unwrap_or_default();
            owners.entry(ad.owner()).or_default().push(AdEvidence {
                ad_id: ad.ad_id.clone(),
                active: ad.active,
                impressions: ad.impressions,
                clicks: ad.clicks,
                spend_minor: ad.spend_minor,
                deals: pipeline.deals,
                value_minor: pipeline.value_minor,
                ..AdEvidence::default()
            });
        }
        let owners = owners
            .into_iter()
            .map(|(owner, ads)| {
                let current = live.get(&owner).and_then(|state| state.daily_budget_minor);
                let current_minor = current.ok_or_else(|| {
                    Error::new(
                        ErrorKind::NotFound,
                        OPERATION,
                        format!("the ad platform shows no daily budget at {owner} in account {account_id}: set its ads' level to where the budget sits"),
                    )
                })?;
                Ok(OwnerBudget::new(owner.id, owner.level, current_minor, ads))
            })
            .collect::<Result<_>>()?;
        Ok(AllocationRequest {
            currency: *currency,
            owners,
            constraints: constraints.clone(),
            seed,
            draws: DEFAULT_DRAWS,
            sampler: None,
        })
    }
}
