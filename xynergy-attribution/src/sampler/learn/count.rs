use super::LARGEST_AGE;
use super::delay::Closed;
use crate::sampler::state::{AdState, Day, DealOutcome, DealRecord};

/// What one ad did, discounted to today.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) impressions: f64,
    pub(super) clicks: f64,
    /// Spend, in minor units.
    pub(super) spend: f64,
    /// Spend by how much of its return should have arrived, discounted as the return is.
    pub(super) exposure: f64,
    /// Leads: deals of any outcome, by the credit that the ad has in them.
    pub(super) leads: f64,
    /// Leads by how many of their closes should have arrived.
    pub(super) lead_exposure: f64,
    /// Won deals that are worth something.
    pub(super) closes: f64,
    /// The sum of the logarithms of what those are worth, and of the logarithms' squares.
    pub(super) log_values: f64,
    pub(super) log_squares: f64,
    /// Won deals worth something, not discounted.
    pub(super) tickets: f64,
    /// Deals that are open or lost, not discounted.
    pub(super) unfinished: f64,
}

/// What one ad did in all, for the reason in words and for what is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) impressions: i64,
    pub(super) clicks: i64,
    pub(super) spend_minor: i64,
    pub(super) deals: i64,
    pub(super) won_millionths: i64,
    pub(super) value_minor: i64,
}

/// The ages of deals and days seen from today; what is of a later day is not known yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Today(pub(super) Day);

impl Today {
    fn age(self, day: Day) -> Option<usize> {
        self.0.since(day).filter(|age| *age < LARGEST_AGE)
    }

    /// The ages of a deal's click and of its latest event.
    fn ages(self, deal: &DealRecord) -> Option<(usize, usize)> {
        let occurred = self.age(Day::of(deal.occurred_at))?;
        let clicked = deal.clicked_at.map_or(Some(occurred), |clicked| self.age(Day::of(clicked)))?;
        Some((clicked, occurred))
    }
}

/// How long the won deals took.
pub(super) fn closed<'a>(ads: impl Iterator<Item = &'a AdState>, today: Today) -> Closed {
    let mut closed = Closed::new();
    for deal in ads.flat_map(|ad| ad.deals.values()) {
        if deal.outcome == DealOutcome::Won
            && deal.clicked_at.is_some()
            && let Some((clicked, occurred)) = today.ages(deal)
        {
            closed.add(clicked.saturating_sub(occurred), clicked, part(deal));
        }
    }
    closed
}

/// Counts an ad: `discounts` and `exposures` by age in days.
pub(super) fn count(ad: &AdState, today: Today, discounts: &[f64], exposures: &[f64]) -> Counts {
    let mut counts = Counts::default();
    for (day, figures) in &ad.days {
        if let Some(age) = today.age(*day) {
            counts.impressions += discounts[age] * figures.impressions as f64;
            counts.clicks += discounts[age] * figures.clicks as f64;
            counts.spend += discounts[age] * figures.spend_minor as f64;
            counts.exposure += exposures[age] * figures.spend_minor as f64;
        }
    }
    for deal in ad.deals.values() {
        let Some((clicked, occurred)) = today.ages(deal) else { continue };
        let credit = part(deal);
        if let Some(spend) = deal.spend_minor.filter(|_| !is_observed(ad, deal)) {
            counts.spend += discounts[clicked] * spend as f64;
            counts.exposure += exposures[clicked] * spend as f64;
        }
        counts.leads += discounts[clicked] * credit;
        counts.lead_exposure += exposures[clicked] * credit;
        if deal.outcome == DealOutcome::Won && deal.value_minor > 0 {
            let log = libm::log(deal.value_minor as f64);
            counts.closes += discounts[occurred] * credit;
            counts.tickets += credit;
            counts.log_values += credit * log;
            counts.log_squares += credit * log * log;
        } else {
            counts.unfinished += credit;
        }
    }
    counts
}

/// Adds an ad up, as far as it happened by today.
pub(super) fn totals(ad: &AdState, today: Today) -> Totals {
    let mut totals = Totals::default();
    for (_, figures) in ad.days.iter().filter(|(day, _)| today.age(**day).is_some()) {
        totals.impressions = totals.impressions.saturating_add(figures.impressions);
        totals.clicks = totals.clicks.saturating_add(figures.clicks);
        totals.spend_minor = totals.spend_minor.saturating_add(figures.spend_minor);
    }
    for deal in ad.deals.values().filter(|deal| today.ages(deal).is_some()) {
        totals.deals += 1;
        if let Some(spend) = deal.spend_minor.filter(|_| !is_observed(ad, deal)) {
            totals.spend_minor = totals.spend_minor.saturating_add(spend);
        }
        if deal.outcome == DealOutcome::Won {
            totals.won_millionths = totals.won_millionths.saturating_add(deal.credit.get().into());
            let credited = i128::from(deal.value_minor) * i128::from(deal.credit.get()) / 1_000_000;
            totals.value_minor =
                totals.value_minor.saturating_add(i64::try_from(credited).unwrap_or(i64::MAX));
        }
    }
    totals
}

fn is_observed(ad: &AdState, deal: &DealRecord) -> bool {
    ad.days.contains_key(&Day::of(deal.clicked_at.unwrap_or(deal.occurred_at)))
}

fn part(deal: &DealRecord) -> f64 {
    f64::from(deal.credit.get()) / 1e6
}
