use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::ads::OwnerLevel;
use xynergy_core::{Currency, Minor, Result};

use super::millionths::Millionths;
use super::posterior::{Pool, Posterior};
use super::project::{Bounded, Projection, project};
use super::reason;
use super::request::{AdEvidence, AllocationRequest, Constraints, OwnerBudget};
use super::thompson::{Standing, standings};

/// The share that every active ad keeps, so that no ad stops teaching: 1 %, or half of an equal share where that is less.
const EXPLORATION: i64 = 10_000;

/// The budgets that the evidence speaks for, within the constraints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Allocation {
    /// One row an owner that has an active ad, by owner id.
    pub rows: Vec<OwnerAllocation>,
    /// The owners without an active ad, by id: their budgets stay, and are not part of the total.
    pub left_out: Vec<String>,
    /// The total that was asked for, in minor units.
    pub total_minor: Minor,
    /// What the proposed budgets sum to, in minor units. It differs from the total where steps and limits do not reach it.
    pub proposed_total_minor: Minor,
}

/// The budget of one owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnerAllocation {
    /// The ad set's or campaign's id.
    pub owner_id: String,
    /// Where the budget sits.
    pub level: OwnerLevel,
    /// The daily budget now, in minor units.
    pub current_minor: Minor,
    /// The proposed daily budget, in minor units.
    pub proposed_minor: Minor,
    /// The owner's ads, by id; one that does not run has no share.
    pub ads: Vec<AdShare>,
    /// Why, in words, for a person.
    pub reason: String,
}

/// What one ad's evidence contributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdShare {
    /// The ad's id.
    pub ad_id: String,
    /// Its part of the total before the constraints, exploration included. The shares of all ads sum to one.
    pub share: Millionths,
    /// The probability that it is the best ad. The probabilities of all ads sum to one.
    pub probability: Millionths,
}

/// Proposes budgets: posteriors, seeded draws, shares summed per owner, and the nearest budgets that the constraints and a
/// step of a fifth of each present budget allow.
///
/// A pure function of `request`; the order of its owners and ads does not matter. A total that the steps do not reach is
/// approached as far as they go, and the reasons say so. An owner whose step does not reach from its budget into
/// `min_minor..=max_minor` is held where it is.
///
/// # Errors
/// `invalid_input`, naming the field: no owners, an owner or ad given twice, a negative or huge amount, more clicks than
/// impressions, value without deals, `min_minor` above `max_minor`, or a wrong number of draws.
pub fn allocate(request: &AllocationRequest) -> Result<Allocation> {
    request.validate()?;
    let mut owners: Vec<Owner<'_>> = request.owners.iter().map(Owner::new).collect();
    owners.sort_by_key(|owner| &owner.budget.owner_id);
    draw_shares(&mut owners, request);

    let (owners, idle): (Vec<_>, Vec<_>) = owners.into_iter().partition(Owner::is_active);
    let proposals = propose(&owners, &request.constraints);
    let current_total = owners.iter().map(|owner| i128::from(owner.budget.current_minor)).sum();
    let rows: Vec<_> = owners
        .iter()
        .zip(proposals)
        .map(|(owner, proposal)| owner.row(&proposal, current_total, &request.constraints, request.currency))
        .collect();
    Ok(Allocation {
        left_out: idle.into_iter().map(|owner| owner.budget.owner_id.clone()).collect(),
        total_minor: request.constraints.total_daily_minor,
        proposed_total_minor: rows.iter().map(|row| row.proposed_minor).fold(0, i64::saturating_add),
        rows,
    })
}

/// An owner with its ads in the order of their ids.
struct Owner<'a> {
    budget: &'a OwnerBudget,
    ads: Vec<(&'a AdEvidence, Option<Standing>)>,
}

/// A proposed budget and what decided it.
pub(super) struct Proposal {
    pub(super) share: i64,
    pub(super) target_minor: Minor,
    pub(super) proposed_minor: Minor,
    pub(super) step: Step,
    pub(super) total_reached: bool,
}

/// Where one change may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Between these amounts, in minor units.
    Within { lower: Minor, upper: Minor },
    /// Nowhere: the step and the limits have no amount in common.
    Held,
}

impl Step {
    fn of(current: Minor, constraints: &Constraints) -> Self {
        let step = current / 5;
        let lower = constraints.min_minor.max(current - step);
        let upper = constraints.max_minor.min(current + step);
        if lower <= upper { Self::Within { lower, upper } } else { Self::Held }
    }
}

