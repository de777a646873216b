//! What ads did. Pure functions.

use serde::Deserialize;
use serde_json::Value;
use xynergy_core::ads::{AdDay, AdInsight, DayRange};
use xynergy_core::{Currency, Minor, Result};

use super::error::corrupt;
use super::wire::Id;

pub(super) const FIELDS: &str = "ad_id,adset_id,campaign_id,impressions,clicks,spend";

/// One ad's figures. Meta leaves figures of nothing out.
#[derive(Debug, Deserialize)]
pub(super) struct InsightRow {
    ad_id: Id,
    adset_id: Id,
    campaign_id: Id,
    impressions: Option<Value>,
    clicks: Option<Value>,
    spend: Option<Value>,
    date_start: Option<String>,
}

impl InsightRow {
    /// The figures of one day of `range`.
    pub(super) fn into_day(
        self,
        currency: Currency,
        range: DayRange,
        operation: &'static str,
    ) -> Result<AdDay> {
        let (first, last) = range.ends();
        let day = self.date_start.clone().filter(|day| (&first..=&last).contains(&day));
        let day = day.ok_or_else(|| corrupt(operation, "date_start: is no day that was asked for"))?;
        Ok(AdDay { day, insight: self.into_insight(currency, operation)? })
    }

    pub(super) fn into_insight(self, currency: Currency, operation: &'static str) -> Result<AdInsight> {
        Ok(AdInsight {
            ad_id: self.ad_id.to_string(),
            adset_id: self.adset_id.to_string(),
            campaign_id: self.campaign_id.to_string(),
            impressions: count(self.impressions.as_ref(), "impressions", operation)?,
            clicks: count(self.clicks.as_ref(), "clicks", operation)?,
            spend_minor: spend(self.spend.as_ref(), currency, operation)?,
        })
    }
}

/// The days that Meta is asked for, both included.
pub(super) fn time_range(range: DayRange) -> String {
    let (since, until) = range.ends();
    serde_json::json!({"since": since, "until": until}).to_string()
}

fn count(value: Option<&Value>, field: &str, operation: &'static str) -> Result<i64> {
    let count = match value {
        None | Some(Value::Null) => Some(0),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_i64(),
    };
    count
        .filter(|count| *count >= 0)
        .ok_or_else(|| corrupt(operation, format!("{field}: is no whole number of at least 0")))
}

fn spend(value: Option<&Value>, currency: Currency, operation: &'static str) -> Result<Minor> {
    let text = match value {
        None | Some(Value::Null) => return Ok(0),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    minor(&text, currency).ok_or_else(|| {
        corrupt(operation, format!("spend: is no amount of {currency} that its minor units can hold"))
    })
}

/// A decimal number of major units, such as `12.5`, in minor units: exactly, or not at all.
fn minor(text: &str, currency: Currency) -> Option<Minor> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) {
        return None;
    }
    let decimals = if currency.offset() == 1 { 0 } else { 2 };
    let part = part.trim_end_matches('0');
    if part.len() > decimals {
        return None;
    }
    let part: Minor = format!("0{part:0<decimals$}").parse().ok()?;
    whole.parse::<Minor>().ok()?.checked_mul(currency.offset())?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn jpy() -> Currency {
        "JPY".parse().unwrap()
    }

    #[test]
    fn figures_are_texts_and_those_of_nothing_are_left_out() {
        let row: InsightRow = serde_json::from_value(json!({
            "ad_id": "1", "adset_id": 2, "campaign_id": "3", "impressions": "1000", "clicks": 30, "spend": "12.5",
        }))
        .unwrap();
        let insight = row.into_insight(Currency::USD, "ads.insights").unwrap();
        assert_eq!((insight.adset_id.as_str(), insight.impressions, insight.clicks), ("2", 1000, 30));
        assert_eq!(insight.spend_minor, 1250);
        let idle: InsightRow =
            serde_json::from_value(json!({"ad_id": "1", "adset_id": "2", "campaign_id": "3"})).unwrap();
        assert_eq!(idle.into_insight(jpy(), "ads.insights").unwrap().spend_minor, 0);
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        for (text, currency, expected) in [
            ("0", Currency::USD, Some(0)),
            ("12", Currency::USD, Some(1200)),
            ("12.05", Currency::USD, Some(1205)),
            ("12.050", Currency::USD, Some(1205)),
            ("12.005", Currency::USD, None),
            ("1234.00", jpy(), Some(1234)),
            ("1234.5", jpy(), None),
            ("-1.00", Currency::USD, None),
            ("1e3", Currency::USD, None),
            (".5", Currency::USD, None),
            ("92233720368547758.07", Currency::USD, Some(i64::MAX)),
            ("92233720368547758.08", Currency::USD, None),
        ] {
            assert_eq!(minor(text, currency), expected, "{text} {currency}");
        }
        let error = spend(Some(&json!("1.005")), Currency::USD, "ads.insights").unwrap_err();
        assert!(error.message().starts_with("spend: "), "{error}");
        assert!(count(Some(&json!("-1")), "clicks", "ads.insights").is_err());
    }

    #[test]
    fn days_are_the_dates() {
        let (from, to) = ("2026-03-01T23:59:59Z".parse().unwrap(), "2026-03-02T00:00:00Z".parse().unwrap());
        let range = DayRange::new(from, to).unwrap();
        assert_eq!(time_range(range), r#"{"since":"2026-03-01","until":"2026-03-02"}"#);
        let row = |day: &str| -> InsightRow {
            let row = json!({"ad_id": "1", "adset_id": "2", "campaign_id": "3", "date_start": day});
            serde_json::from_value(row).unwrap()
        };
        assert_eq!(
            row("2026-03-02").into_day(Currency::USD, range, "ads.insights").unwrap().day,
            "2026-03-02"
        );
        for other in ["2026-03-03", "soon"] {
            let error = row(other).into_day(Currency::USD, range, "ads.insights").unwrap_err();
            assert!(error.message().starts_with("date_start: "), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(amount in 0_i64..=i64::MAX) {
            let usd = format!("{}.{:02}", amount / 100, amount % 100);
            prop_assert_eq!(minor(&usd, Currency::USD), Some(amount));
            prop_assert_eq!(minor(&amount.to_string(), jpy()), Some(amount));
        }
    }
}
