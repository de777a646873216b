use xynergy_core::Currency;

use super::budgets::{Proposal, Step};
use super::constraints::Constraints;
use super::request::{AdEvidence, OwnerBudget};

/// One line for a person: the share against the present one, the evidence, and what limited the change.
pub(super) fn words<'a>(
    proposal: &Proposal,
    owner: &OwnerBudget,
    current_total: i128,
    ads: impl Iterator<Item = &'a AdEvidence>,
    constraints: &Constraints,
    currency: Currency,
) -> String {
    let mut parts = vec![
        format!(
            "share {} against {} of the budget now",
            percent(proposal.share.into(), 1_000_000),
            percent(owner.current_minor.into(), current_total)
        ),
        evidence(ads, currency),
    ];
    parts.extend(limit(proposal, owner, constraints, currency));
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
    owner: &OwnerBudget,
    constraints: &Constraints,
    currency: Currency,
) -> Option<String> {
    let current = owner.current_minor;
    let step_percent = part(constraints.step_millionths());
    let (lower, upper) = match proposal.step {
        Step::Within { lower, upper } => (lower, upper),
        Step::Held => {
            let (least, greatest) = constraints.bounds(owner);
            return Some(format!(
                "held at its present budget, from which a {step_percent} step does not reach the allowed {} to {}",
                currency.show(least),
                currency.show(greatest)
            ));
        }
        Step::Learning => {
            return Some("kept at its present budget while the platform learns to deliver it".to_owned());
        }
    };
    if proposal.too_small {
        let least = constraints.hysteresis.map_or(0, |part| part.get().into());
        return Some(format!("kept at its present budget, since the change would be below {}", part(least)));
    }
    let step = proposal.step_minor;
    let (proposed, target) = (proposal.proposed_minor, proposal.target_minor);
    let unit = constraints.unit();
    if proposed == lower && target < lower {
        Some(if lower < current - step + unit {
            format!("limited by the {step_percent} step")
        } else {
            format!("at the floor of {}", currency.show(lower))
        })
    } else if proposed == upper && target > upper {
        Some(if upper > current + step - unit {
            format!("limited by the {step_percent} step")
        } else {
            format!("at the ceiling of {}", currency.show(upper))
        })
    } else if proposal.group_binds && (proposed - target).abs() >= unit {
        let name = owner.group.as_deref().unwrap_or_default();
        Some(format!("its share would be {}, moved by the limit of group {name}", currency.show(target)))
    } else if proposal.total_reached && (proposed - target).abs() > target / 100 {
        // The others' steps keep them from their shares, and the sum must still be the total.
        Some(format!("its share would be {}, moved so that the sum is the total", currency.show(target)))
    } else {
        None
    }
}

/// A part in millionths as a percentage, with decimals where it has them.
fn part(millionths: i64) -> String {
    let text = format!("{}.{:04}", millionths / 10_000, millionths % 10_000);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
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
