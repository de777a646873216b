//! The always-valid test of something that happens or not.

use crate::distributions::{halved, ln_beta};

/// How many events the halves of the mixture begin with: one finds lifts of about a third soonest, the other knows what is far apart.
const PRIOR_EVENTS: [f64; 2] = [50.0, 2.0];

/// What is known of the ratio of two rates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ratio {
    /// The arm's rate over the control's; none where the control has no event.
    pub(super) estimate: Option<f64>,
    pub(super) lower: f64,
    /// None where it has no upper end yet.
    pub(super) upper: Option<f64>,
    pub(super) p_value: f64,
}

/// Compares the events of an arm with those of the control, where the arm has `share` of the units of both.
///
/// Units are assigned at random, so of those that have the event the arm's part is `share` where the rates are the same, whatever the
/// rates are and however late events come: the ratio of a Beta mixture to that is a martingale, and what it excludes at any look it
/// excludes at all looks together but for `alpha` (Ville 1939; Robbins 1970, Annals of Mathematical Statistics 41:1397; for the binomial Howard
/// and others 2021, Annals of Statistics 49:1055). Nothing in it is asymptotic.
pub(super) fn ratio(control: u64, arm: u64, share: f64, alpha: f64) -> Ratio {
    let (events, others) = (arm as f64, control as f64);
    let null = (1.0 - share) / share;
    let of = |part: f64| part / (1.0 - part) * null;
    let excess = |part: f64| evidence(events, others, share, part) + libm::log(alpha);
    let found = if arm + control > 0 { events / (events + others) } else { share };
    // The mixture exceeds the likelihood by less near the found part than anywhere else.
    let lower = if arm == 0 { 0.0 } else { halved(0.0, found, |part| excess(part) > 0.0) };
    let upper = if control == 0 { 1.0 } else { halved(found, 1.0, |part| excess(part) <= 0.0) };
    Ratio {
        estimate: (control > 0).then(|| events / others * null),
        lower: of(lower),
        upper: (upper < 1.0).then(|| of(upper)),
        p_value: p_value(control, arm, share),
    }
}

/// The p-value, valid at any look: one over the evidence against equal rates.
pub(super) fn p_value(control: u64, arm: u64, share: f64) -> f64 {
    libm::exp(-evidence(arm as f64, control as f64, share, share)).min(1.0)
}

/// The logarithm of the mixture's likelihood over that of `part`.
fn evidence(events: f64, others: f64, share: f64, part: f64) -> f64 {
    let of = |count: f64, part: f64| if count > 0.0 { count * libm::log(part) } else { 0.0 };
    let likelihood = of(events, part) + of(others, 1.0 - part);
    let [one, other] = PRIOR_EVENTS.map(|prior| {
        let (a, b) = (prior * share, prior * (1.0 - share));
        ln_beta(a + events, b + others) - ln_beta(a, b) - likelihood
    });
    let (most, least) = (one.max(other), one.min(other));
    most + libm::log1p(libm::exp(least - most)) - std::f64::consts::LN_2
}

/// The logarithm of the evidence that units come to arms in other shares than they were assigned in.
pub(super) fn mismatch(counts: &[u64], shares: &[f64]) -> f64 {
    const PRIOR_UNITS: f64 = 1000.0;
    let whole: f64 = counts.iter().map(|count| *count as f64).sum();
    let of = |(count, share): (&u64, &f64)| {
        let (count, prior) = (*count as f64, PRIOR_UNITS * share);
        libm::lgamma(prior + count) - libm::lgamma(prior) - count * libm::log(*share)
    };
    libm::lgamma(PRIOR_UNITS) - libm::lgamma(PRIOR_UNITS + whole)
        + counts.iter().zip(shares).map(of).sum::<f64>()
}
