//! Reading and writing one object.

use http::Method;
use serde_json::{Map, Value, json};
use xynergy_core::Minor;

use super::{Call, GraphError, fields, refused};
use crate::sandbox::incoming::is_secret;
use crate::sandbox::record::{ObjectKind, ObjectWrite, Write};
use crate::sandbox::reply::{Handled, Reply};
use crate::sandbox::world::{Object, World};

/// Parameters of a write that set nothing.
pub(super) const NEUTRAL: [&str; 7] =
    ["execution_options", "format", "fields", "method", "pretty", "suppress_http_code", "locale"];

pub(super) fn read(call: &Call<'_>, id: &str) -> Result<Value, GraphError> {
    if let Some(number) = call.account(id) {
        let all = account(call, number);
        return fields::choose(&all, &with_id(fields::wanted(call, &["account_id", "id"])), "AdAccount");
    }
    let object = call.world.objects.get(id).ok_or_else(|| GraphError::missing(method(call), id))?;
    shown(call, id, object)
}

/// The chosen fields of an object; its id is always among them.
pub(super) fn shown(call: &Call<'_>, id: &str, object: &Object) -> Result<Value, GraphError> {
    let all = all_fields(call.world, id, object);
    fields::choose(&all, &with_id(fields::wanted(call, &["id"])), type_name(object.kind))
}

fn with_id(mut wanted: Vec<String>) -> Vec<String> {
    if !wanted.iter().any(|name| name == "id") {
        wanted.push("id".to_owned());
    }
    wanted
}

fn type_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Campaign => "Campaign",
        ObjectKind::Adset => "AdSet",
        ObjectKind::Ad => "Ad",
        ObjectKind::Creative => "AdCreative",
        ObjectKind::Video => "AdVideo",
    }
}

fn account(call: &Call<'_>, number: &str) -> Map<String, Value> {
    let ads = &call.world.seed.ads;
    let spent: Minor = ads.ads.iter().map(|ad| ad.spend_minor).sum();
    let fields = json!({
        "id": format!("act_{number}"),
        "account_id": number,
        "name": "Sandbox account",
        "currency": ads.account.currency.as_str(),
        "account_status": 1,
        "amount_spent": spent.to_string(),
        "spend_cap": "0",
        "balance": "0",
        "min_daily_budget": crate::sandbox::plan::MINIMUM_DAILY,
        "timezone_name": "Etc/UTC",
        "timezone_id": 1,
        "timezone_offset_hours_utc": 0,
    });
    into_map(fields)
}

fn into_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Fields that a type has besides those that the sandbox acts on; null until they are set.
fn known_fields(kind: ObjectKind) -> &'static [&'static str] {
    match kind {
        ObjectKind::Campaign => {
            &["bid_strategy", "buying_type", "objective", "special_ad_categories", "start_time", "stop_time"]
        }
        ObjectKind::Adset => &[
            "attribution_spec",
            "bid_strategy",
            "billing_event",
            "destination_type",
            "end_time",
            "optimization_goal",
            "promoted_object",
            "start_time",
            "targeting",
        ],
        ObjectKind::Ad => &["creative", "tracking_specs"],
        ObjectKind::Creative => &[
            "body",
            "call_to_action_type",
            "image_hash",
            "object_story_spec",
            "object_type",
            "title",
            "url_tags",
            "video_id",
        ],
        ObjectKind::Video => &["description", "file_url", "length"],
    }
}

/// Every field that the type knows, null where the object has none.
fn all_fields(world: &World, id: &str, object: &Object) -> Map<String, Value> {
    if object.kind == ObjectKind::Video {
        // A video has a title where everything else has a name, and names no account.
        let mut all = into_map(json!({
            "id": id,
            "title": object.name,
            "updated_time": object.updated.map(super::activities::event_time),
        }));
        all.extend(known_fields(object.kind).iter().map(|name| ((*name).to_owned(), Value::Null)));
        all.extend(object.fields.clone());
        return all;
    }
    let mut all = into_map(json!({
        "id": id,
        "account_id": world.seed.ads.account.number(),
        "name": object.name,
        "status": object.status,
        "configured_status": object.status,
        "effective_status": effective_status(world, object),
        "updated_time": object.updated.map(super::activities::event_time),
    }));
    all.extend(known_fields(object.kind).iter().map(|name| ((*name).to_owned(), Value::Null)));
    all.extend(object.fields.clone());
    if object.kind == ObjectKind::Creative {
        return all;
    }
    if object.kind != ObjectKind::Ad {
        // Meta writes budgets as strings, and "0" for the kind of budget that an owner does not use.
        let text = |amount: Option<Minor>| amount.map(|minor| minor.to_string());
        let (daily, lifetime) = (object.daily_budget, object.lifetime_budget);
        let unused = || daily.or(lifetime).map(|_| "0".to_owned());
        all.insert("lifetime_budget".to_owned(), text(lifetime).or_else(unused).into());
        all.insert("budget_remaining".to_owned(), text(daily.or(lifetime)).into());
        all.insert("daily_budget".to_owned(), text(daily).or_else(unused).into());
    }
    if object.kind != ObjectKind::Campaign {
        all.insert("campaign_id".to_owned(), object.campaign_id.clone().into());
    }
    if object.kind == ObjectKind::Adset {
        // Meta leaves it out of ad sets that are not active.
        let learning = object.learning.as_ref().filter(|_| object.status == "ACTIVE");
        let info = learning.map_or(Value::Null, |status| json!({"status": status, "conversions": 0}));
        all.insert("learning_stage_info".to_owned(), info);
        // An ad set's bid is a number, unlike its budgets.
        all.insert("bid_amount".to_owned(), object.bid_amount.into());
    }
    if object.kind == ObjectKind::Ad {
        all.insert("adset_id".to_owned(), object.adset_id.clone().into());
    }
    all
}

