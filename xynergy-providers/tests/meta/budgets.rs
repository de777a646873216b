use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use xynergy_core::ads::{AdPlatform, ChangeField, DeliveryStatus, Owner, ThrottleScope, WriteClass};
use xynergy_core::config::{Secret, StaticSecrets};
use xynergy_core::conformance::ad_platform;
use xynergy_core::{Clock, ErrorKind, Retry};
use xynergy_providers::ads::meta::{MetaAds, MetaConfig};
use xynergy_providers::http::ReqwestHttp;
use xynergy_providers::sandbox::AdsFile;

use crate::support::{TOKEN, ads, world, world_with};

#[tokio::test]
async fn behaves_as_an_ad_platform() {
    let world = world(&json!([])).await;
    ad_platform(&world.meta, &world.ctx, "act_77", &Owner::ad_set("s1")).await;
}

#[tokio::test]
async fn reads_owners_where_the_budget_is() {
    let world = world(&json!([])).await;
    let (meta, ctx) = (&world.meta, &world.ctx);
    let owners = meta.owners(ctx, "77").await.unwrap();
    let shown: Vec<_> = owners
        .iter()
        .map(|o| (o.owner.to_string(), o.campaign_id.as_str(), o.daily_budget_minor, o.status))
        .collect();
    let row = |owner: &str, campaign, budget, status| (owner.to_owned(), campaign, Some(budget), status);
    assert_eq!(
        shown,
        [
            row("adset:s1", "c1", 2500, DeliveryStatus::Active),
            row("adset:s5", "c3", 700, DeliveryStatus::Paused),
            row("campaign:c2", "c2", 9000, DeliveryStatus::Active),
        ]
    );
    assert_eq!(owners[0].read_at, world.clock.now());
    let governed = meta.owner(ctx, &Owner::ad_set("s3")).await.unwrap();
    assert_eq!(governed.daily_budget_minor, None, "its campaign has the budget");
    let campaign = meta.owner(ctx, &Owner::campaign("c2")).await.unwrap();
    assert_eq!((campaign.daily_budget_minor, campaign.account_id.as_str()), (Some(9000), "act_77"));
    let account = meta.account(ctx, "77").await.unwrap();
    assert_eq!((account.account_id.as_str(), account.minimum_daily_minor), ("act_77", Some(100)));

    let write = world.write(Owner::ad_set("s3"), ChangeField::Budget, 5000);
    let refused = meta.set(ctx, &write).await.unwrap_err();
    assert_eq!(refused.class, WriteClass::Rejected);
    assert!(refused.message.contains("campaign"), "Meta's reason is shown: {refused}");
    meta.set(ctx, &world.write(Owner::campaign("c2"), ChangeField::Budget, 8000)).await.unwrap();
    assert_eq!(world.budget("c2").await, 8000);

    let wrong_level = meta.owner(ctx, &Owner::ad_set("c2")).await.unwrap_err();
    assert_eq!(wrong_level.kind(), ErrorKind::NotFound);
    assert_eq!(meta.owners(ctx, "78").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(
        meta.owner(ctx, &Owner::ad_set("../act_77")).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

#[tokio::test]
async fn statuses_are_switched_and_bids_are_set_where_they_are() {
    let world = world(&json!([])).await;
    let set = async |field, value| {
        world.meta.set(&world.ctx, &world.write(Owner::ad_set("s1"), field, value)).await
    };
    set(ChangeField::Status, 0).await.unwrap();
    let paused = world.meta.owner(&world.ctx, &Owner::ad_set("s1")).await.unwrap();
    assert_eq!(paused.status, DeliveryStatus::Paused);
    set(ChangeField::Status, 1).await.unwrap();
    set(ChangeField::Bid, 150).await.unwrap();
    assert_eq!(world.meta.owner(&world.ctx, &Owner::ad_set("s1")).await.unwrap().bid_minor, Some(150));
    let posts = world.posts().await;
    assert_eq!(posts, 3);
    for (owner, field, value) in [
        (Owner::campaign("c2"), ChangeField::Bid, 100),
        (Owner::ad_set("s1"), ChangeField::Bid, 0),
        (Owner::ad_set("s1"), ChangeField::Bid, i64::MIN),
        (Owner::ad_set("s1"), ChangeField::Budget, -1),
    ] {
        let refused = world.meta.set(&world.ctx, &world.write(owner, field, value)).await.unwrap_err();
        assert_eq!(refused.class, WriteClass::Rejected);
    }
    assert_eq!(world.posts().await, posts, "what is refused here is not sent");
    let since = world.clock.now();
    let log = world.meta.activities(&world.ctx, "act_77", &Owner::ad_set("s1"), since).await.unwrap();
    let shown: Vec<_> = log.iter().map(|a| (a.field, a.before, a.after, a.own)).collect();
    let status = ChangeField::Status;
    let bid = (ChangeField::Bid, Some(0), Some(150), true);
    assert_eq!(shown, [(status, Some(1), Some(0), true), (status, Some(0), Some(1), true), bid]);
}

#[tokio::test]
async fn the_fifth_change_of_an_hour_waits_an_hour() {
    let world = world(&json!([])).await;
    for n in 1..=4 {
        world.set(2500 + n).await.unwrap();
    }
    let fifth = world.set(2600).await.unwrap_err();
    assert_eq!(fifth.scope, ThrottleScope::Owner, "the other ad sets are free");
    assert_eq!((fifth.class, fifth.retry_after), (WriteClass::Throttled, Some(Duration::from_secs(3_600))));
    assert!(fifth.message.contains("613") && fifth.message.contains("1487632"), "{fifth}");
    assert_eq!(world.budget("s1").await, 2504);
    world.clock.advance(Duration::from_secs(3_601));
    world.set(2600).await.unwrap();
}

#[tokio::test]
async fn validating_asks_and_changes_nothing() {
    let world = world(&json!([])).await;
    let write = |value| world.write(Owner::ad_set("s1"), ChangeField::Budget, value);
    let accepted = write(3000);
    world.meta.validate(&world.ctx, &accepted).await.unwrap();
    let refused = world.meta.validate(&world.ctx, &write(99)).await.unwrap_err();
    assert_eq!(refused.class, WriteClass::Rejected);
    assert_eq!(world.budget("s1").await, 2500);
    let log = world.control("log", None).await;
    assert!(log.contains("validate_only"), "it was asked");
    let change_id = accepted.change_id.to_string();
    assert!(!log.contains(&change_id) && !log.contains("\"attempt\""), "an enquiry is no attempt: {log}");
}

#[tokio::test]
async fn a_cut_leaves_it_open_and_nothing_is_sent_twice() {
    for (cut, budget) in [("before", 2500), ("after", 3000)] {
        let rule = json!({"method": "POST", "path": "/v*/s1", "nth": 1, "fault": {"cut": cut}});
        let world = world(&json!({"rules": [rule]})).await;
        assert_eq!(world.set(3000).await.unwrap_err().class, WriteClass::Ambiguous, "{cut}");
        assert_eq!(world.posts().await, 1, "{cut}");
        assert_eq!(world.budget("s1").await, budget, "{cut}");
        let since = world.clock.now();
        let log = world.meta.activities(&world.ctx, "77", &Owner::ad_set("s1"), since).await.unwrap();
        assert_eq!(
            log.iter().filter(|a| a.own && a.after == Some(3000)).count(),
            usize::from(cut == "after")
        );
    }
}

#[tokio::test]
async fn failures_of_a_write_are_told_apart_and_sent_once() {
    let cases = [
        (json!({"status": 503, "body": {}}), WriteClass::Ambiguous, None),
        (json!({"status": 200, "body": "Service Unavailable"}), WriteClass::Ambiguous, None),
        (json!({"graph_error": {"code": 2}}), WriteClass::Ambiguous, None),
        (json!({"graph_error": {"code": 17, "regain_minutes": 5}}), WriteClass::Throttled, Some(300)),
        (json!({"graph_error": {"code": 80_004}}), WriteClass::Throttled, None),
        (json!({"graph_error": {"code": 190}}), WriteClass::Unauthorized, None),
        (json!({"graph_error": {"code": 17, "status": 200}}), WriteClass::Throttled, None),
        (json!({"graph_error": {"code": 100, "status": 400}}), WriteClass::Rejected, None),
    ];
    for (fault, class, seconds) in cases {
        let world = world(&json!({"rules": [{"method": "POST", "path": "/v*/s1", "fault": fault}]})).await;
        let failure = world.set(3000).await.unwrap_err();
        assert_eq!(
            (failure.class, failure.retry_after),
            (class, seconds.map(Duration::from_secs)),
            "{fault}"
        );
        assert_eq!((world.posts().await, world.budget("s1").await), (1, 2500), "{fault}");
    }
}

#[tokio::test]
async fn reads_are_repeated_while_meta_is_away_but_not_when_throttled() {
    let rule =
        |nth: Value, fault: Value| json!({"method": "GET", "path": "/v*/s1", "nth": nth, "fault": fault});
    let away = json!([
        rule(json!(1), json!({"graph_error": {"code": 2}})),
        rule(json!(2), json!({"cut": "before"}))
    ]);
    let away = world(&json!({"rules": away})).await;
    let owner = away.meta.owner(&away.ctx, &Owner::ad_set("s1")).await.unwrap();
    assert_eq!(owner.daily_budget_minor, Some(2500));

    let busy = rule(json!("every"), json!({"graph_error": {"code": 17, "regain_minutes": 5}}));
    let busy = world(&json!({"rules": [busy]})).await;
    let error = busy.meta.owner(&busy.ctx, &Owner::ad_set("s1")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Throttled, Retry::After(Duration::from_secs(300))));
    let log = busy.control("log", None).await;
    assert_eq!(log.matches("\"kind\":\"request\"").count(), 1, "{log}");
}

#[tokio::test]
async fn own_edits_are_told_from_a_persons() {
    let world = world(&json!([])).await;
    let start = world.clock.now();
    world.set(3000).await.unwrap();
    world.clock.advance(Duration::from_secs(60));
    world.control("edit", Some(json!({"id": "s1", "daily_budget": 2000, "actor": "Ann"}))).await;
    world.control("edit", Some(json!({"id": "c2", "daily_budget": 9900}))).await;
    let owner = Owner::ad_set("s1");
    let log = world.meta.activities(&world.ctx, "act_77", &owner, start).await.unwrap();
    let shown: Vec<_> = log.iter().map(|a| (a.before, a.after, a.own)).collect();
    assert_eq!(shown, [(Some(2500), Some(3000), true), (Some(3000), Some(2000), false)]);
    let later = world.meta.activities(&world.ctx, "act_77", &owner, world.clock.now()).await.unwrap();
    assert_eq!(later.len(), 1, "only since then");

    let nameless = world_with(ads(), &json!([]), |c| MetaConfig { app_id: None, ..c }).await;
    let error = nameless.meta.activities(&nameless.ctx, "77", &owner, start).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn lists_are_read_to_their_end() {
    let ad = |n: usize| {
        json!({
            "ad_id": format!("a{n}"), "adset_id": format!("s{n}"), "campaign_id": "c1", "name": "A", "status": "ACTIVE",
            "daily_budget_minor": 100, "budget_level": "adset", "impressions": n, "clicks": n.min(1), "spend_minor": 105 + n,
        })
    };
    let rows: Vec<_> = (0..450).map(ad).collect();
    let file = json!({
        "account": {"id": "act_77", "currency": "JPY"}, "ads": rows,
        "constraints": {"total_daily_minor": 90_000, "min_minor": 100, "max_minor": 20_000},
    });
    let many = AdsFile::parse(&file.to_string()).unwrap().0;
    let world = world_with(many, &json!([]), |config| config).await;
    let owners = world.meta.owners(&world.ctx, "act_77").await.unwrap();
    assert_eq!(owners.len(), 450);
    assert!(owners.windows(2).all(|pair| pair[0].owner < pair[1].owner));
    let insights =
        world.meta.insights(&world.ctx, "act_77", world.clock.now(), world.clock.now()).await.unwrap();
    assert_eq!(insights.len(), 450);
    let last = insights.iter().find(|insight| insight.ad_id == "a449").unwrap();
    assert_eq!((last.adset_id.as_str(), last.impressions, last.clicks), ("s449", 449, 1));
    assert_eq!(last.spend_minor, 554, "yen have no hundredths");
}

#[tokio::test]
async fn what_is_sent_names_the_caller_and_shows_no_token() {
    let with_secret = |config| MetaConfig {
        app_secret: Some(xynergy_core::config::SecretRef::Env("META_APP_SECRET".into())),
        ..config
    };
    let world = world_with(ads(), &json!([]), with_secret).await;
    let write = world.write(Owner::ad_set("s1"), ChangeField::Budget, 3000);
    world.meta.set(&world.ctx, &write).await.unwrap();
    world.meta.owner(&world.ctx, &Owner::ad_set("s1")).await.unwrap();
    let log = world.control("log", None).await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let requests: Vec<_> =
        lines.iter().filter(|l| l["kind"] == "request" && l["surface"] == "graph").collect();
    assert!(requests.iter().all(|r| r["request_id"] == "req_meta"), "{log}");
    let post = requests.iter().find(|r| r["method"] == "POST").unwrap();
    assert_eq!((&post["change_id"], &post["attempt"]), (&json!(write.change_id.to_string()), &json!(2)));
    assert_eq!(post["query"], json!(null), "a write has everything in its body");
    let get = requests.iter().find(|r| r["method"] == "GET").unwrap();
    assert!(get["query"].as_str().unwrap().contains("appsecret_proof=***"), "{get}");
    assert!(!log.contains(TOKEN) && !format!("{:?}", world.meta).contains(TOKEN));

    let expired = |config| MetaConfig {
        access_token: xynergy_core::config::SecretRef::Env("EXPIRED".into()),
        ..config
    };
    let world = world_with(ads(), &json!([]), expired).await;
    let error = world.meta.owner(&world.ctx, &Owner::ad_set("s1")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unauthorized, Retry::Never));
    assert_eq!(world.set(3000).await.unwrap_err().class, WriteClass::Unauthorized);
}

#[tokio::test]
async fn what_never_left_is_told_from_what_may_have() {
    let world = world(&json!([])).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = MetaConfig { base_url: format!("http://{closed}/graph"), ..MetaConfig::default() };
    let token = StaticSecrets::default().with("META_ACCESS_TOKEN", Secret::new(TOKEN));
    let away = MetaAds::new(config.clone(), Arc::new(ReqwestHttp::new()), Arc::new(token)).unwrap();
    let write = world.write(Owner::ad_set("s1"), ChangeField::Budget, 3000);
    assert_eq!(away.set(&world.ctx, &write).await.unwrap_err().class, WriteClass::NotSent);
    let error = away.owner(&world.ctx, &Owner::ad_set("s1")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Exhausted));

    let slow = json!({"rules": [{"method": "POST", "path": "/v*/s1", "fault": {"delay_ms": 60_000}}]});
    let slow = world_with(ads(), &slow, |c| MetaConfig { timeout_ms: 100, ..c }).await;
    assert_eq!(slow.set(3000).await.unwrap_err().class, WriteClass::Ambiguous, "it may still be under way");
}

#[tokio::test]
async fn a_token_that_dies_in_the_middle_stops_what_follows_and_nothing_else() {
    let dead = json!({"graph_error": {"code": 190, "subcode": 463}});
    let rules = json!([{"method": "POST", "path": "/v*/*", "nth": [2, 3], "fault": dead}]);
    let world = world(&rules).await;
    let set = async |owner: &str, value| {
        let write = world.write(Owner::ad_set(owner), ChangeField::Budget, value);
        world.meta.set(&world.ctx, &write).await.map_err(|failure| failure.class)
    };
    let sent = [set("s1", 2600).await, set("s5", 800).await, set("s1", 2700).await, set("s5", 900).await];
    let unauthorized = Err(WriteClass::Unauthorized);
    assert_eq!(sent, [Ok(()), unauthorized, unauthorized, Ok(())]);
    assert_eq!((world.budget("s1").await, world.budget("s5").await), (2600, 900));
}

#[tokio::test]
async fn lifetime_budgets_and_learning_are_told_and_a_daily_one_is_refused() {
    let mut file = ads();
    for ad in file.ads.iter_mut().filter(|ad| ad.adset_id == "s5") {
        ad.other.insert("lifetime_budget_minor".into(), json!(70_000));
        ad.other.insert("learning".into(), json!(true));
        ad.status = "ACTIVE".into();
    }
    let world = world_with(file, &json!([]), |config| config).await;
    let state = world.meta.owner(&world.ctx, &Owner::ad_set("s5")).await.unwrap();
    assert_eq!((state.daily_budget_minor, state.lifetime_budget_minor), (None, Some(70_000)));
    assert!(state.learning);
    assert!(!world.meta.owner(&world.ctx, &Owner::ad_set("s1")).await.unwrap().learning);
    let write = world.write(Owner::ad_set("s5"), ChangeField::Budget, 800);
    let refused = world.meta.set(&world.ctx, &write).await.unwrap_err();
    assert!(refused.class == WriteClass::Rejected && refused.message.contains("lifetime"), "{refused}");
    let owners = world.meta.owners(&world.ctx, "77").await.unwrap();
    assert!(owners.iter().all(|owner| owner.owner.id != "s5"), "it has no daily budget");
}
