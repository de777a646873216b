use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Error, Minor, Result, Timestamp};

use super::deals::View;
use super::rules::Rules;
use super::table::StageTable;
use super::worth::worth;

const OPERATION: &str = "attribution.synthetic_revenue";

/// A move between stages.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The stage after it.
    pub stage_to: &'a str,
    /// The stage before it; none for a new deal.
    pub stage_from: Option<&'a str>,
    /// The pipeline, where it is known.
    pub pipeline: Option<&'a str>,
    /// The amount in major units, as decimal text.
    pub amount: Option<&'a str>,
    /// The amount's currency; the base when `None`.
    pub currency: Option<&'a str>,
}

/// What a deal in a stage is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageWorth {
    /// The stage before.
    pub stage_from: Option<String>,
    /// The stage after.
    pub stage_to: String,
    /// What the deal is worth in `stage_to`, in minor units.
    pub synthetic_value_minor: Minor,
    /// What the move changes: that less what it was worth in `stage_from`, in minor units.
    pub delta_minor: Minor,
    /// How much of the value rests on closed deals instead of the configuration, in thousandths: `n / (n0 + n)`.
    pub confidence_permille: u16,
    /// How probably a deal that has just come into `stage_to` is won, in millionths.
    pub probability_millionths: i64,
    /// What the configuration lacks: a pipeline or a stage.
    pub problem: Option<String>,
}

/// What a move to a stage is worth at a time, by the values of `table` or as configured.
///
/// # Errors
/// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) for an amount that is no decimal number, and one in a currency without
/// a rate.
pub fn synthetic(
    question: &Question<'_>,
    rules: &Rules,
    table: Option<&StageTable>,
    at: Timestamp,
) -> Result<StageWorth> {
    if let Some(amount) = question.amount {
        let converted = rules.currencies.convert(amount, question.currency, at);
        converted.map_err(|problem| Error::invalid(OPERATION, problem))?;
    }
    let view = |stage| View {
        stage,
        entered_at: at,
        pipeline: question.pipeline,
        amount: question.amount,
        currency: question.currency,
        ..View::default()
    };
    let now = worth(&view(Some(question.stage_to)), rules, table, at);
    let before = worth(&view(question.stage_from), rules, table, at);
    let configured = rules.stage(question.pipeline, question.stage_to);
    let row =
        table.and_then(|table| table.row(configured.pipeline, question.stage_to).map(|row| (table, row)));
    let confidence = row.map_or(0, |(table, row)| {
        let all = u128::from(table.prior_deals) + u128::from(row.closed_deals);
        1000 * u128::from(row.closed_deals) / all.max(1)
    });
    Ok(StageWorth {
        stage_from: question.stage_from.map(str::to_owned),
        stage_to: question.stage_to.to_owned(),
        synthetic_value_minor: now.value_minor,
        delta_minor: now.value_minor.saturating_sub(before.value_minor),
        confidence_permille: u16::try_from(confidence).unwrap_or(1000),
        probability_millionths: row
            .map_or(configured.probability_millionths, |(_, row)| row.probability_millionths),
        problem: now.problem,
    })
}

#[cfg(test)]
mod tests {
    use super::super::learn::learn;
    use super::super::testing::{event, stage};
    use super::*;

    fn ask(
        stage_from: Option<&'static str>,
        stage_to: &'static str,
        amount: Option<&'static str>,
    ) -> Question<'static> {
        Question { stage_to, stage_from, pipeline: None, amount, currency: None }
    }

    const AT: Timestamp = Timestamp::from_millis(9);

    #[test]
    fn a_move_is_worth_what_it_changes() {
        let rules = Rules::default();
        let worth = synthetic(&ask(Some("lead"), "contractsent", None), &rules, None, AT).unwrap();
        assert_eq!((worth.synthetic_value_minor, worth.delta_minor), (150_000, 100_000));
        assert_eq!((worth.confidence_permille, worth.probability_millionths), (0, 900_000));
        let lost = synthetic(&ask(Some("closedwon"), "closedlost", None), &rules, None, AT).unwrap();
        assert_eq!((lost.synthetic_value_minor, lost.delta_minor), (0, -500_000));
        let new = synthetic(&ask(None, "lead", None), &rules, None, AT).unwrap();
        assert_eq!(new.delta_minor, 50_000);
    }

    #[test]
    fn an_amount_counts_where_amounts_are_used() {
        let rules = Rules { use_amounts: true, ..Rules::default() };
        let worth =
            synthetic(&ask(Some("contractsent"), "closedwon", Some("80.55")), &rules, None, AT).unwrap();
        assert_eq!((worth.synthetic_value_minor, worth.delta_minor), (8_055, 805));
        for amount in ["", "much", "-1"] {
            let error = synthetic(&ask(None, "lead", Some(amount)), &rules, None, AT).unwrap_err();
            assert!(error.message().starts_with("amount: "), "{error}");
        }
        let pounds = Question { currency: Some("GBP"), ..ask(None, "lead", Some("1")) };
        assert!(synthetic(&pounds, &rules, None, AT).unwrap_err().message().starts_with("currency: \"GBP\""));
    }

    #[test]
    fn confidence_grows_with_closed_deals() {
        let rules = Rules::default();
        let ids: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let moves = (0_u32..).zip(&ids).flat_map(|(n, id)| {
            [event(2 * n, 1, id, stage("lead")), event(2 * n + 1, 2, id, stage("closedwon"))]
        });
        let table = learn(&moves.collect::<Vec<_>>(), &rules, AT);
        let worth = synthetic(&ask(None, "lead", None), &rules, Some(&table), AT).unwrap();
        assert_eq!((worth.confidence_permille, worth.synthetic_value_minor), (500, 275_000));
        assert_eq!(worth.probability_millionths, 550_000);
    }
}
