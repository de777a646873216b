//! Ads of a small account.

use serde_json::{Value, json};
use xynergy_providers::sandbox::AdsFile;

/// An ad whose budget is that of its ad set or its campaign, by `level`.
pub(crate) fn ad(ad: &str, set: &str, campaign: &str, status: &str, budget: i64, level: &str) -> Value {
    json!({
        "ad_id": ad, "adset_id": set, "campaign_id": campaign, "name": format!("Ad {ad}"), "status": status,
        "daily_budget_minor": budget, "budget_level": level, "impressions": 1000, "clicks": 30, "spend_minor": 1234,
    })
}

/// The account of these ads.
pub(crate) fn ads_file(ads: &[Value]) -> AdsFile {
    let file = json!({
        "account": {"id": "act_77", "currency": "USD"},
        "ads": ads,
        "constraints": {"total_daily_minor": 20000, "min_minor": 100, "max_minor": 20000},
    });
    AdsFile::parse(&file.to_string()).unwrap().0
}
