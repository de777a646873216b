//! The activity log: who changed what, newest first.

use std::time::Duration;

use serde_json::{Map, Value, json};
use xynergy_core::Timestamp;

use super::{Call, GraphError, fields};
use crate::sandbox::record::{Actor, Field, ObjectKind};
use crate::sandbox::world::Activity;

/// Without `since` Meta goes back a week.
const DEFAULT_BACK: Duration = Duration::from_secs(7 * 86_400);

const FIELDS: [&str; 13] = [
    "event_time",
    "event_type",
    "translated_event_type",
    "object_id",
    "object_name",
    "object_type",
    "actor_id",
    "actor_name",
    "application_id",
    "application_name",
    "date_time_in_timezone",
    "extra_data",
    "id",
];

pub(super) fn read(call: &Call<'_>, version: &str, id: &str) -> Result<Value, GraphError> {
    let whole_account = call.account(id).is_some();
    if !whole_account && !call.world.objects.contains_key(id) {
        return Err(GraphError::missing("get", id));
    }
    let until = call.param("until").map(time).transpose()?.unwrap_or(call.now);
    let since = call.param("since").map(time).transpose()?.unwrap_or_else(|| until.minus(DEFAULT_BACK));
    let wanted = fields::wanted(call, &FIELDS[..12]);
    let mut rows = Vec::new();
    for activity in call.world.activities.iter().rev() {
        let at = whole_second(activity.at);
        let change = &activity.effect.change;
        if (whole_account || change.object_id == id) && at >= whole_second(since) && at <= until {
            rows.push((activity.seq, fields::choose(&row(call, activity), &wanted, "AdActivity")?));
        }
    }
    fields::page(call, version, &format!("{id}/activities"), rows.into_iter(), |seq, after| {
        after.parse::<u64>().is_ok_and(|after| *seq < after)
    })
}

fn row(call: &Call<'_>, activity: &Activity) -> Map<String, Value> {
    let effect = &activity.effect;
    let change = &effect.change;
    let (event_type, translated) = match (change.object_type, change.field) {
        (_, Field::BidAmount) => ("update_ad_set_bidding", "Ad set bid updated"),
        (_, Field::Learning) => ("update_ad_set_learning_stage_status", "Ad set learning updated"),
        (ObjectKind::Campaign, Field::DailyBudget) => ("update_campaign_budget", "Campaign budget updated"),
        (_, Field::DailyBudget) => ("update_ad_set_budget", "Ad set budget updated"),
        (ObjectKind::Campaign, Field::Status) => ("update_campaign_run_status", "Campaign status updated"),
        (ObjectKind::Adset, Field::Status) => ("update_ad_set_run_status", "Ad set status updated"),
        (_, Field::Status) => ("update_ad_run_status", "Ad status updated"),
    };
    // Meta's names of types are the old ones, in which an ad set was a campaign.
    let object_type = match change.object_type {
        ObjectKind::Campaign => "CAMPAIGN_GROUP",
        ObjectKind::Adset => "CAMPAIGN",
        ObjectKind::Ad => "ADGROUP",
        ObjectKind::Creative | ObjectKind::Video => "CREATIVE",
    };
    let mut extra = json!({"old_value": change.before, "new_value": change.after});
    if change.field == Field::DailyBudget {
        extra["currency"] = call.world.seed.ads.account.currency.as_str().into();
        extra["type"] = "Per day".into();
    }
    let app = (effect.actor == Actor::App).then_some(call.app);
    let person = effect.actor_name.as_deref().unwrap_or("A person");
    let fields = json!({
        "id": activity.seq.to_string(),
        "event_time": event_time(activity.at),
        "date_time_in_timezone": event_time(activity.at),
        "event_type": event_type,
        "translated_event_type": translated,
        "object_id": change.object_id,
        "object_name": call.world.objects.get(&change.object_id).map(|object| &object.name),
        "object_type": object_type,
        "actor_id": if app.is_some() { "2000000000000001" } else { "3000000000000001" },
        "actor_name": app.map_or(person, |app| &app.name),
        "application_id": app.map(|app| &app.id),
        "application_name": app.map(|app| &app.name),
        "extra_data": extra.to_string(),
    });
    match fields {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// A time as the activity log writes it: whole seconds, `2026-03-01T12:00:00+0000`.
pub(super) fn event_time(at: Timestamp) -> String {
    whole_second(at).to_string().replace('Z', "+0000")
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros().div_euclid(1_000_000) * 1_000_000)
}

/// Unix seconds, RFC 3339, or a day.
fn time(text: &str) -> Result<Timestamp, GraphError> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(Timestamp::from_micros(seconds.saturating_mul(1_000_000)));
    }
    let day = format!("{text}T00:00:00Z");
    [text, &day].iter().find_map(|form| form.parse().ok()).ok_or_else(|| {
        GraphError::invalid("(#100) since and until are unix seconds or a time such as 2026-03-01T12:00:00Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_like_metas_and_read_in_all_forms() {
        let at: Timestamp = "2026-03-01T12:00:00.75Z".parse().unwrap();
        assert_eq!(event_time(at), "2026-03-01T12:00:00+0000");
        let whole = whole_second(at);
        for form in ["1772366400", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00+0000"] {
            assert_eq!(time(form).unwrap(), whole, "{form}");
        }
        assert!(time("2026-03-01").is_ok() && time("soon").is_err());
    }
}
