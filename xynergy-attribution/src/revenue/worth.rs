//! What a deal is worth as it stands.

use xynergy_core::{Minor, Timestamp};

use super::currencies::{Currencies, parse_amount};
use super::deals::{Refund, View};
use super::decimal::divide;
use super::rules::{Outcome, Rules, Unknown};
use super::table::StageTable;

/// One in millionths.
pub(super) const ONE: i64 = 1_000_000;

/// What a deal is worth, and what is wrong with its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Worth {
    pub(super) value_minor: Minor,
    /// The amount less refunds, in the base currency.
    pub(super) amount_minor: Option<Minor>,
    pub(super) problem: Option<String>,
}

/// What money went back, in minor units of the base currency by the rates of its time, and the first refund that cannot be counted.
fn refunded<'a>(
    refunds: impl Iterator<Item = &'a Refund<'a>>,
    currencies: &Currencies,
) -> (Minor, Option<String>) {
    let (mut sum, mut problem): (Minor, _) = (0, None);
    for refund in refunds {
        match currencies.convert(refund.amount, refund.currency, refund.at) {
            Ok(minor) => sum = sum.saturating_add(minor),
            Err(wrong) => problem = problem.or(Some(format!("refund: {wrong}"))),
        }
    }
    (sum, problem)
}

/// What a deal brings by its amount, and what is wrong with that or with a refund.
struct Paid {
    minor: Option<Minor>,
    problem: Option<String>,
    refund_problem: Option<String>,
}

/// The amount less refunds at a time. Those in its own currency are taken from it before it is converted: what went back whole
/// leaves nothing, however the rates move later.
fn paid(view: &View<'_>, currencies: &Currencies, at: Timestamp) -> Paid {
    let Some(amount) = view.amount else { return Paid { minor: None, problem: None, refund_problem: None } };
    let base = currencies.base.as_str();
    let (same, other): (Vec<&Refund<'_>>, _) = view
        .refunds
        .iter()
        .partition(|refund| refund.currency.unwrap_or(base) == view.currency.unwrap_or(base));
    let (mut taken, mut refund_problem) = (Vec::new(), None);
    for refund in same {
        match parse_amount(refund.amount) {
            Ok(number) => taken.push(number),
            Err(wrong) => refund_problem = refund_problem.or(Some(format!("refund: {wrong}"))),
        }
    }
    let (others, other_problem) = refunded(other.into_iter(), currencies);
    let refund_problem = refund_problem.or(other_problem);
    match currencies.convert_less(amount, &taken, view.currency, at) {
        Ok(minor) => Paid { minor: Some(left(minor, others)), problem: None, refund_problem },
        Err(problem) => Paid { minor: None, problem: Some(problem), refund_problem },
    }
}

/// The worth of a deal at a time, by `table` where values were learned.
///
/// Nothing when it was deleted, merged away, lost, or in no stage yet. Else its amount times the probability of its stage, when
/// amounts are used and it is known in the base currency; else the value of its stage. Refunds take from the amount or the
/// value, never below zero: from a value by the rates of their own time. Products are rounded to the nearest minor unit, halves up.
pub(super) fn worth(view: &View<'_>, rules: &Rules, table: Option<&StageTable>, at: Timestamp) -> Worth {
    let paid = paid(view, &rules.currencies, at);
    let amount_minor = paid.minor;
    let (refunds, refund_problem) = match amount_minor {
        Some(_) if rules.use_amounts => (0, paid.refund_problem),
        _ => {
            let (refunds, problem) = refunded(view.refunds.iter(), &rules.currencies);
            (refunds, problem.or(paid.refund_problem))
        }
    };
    let amount_problem = paid.problem;
    let Some(stage) = view.stage else {
        return Worth { value_minor: 0, amount_minor, problem: amount_problem.or(refund_problem) };
    };
    let configured = rules.stage(view.pipeline, stage);
    let unknown = configured.unknown.map(|unknown| match unknown {
        Unknown::Pipeline => {
            format!("pipeline: {:?} is not in attribution.pipelines: its stages count as listed in attribution.stages", view.pipeline.unwrap_or_default())
        }
        Unknown::Stage => {
            format!("stage: {stage:?} is in no pipeline of attribution.pipelines: it counts as listed in attribution.stages")
        }
    });
    let problem = amount_problem.or(refund_problem).or(unknown);
    let nothing = view.deleted || view.merged_into.is_some() || configured.outcome == Outcome::Lost;
    if nothing {
        return Worth { value_minor: 0, amount_minor, problem };
    }
    let learned = table.and_then(|table| table.row(configured.pipeline, stage));
    let (value, probability) = match learned {
        Some(row) => {
            let age = row.at_age(at.micros().saturating_sub(view.entered_at.micros()));
            (scaled(row.value_minor, age), scaled(row.probability_millionths, age).min(ONE))
        }
        None => (configured.value_minor, configured.probability_millionths),
    };
    let value_minor = match amount_minor.filter(|_| rules.use_amounts) {
        Some(amount) if configured.outcome == Outcome::Won => amount,
        Some(amount) => scaled(amount, probability),
        None => left(value, refunds),
    };
    Worth { value_minor, amount_minor, problem }
}

fn left(amount: Minor, refunds: Minor) -> Minor {
    amount.saturating_sub(refunds).max(0)
}

/// A number times millionths.
pub(super) fn scaled(number: i64, millionths: i64) -> i64 {
    let product = divide(i128::from(number) * i128::from(millionths), i128::from(ONE));
    i64::try_from(product).unwrap_or(i64::MAX)
}
