use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::ads::OwnerLevel;
use xynergy_core::{Currency, Minor, Result};

use super::budgets::{Proposal, propose};
use super::constraints::Constraints;
use super::learn::{Belief, Beliefs};
use super::millionths::Millionths;
use super::posterior::{Pool, Posterior};
use super::project::{Bounded, project};
use super::reason;
use super::request::{AdEvidence, AllocationRequest, OwnerBudget, invalid};
use super::standing::standings_of;
use super::state::SamplerState;
use super::summary::PosteriorSummary;
use super::thompson::{Standing, standings};

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
    /// The probability that the best ad is one of its own. Like all that follows it is there with the sampler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<Millionths>,
    /// The part of the proposed total that it gets: the probability that a unit of budget goes to one of its ads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propensity: Option<Millionths>,
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
    /// The probability that a unit of the proposed budgets goes to it, for the evaluation of later policies: its owner's part of the
    /// proposed total, divided among the owner's ads by their shares. The propensities of all ads sum to one. Like the posterior it is
    /// there with the sampler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propensity: Option<Millionths>,
    /// What is believed of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posterior: Option<PosteriorSummary>,
}

/// Proposes budgets: posteriors, P(best) or mean shares, summed per owner, and the nearest budgets that the constraints and a
/// step of a fifth of each present budget allow.
///
/// A pure function of `request`; the order of its owners and ads does not matter. A total that the steps do not reach is
/// approached as far as they go, and the reasons say so. An owner whose step does not reach from its budget into
/// its limits is held where it is, and so is one that the platform is still learning to deliver.
///
/// # Errors
/// `invalid_input`, naming the field: no owners or ads, an owner or ad given twice, a negative or huge amount, more clicks than
/// impressions, value without deals, limits that contradict each other whatever the steps (with the figures that do), a wrong number
/// of draws, or a request for the sampler, whose state [`allocate_from`] takes.
pub fn allocate(request: &AllocationRequest) -> Result<Allocation> {
    match &request.sampler {
        None => allocate_from(request, &SamplerState::default()),
        Some(_) => Err(invalid("sampler: learns from a state; give it to allocate_from")),
    }
}

/// Like [`allocate`], and for a request with [`sampler`](AllocationRequest::sampler) from what `state` remembers. A pure function of the
/// two; the day is [`SamplerOptions::day`](super::SamplerOptions::day). An ad that the state does not know is explored like an uncertain
/// average one, or from its prior.
///
/// # Errors
/// Those of [`allocate`], and `invalid_input` for a request for the sampler without a day.
pub fn allocate_from(request: &AllocationRequest, state: &SamplerState) -> Result<Allocation> {
    request.validate()?;
    let beliefs = match &request.sampler {
        None => None,
        Some(sampler) => {
            let today =
                sampler.day.ok_or_else(|| invalid("sampler: day: is missing; give the day that it is"))?;
            Some(Beliefs::of(state, sampler, today))
        }
    };
    let mut owners: Vec<Owner<'_>> =
        request.owners.iter().map(|owner| Owner::new(owner, beliefs.as_ref(), state)).collect();
    owners.sort_by_key(|owner| &owner.budget.owner_id);
    draw_shares(&mut owners, request);

    let (owners, idle): (Vec<_>, Vec<_>) = owners.into_iter().partition(Owner::is_active);
    let budgets: Vec<&OwnerBudget> = owners.iter().map(|owner| owner.budget).collect();
    request.constraints.feasible(&budgets, request.currency)?;
    let shares: Vec<i64> = owners.iter().map(Owner::share).collect();
    let proposals = propose(&budgets, &shares, &request.constraints);
    let current_total = budgets.iter().map(|owner| i128::from(owner.current_minor)).sum();
    let mut rows: Vec<_> = owners
        .iter()
        .zip(proposals)
        .map(|(owner, proposal)| owner.row(&proposal, current_total, &request.constraints, request.currency))
        .collect();
    if request.sampler.is_some() {
        add_propensities(&mut rows);
    }
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
    ads: Vec<Ad<'a>>,
}

/// An ad of the request with its evidence, what is believed of it, and where it stands.
struct Ad<'a> {
    given: &'a AdEvidence,
    /// What it did, where that comes from the sampler's state.
    known: Option<AdEvidence>,
    belief: Option<Belief>,
    standing: Option<Standing>,
}

impl Ad<'_> {
    fn evidence(&self) -> &AdEvidence {
        self.known.as_ref().unwrap_or(self.given)
    }
}

