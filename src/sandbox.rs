//! Stand-ins on loopback for everything that a client talks to, and the configuration of a client that talks to them.

use xynergy_core::config::{Secret, SecretRef, StaticSecrets};
pub use xynergy_providers::sandbox::*;

use crate::Config;

/// The name of the sandbox's credential in [`secrets`].
pub const KEY: &str = "XYNERGY_SANDBOX_KEY";
/// The name of the secret that its webhooks are signed with.
#[cfg(feature = "attribution")]
pub const WEBHOOK_SECRET: &str = "XYNERGY_SANDBOX_WEBHOOK_SECRET";

/// A configuration whose every backend is the sandbox: the three AI providers at their default prices, the ad platform
/// and the CRM. Its credentials are those of [`secrets`].
pub fn config(urls: &SandboxUrls) -> Config {
    let key = SecretRef::Env(KEY.to_owned());
    let mut config = Config::default();
    #[cfg(feature = "ai")]
    {
        use xynergy_core::config::{PriceConfig, ProviderConfig};
        let per_request =
            |nano| Some(PriceConfig { per_request_nano_usd: Some(nano), ..PriceConfig::default() });
        for (name, url, nano) in [
            ("abacus", &urls.abacus, 15_000_000),
            ("openai", &urls.openai, 25_000_000),
            ("internal", &urls.internal, 1_000_000),
        ] {
            let provider = ProviderConfig {
                base_url: Some(url.clone()),
                api_key: Some(key.clone().into()),
                price: per_request(nano),
                ..ProviderConfig::default()
            };
            config.ai.providers.insert(name.to_owned(), provider);
        }
    }
    #[cfg(feature = "attribution")]
    {
        config.hubspot = Some(crate::hubspot::HubspotConfig {
            base_url: urls.hubspot.clone(),
            access_token: key.clone(),
            client_secret: SecretRef::Env(WEBHOOK_SECRET.to_owned()),
            ..Default::default()
        });
    }
    #[cfg(feature = "execution")]
    {
        config.meta = Some(crate::execution::MetaConfig {
            base_url: urls.graph.clone(),
            access_token: key,
            app_id: Some(APP_ID.to_owned()),
            ..Default::default()
        });
    }
    config
}

/// The credentials of [`config`]. `webhook_secret` is what HubSpot's deliveries are signed with;
/// [`DEFAULT_HUBSPOT_SECRET`] when `None`.
pub fn secrets(webhook_secret: Option<&str>) -> StaticSecrets {
    let secrets = StaticSecrets::default().with(KEY, Secret::new("sandbox"));
    #[cfg(feature = "attribution")]
    let secrets = secrets.with(WEBHOOK_SECRET, Secret::new(webhook_secret.unwrap_or(DEFAULT_HUBSPOT_SECRET)));
    #[cfg(not(feature = "attribution"))]
    let _ = webhook_secret;
    secrets
}

/// The ad account that an ads file describes, for the [closed loop](crate::closed_loop). Its id is as the Graph API answers
/// it, with `act_`.
#[cfg(all(feature = "attribution", feature = "allocation", feature = "execution"))]
pub fn ad_account(file: &AdsFile) -> crate::closed_loop::AdAccount {
    use crate::closed_loop::{Ad, AdAccount};
    use xynergy_core::ads::OwnerLevel;

    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let ads = file.ads.iter().map(|ad| Ad {
        ad_id: ad.ad_id.clone(),
        adset_id: ad.adset_id.clone(),
        campaign_id: ad.campaign_id.clone(),
        level: match ad.budget_level {
            BudgetLevel::Adset => OwnerLevel::AdSet,
            BudgetLevel::Campaign => OwnerLevel::Campaign,
        },
        active: ad.status == "ACTIVE",
        impressions: count(ad.impressions),
        clicks: count(ad.clicks),
        spend_minor: ad.spend_minor,
    });
    AdAccount {
        account_id: format!("act_{}", file.account.number()),
        currency: file.account.currency,
        ads: ads.collect(),
        constraints: crate::allocation::Constraints {
            total_daily_minor: file.constraints.total_daily_minor,
            min_minor: file.constraints.min_minor,
            max_minor: file.constraints.max_minor,
            ..crate::allocation::Constraints::default()
        },
    }
}
