//! What Meta's usage headers do to the calls that follow.

use std::time::Duration;

use serde_json::{Value, json};
use xynergy_core::ads::{AdObjectKind, AdPlatform, Owner, ThrottleScope, WriteClass};
use xynergy_core::{Ctx, ErrorKind, Retry, TenantId};

use crate::support::{World, world};

const MINUTE: Duration = Duration::from_secs(60);

/// A sandbox whose first answer about s1 says this of the quotas.
async fn saying(usage: Value) -> World {
    let world =
        world(&json!([{"method": "GET", "path": "/v*/s1", "nth": 1, "fault": {"usage": usage}}])).await;
    world.meta.owner(&world.ctx, &Owner::ad_set("s1")).await.unwrap();
    world
}

async fn read(world: &World, ctx: &Ctx) -> xynergy_core::Result<()> {
    world.meta.owner(ctx, &Owner::ad_set("s5")).await.map(drop)
}

#[tokio::test]
async fn nothing_is_sent_while_meta_says_that_access_is_lost() {
    // The account's currency is read last.
    let world =
        world(&json!([{"path": "/v*/act_77", "fault": {"usage": {"percent": 60, "regain_minutes": 5}}}]))
            .await;
    world.meta.owner(&world.ctx, &Owner::ad_set("s1")).await.unwrap();
    let sent = world.requests().await.len();
    let held = world.meta.owner(&world.ctx, &Owner::ad_set("s1")).await.unwrap_err();
    assert_eq!((held.kind(), held.retry()), (ErrorKind::Throttled, Retry::After(5 * MINUTE)));
    let write = world.set(2600).await.unwrap_err();
    assert_eq!((write.class, write.retry_after), (WriteClass::Throttled, Some(5 * MINUTE)));
    assert_eq!(write.scope, ThrottleScope::Account);
    let object = world.meta.object(&world.ctx, AdObjectKind::AdSet, "s1", &[]).await.unwrap_err();
    assert_eq!(object.kind(), ErrorKind::Throttled);
    assert!(world.meta.owners(&world.ctx, "77").await.is_err());
    assert_eq!(world.requests().await.len(), sent, "nothing of all this was sent");
    world.clock.advance(5 * MINUTE);
    world.set(2600).await.unwrap();
}

#[tokio::test]
async fn nothing_is_sent_above_95_percent_until_the_counters_have_decayed() {
    let world = saying(json!({"percent": 10})).await;
    read(&world, &world.ctx).await.unwrap();
    let rules = json!({"rules": [{"path": "/v*/s5", "nth": 1, "fault": {"usage": {"percent": 97}}}]});
    world.control("faults", Some(rules)).await;
    read(&world, &world.ctx).await.unwrap();
    let sent = world.requests().await.len();
    let held = read(&world, &world.ctx).await.unwrap_err();
    assert_eq!((held.kind(), held.retry()), (ErrorKind::Throttled, Retry::After(5 * MINUTE)));
    let other = Ctx { tenant: TenantId::new("other").unwrap(), ..world.ctx.clone() };
    read(&world, &other).await.unwrap();
    assert!(world.requests().await.len() > sent, "another tenant has quotas of its own");
    world.clock.advance(5 * MINUTE);
    read(&world, &world.ctx).await.unwrap();
}

#[tokio::test]
async fn reads_are_spaced_out_above_75_percent() {
    let world = saying(json!({"percent": 10})).await;
    let rules = json!({"rules": [{"path": "/v*/s5", "nth": "every", "fault": {"usage": {"percent": 80}}}]});
    world.control("faults", Some(rules)).await;
    read(&world, &world.ctx).await.unwrap();
    let started = std::time::Instant::now();
    for _ in 0..2 {
        read(&world, &world.ctx).await.unwrap();
    }
    // The clock of the quotas stands still, so that the first of the two is not held up and the second is, for half a second.
    assert!(started.elapsed() >= Duration::from_millis(450), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_used_up_quota_is_no_more_than_a_wait() {
    let rule = json!({"graph_error": {"code": 80_004, "subcode": 2_446_079, "regain_minutes": 7}});
    let world = world(&json!([{"method": "POST", "path": "/v*/s1", "nth": 1, "fault": rule}])).await;
    world.meta.owner(&world.ctx, &Owner::ad_set("s1")).await.unwrap();
    let throttled = world.set(2600).await.unwrap_err();
    assert_eq!((throttled.class, throttled.retry_after), (WriteClass::Throttled, Some(7 * MINUTE)));
    let sent = world.requests().await.len();
    world.clock.advance(2 * MINUTE);
    let again = world.set(2600).await.unwrap_err();
    assert_eq!((again.class, again.retry_after), (WriteClass::Throttled, Some(5 * MINUTE)));
    assert_eq!(world.requests().await.len(), sent);
}