impl<'a> Owner<'a> {
    fn new(budget: &'a OwnerBudget) -> Self {
        let mut ads: Vec<_> = budget.ads.iter().map(|ad| (ad, None)).collect();
        ads.sort_by_key(|(ad, _)| &ad.ad_id);
        Self { budget, ads }
    }

    fn is_active(&self) -> bool {
        self.ads.iter().any(|(ad, _)| ad.active)
    }

    /// The sum of the shares of its ads, in millionths.
    fn share(&self) -> i64 {
        self.ads.iter().filter_map(|(_, standing)| *standing).map(|s| i64::from(s.share.get())).sum()
    }

    fn row(
        &self,
        proposal: &Proposal,
        current_total: i128,
        constraints: &Constraints,
        currency: Currency,
    ) -> OwnerAllocation {
        let active = self.ads.iter().map(|(ad, _)| *ad).filter(|ad| ad.active);
        OwnerAllocation {
            owner_id: self.budget.owner_id.clone(),
            level: self.budget.level,
            current_minor: self.budget.current_minor,
            proposed_minor: proposal.proposed_minor,
            ads: self
                .ads
                .iter()
                .map(|(ad, standing)| AdShare {
                    ad_id: ad.ad_id.clone(),
                    share: standing.map(|s| s.share).unwrap_or_default(),
                    probability: standing.map(|s| s.probability).unwrap_or_default(),
                })
                .collect(),
            reason: reason::words(
                proposal,
                self.budget.current_minor,
                current_total,
                active,
                constraints,
                currency,
            ),
        }
    }
}

/// Gives every active ad its standing, shares raised to the exploration floor.
fn draw_shares(owners: &mut [Owner<'_>], request: &AllocationRequest) {
    let pool = Pool::of(owners.iter().flat_map(|owner| owner.ads.iter().map(|(ad, _)| *ad)));
    let mut active: Vec<_> =
        owners.iter_mut().flat_map(|owner| owner.ads.iter_mut()).filter(|(ad, _)| ad.active).collect();
    // By ad and not by owner: moving an ad to another owner leaves its draws as they are.
    active.sort_by_key(|(ad, _)| &ad.ad_id);
    let posteriors: Vec<_> = active.iter().map(|(ad, _)| Posterior::new(ad, &pool)).collect();
    let drawn = standings(&posteriors, &pool, request.seed, request.draws);
    let explored = explore(&drawn);
    for ((entry, standing), share) in active.into_iter().zip(drawn).zip(explored) {
        entry.1 = Some(Standing { share, ..standing });
    }
}

/// The nearest shares of which none is below the exploration floor.
fn explore(drawn: &[Standing]) -> Vec<Millionths> {
    let whole = Millionths::ONE.get();
    let equal_share = i64::from(whole) / i64::try_from(drawn.len()).unwrap_or(i64::MAX).max(1);
    let floor = EXPLORATION.min(equal_share / 2);
    let parts: Vec<_> = drawn
        .iter()
        .map(|standing| Bounded {
            target_millionths: i128::from(standing.share.get()) * 1_000_000,
            lower: floor,
            upper: whole.into(),
        })
        .collect();
    project(&parts, whole.into())
        .values
        .into_iter()
        .map(|value| Millionths::new(u32::try_from(value).unwrap_or(0)))
        .collect()
}

/// The nearest budgets to the shares that the steps and limits allow, one an owner.
fn propose(owners: &[Owner<'_>], constraints: &Constraints) -> Vec<Proposal> {
    let total = constraints.total_daily_minor;
    let steps: Vec<_> =
        owners.iter().map(|owner| Step::of(owner.budget.current_minor, constraints)).collect();
    let parts: Vec<_> = owners
        .iter()
        .zip(&steps)
        .map(|(owner, step)| {
            let current = owner.budget.current_minor;
            let (lower, upper) = match *step {
                Step::Within { lower, upper } => (lower, upper),
                Step::Held => (current, current),
            };
            Bounded { target_millionths: i128::from(owner.share()) * i128::from(total), lower, upper }
        })
        .collect();
    let Projection { values, reached } = project(&parts, total);
    owners
        .iter()
        .zip(steps)
        .zip(parts.iter().zip(values))
        .map(|((owner, step), (part, proposed_minor))| Proposal {
            share: owner.share(),
            target_minor: i64::try_from((part.target_millionths + 500_000) / 1_000_000).unwrap_or(i64::MAX),
            proposed_minor,
            step,
            total_reached: reached,
        })
        .collect()
}
