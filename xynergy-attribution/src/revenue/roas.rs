use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::store::{Attributed, DealRevenue};
use xynergy_core::{Error, ErrorKind, Minor, Result, Timestamp};

use super::decimal::divide;
use super::interval::{Pool, interval};
use super::worth::ONE;

const OPERATION: &str = "attribution.roas";

/// By what revenue is set beside spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoasDimension {
    /// The ad.
    Ad,
    /// The ad set.
    Adset,
    /// The campaign.
    Campaign,
    /// The click's `utm_term`.
    Keyword,
    /// The click's `utm_content`.
    Content,
}

/// What some of the ads cost. What is not known may be left out: the cost then counts in no row of that dimension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdSpend {
    /// The ad.
    pub ad_id: Option<String>,
    /// The ad set.
    pub adset_id: Option<String>,
    /// The campaign.
    pub campaign_id: Option<String>,
    /// The keyword, as it stands in `utm_term`.
    pub keyword: Option<String>,
    /// The content, as it stands in `utm_content`.
    pub content: Option<String>,
    /// What it cost, in minor units of the base currency.
    pub spend_minor: Minor,
}

/// What the ads brought beside what they cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Roas {
    /// By what.
    pub by: RoasDimension,
    /// One row for each value of it, in byte order.
    pub rows: Vec<RoasRow>,
    /// What deals are worth whose click is not known, or does not tell this dimension; in minor units.
    pub unassigned_value_minor: Minor,
    /// What was spent on ads that do not tell it.
    pub unassigned_spend_minor: Minor,
    /// Deals whose amount or stage could not be counted as it stands; see their `problem`.
    pub problem_deals: u64,
}

/// One ad, ad set, campaign, keyword or content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoasRow {
    /// Which.
    pub id: String,
    /// Its deals, those that are worth nothing included.
    pub deals: u64,
    /// Those that are worth something.
    pub valued_deals: u64,
    /// What they are worth, in minor units.
    pub value_minor: Minor,
    /// What it cost, in minor units.
    pub spend_minor: Minor,
    /// `value_minor` of `spend_minor`, in millionths; `None` where nothing was spent.
    pub roas_millionths: Option<i64>,
    /// The lower end of its interval: the return that a run of the same ads would have in the mean is inside in at least 95 of
    /// 100 cases. `None` where nothing was spent or no deal at all is worth anything yet.
    pub low_millionths: Option<i64>,
    /// The upper end.
    pub high_millionths: Option<i64>,
}

#[derive(Default)]
struct Sum {
    deals: u64,
    values: Vec<Minor>,
    spend: i128,
}

/// Revenue by dimension beside spend, of the deals that converted from `since` on and before `until`. Deals that were merged into
/// others count there.
///
/// # Errors
/// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) for a spend below zero and for a time that ends before it begins, and
/// [`LimitExceeded`](ErrorKind::LimitExceeded) when a sum passes 64 bits.
pub fn roas(
    by: RoasDimension,
    deals: &[DealRevenue],
    spend: &[AdSpend],
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<Roas> {
    if let (Some(since), Some(until)) = (since, until)
        && until < since
    {
        return Err(Error::invalid(OPERATION, format!("until: {until} is before since, {since}: swap them")));
    }
    let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
    let (mut unassigned, mut pool, mut problem_deals) = ([0_i128; 2], Pool::default(), 0);
    let in_time =
        |at: Timestamp| since.is_none_or(|since| since <= at) && until.is_none_or(|until| at < until);
    for deal in deals.iter().filter(|deal| deal.merged_into.is_none() && in_time(deal.matched.anchor)) {
        problem_deals += u64::from(deal.problem.is_some());
        pool.add(deal.value_minor);
        match deal.matched.found.as_ref().and_then(|found| of_click(by, found)) {
            Some(id) => {
                let sum = sums.entry(id).or_default();
                sum.deals += 1;
                sum.values.push(deal.value_minor);
            }
            None => unassigned[0] += i128::from(deal.value_minor),
        }
    }
    for (index, row) in spend.iter().enumerate() {
        if row.spend_minor < 0 {
            let wrong = format!("spend[{index}].spend_minor: {} is below zero", row.spend_minor);
            return Err(Error::invalid(OPERATION, wrong));
        }
        match of_spend(by, row) {
            Some(id) => sums.entry(id).or_default().spend += i128::from(row.spend_minor),
            None => unassigned[1] += i128::from(row.spend_minor),
        }
    }
    let rows = sums.into_iter().map(|(id, sum)| row(id, &sum, &pool));
    Ok(Roas {
        by,
        rows: rows.collect::<Result<_>>()?,
        unassigned_value_minor: within_64_bits(unassigned[0])?,
        unassigned_spend_minor: within_64_bits(unassigned[1])?,
        problem_deals,
    })
}

fn row(id: &str, sum: &Sum, pool: &Pool) -> Result<RoasRow> {
    let value: i128 = sum.values.iter().map(|value| i128::from(*value)).sum();
    let spent = Some(sum.spend).filter(|spend| *spend > 0);
    let ratio =
        |value: i128| spent.map(|spend| saturated(divide(value.saturating_mul(i128::from(ONE)), spend)));
    let ends = interval(&sum.values, pool);
    Ok(RoasRow {
        id: id.to_owned(),
        deals: sum.deals,
        valued_deals: sum.values.iter().filter(|value| **value > 0).count() as u64,
        value_minor: within_64_bits(value)?,
        spend_minor: within_64_bits(sum.spend)?,
        roas_millionths: ratio(value),
        low_millionths: ends.and_then(|(low, _)| ratio(low)),
        high_millionths: ends.and_then(|(_, high)| ratio(high)),
    })
}

fn of_click(by: RoasDimension, found: &Attributed) -> Option<&str> {
    match by {
        RoasDimension::Ad => Some(&found.ad_id),
        RoasDimension::Adset => found.adset_id.as_deref(),
        RoasDimension::Campaign => found.campaign_id.as_deref(),
        RoasDimension::Keyword => found.keyword.as_deref(),
        RoasDimension::Content => found.content.as_deref(),
    }
}

fn of_spend(by: RoasDimension, row: &AdSpend) -> Option<&str> {
    let told = match by {
        RoasDimension::Ad => &row.ad_id,
        RoasDimension::Adset => &row.adset_id,
        RoasDimension::Campaign => &row.campaign_id,
        RoasDimension::Keyword => &row.keyword,
        RoasDimension::Content => &row.content,
    };
    told.as_deref()
}

fn saturated(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })
}

