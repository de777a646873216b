//! The subset of Meta's Graph API that budgets, ad objects and their figures need, as pure functions of the state, the request and the time.

mod activities;
mod create;
mod error;
mod fields;
mod filter;
mod insights;
mod lists;
mod node;
mod reports;
mod usage;

use std::collections::BTreeMap;

pub(super) use create::fresh_id;
pub(super) use error::GraphError;
use http::Method;
use serde_json::{Value, json};
pub(super) use usage::{with_usage, with_usage_fault};
use xynergy_core::Timestamp;

use super::engine::App;
use super::fault::GraphFault;
use super::incoming::{Incoming, is_graph_version};
use super::plan::MINIMUM_DAILY;
use super::record::ErrorCode;
use super::reply::{Handled, Reply};
use super::world::World;

/// The parameters of a write that the log shows.
const SHOWN: [&str; 13] = [
    "adset_id",
    "bid_amount",
    "campaign_id",
    "daily_budget",
    "execution_options",
    "fields",
    "level",
    "lifetime_budget",
    "name",
    "status",
    "time_increment",
    "time_range",
    "title",
];

/// How much of a parameter the log shows.
const MAX_SHOWN_CHARS: usize = 100;

/// One Graph call: what every edge needs.
struct Call<'a> {
    world: &'a World,
    app: &'a App,
    request: &'a Incoming,
    params: Vec<(String, String)>,
    now: Timestamp,
}

impl Call<'_> {
    fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The account's number when `id` is the account, as `act_1`.
    fn account(&self, id: &str) -> Option<&str> {
        let number = self.world.seed.ads.account.number();
        (id.strip_prefix("act_")? == number).then_some(number)
    }
}

pub(super) fn handle(world: &World, app: &App, request: &Incoming, now: Timestamp) -> Handled {
    answer(world, app, request, now).unwrap_or_else(|error| refused(&error))
}

fn refused(error: &GraphError) -> Handled {
    let mut handled = Handled::from(Reply::json(error.status, &error.body()));
    handled.error = Some(ErrorCode { code: error.code, subcode: error.subcode });
    handled
}

fn answer(world: &World, app: &App, request: &Incoming, now: Timestamp) -> Result<Handled, GraphError> {
    let params = request.params().map_err(GraphError::invalid)?;
    let call = Call { world, app, request, params, now };
    authorise(&call)?;
    let segments = request.segments();
    if let Some(error) = usage::exhausted(world, now) {
        let mut handled = refused(&error);
        for (name, value) in usage::headers(world, now, Some(usage::minutes_to_regain(world, now))) {
            handled.reply = handled.reply.with_header(name, value);
        }
        return Ok(handled);
    }
    let Some((version, path)) = segments.split_first().filter(|(version, _)| is_graph_version(version))
    else {
        return Err(GraphError::invalid("The path begins with a version such as v26.0"));
    };
    let reply = match (&request.method, path) {
        (&Method::GET, [id]) if world.reports.contains_key(*id) => reports::status(&call, id),
        (&Method::GET, [id]) => node::read(&call, id)?,
        (&Method::POST, [id]) => return node::write(&call, id),
        (&Method::GET, [id, "insights"]) if world.reports.contains_key(*id) => reports::rows(&call, id)?,
        (&Method::GET, [id, "insights"]) => insights::read(&call, id, id)?,
        (&Method::POST, [id, "insights"]) => return reports::order(&call, id),
        (&Method::POST, [id, edge]) if call.account(id).is_some() => return create::write(&call, edge),
        (&Method::GET, [id, "activities"]) => activities::read(&call, version, id)?,
        (&Method::GET, [id, "minimum_budgets"]) if call.account(id).is_some() => minimum_budgets(&call),
        (&Method::GET, [id, edge]) => lists::read(&call, version, id, edge)?,
        (&Method::GET, _) => return Err(GraphError::missing("get", path.first().unwrap_or(&""))),
        _ => return Err(GraphError::missing("post", path.first().unwrap_or(&""))),
    };
    Ok(Reply::json(200, &reply).into())
}

fn authorise(call: &Call<'_>) -> Result<(), GraphError> {
    let bearer = call.request.bearer.as_ref().map(xynergy_core::config::Secret::expose);
    match bearer.or_else(|| call.param("access_token")).filter(|token| !token.is_empty()) {
        None => Err(GraphError::no_token()),
        Some("expired") => Err(GraphError::expired_token()),
        // The token of somebody who may see nothing here.
        Some("stranger") => {
            let id = call.request.segments.get(1).map_or("", String::as_str);
            let method = if call.request.method == Method::POST { "post" } else { "get" };
            Err(GraphError::missing(method, id))
        }
        Some(_) => Ok(()),
    }
}

fn minimum_budgets(call: &Call<'_>) -> Value {
    let currency = call.world.seed.ads.account.currency;
    json!({"data": [{
        "currency": currency.as_str(),
        "min_daily_budget_imp": MINIMUM_DAILY,
        "min_daily_budget_high_freq": MINIMUM_DAILY * 5,
        "min_daily_budget_low_freq": MINIMUM_DAILY * 40,
        "min_daily_budget_video_views": MINIMUM_DAILY,
    }]})
}

/// The answer of a fault rule.
pub(super) fn fault(fault: &GraphFault, world: &World, now: Timestamp) -> Handled {
    let error = GraphError::of_fault(fault);
    let mut handled = refused(&error);
    if let Some(minutes) = fault.regain_minutes {
        for (name, value) in usage::headers(world, now, Some(minutes)) {
            handled.reply = handled.reply.with_header(name, value);
        }
    }
    handled
}

/// What a write asked to set, for the log.
pub(super) fn sent(request: &Incoming) -> BTreeMap<String, String> {
    if request.method != Method::POST || request.surface != super::record::Surface::Graph {
        return BTreeMap::new();
    }
    let params = request.params().unwrap_or_default();
    params
        .into_iter()
        .filter(|(name, _)| SHOWN.contains(&name.as_str()))
        .map(|(name, value)| (name, value.chars().take(MAX_SHOWN_CHARS).collect()))
        .collect()
}
