//! Tenants of one client never see each other.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use xynergy::{Client, Config, TenantId};

const CLICK: &[u8] =
    br#"{"ts":"2026-03-01T12:00:00Z","url":"https://shop.example/p?fbclid=IwAR1","ad_id":"a","adset_id":"s",
  "campaign_id":"c","ip":"192.0.2.7","user_agent":"Mozilla/5.0","consent":true,"click_id":"click-1"}"#;

#[tokio::test]
async fn clicks_of_one_tenant_are_not_the_others() {
    let client = Client::new(Config::default()).unwrap();
    let (a, b) = (client.scope(TenantId::new("a").unwrap()), client.scope(TenantId::new("b").unwrap()));

    let of_a = a.attribution().parse_click(CLICK).await.unwrap().unwrap();
    let of_b = b.attribution().parse_click(CLICK).await.unwrap().unwrap();
    assert_ne!(of_a.key, of_b.key, "each tenant has its own identity key");
    assert_eq!(of_a.key, a.attribution().parse_click(CLICK).await.unwrap().unwrap().key, "and keeps it");

    a.attribution().track_clicks(&[of_a], "batch").await.unwrap();
    assert_eq!(a.attribution().count_clicks(None).await.unwrap(), 1);
    assert_eq!(b.attribution().count_clicks(None).await.unwrap(), 0);
    assert_eq!(
        client.attribution().count_clicks(None).await.unwrap(),
        0,
        "the client is the tenant `default`"
    );
}

#[tokio::test]
async fn a_provider_of_the_hosts_own_is_plugged_in_by_name() {
    use std::sync::Arc;
    use xynergy::ai::GenerateRequest;
    use xynergy::provider::MemoryProvider;

    let own = MemoryProvider::new("internal", "own-1", |request| {
        Ok(format!("{} messages", request.messages.len()))
    });
    let client = Client::builder(Config::default()).provider(Arc::new(own)).build().unwrap();
    let (a, b) = (client.scope(TenantId::new("a").unwrap()), client.scope(TenantId::new("b").unwrap()));
    let ask = |hit| (GenerateRequest::new("How many?"), hit);
    for (scope, (request, hit)) in [(&a, ask(false)), (&a, ask(true)), (&b, ask(false))] {
        let answer = scope.ai().generate(request).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.provider.as_str()), ("1 messages", "internal"));
        assert_eq!(answer.cache_hit, hit, "an answer is the tenant's own");
    }
}

#[tokio::test]
async fn what_is_not_configured_says_how_to_configure_it() {
    let client = Client::new(Config::default()).unwrap();
    let delivery = xynergy::hubspot::Delivery {
        method: "POST",
        url: "https://host.example/hook",
        headers: &BTreeMap::new(),
        body: b"[]",
        received_at: None,
        source: "test",
    };
    let errors = [
        client.hubspot().accept(&delivery).await.unwrap_err(),
        client.execution().next_due().await.unwrap_err(),
        client.ai().cache_stats().unwrap_err(),
    ];
    for (error, part) in errors.iter().zip(["[hubspot]", "[meta]", "[ai.providers.NAME]"]) {
        assert!(error.message().contains(part), "{error}");
    }
}

#[tokio::test]
async fn one_click_is_tracked_by_its_id_and_a_wrong_one_names_its_field() {
    let client = Client::new(Config::default()).unwrap();
    let attribution = client.attribution();
    for _ in 0..2 {
        assert_eq!(attribution.track_click(CLICK).await.unwrap(), "click-1");
    }
    assert_eq!(attribution.count_clicks(Some("track_click")).await.unwrap(), 1);

    let line = |text: &str| String::from_utf8(CLICK.to_vec()).unwrap().replace(text, "\"ad_id\":7");
    let error = attribution.track_click(line("\"ad_id\":\"a\"").as_bytes()).await.unwrap_err();
    assert_eq!(error.kind(), xynergy::ErrorKind::InvalidInput);
    assert!(error.message().contains("ad_id: is not a string"), "{error}");
    let error = attribution.track_click(b"no json").await.unwrap_err();
    assert!(error.message().starts_with("click: the line is not a JSON object"), "{error}");
    assert_eq!(attribution.count_clicks(None).await.unwrap(), 1, "nothing wrong was stored");
}

#[test]
fn stage_values_are_those_of_the_configuration() {
    let client = Client::new(Config::from_toml("version = 1\n[attribution.stages]\nlead_minor = 7").unwrap());
    let client = client.unwrap();
    assert_eq!(client.attribution().stages().lead_minor, 7);
    assert_eq!(client.attribution().stages().closed_minor, 500_000);
}
