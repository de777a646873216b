//! Campaigns, ad sets, ads, creatives and videos.

use std::time::Duration;

use serde_json::{Map, Value, json};
use xynergy_core::ads::{
    AdObject, AdObjectKind, AdObjectQuery, AdObjectSpec, AdObjectUpdate, AdPlatform, DeliveryStatus, Owner,
    create_once,
};
use xynergy_core::store::memory::MemoryState;
use xynergy_core::{Error, ErrorKind, Result, Retry};
use xynergy_providers::ads::meta::MetaConfig;

use crate::support::{World, ads, world, world_with};

const LANDING: Duration = Duration::from_secs(180);

fn map(fields: &Value) -> Map<String, Value> {
    fields.as_object().unwrap().clone()
}

fn spec(kind: AdObjectKind, fields: &Value) -> AdObjectSpec {
    AdObjectSpec { kind, account_id: "act_77".into(), name: format!("New {kind}"), fields: map(fields) }
}

fn campaign() -> AdObjectSpec {
    spec(AdObjectKind::Campaign, &json!({"objective": "OUTCOME_LEADS", "special_ad_categories": []}))
}

async fn create(world: &World, spec: &AdObjectSpec) -> AdObject {
    world.meta.create_object(&world.ctx, spec, "00112233445566ff").await.unwrap()
}

#[tokio::test]
async fn every_kind_is_created_found_read_listed_and_updated() {
    let world = world(&json!([])).await;
    let campaign = create(&world, &campaign()).await;
    let set = spec(
        AdObjectKind::AdSet,
        &json!({"campaign_id": campaign.id, "daily_budget": 2500, "bid_amount": 150, "billing_event": "IMPRESSIONS",
                "optimization_goal": "LEAD_GENERATION", "targeting": {"geo_locations": {"countries": ["DE"]}}}),
    );
    let set_id = create(&world, &set).await.id;
    let creative = spec(AdObjectKind::Creative, &json!({"title": "Buy"}));
    let creative_id = create(&world, &creative).await.id;
    let video = spec(AdObjectKind::Video, &json!({"file_url": "https://example.com/v.mp4"}));
    let ad = spec(AdObjectKind::Ad, &json!({"adset_id": set_id, "creative": {"creative_id": creative_id}}));
    for spec in [ad, video] {
        create(&world, &spec).await;
    }
    for kind in AdObjectKind::ALL {
        let of_kind = spec(kind, &json!({}));
        let found = world.meta.find_created(&world.ctx, &of_kind, "00112233445566ff").await.unwrap().unwrap();
        assert!(found.name.starts_with(&format!("New {kind} [xy:")), "{found:?}");
        let read = world.meta.object(&world.ctx, kind, &found.id, &[]).await.unwrap();
        let expected = kind.is_delivered().then_some(DeliveryStatus::Paused);
        assert_eq!((read.name.as_str(), read.status), (found.name.as_str(), expected), "{kind}");
        let update = AdObjectUpdate {
            kind,
            id: found.id.clone(),
            name: Some(format!("Other {kind}")),
            fields: Map::new(),
        };
        world.meta.update_object(&world.ctx, &update).await.unwrap();
        let query = AdObjectQuery {
            kind,
            account_id: "77".into(),
            parent_id: None,
            fields: Vec::new(),
            limit: Some(1),
            after: None,
        };
        let page = world.meta.objects(&world.ctx, &query).await.unwrap();
        assert_eq!((page.objects[0].name.clone(), page.objects.len()), (format!("Other {kind}"), 1));
        assert_eq!(page.objects[0].account_id, "act_77", "{kind}");
    }
    let fields = ["daily_budget", "bid_amount", "targeting"].map(str::to_owned);
    let read = world.meta.object(&world.ctx, AdObjectKind::AdSet, &set_id, &fields).await.unwrap();
    let expected = json!({"daily_budget": 2500, "bid_amount": 150, "targeting": {"geo_locations": {"countries": ["DE"]}}});
    assert_eq!(Value::Object(read.fields), expected);
    let owner = world.meta.owner(&world.ctx, &Owner::ad_set(set_id)).await.unwrap();
    assert_eq!(
        (owner.status, owner.daily_budget_minor, owner.bid_minor),
        (DeliveryStatus::Paused, Some(2500), Some(150))
    );
}

#[tokio::test]
async fn targeting_is_updated_and_children_are_listed() {
    let world = world(&json!([])).await;
    let fields = map(&json!({"targeting": {"age_min": 21}}));
    let update = AdObjectUpdate { kind: AdObjectKind::AdSet, id: "s1".into(), name: None, fields };
    world.meta.update_object(&world.ctx, &update).await.unwrap();
    let read =
        world.meta.object(&world.ctx, AdObjectKind::AdSet, "s1", &["targeting".to_owned()]).await.unwrap();
    assert_eq!(read.fields["targeting"], json!({"age_min": 21}));
    let query = |kind, parent: &str| AdObjectQuery {
        kind,
        account_id: "act_77".into(),
        parent_id: Some(parent.to_owned()),
        fields: Vec::new(),
        limit: None,
        after: None,
    };
    let page = world.meta.objects(&world.ctx, &query(AdObjectKind::Ad, "c1")).await.unwrap();
    let ids: Vec<_> = page.objects.iter().map(|object| object.id.as_str()).collect();
    assert_eq!((ids, page.next), (vec!["a1", "a2"], None));
    let wrong = world.meta.objects(&world.ctx, &query(AdObjectKind::Creative, "c1")).await.unwrap_err();
    assert!(wrong.message().starts_with("parent_id: "), "{wrong}");
}