impl<'a> Owner<'a> {
    fn new(budget: &'a OwnerBudget, beliefs: Option<&Beliefs>, state: &SamplerState) -> Self {
        let ad = |given: &'a AdEvidence| {
            let known = state.ads.get(&given.ad_id);
            Ad {
                given,
                known: beliefs.map(|beliefs| beliefs.evidence(&given.ad_id, given.active, known)),
                belief: beliefs
                    .filter(|_| given.active)
                    .map(|beliefs| beliefs.about(known, given.prior.as_ref())),
                standing: None,
            }
        };
        let mut ads: Vec<_> = budget.ads.iter().map(ad).collect();
        ads.sort_by_key(|ad| &ad.given.ad_id);
        Self { budget, ads }
    }

    fn is_active(&self) -> bool {
        self.ads.iter().any(|ad| ad.given.active)
    }

    /// The sum of the shares of its ads, in millionths.
    fn share(&self) -> i64 {
        self.ads.iter().filter_map(|ad| ad.standing).map(|s| i64::from(s.share.get())).sum()
    }

    fn row(
        &self,
        proposal: &Proposal,
        current_total: i128,
        constraints: &Constraints,
        currency: Currency,
    ) -> OwnerAllocation {
        let active = self.ads.iter().map(Ad::evidence).filter(|ad| ad.active);
        OwnerAllocation {
            owner_id: self.budget.owner_id.clone(),
            level: self.budget.level,
            current_minor: self.budget.current_minor,
            proposed_minor: proposal.proposed_minor,
            ads: self
                .ads
                .iter()
                .map(|ad| AdShare {
                    ad_id: ad.given.ad_id.clone(),
                    share: ad.standing.map(|s| s.share).unwrap_or_default(),
                    probability: ad.standing.map(|s| s.probability).unwrap_or_default(),
                    propensity: None,
                    posterior: ad.belief.as_ref().map(Belief::summary),
                })
                .collect(),
            probability: None,
            propensity: None,
            reason: reason::words(proposal, self.budget, current_total, active, constraints, currency),
        }
    }
}

/// Gives every active ad its standing, shares raised to the exploration floor.
fn draw_shares(owners: &mut [Owner<'_>], request: &AllocationRequest) {
    let pool = Pool::of(owners.iter().flat_map(|owner| owner.ads.iter().map(|ad| ad.given)));
    let mut active: Vec<_> =
        owners.iter_mut().flat_map(|owner| owner.ads.iter_mut()).filter(|ad| ad.given.active).collect();
    // By ad and not by owner: moving an ad to another owner leaves its draws as they are.
    active.sort_by_key(|ad| &ad.given.ad_id);
    let drawn = match &request.sampler {
        None => {
            let posteriors: Vec<_> = active.iter().map(|ad| Posterior::new(ad.given, &pool)).collect();
            standings(&posteriors, &pool, request.seed, request.draws)
        }
        Some(sampler) => {
            let scores: Vec<_> = active.iter().filter_map(|ad| ad.belief.as_ref()).map(|b| b.score).collect();
            standings_of(&scores, sampler, request.seed, request.draws)
        }
    };
    let explored = explore(&drawn, request.constraints.exploration_millionths());
    for ((ad, standing), share) in active.into_iter().zip(drawn).zip(explored) {
        ad.standing = Some(Standing { share, ..standing });
    }
}

/// Says how probable it is that a unit of the proposed budgets goes to each ad.
pub(super) fn add_propensities(rows: &mut [OwnerAllocation]) {
    // A whole budget times a share of its own: below 2^63 after the division, whatever the budget.
    let weight = |row: &OwnerAllocation, ad: &AdShare| -> u64 {
        let shares: u128 = row.ads.iter().map(|ad| u128::from(ad.share.get())).sum();
        let budget = u128::from(row.proposed_minor.unsigned_abs());
        u64::try_from(budget * u128::from(ad.share.get()) * 1_000 / shares.max(1)).unwrap_or(u64::MAX)
    };
    let weights: Vec<u64> = rows.iter().flat_map(|row| row.ads.iter().map(|ad| weight(row, ad))).collect();
    let mut propensities = Millionths::divide(&weights).into_iter();
    for row in rows {
        for ad in &mut row.ads {
            ad.propensity = propensities.next();
        }
        let sum = |part: fn(&AdShare) -> Millionths| {
            Some(Millionths::new(row.ads.iter().map(|ad| part(ad).get()).sum()))
        };
        row.probability = sum(|ad| ad.probability);
        row.propensity = sum(|ad| ad.propensity.unwrap_or_default());
    }
}

/// The nearest shares of which none is below the exploration floor.
fn explore(drawn: &[Standing], exploration: i64) -> Vec<Millionths> {
    let whole = Millionths::ONE.get();
    let equal_share = i64::from(whole) / i64::try_from(drawn.len()).unwrap_or(i64::MAX).max(1);
    let floor = exploration.min(equal_share / 2);
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
