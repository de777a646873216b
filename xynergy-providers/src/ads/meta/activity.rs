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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(time: &str, event: &str, app: &Value, extra: &Value) -> ActivityRow {
        let row = json!({"event_time": time, "event_type": event, "object_id": "7", "application_id": app,
                         "extra_data": extra});
        serde_json::from_value(row).unwrap()
    }

    fn edits(rows: Vec<ActivityRow>) -> Vec<Activity> {
        let since = "2026-03-01T12:00:00.9Z".parse().unwrap();
        of_owner(rows, &Owner::ad_set("7"), since, "42", "ads.activities").unwrap()
    }

    #[test]
    fn edits_come_oldest_first_and_say_whose_they_are() {
        let extra = json!(r#"{"old_value":2500,"new_value":"3000","currency":"USD","type":"Per day"}"#);
        let found = edits(vec![
            row("2026-03-01T12:05:00+0000", "update_ad_set_run_status", &json!(null), &json!("{}")),
            row("2026-03-01T13:01:00+0100", "update_ad_set_budget", &json!(42), &extra),
            row("2026-03-01T12:00:00+0000", "update_ad_set_budget", &json!("41"), &json!("no JSON")),
            row("2026-03-01T11:59:59+0000", "update_ad_set_budget", &json!("42"), &extra),
            row("soon", "update_ad_set_name", &json!("42"), &json!(null)),
        ]);
        let shown: Vec<_> = found.iter().map(|a| (a.field, a.before, a.after, a.own)).collect();
        assert_eq!(
            shown,
            [
                (ChangeField::Budget, None, None, false),
                (ChangeField::Budget, Some(2500), Some(3000), true),
                (ChangeField::Status, None, None, false),
            ],
            "the second of `since` counts, edits of other kinds do not"
        );
        assert_eq!(found[1].at, "2026-03-01T12:01:00Z".parse().unwrap());
    }

    #[test]
    fn other_objects_edits_are_left_out_and_a_time_that_is_none_is_an_error() {
        let mut other = row("2026-03-01T12:05:00+0000", "update_ad_set_budget", &json!("42"), &json!(null));
        other.object_id = Some(Id::Number(8));
        assert!(edits(vec![other]).is_empty());
        let broken = row("soon", "update_ad_set_budget", &json!("42"), &json!(null));
        let error = of_owner(vec![broken], &Owner::ad_set("7"), Timestamp::default(), "42", "ads.activities")
            .unwrap_err();
        assert!(error.message().starts_with("event_time: "), "{error}");
    }

    #[test]
    fn values_are_read_in_every_dress_or_not_at_all() {
        let read = |field, shown: Value| value(field, &shown, "new_value");
        assert_eq!(read(ChangeField::Budget, json!({"new_value": 5})), Some(5));
        assert_eq!(read(ChangeField::Budget, json!({"new_value": {"new_value": 5}})), None);
        assert_eq!(read(ChangeField::Budget, json!(5.5)), None);
        assert_eq!(read(ChangeField::Status, json!("Active")), Some(1));
        assert_eq!(read(ChangeField::Status, json!("PAUSED")), Some(0));
        assert_eq!(read(ChangeField::Status, json!("Inactive")), Some(0));
        assert_eq!(read(ChangeField::Status, json!(15)), None);
    }
}
