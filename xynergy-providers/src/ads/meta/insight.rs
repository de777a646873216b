//! What ads did. Pure functions.

use serde::Deserialize;
use serde_json::Value;
use xynergy_core::ads::AdInsight;
use xynergy_core::{Currency, Error, Minor, Result, Timestamp};

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
}

impl InsightRow {
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
pub(super) fn time_range(since: Timestamp, until: Timestamp, operation: &'static str) -> Result<String> {
    if since > until {
        return Err(Error::invalid(operation, "since: is after until"));
    }
    let day = |time: Timestamp| time.to_string().chars().take(10).collect::<String>();
    Ok(serde_json::json!({"since": day(since), "until": day(until)}).to_string())
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
