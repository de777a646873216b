//! Insights: what the ads file says each ad has brought, by its `days`; without them all of it, whatever the time range asked
//! for.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use xynergy_core::{Currency, Minor, Timestamp};

use super::{Call, GraphError, fields};
use crate::sandbox::ads_file::AdRow;
use crate::sandbox::record::ObjectKind;

const DEFAULT_DAYS: u64 = 30;

#[derive(Clone, Copy, PartialEq)]
enum Level {
    Account,
    Campaign,
    Adset,
    Ad,
}

#[derive(Default)]
struct Totals {
    impressions: u64,
    clicks: u64,
    spend: Minor,
}

/// What rows are asked for.
struct Query {
    own: Level,
    level: Level,
    daily: bool,
    start: String,
    stop: String,
}

/// Refuses what no rows can be made of.
pub(super) fn check(call: &Call<'_>, id: &str) -> Result<(), GraphError> {
    query(call, id).map(|_| ())
}

/// The rows about `id`, as the list of the edge of `of`.
pub(super) fn read(call: &Call<'_>, id: &str, of: &str) -> Result<Value, GraphError> {
    let Query { own, level, daily, start, stop } = query(call, id)?;
    let mut groups: BTreeMap<(String, &str), (&AdRow, Totals)> = BTreeMap::new();
    for ad in call.world.seed.ads.ads.iter().filter(|ad| {
        own == Level::Account || [&ad.ad_id, &ad.adset_id, &ad.campaign_id].into_iter().any(|part| part == id)
    }) {
        let key = match level {
            Level::Account => "",
            Level::Campaign => &ad.campaign_id,
            Level::Adset => &ad.adset_id,
            Level::Ad => &ad.ad_id,
        };
        for (day, figures) in days(ad, &start, &stop) {
            let day = if daily { day } else { String::new() };
            let totals = &mut groups.entry((day, key)).or_insert_with(|| (ad, Totals::default())).1;
            totals.impressions = totals.impressions.saturating_add(figures.impressions);
            totals.clicks = totals.clicks.saturating_add(figures.clicks);
            totals.spend = totals.spend.saturating_add(figures.spend);
        }
    }
    let ids: &[&str] = match level {
        Level::Account => &["account_id"],
        Level::Campaign => &["campaign_id"],
        Level::Adset => &["campaign_id", "adset_id"],
        Level::Ad => &["campaign_id", "adset_id", "ad_id"],
    };
    let mut wanted = fields::wanted(call, &[ids, &["impressions", "clicks", "spend"]].concat());
    wanted.extend(["date_start", "date_stop"].map(str::to_owned));
    let mut rows = Vec::new();
    for ((day, key), (ad, totals)) in groups {
        let mut all = row(call, ad, level, &totals);
        let (first, last) = if daily { (&day, &day) } else { (&start, &stop) };
        all.insert("date_start".to_owned(), first.clone().into());
        all.insert("date_stop".to_owned(), last.clone().into());
        rows.push((format!("{day}/{key}"), fields::choose(&all, &wanted, "AdsInsights")?));
    }
    let version = call.request.segments.first().map_or("", String::as_str);
    fields::page(call, version, &format!("{of}/insights"), rows.into_iter(), |key, after| {
        key.as_str() > after
    })
}

fn query(call: &Call<'_>, id: &str) -> Result<Query, GraphError> {
    let own = if call.account(id).is_some() {
        Level::Account
    } else {
        match call.world.objects.get(id).ok_or_else(|| GraphError::missing("get", id))?.kind {
            ObjectKind::Campaign => Level::Campaign,
            ObjectKind::Adset => Level::Adset,
            ObjectKind::Ad => Level::Ad,
            ObjectKind::Creative | ObjectKind::Video => return Err(GraphError::missing("get", id)),
        }
    };
    let level = match call.param("level") {
        None => own,
        Some("account") => Level::Account,
        Some("campaign") => Level::Campaign,
        Some("adset") => Level::Adset,
        Some("ad") => Level::Ad,
        Some(_) => {
            return Err(GraphError::invalid("(#100) level must be one of {ad, adset, campaign, account}"));
        }
    };
    let daily = match call.param("time_increment") {
        None | Some("all_days") => false,
        Some("1") => true,
        Some(_) => return Err(GraphError::invalid("(#100) The sandbox takes time_increment 1 or all_days")),
    };
    let (start, stop) = range(call)?;
    Ok(Query { own, level, daily, start, stop })
}

