//! The headers in which Meta says how much of each quota is used.

use serde_json::json;
use xynergy_core::Timestamp;

use crate::sandbox::record::ObjectKind;
use crate::sandbox::reply::Reply;
use crate::sandbox::world::{World, in_window};

const BUSINESS: &str = "x-business-use-case-usage";

/// Adds the usage headers, unless a fault has set its own.
pub(in crate::sandbox) fn with_usage(reply: Reply, world: &World, now: Timestamp) -> Reply {
    if reply.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(BUSINESS)) {
        return reply;
    }
    headers(world, now, None).into_iter().fold(reply, |reply, (name, value)| reply.with_header(name, value))
}

/// The three headers. Percent of Meta's formula of 300 calls and 40 for each active ad in an hour; all of it, with the
/// minutes until access is regained, when throttled.
pub(super) fn headers(
    world: &World,
    now: Timestamp,
    regain_minutes: Option<u32>,
) -> [(&'static str, String); 3] {
    let active = world.children(ObjectKind::Ad, None).filter(|(_, ad)| ad.status == "ACTIVE").count();
    let calls = world.graph_calls.iter().filter(|at| in_window(**at, now)).count();
    let hundredths = (calls * 10_000 / (300 + 40 * active)).min(9_900);
    let percent = if regain_minutes.is_some() { 100 } else { hundredths / 100 };
    let precise = if regain_minutes.is_some() {
        "100".to_owned()
    } else {
        format!("{percent}.{:02}", hundredths % 100)
    };
    let minutes = regain_minutes.unwrap_or(0);
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
