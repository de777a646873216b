//! The library's own way: what was seen goes in as observations and feedback, and budgets come out.

use std::error::Error;

use xynergy::Timestamp;
use xynergy::ads::OwnerLevel;
use xynergy::allocation::{
    AdEvidence, AdObservation, AllocationRequest, Constraints, DEFAULT_DRAWS, Day, DealFeedback, DealOutcome,
    Millionths, OwnerBudget, SamplerOptions, SamplerState, allocate_from,
};

use crate::world::{BUDGET_MINOR, World};

/// What a lead is worth before it is known whether it closes, in minor units.
const LEAD_MINOR: i64 = 50_000;
const DAY_SECONDS: f64 = 86_400.0;
/// The first day, long after 1970.
const START: i32 = 20_000;

/// What the sampler has been told of a world, and the budgets that it last gave.
#[derive(Debug)]
pub(crate) struct Seen {
    state: SamplerState,
    seed: u64,
    step: Option<Millionths>,
    budgets: Vec<i64>,
    deals: usize,
    closed: Vec<bool>,
}

impl Seen {
    pub(crate) fn new(seed: u64, step: Option<Millionths>) -> Self {
        let (state, budgets, closed) = (SamplerState::default(), Vec::new(), Vec::new());
        Self { state, seed, step, budgets, deals: 0, closed }
    }

    /// The next day's budgets, in minor units.
    pub(crate) fn budgets(&mut self, world: &World) -> Result<Vec<i64>, Box<dyn Error>> {
        let ads = world.setting.ads;
        let today = world.days.len();
        if self.budgets.is_empty() {
            let each = BUDGET_MINOR / i64::try_from(ads)?;
            self.budgets = vec![each; ads];
            self.budgets[0] += BUDGET_MINOR - each * i64::try_from(ads)?;
        }
        if today == 0 {
            return Ok(self.budgets.clone());
        }
        self.learn(world)?;
        let owners = (0..ads)
            .map(|ad| OwnerBudget {
                owner_id: name("set", ad),
                level: OwnerLevel::AdSet,
                current_minor: self.budgets[ad],
                ads: vec![AdEvidence { ad_id: name("ad", ad), active: true, ..AdEvidence::default() }],
                min_minor: None,
                max_minor: None,
                group: None,
                learning: false,
            })
            .collect();
        let request = AllocationRequest {
            currency: "USD".parse()?,
            owners,
            constraints: Constraints {
                total_daily_minor: BUDGET_MINOR,
                // A fiftieth, as the simple policies keep.
                min_minor: (BUDGET_MINOR / 50).min(BUDGET_MINOR / i64::try_from(ads)?),
                max_minor: BUDGET_MINOR,
                step: self.step,
                ..Constraints::default()
            },
            seed: self.seed,
            draws: DEFAULT_DRAWS,
            sampler: Some(SamplerOptions { day: Some(day(today)), ..SamplerOptions::default() }),
        };
        for row in allocate_from(&request, &self.state)?.rows {
            if let Some(budget) = number(&row.owner_id).and_then(|ad| self.budgets.get_mut(ad)) {
                *budget = row.proposed_minor;
            }
        }
        Ok(self.budgets.clone())
    }

    /// Tells the sampler yesterday's figures, new leads, and the deals that have closed since.
    fn learn(&mut self, world: &World) -> Result<(), Box<dyn Error>> {
        let today = world.days.len();
        for (ad, seen) in world.days[today - 1].iter().enumerate() {
            self.state.observe(&AdObservation {
                ad_id: name("ad", ad),
                day: day(today - 1),
                impressions: i64::try_from(seen.impressions)?,
                clicks: i64::try_from(seen.clicks)?,
                spend_minor: seen.spend_minor,
                observed_at: None,
            })?;
        }
        self.closed.resize(world.deals.len(), false);
        for (number, deal) in world.deals.iter().enumerate() {
            let closes = deal.closes.filter(|at| *at <= today as f64 && !self.closed[number]);
            let (outcome, at, worth) = match closes {
                Some(at) => (DealOutcome::Won, at, deal.ticket_minor),
                None if number >= self.deals => (DealOutcome::Open, deal.day as f64 + 0.5, LEAD_MINOR),
                None => continue,
            };
            self.closed[number] = closes.is_some();
            self.state.feedback(&DealFeedback {
                event_id: format!("{number}-{outcome:?}"),
                ad_id: name("ad", deal.credited),
                pipeline_value_minor: worth,
                occurred_at: moment(at),
                outcome,
                credit: Millionths::new((deal.probability * 1e6) as u32),
                deal_id: Some(number.to_string()),
                clicked_at: Some(moment(deal.day as f64 + 0.25)),
                spend_minor: None,
            })?;
        }
        self.deals = world.deals.len();
        Ok(())
    }
}

fn name(kind: &str, ad: usize) -> String {
    format!("{kind}_{ad:03}")
}

fn number(id: &str) -> Option<usize> {
    id.rsplit('_').next()?.parse().ok()
}

fn day(day: usize) -> Day {
    Day::new(START + day as i32)
}

fn moment(day: f64) -> Timestamp {
    Timestamp::from_millis(((f64::from(START) + day) * DAY_SECONDS * 1_000.0) as i64)
}
