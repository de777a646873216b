//! Creating campaigns, ad sets, ads, creatives and videos.

use serde_json::{Map, Value, json};

use super::node::{NEUTRAL, as_json, validate_only};
use super::{Call, GraphError};
use crate::sandbox::incoming::is_secret;
use crate::sandbox::plan::{STATUSES, check_amount};
use crate::sandbox::record::{ObjectKind, ObjectWrite};
use crate::sandbox::reply::{Handled, Reply};

/// The id of what the log's line of this number creates: beyond every id of an ads file.
pub(in crate::sandbox) fn fresh_id(seq: u64) -> String {
    (120_330_000_000_000_000 + seq).to_string()
}

pub(super) fn write(call: &Call<'_>, edge: &str) -> Result<Handled, GraphError> {
    let kind = match edge {
        "campaigns" => ObjectKind::Campaign,
        "adsets" => ObjectKind::Adset,
        "ads" => ObjectKind::Ad,
        "adcreatives" => ObjectKind::Creative,
        "advideos" => ObjectKind::Video,
        _ => return Err(GraphError::missing("post", edge)),
    };
    let mut object = asked(call, kind)?;
    require(call, kind, &object.fields)?;
    if kind == ObjectKind::Adset {
        // The ad set is in its campaign; what the parameter is called in Meta's answers too.
        check_budgets(call, &object.fields)?;
    }
    if kind == ObjectKind::Ad {
        let adset = text(&object.fields, "adset_id");
        if let Some(adset) = call.world.objects.get(&adset) {
            object.fields.insert("campaign_id".into(), adset.campaign_id.clone().into());
        }
    }
    if validate_only(call)? {
        return Ok(Reply::json(200, &json!({"success": true})).into());
    }
    let id = fresh_id(call.world.seq + 1);
    let mut handled = Handled::from(Reply::json(200, &json!({"id": id})));
    handled.object = Some(object);
    Ok(handled)
}

fn asked(call: &Call<'_>, kind: ObjectKind) -> Result<ObjectWrite, GraphError> {
    let mut object =
        ObjectWrite { object_type: kind, object_id: None, name: None, status: None, fields: Map::new() };
    for (name, value) in &call.params {
        match name.as_str() {
            // A video has a title, and its name is the file's.
            "title" if kind == ObjectKind::Video => object.name = Some(value.clone()),
            "name" if kind != ObjectKind::Video => object.name = Some(value.clone()),
            "status" => {
                if !STATUSES.contains(&value.as_str()) {
                    return Err(GraphError::invalid(format!(
                        "Param status must be one of {{{}}}",
                        STATUSES.join(", ")
                    )));
                }
                object.status = Some(value.clone());
            }
            "daily_budget" | "lifetime_budget" | "bid_amount" => {
                let amount: i64 = value
                    .parse()
                    .map_err(|_| GraphError::invalid(format!("(#100) Param {name} must be an integer")))?;
                if name != "bid_amount" {
                    check_amount(amount, call.world.seed.ads.account.currency)?;
                }
                object.fields.insert(name.clone(), amount.into());
            }
            name if NEUTRAL.contains(&name) || is_secret(name) => {}
            name => {
                object.fields.insert(name.to_owned(), as_json(value));
            }
        }
    }
    Ok(object)
}

fn require(call: &Call<'_>, kind: ObjectKind, fields: &Map<String, Value>) -> Result<(), GraphError> {
    let needed: &[&str] = match kind {
        ObjectKind::Campaign => &["objective", "special_ad_categories"],
        ObjectKind::Adset => &["campaign_id", "billing_event", "optimization_goal", "targeting"],
        ObjectKind::Ad => &["adset_id", "creative"],
        ObjectKind::Creative => &[],
        ObjectKind::Video => &["file_url"],
    };
    if let Some(missing) = needed.iter().find(|name| !fields.contains_key(**name)) {
        return Err(GraphError::invalid(format!("(#100) The parameter {missing} is required.")));
    }
    let named = if kind == ObjectKind::Video { "title" } else { "name" };
    if call.param(named).is_none_or(str::is_empty) {
        return Err(GraphError::invalid(format!("(#100) The parameter {named} is required.")));
    }
    for (name, parent) in [("campaign_id", ObjectKind::Campaign), ("adset_id", ObjectKind::Adset)] {
        let given = fields.get(name).is_some().then(|| text(fields, name));
        let Some(id) = given else { continue };
        if call.world.objects.get(&id).is_none_or(|object| object.kind != parent) {
            return Err(GraphError::invalid(format!("(#100) Param {name} is no object of this account")));
        }
    }
    Ok(())
}

/// The budget of an ad set is its own or its campaign's.
fn check_budgets(call: &Call<'_>, fields: &Map<String, Value>) -> Result<(), GraphError> {
    let own = fields.contains_key("daily_budget") || fields.contains_key("lifetime_budget");
    let campaign = call.world.objects.get(&text(fields, "campaign_id"));
    let above = campaign.is_some_and(|c| c.daily_budget.or(c.lifetime_budget).is_some());
    match (own, above) {
        (true, true) => Err(GraphError::invalid(
            "The budget of this ad set is its campaign's: leave daily_budget and lifetime_budget out",
        )),
        (false, false) => Err(GraphError::invalid(
            "(#100) The parameter daily_budget or lifetime_budget is required: the campaign has no budget",
        )),
        _ => Ok(()),
    }
}

fn text(fields: &Map<String, Value>, name: &str) -> String {
    fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