fn within_64_bits(number: i128) -> Result<Minor> {
    Minor::try_from(number).map_err(|_| {
        Error::new(ErrorKind::LimitExceeded, OPERATION, "a sum passes what 64 bits of minor units hold")
    })
}

#[cfg(test)]
mod tests {
    use xynergy_core::store::{DealFacts, Layer, Match};

    use super::*;

    fn deal(ad: Option<&str>, value_minor: Minor, day: i64) -> DealRevenue {
        DealRevenue {
            deal_id: format!("{ad:?}-{value_minor}-{day}"),
            stage: Some("x".into()),
            pipeline: None,
            value_minor,
            amount_minor: None,
            merged_into: None,
            problem: None,
            facts: DealFacts::default(),
            entries: Vec::new(),
            matched: Match {
                found: ad.map(|ad| Attributed {
                    layer: Layer::Layer1,
                    click_id: None,
                    ad_id: ad.into(),
                    adset_id: Some(format!("set of {ad}")),
                    campaign_id: None,
                    keyword: Some("shoes".into()),
                    content: None,
                }),
                anchor: Timestamp::from_millis(day * 86_400_000),
                rule_version: "r".into(),
                probability: None,
                p_none: None,
                receipt: "{}".into(),
            },
            events_seen: 1,
            values_seen: 0,
        }
    }

    fn spent(ad: &str, spend_minor: Minor) -> AdSpend {
        AdSpend { ad_id: Some(ad.into()), spend_minor, ..AdSpend::default() }
    }

    #[test]
    fn revenue_stands_beside_spend() {
        let mut deals =
            vec![deal(Some("a"), 500, 1), deal(Some("a"), 0, 2), deal(None, 70, 2), deal(Some("b"), 50, 9)];
        deals.push(DealRevenue { merged_into: Some("x".into()), ..deal(Some("a"), 0, 1) });
        deals.push(DealRevenue { problem: Some("currency".into()), ..deal(Some("a"), 1, 1) });
        let spend = [
            spent("a", 200),
            spent("a", 50),
            spent("c", 10),
            AdSpend { spend_minor: 3, ..AdSpend::default() },
        ];
        let answer = roas(RoasDimension::Ad, &deals, &spend, None, None).unwrap();
        let shown: Vec<_> = answer
            .rows
            .iter()
            .map(|r| {
                (r.id.as_str(), r.deals, r.valued_deals, r.value_minor, r.spend_minor, r.roas_millionths)
            })
            .collect();
        assert_eq!(
            shown,
            [("a", 3, 2, 501, 250, Some(2_004_000)), ("b", 1, 1, 50, 0, None), ("c", 0, 0, 0, 10, Some(0))]
        );
        assert_eq!(
            (answer.unassigned_value_minor, answer.unassigned_spend_minor, answer.problem_deals),
            (70, 3, 1)
        );
        let a = &answer.rows[0];
        assert!(a.low_millionths < a.roas_millionths && a.roas_millionths < a.high_millionths, "{a:?}");
        assert!(answer.rows[2].low_millionths == Some(0) && answer.rows[2].high_millionths > Some(0));
        let days = |from, to| {
            let at = |day: i64| Some(Timestamp::from_millis(day * 86_400_000));
            roas(RoasDimension::Ad, &deals, &[], at(from), at(to))
        };
        assert_eq!(days(2, 9).unwrap().rows.len(), 1);
        assert_eq!(days(9, 10).unwrap().rows[0].id, "b");
        assert!(days(2, 1).unwrap_err().message().starts_with("until: "));
        let below = roas(RoasDimension::Ad, &[], &[spent("a", -1)], None, None).unwrap_err();
        assert!(below.message().starts_with("spend[0].spend_minor: -1"), "{below}");
    }

    #[test]
    fn every_dimension_has_its_rows() {
        let deals = [deal(Some("a"), 5, 1), deal(Some("b"), 6, 1)];
        for (by, ids, rest) in [
            (RoasDimension::Adset, vec!["set of a", "set of b"], 0),
            (RoasDimension::Keyword, vec!["shoes"], 0),
            (RoasDimension::Campaign, vec![], 11),
            (RoasDimension::Content, vec![], 11),
        ] {
            let answer = roas(by, &deals, &[], None, None).unwrap();
            assert_eq!(answer.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ids, "{by:?}");
            assert_eq!(answer.unassigned_value_minor, rest);
        }
        let huge = [deal(Some("a"), i64::MAX, 1), deal(Some("a"), i64::MAX, 2)];
        assert_eq!(
            roas(RoasDimension::Ad, &huge, &[], None, None).unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );
    }
}
