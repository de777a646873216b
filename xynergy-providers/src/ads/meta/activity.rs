//! Meta's log of edits. Pure functions.

use serde::Deserialize;
use serde_json::Value;
use xynergy_core::ads::{Activity, ChangeField, DeliveryStatus, Owner};
use xynergy_core::{Result, Timestamp};

use super::error::corrupt;
use super::wire::Id;

pub(super) const FIELDS: &str = "event_time,event_type,object_id,application_id,extra_data";

/// One line of the log.
#[derive(Debug, Deserialize)]
pub(super) struct ActivityRow {
    event_time: String,
    event_type: String,
    object_id: Option<Id>,
    application_id: Option<Id>,
    extra_data: Option<Value>,
}

/// The edits of `owner` since a time, oldest first. Meta's log is in whole seconds and newest first.
pub(super) fn of_owner(
    rows: Vec<ActivityRow>,
    owner: &Owner,
    since: Timestamp,
    app_id: &str,
    operation: &'static str,
) -> Result<Vec<Activity>> {
    let since = Timestamp::from_micros(whole_seconds(since).saturating_mul(1_000_000));
    let mut activities = Vec::new();
    for row in rows.into_iter().rev() {
        let of_owner = row.object_id.as_ref().is_some_and(|id| id.to_string() == owner.id);
        let (true, Some(field)) = (of_owner, edited(&row.event_type)) else { continue };
        let at: Timestamp = row
            .event_time
            .parse()
            .map_err(|e| corrupt(operation, "event_time: is no time").with_source(e))?;
        let details = details(row.extra_data);
        let value = |key: &str| value(field, details.get(key)?, key);
        activities.push(Activity {
            at,
            field,
            before: value("old_value"),
            after: value("new_value"),
            own: row.application_id.is_some_and(|id| id.to_string() == app_id),
        });
    }
    activities.retain(|activity| activity.at >= since);
    activities.sort_by_key(|activity| activity.at);
    Ok(activities)
}

/// A time in whole seconds, rounded down, as Meta takes it.
pub(super) fn whole_seconds(time: Timestamp) -> i64 {
    time.micros().div_euclid(1_000_000)
}

fn edited(event_type: &str) -> Option<ChangeField> {
    match event_type {
        "update_ad_set_budget" | "update_campaign_budget" => Some(ChangeField::Budget),
        "update_ad_set_run_status" | "update_campaign_run_status" => Some(ChangeField::Status),
        "update_ad_set_bidding" => Some(ChangeField::Bid),
        _ => None,
    }
}

/// What was edited, which Meta writes as JSON within a text.
fn details(extra_data: Option<Value>) -> Value {
    match extra_data {
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
        Some(value) => value,
        None => Value::Null,
    }
}

/// A value of the log as a change carries it; `None` where it cannot be told. Some are wrapped in an object once more.
fn value(field: ChangeField, shown: &Value, key: &str) -> Option<i64> {
    match (shown, field) {
        (Value::Object(wrapped), _) => match wrapped.get(key)? {
            Value::Object(_) => None,
            inner => value(field, inner, key),
        },
        (Value::String(word), ChangeField::Status) => match word.to_ascii_uppercase().as_str() {
            "ACTIVE" => Some(DeliveryStatus::Active.code()),
            "PAUSED" | "INACTIVE" => Some(DeliveryStatus::Paused.code()),
            "ARCHIVED" | "DELETED" => Some(DeliveryStatus::Ended.code()),
            _ => None,
        },
        (Value::String(text), _) => text.parse().ok(),
        (number, ChangeField::Bid | ChangeField::Budget) => number.as_i64(),
        (_, ChangeField::Status) => None,
    }
}