#[tokio::test]
async fn what_is_wrong_is_named_and_not_sent() {
    let world = world(&json!([])).await;
    let meta = &world.meta;
    let update = |fields: &Value| AdObjectUpdate {
        kind: AdObjectKind::AdSet,
        id: "s1".into(),
        name: None,
        fields: map(fields),
    };
    let mut errors: Vec<Error> = Vec::new();
    for fields in [json!({"daily_budget": 9_000}), json!({"status": "ACTIVE"}), json!({"bid_amount": 1})] {
        errors.push(meta.update_object(&world.ctx, &update(&fields)).await.unwrap_err());
    }
    for bad in [
        spec(AdObjectKind::Ad, &json!({"adset_id": "s1", "creative": {}, "daily_budget": 500})),
        spec(AdObjectKind::Campaign, &json!({"status": "ACTIVE"})),
        spec(AdObjectKind::AdSet, &json!({"daily_budget": -5})),
        AdObjectSpec { account_id: "act_77/ads".into(), ..campaign() },
    ] {
        errors.push(meta.create_object(&world.ctx, &bad, "00").await.unwrap_err());
    }
    errors.push(meta.object(&world.ctx, AdObjectKind::Ad, "a1/insights", &[]).await.unwrap_err());
    errors.push(meta.object(&world.ctx, AdObjectKind::Ad, "a1", &["a,b&c".into()]).await.unwrap_err());
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::InvalidInput), "{errors:?}");
    assert!(world.requests().await.is_empty());
}

#[tokio::test]
async fn an_id_of_another_kind_or_another_tenants_is_not_found() {
    let world = world(&json!([])).await;
    for (kind, id) in [
        (AdObjectKind::Campaign, "s1"),
        (AdObjectKind::AdSet, "c1"),
        (AdObjectKind::Ad, "s1"),
        (AdObjectKind::Creative, "a1"),
        (AdObjectKind::Video, "c1"),
    ] {
        let error = world.meta.object(&world.ctx, kind, id, &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{kind} {id}");
        let name = Some("Mine".to_owned());
        let update = AdObjectUpdate { kind, id: id.into(), name, fields: Map::new() };
        let error = world.meta.update_object(&world.ctx, &update).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{kind} {id}");
    }
    assert_eq!(world.posts().await, 0, "nothing was set on what was not meant");
    let stranger = |config| MetaConfig {
        access_token: xynergy_core::config::SecretRef::Env("STRANGER".into()),
        ..config
    };
    let theirs = world_with(ads(), &json!([]), stranger).await;
    let error = theirs.meta.object(&theirs.ctx, AdObjectKind::Ad, "a1", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        theirs.meta.create_object(&theirs.ctx, &campaign(), "00").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

async fn once(world: &World, state: &MemoryState) -> Result<AdObject> {
    create_once(&world.meta, state, &world.ctx, &campaign(), "spring", LANDING).await
}

async fn created(world: &World) -> usize {
    world
        .sandbox
        .state()
        .await
        .unwrap()
        .objects
        .values()
        .filter(|o| o.name.starts_with("New campaign"))
        .count()
}

fn lost(fault: &Value) -> Value {
    json!([{"method": "POST", "path": "/v*/act_77/campaigns", "nth": 1, "fault": fault}])
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_found_and_not_sent_again() {
    for fault in [json!({"cut": "after"}), json!({"status": 502, "body": "Bad Gateway"})] {
        let world = world(&lost(&fault)).await;
        let state = MemoryState::default();
        let first = once(&world, &state).await;
        if fault.get("cut").is_some() {
            assert_eq!(once(&world, &state).await.unwrap(), first.unwrap());
            assert_eq!((world.posts().await, created(&world).await), (1, 1));
        } else {
            // A gateway's failure says nothing, and here it was without effect.
            let error = first.unwrap_err();
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Ambiguous, Retry::After(LANDING)));
            assert_eq!(world.posts().await, 1);
            world.clock.advance(LANDING);
            once(&world, &state).await.unwrap();
            assert_eq!((world.posts().await, created(&world).await), (2, 1));
        }
    }
}

#[tokio::test]
async fn a_create_that_lands_late_is_one_object() {
    let world = world(&lost(&json!({"late_ms": 60_000}))).await;
    let state = MemoryState::default();
    assert_eq!(once(&world, &state).await.unwrap_err().kind(), ErrorKind::Ambiguous);
    world.clock.advance(Duration::from_secs(61));
    once(&world, &state).await.unwrap();
    world.clock.advance(2 * LANDING);
    once(&world, &state).await.unwrap();
    assert_eq!((world.posts().await, created(&world).await), (1, 1));
}

#[tokio::test]
async fn a_create_that_meta_refused_may_follow_at_once() {
    let world = world(&lost(&json!({"graph_error": {"code": 613}}))).await;
    let state = MemoryState::default();
    let throttled = once(&world, &state).await.unwrap_err();
    assert_eq!(throttled.kind(), ErrorKind::Throttled);
    once(&world, &state).await.unwrap();
    assert_eq!((world.posts().await, created(&world).await), (2, 1));
}

#[tokio::test]
async fn an_update_without_a_clear_answer_says_so() {
    for fault in
        [json!({"cut": "after"}), json!({"status": 200, "body": {}}), json!({"graph_error": {"code": 2}})]
    {
        let world = world(&json!([{"method": "POST", "path": "/v*/s1", "fault": fault}])).await;
        let update = AdObjectUpdate {
            kind: AdObjectKind::AdSet,
            id: "s1".into(),
            name: Some("Other".into()),
            fields: Map::new(),
        };
        let error = world.meta.update_object(&world.ctx, &update).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ambiguous, "{fault}");
        assert_eq!(world.posts().await, 1);
    }
}
