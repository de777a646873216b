//! The world of the processes: an ad account that three tenants share, each with objects of its own, and figures that
//! make every path short.

use serde_json::{Value, json};
use xynergy::Currency;
use xynergy::ads::{ChangeField, Owner};
use xynergy::execution::{AdChange, ChangeId, Policy};
use xynergy::sandbox::AdsFile;

pub(crate) const ACCOUNT: &str = "act_1";
pub(crate) const TENANTS: [&str; 3] = ["t0", "t1", "t2"];

/// Everything takes a second or two in the place of minutes and hours.
pub(crate) fn policy() -> Policy {
    Policy {
        jitter_min_ms: 5,
        jitter_max_ms: 40,
        expires_after_ms: 6_000,
        snapshot_max_age_ms: 3_000,
        lease_ms: 1_500,
        send_timeout_ms: 500,
        landing_ms: 1_500,
        clock_skew_ms: 100,
        rate_window_ms: 6_000,
        learned_limit_ms: 1_500,
        velocity_window_ms: 3_000,
        account_cap_retry_ms: 500,
        throttled_retry_ms: 300,
        unreachable_retry_ms: 200,
        unauthorized_retry_ms: 400,
        kill_switch_retry_ms: 500,
        learning_retry_ms: 1_000,
        late_watch_ms: 60_000,
        max_attempts: 3,
        ..Policy::standard()
    }
}

/// Each tenant has eight campaigns with a budget of their own and six ad sets in two more campaigns. Ad sets alone are
/// blocked by the platform after four changes in an hour, which does not scale.
pub(crate) fn ads() -> AdsFile {
    let ad = |tenant: &str, set: String, campaign: String, level: &str| {
        json!({"ad_id": format!("ad_{set}"), "adset_id": set, "campaign_id": campaign, "status": "ACTIVE",
            "budget_level": level, "daily_budget_minor": 100_000, "impressions": 1, "clicks": 1, "spend_minor": 1,
            "name": tenant})
    };
    let ads: Vec<Value> = TENANTS
        .iter()
        .flat_map(|tenant| {
            let own = (0..8)
                .map(move |n| ad(tenant, format!("{tenant}_o{n}"), format!("{tenant}_c{n}"), "campaign"));
            let sets = (0..6)
                .map(move |n| ad(tenant, format!("{tenant}_s{n}"), format!("{tenant}_p{}", n % 2), "adset"));
            own.chain(sets)
        })
        .collect();
    let file = json!({
        "account": {"id": ACCOUNT, "currency": "USD"}, "ads": ads,
        "constraints": {"total_daily_minor": 100_000_000, "min_minor": 100, "max_minor": 10_000_000},
    });
    let (ads, problems) = AdsFile::parse(&file.to_string()).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    ads
}

/// The budget owners of a tenant, each with its campaign.
pub(crate) fn owners(tenant: &str) -> Vec<(Owner, String)> {
    let own = (0..8).map(|n| format!("{tenant}_c{n}")).map(|id| (Owner::campaign(id.as_str()), id));
    let sets = (0..6).map(|n| (Owner::ad_set(format!("{tenant}_s{n}")), format!("{tenant}_p{}", n % 2)));
    own.chain(sets).collect()
}

pub(crate) fn change(id: ChangeId, owner: &(Owner, String), from: i64, target: i64) -> AdChange {
    AdChange {
        id,
        account_id: ACCOUNT.into(),
        campaign_id: owner.1.clone(),
        owner: owner.0.clone(),
        field: ChangeField::Budget,
        expected_from: from,
        target,
        currency: Currency::USD,
        allocation_id: None,
        causation_id: Some("chaos".into()),
        reason: "chaos".into(),
        expires_at: None,
        ramp: None,
    }
}
