//! The platform's own limit of changes an hour, tripped on purpose: the policy allows more than the platform takes.

use std::sync::Arc;
use std::time::Duration;

use xynergy::execution::{ChangeStatus, Policy, Reason};
use xynergy::{Client, Scope, sandbox};

use crate::check;
use crate::place::Place;
use crate::site::{Site, config};

const HOUR: Duration = Duration::from_secs(3_600);

/// A client that would send ten changes an hour of an ad set.
async fn hasty(site: &Site) -> Scope {
    let mut config = config(&site.sandbox.urls().graph);
    config.execution.policy = Some(Policy { adset_budget_changes: 10, ..Policy::exact() });
    let builder = Client::builder(config).secrets(Arc::new(sandbox::secrets(None)));
    let builder = builder.clock(site.clock.clone()).stores(site.place.open().await);
    builder.build().unwrap().scope(site.tenant.clone()).with_actor("tester")
}

/// Queues one more step of an owner, and does what is due.
async fn raise(site: &Site, scope: &Scope, name: &str, owner: &str) -> (ChangeStatus, Option<Reason>) {
    let from = site.budget(scope, owner).await;
    scope.execution().queue(vec![site.change(name, owner, from, from + 1)]).await.unwrap();
    site.run(scope, Duration::ZERO).await;
    let row = site.get(scope, name).await;
    (row.status, row.reason)
}

/// The budget requests of an owner that reached the platform.
fn requests(site: &Site, owner: &str) -> usize {
    let of_owner = |line: &&serde_json::Value| {
        line["kind"] == "request"
            && line["method"] == "POST"
            && line["path"].as_str().is_some_and(|path| path.ends_with(&format!("/{owner}")))
    };
    site.log().iter().filter(of_owner).count()
}

#[tokio::test]
async fn the_platforms_limit_an_hour_is_learned_from_its_refusal_and_holds_that_ad_set_alone() {
    const DONE: (ChangeStatus, Option<Reason>) = (ChangeStatus::Completed, None);
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Sqlite(folder.path().join("store.sqlite"));
    let site = Site::new(place, "t", false, Vec::new()).await;
    let scope = hasty(&site).await;
    for n in 0..4 {
        assert_eq!(raise(&site, &scope, &format!("s1-{n}"), "s1").await, DONE, "the platform takes four");
        site.clock.advance(Duration::from_secs(60));
    }
    let fifth = raise(&site, &scope, "s1-4", "s1").await;
    assert_eq!(fifth, (ChangeStatus::Blocked, Some(Reason::Throttled)), "and refuses the fifth");
    let retry_at = site.get(&scope, "s1-4").await.retry_at.unwrap();
    assert!(retry_at >= site.now().plus(HOUR), "its budget is blocked for an hour");
    let sent = requests(&site, "s1");
    assert_eq!(sent, 5);
    // Others go on, in the same campaign too, and nothing of this one is sent in its pause, however often it is asked.
    for n in 0..4 {
        assert_eq!(raise(&site, &scope, &format!("s2-{n}"), "s2").await, DONE, "another ad set");
        assert_eq!(raise(&site, &scope, &format!("c2-{n}"), "c2").await, DONE, "a campaign's own budget");
        site.clock.advance(Duration::from_secs(600));
        let waits = raise(&site, &scope, &format!("s1-more-{n}"), "s1").await;
        assert_eq!(waits, (ChangeStatus::Blocked, Some(Reason::Throttled)), "the pause is kept to");
    }
    assert_eq!(requests(&site, "s1"), sent, "no budget request of it in the pause");
    // After it, the limit that was learned holds: four in the window, not the ten of the policy.
    site.clock.set(retry_at.plus(Duration::from_secs(60)));
    site.run(&scope, Duration::ZERO).await;
    let mut taken = requests(&site, "s1") - sent;
    assert_eq!(taken, 1, "the newest wish is sent once the pause is over");
    for n in 0..6 {
        let (status, reason) = raise(&site, &scope, &format!("s1-after-{n}"), "s1").await;
        if status == ChangeStatus::Completed {
            taken += 1;
        } else {
            assert_eq!(reason, Some(Reason::RateLimitOwner), "learned, not refused again");
        }
        site.clock.advance(Duration::from_secs(30));
    }
    assert_eq!(taken, 4);
    let refusals = site.log().iter().filter(|line| line["error"]["code"] == 613).count();
    assert_eq!(refusals, 1, "the platform had to refuse once");
    site.run(&scope, 48 * HOUR).await;
    check::invariants(&site, &scope, "the limit an hour").await;
}
