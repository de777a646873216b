//! The headers in which Meta says how much of each quota is used.

use serde_json::json;
use xynergy_core::Timestamp;

use super::GraphError;
use crate::sandbox::fault::UsageFault;
use crate::sandbox::record::ObjectKind;
use crate::sandbox::reply::Reply;
use crate::sandbox::world::{BUDGET_WINDOW, World, in_window};

const BUSINESS: &str = "x-business-use-case-usage";

/// Adds the usage headers, unless a fault has set its own.
pub(in crate::sandbox) fn with_usage(reply: Reply, world: &World, now: Timestamp) -> Reply {
    if reply.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(BUSINESS)) {
        return reply;
    }
    headers(world, now, None).into_iter().fold(reply, |reply, (name, value)| reply.with_header(name, value))
}

/// What Meta admits in an hour with full access, beside [`CALLS_PER_AD`] for each active ad.
const CALLS: usize = 100_000;

const CALLS_PER_AD: usize = 40;

/// The same answer with usage headers as a fault wants them.
pub(in crate::sandbox) fn with_usage_fault(reply: Reply, world: &World, fault: UsageFault) -> Reply {
    let UsageFault { percent, regain_minutes } = fault;
    let named = named(world, usize::from(percent), &percent.to_string(), regain_minutes.unwrap_or(0));
    named.into_iter().fold(reply, |reply, (name, value)| reply.with_header(name, value))
}

/// The refusal of a call above the quota that the sandbox was set up with.
pub(super) fn exhausted(world: &World, now: Timestamp) -> Option<GraphError> {
    let most = world.seed.calls_per_hour?;
    (calls(world, now) >= most).then(GraphError::too_many_calls)
}

/// The minutes until the first call of the hour is an hour old.
pub(super) fn minutes_to_regain(world: &World, now: Timestamp) -> u32 {
    let first = world.graph_calls.iter().find(|at| in_window(**at, now));
    let wait = first.map_or(std::time::Duration::ZERO, |at| at.plus(BUDGET_WINDOW).since(now));
    u32::try_from(wait.as_secs().div_ceil(60)).unwrap_or(u32::MAX)
}

fn calls(world: &World, now: Timestamp) -> usize {
    world.graph_calls.iter().rev().take_while(|at| in_window(**at, now)).count()
}

/// The three headers. Percent of the quota that the sandbox was set up with, else of Meta's formula; all of it, with the
/// minutes until access is regained, when throttled.
pub(super) fn headers(
    world: &World,
    now: Timestamp,
    regain_minutes: Option<u32>,
) -> [(&'static str, String); 3] {
    let active = || world.children(ObjectKind::Ad, None).filter(|(_, ad)| ad.status == "ACTIVE").count();
    let most = world.seed.calls_per_hour.unwrap_or_else(|| CALLS + CALLS_PER_AD * active()).max(1);
    let hundredths = (calls(world, now) * 10_000 / most).min(9_900);
    let percent = if regain_minutes.is_some() { 100 } else { hundredths / 100 };
    let precise = if regain_minutes.is_some() {
        "100".to_owned()
    } else {
        format!("{percent}.{:02}", hundredths % 100)
    };
    named(world, percent, &precise, regain_minutes.unwrap_or(0))
}

fn named(world: &World, percent: usize, precise: &str, minutes: u32) -> [(&'static str, String); 3] {
    let account = world.seed.ads.account.number();
    let business = json!({account: [{
        "type": "ads_management", "call_count": percent, "total_cputime": percent, "total_time": percent,
        "estimated_time_to_regain_access": minutes, "ads_api_access_tier": "standard_access",
    }]});
    let app = json!({"call_count": percent, "total_cputime": percent, "total_time": percent});
    [
        (BUSINESS, business.to_string()),
        (
            "x-ad-account-usage",
            format!(
                "{{\"acc_id_util_pct\":{precise},\"reset_time_duration\":{},\"ads_api_access_tier\":\"standard_access\"}}",
                u64::from(minutes) * 60
            ),
        ),
        ("x-app-usage", app.to_string()),
    ]
}