/// The status that its parents leave an object.
pub(super) fn effective_status(world: &World, object: &Object) -> String {
    let paused = |id: &str| world.objects.get(id).is_some_and(|parent| parent.status != "ACTIVE");
    if object.status != "ACTIVE" {
        object.status.clone()
    } else if paused(&object.campaign_id) {
        "CAMPAIGN_PAUSED".to_owned()
    } else if paused(&object.adset_id) {
        "ADSET_PAUSED".to_owned()
    } else {
        "ACTIVE".to_owned()
    }
}

fn method(call: &Call<'_>) -> &'static str {
    if call.request.method == Method::POST { "post" } else { "get" }
}

pub(super) fn write(call: &Call<'_>, id: &str) -> Result<Handled, GraphError> {
    if call.account(id).is_some() {
        return Err(GraphError::invalid(
            "(#100) The sandbox changes campaigns, ad sets, ads, creatives and videos, not the account",
        ));
    }
    let object = call.world.objects.get(id).ok_or_else(|| GraphError::missing("post", id))?;
    let (write, other) = requested(call, id, object)?;
    let validate_only = validate_only(call)?;
    let planned = call.world.plan_write(&write, call.now, validate_only);
    let mut handled = match planned {
        Ok(changes) => {
            let mut handled = Handled::from(Reply::json(200, &json!({"success": true})));
            if !validate_only {
                handled.changes = changes;
                handled.object = other;
            }
            handled
        }
        Err(refusal) => {
            let mut handled = refused(&refusal.error);
            handled.block = refusal.block;
            handled
        }
    };
    handled.write = Some(write).filter(|write| !validate_only && sets_something(write));
    Ok(handled)
}

fn sets_something(write: &Write) -> bool {
    write.daily_budget.is_some() || write.bid_amount.is_some() || write.status.is_some()
}

pub(super) fn validate_only(call: &Call<'_>) -> Result<bool, GraphError> {
    call.param("execution_options").map_or(Ok(false), execution_options)
}

/// The write that the parameters ask for.
fn requested(call: &Call<'_>, id: &str, object: &Object) -> Result<(Write, Option<ObjectWrite>), GraphError> {
    let mut write = Write { object_id: id.to_owned(), ..Write::default() };
    let mut other = ObjectWrite {
        object_type: object.kind,
        object_id: Some(id.to_owned()),
        name: None,
        status: None,
        fields: Map::new(),
    };
    let title = if object.kind == ObjectKind::Video { "title" } else { "name" };
    for (name, value) in &call.params {
        match name.as_str() {
            "daily_budget" => {
                write.daily_budget = Some(
                    value
                        .parse()
                        .map_err(|_| GraphError::invalid("(#100) Param daily_budget must be an integer"))?,
                );
            }
            "bid_amount" => {
                write.bid_amount = Some(
                    value
                        .parse()
                        .map_err(|_| GraphError::invalid("(#100) Param bid_amount must be an integer"))?,
                );
            }
            "status" => write.status = Some(value.clone()),
            name if name == title => other.name = Some(value.clone()),
            "lifetime_budget" if object.daily_budget.is_some() => {
                return Err(GraphError::invalid(
                    "(#100) The daily budget cannot be changed into a lifetime budget: set daily_budget",
                ));
            }
            name if NEUTRAL.contains(&name) || is_secret(name) => {}
            name if known_fields(object.kind).contains(&name) => {
                other.fields.insert(name.to_owned(), as_json(value));
            }
            name => {
                let name: String = name.chars().take(80).collect();
                return Err(GraphError::invalid(format!(
                    "(#100) The sandbox sets daily_budget, bid_amount, status and further fields of {id}, not {name}"
                )));
            }
        }
    }
    let other = Some(other).filter(|other| other.name.is_some() || !other.fields.is_empty());
    if !sets_something(&write) && other.is_none() {
        return Err(GraphError::invalid(
            "(#100) The request sets nothing: give daily_budget, bid_amount or status",
        ));
    }
    Ok((write, other))
}

/// A parameter that may be a JSON value in a text.
pub(super) fn as_json(value: &str) -> Value {
    match serde_json::from_str(value) {
        Ok(parsed @ (Value::Array(_) | Value::Object(_))) => parsed,
        _ => value.into(),
    }
}

/// Whether the execution options are those of a dry run.
fn execution_options(text: &str) -> Result<bool, GraphError> {
    let options: Vec<String> = serde_json::from_str(text).map_err(|_| {
        GraphError::invalid("(#100) Param execution_options must be a list such as [\"validate_only\"]")
    })?;
    match options.iter().find(|o| !["validate_only", "include_recommendations"].contains(&o.as_str())) {
        None => Ok(options.iter().any(|o| o == "validate_only")),
        Some(_) => Err(GraphError::invalid(
            "(#100) Param execution_options must be of validate_only and include_recommendations",
        )),
    }
}
