use xynergy_core::{Currency, Minor};

use super::allocate::{Proposal, Step};
use super::request::{AdEvidence, Constraints};

/// One line for a person: the share against the present one, the evidence, and what limited the change.
pub(super) fn words<'a>(
    proposal: &Proposal,
    current: Minor,
    current_total: i128,
    ads: impl Iterator<Item = &'a AdEvidence>,
    constraints: &Constraints,
    currency: Currency,
) -> String {
    let mut parts = vec![
        format!(
            "share {} against {} of the budget now",
            percent(proposal.share.into(), 1_000_000),
            percent(current.into(), current_total)
        ),
        evidence(ads, currency),
    ];
    parts.extend(limit(proposal, current, constraints, currency));
    if !proposal.total_reached {
        parts.push(format!(
            "the total of {} cannot be reached within the steps and limits, so this goes as near as they allow",
            currency.show(constraints.total_daily_minor)
        ));
    }
    parts.join("; ")
}

fn evidence<'a>(ads: impl Iterator<Item = &'a AdEvidence>, currency: Currency) -> String {
    let [mut impressions, mut clicks, mut spend, mut deals, mut value] = [0_i64; 5];
    for ad in ads {
        impressions = impressions.saturating_add(ad.impressions);
        clicks = clicks.saturating_add(ad.clicks);
        spend = spend.saturating_add(ad.spend_minor);
        deals = deals.saturating_add(ad.deals);
        value = value.saturating_add(ad.value_minor);
    }
    let spent = currency.show(spend);
    match deals {
        0 if impressions == 0 => "no impressions yet, taken for an average ad".to_owned(),
        0 => {
            let tenths = (i128::from(clicks) * 2_000 / i128::from(impressions) + 1) / 2;
            format!("no deals on {spent} spend, click-through {}.{} %", tenths / 10, tenths % 10)
        }
        1 => format!("1 deal worth {} on {spent} spend", currency.show(value)),
        _ => format!("{deals} deals worth {} on {spent} spend", currency.show(value)),
    }
}

fn limit(
    proposal: &Proposal,
    current: Minor,
    constraints: &Constraints,
    currency: Currency,
) -> Option<String> {
    let Step::Within { lower, upper } = proposal.step else {
        return Some(format!(
            "held at its present budget, from which a 20 % step does not reach the allowed {} to {}",
            currency.show(constraints.min_minor),
            currency.show(constraints.max_minor)
        ));
    };
    let step = current / 5;
    let (proposed, target) = (proposal.proposed_minor, proposal.target_minor);
    if proposed == lower && target < lower {
        Some(if lower == current - step {
            "limited by the 20 % step".to_owned()
        } else {
            format!("at the floor of {}", currency.show(lower))
        })
    } else if proposed == upper && target > upper {
        Some(if upper == current + step {
            "limited by the 20 % step".to_owned()
        } else {
            format!("at the ceiling of {}", currency.show(upper))
        })
    } else if proposal.total_reached && (proposed - target).abs() > target / 100 {
        // The others' steps keep them from their shares, and the sum must still be the total.
        Some(format!("its share would be {}, moved so that the sum is the total", currency.show(target)))
    } else {
        None
    }
}

/// A whole percentage; a small part is not shown as nothing.
fn percent(part: i128, whole: i128) -> String {
    if whole <= 0 {
        return "0 %".to_owned();
    }
    match (part * 200 / whole + 1) / 2 {
        0 if part > 0 => "under 1 %".to_owned(),
        rounded => format!("{rounded} %"),
    }
}