/// What an ad did on the days of a range: as its row's `days` say it, else everything on the last one.
fn days(ad: &AdRow, start: &str, stop: &str) -> Vec<(String, Totals)> {
    let Some(days) = ad.other.get("days").and_then(Value::as_object) else {
        let all = Totals { impressions: ad.impressions, clicks: ad.clicks, spend: ad.spend_minor };
        return vec![(stop.to_owned(), all)];
    };
    let within = days.iter().filter(|(day, _)| (start..=stop).contains(&day.as_str()));
    let count = |figures: &Value, name: &str| figures.get(name).and_then(Value::as_u64).unwrap_or(0);
    within
        .map(|(day, figures)| {
            let spend = figures.get("spend_minor").and_then(Value::as_i64).unwrap_or(0);
            let (impressions, clicks) = (count(figures, "impressions"), count(figures, "clicks"));
            (day.clone(), Totals { impressions, clicks, spend })
        })
        .collect()
}

/// Every field of a row; the numbers are strings, as Meta writes them.
fn row(call: &Call<'_>, ad: &AdRow, level: Level, totals: &Totals) -> Map<String, Value> {
    let account = &call.world.seed.ads.account;
    let name = |id: &str| call.world.objects.get(id).map(|object| object.name.clone());
    let under = |floor: &[Level], value: Option<String>| value.filter(|_| floor.contains(&level));
    let (campaign, adset) = ([Level::Campaign, Level::Adset, Level::Ad], [Level::Adset, Level::Ad]);
    let fields = json!({
        "account_id": account.number(),
        "account_currency": account.currency.as_str(),
        "account_name": "Sandbox account",
        "campaign_id": under(&campaign, Some(ad.campaign_id.clone())),
        "campaign_name": under(&campaign, name(&ad.campaign_id)),
        "adset_id": under(&adset, Some(ad.adset_id.clone())),
        "adset_name": under(&adset, name(&ad.adset_id)),
        "ad_id": under(&[Level::Ad], Some(ad.ad_id.clone())),
        "ad_name": under(&[Level::Ad], Some(ad.name.clone())),
        "impressions": totals.impressions.to_string(),
        "clicks": totals.clicks.to_string(),
        "spend": major(totals.spend, account.currency),
        "ctr": ratio(u128::from(totals.clicks) * 100, totals.impressions),
        "cpc": ratio(u128::from(totals.spend.unsigned_abs()), totals.clicks.saturating_mul(offset(account.currency))),
        "actions": null,
        "action_values": null,
        "conversions": null,
        "cpm": ratio(
            u128::from(totals.spend.unsigned_abs()) * 1_000,
            totals.impressions.saturating_mul(offset(account.currency)),
        ),
    });
    match fields {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn offset(currency: Currency) -> u64 {
    currency.offset().unsigned_abs()
}

/// An amount in major units, as `12.34`.
fn major(amount: Minor, currency: Currency) -> String {
    match currency.offset() {
        1 => amount.to_string(),
        offset => format!("{}.{:02}", amount / offset, amount % offset),
    }
}

/// A quotient to six digits; nothing when there is nothing to divide by.
fn ratio(part: u128, whole: u64) -> Option<String> {
    let millionths = (part * 1_000_000).checked_div(u128::from(whole))?;
    Some(format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000))
}

/// The days of the answer: those asked for, else the last 30.
fn range(call: &Call<'_>) -> Result<(String, String), GraphError> {
    let Some(text) = call.param("time_range") else {
        let start = call.now.minus(Duration::from_secs(DEFAULT_DAYS * 86_400));
        return Ok((day(start), day(call.now)));
    };
    let wrong = || {
        GraphError::invalid(
            "(#100) Param time_range must be {\"since\":\"YYYY-MM-DD\",\"until\":\"YYYY-MM-DD\"}",
        )
    };
    let range: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let date = |key: &str| {
        let text = range.get(key)?.as_str()?;
        format!("{text}T00:00:00Z").parse::<Timestamp>().ok().map(day)
    };
    Ok((date("since").ok_or_else(wrong)?, date("until").ok_or_else(wrong)?))
}

fn day(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_quotients_are_exact() {
        assert_eq!(major(123_405, Currency::USD), "1234.05");
        assert_eq!(major(1_234, "JPY".parse().unwrap()), "1234");
        assert_eq!(ratio(200, 3).unwrap(), "66.666666");
        assert_eq!(ratio(1, 0), None);
    }
}
