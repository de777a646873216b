use serde_json::{Map, Value, json};

use crate::ads::{
    Activity, AdObjectKind, AdObjectQuery, AdObjectSpec, AdObjectUpdate, AdPlatform, AdWrite, ChangeField,
    DeliveryStatus, Owner, WriteClass,
};
use crate::ctx::Ctx;
use crate::error::ErrorKind;
use crate::execution::ChangeId;

/// The behaviour of an [`AdPlatform`]. `owner` is an active ad set of `account_id` with a daily budget of at least
/// 1,000 minor units and no other edits going on; its budget is changed and set back. On a platform that offers its objects, a
/// paused campaign is created and stays.
///
/// # Panics
/// At the first behaviour that differs.
pub async fn ad_platform(platform: &dyn AdPlatform, ctx: &Ctx, account_id: &str, owner: &Owner) {
    let account = platform.account(ctx, account_id).await.unwrap();
    assert_eq!(account.account_id, account_id);
    let before = platform.owner(ctx, owner).await.unwrap();
    assert_eq!((&before.owner, before.account_id.as_str()), (owner, account_id));
    assert_eq!(before.currency, account.currency);
    let budget = before.daily_budget_minor.unwrap();

    let owners = platform.owners(ctx, account_id).await.unwrap();
    let listed = owners.iter().find(|o| o.owner == *owner).expect("the account lists its owners");
    assert_eq!(listed.daily_budget_minor, Some(budget), "a list shows what a single reading shows");
    assert!(owners.windows(2).all(|w| w[0].owner < w[1].owner), "a list is by owner, each once");

    let started = ctx.env.clock.now();
    let id = ChangeId::fresh(started, &*ctx.env.entropy);
    let write = |value| AdWrite {
        owner: owner.clone(),
        field: ChangeField::Budget,
        value,
        change_id: id,
        attempt: 1,
    };
    platform.validate(ctx, &write(budget + 10)).await.unwrap();
    let after = platform.owner(ctx, owner).await.unwrap();
    assert_eq!(after.daily_budget_minor, Some(budget), "validating changes nothing");

    platform.set(ctx, &write(budget + 10)).await.unwrap();
    let after = platform.owner(ctx, owner).await.unwrap();
    assert_eq!(after.daily_budget_minor, Some(budget + 10), "a confirmed write is seen");
    let since = started.minus(std::time::Duration::from_secs(5));
    match platform.activities(ctx, account_id, owner, since).await {
        Ok(log) => {
            let ours =
                |a: &&Activity| a.own && a.field == ChangeField::Budget && a.after == Some(budget + 10);
            assert_eq!(log.iter().filter(ours).count(), 1, "the log of edits shows it once, as ours");
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "a platform without a log says so: {error}");
        }
    }

    for wrong in [0, -5] {
        let refused = platform.set(ctx, &write(wrong)).await.unwrap_err();
        assert_eq!(refused.class, WriteClass::Rejected, "{wrong}: {refused}");
    }
    let none = Owner::ad_set("999000999000999");
    assert_eq!(platform.owner(ctx, &none).await.unwrap_err().kind(), ErrorKind::NotFound);
    platform.set(ctx, &write(budget)).await.unwrap();
    assert_eq!(platform.owner(ctx, owner).await.unwrap().daily_budget_minor, Some(budget));
    days(platform, ctx, account_id).await;
    objects(platform, ctx, account_id).await;
}

async fn days(platform: &dyn AdPlatform, ctx: &Ctx, account_id: &str) {
    let until = ctx.env.clock.now();
    let since = until.minus(std::time::Duration::from_secs(2 * 86_400));
    let days = platform.daily_insights(ctx, account_id, since, until).await.unwrap();
    let places: Vec<_> = days.iter().map(|d| (d.day.clone(), d.insight.ad_id.clone())).collect();
    assert!(places.windows(2).all(|w| w[0] < w[1]), "days come by day and ad, each once");
    let (first, last) = crate::ads::DayRange::new(since, until).unwrap().ends();
    assert!(places.iter().all(|(day, _)| (&first..=&last).contains(&day)), "only days that were asked for");
    assert!(platform.daily_insights(ctx, account_id, until, since).await.is_err(), "days go forward");
}

async fn objects(platform: &dyn AdPlatform, ctx: &Ctx, account_id: &str) {
    const KIND: AdObjectKind = AdObjectKind::Campaign;
    let query = |after: Option<String>| AdObjectQuery {
        kind: KIND,
        account_id: account_id.to_owned(),
        parent_id: None,
        fields: vec!["objective".into()],
        limit: Some(1),
        after,
    };
    let map = |fields: Value| fields.as_object().cloned().unwrap_or_default();
    let nonce = format!("{:016x}", ctx.env.entropy.next_u64());
    let spec = AdObjectSpec {
        kind: KIND,
        account_id: account_id.to_owned(),
        name: "Spring".into(),
        fields: map(json!({"objective": "OUTCOME_LEADS", "special_ad_categories": []})),
    };
    let update = |id: &str, name: Option<&str>, fields: Map<String, Value>| AdObjectUpdate {
        kind: KIND,
        id: id.to_owned(),
        name: name.map(str::to_owned),
        fields,
    };
    if let Err(error) = platform.objects(ctx, &query(None)).await {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "a platform without objects says so: {error}");
        let others = [
            platform.object(ctx, KIND, "1", &[]).await.map(drop),
            platform.create_object(ctx, &spec, &nonce).await.map(drop),
            platform.find_created(ctx, &spec, &nonce).await.map(drop),
            platform.update_object(ctx, &update("1", Some("Summer"), Map::new())).await,
        ];
        assert!(others.into_iter().all(|other| other.is_err_and(|e| e.kind() == ErrorKind::Unsupported)));
        return;
    }
    assert!(platform.find_created(ctx, &spec, &nonce).await.unwrap().is_none());
    let created = platform.create_object(ctx, &spec, &nonce).await.unwrap();
    assert_eq!((created.kind, created.status), (KIND, Some(DeliveryStatus::Paused)), "it begins paused");
    assert!(created.name.starts_with("Spring"), "{}", created.name);
    let found = platform.find_created(ctx, &spec, &nonce).await.unwrap().expect("it is found by its nonce");
    assert_eq!(found.id, created.id);
    assert!(platform.find_created(ctx, &spec, "0123456789abcdef").await.unwrap().is_none());

    let read = platform.object(ctx, KIND, &created.id, &["objective".into()]).await.unwrap();
    assert_eq!((read.id.as_str(), read.name.as_str()), (created.id.as_str(), created.name.as_str()));
    assert_eq!((read.status, &read.fields["objective"]), (created.status, &json!("OUTCOME_LEADS")));
    platform.update_object(ctx, &update(&created.id, Some("Summer"), Map::new())).await.unwrap();
    assert_eq!(platform.object(ctx, KIND, &created.id, &[]).await.unwrap().name, "Summer");

    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = platform.objects(ctx, &query(after)).await.unwrap();
        assert!(page.objects.len() <= 1, "a page is no longer than was asked for");
        seen.extend(page.objects.into_iter().map(|object| object.id));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen.iter().filter(|id| **id == created.id).count(), 1, "page by page, each object once");

    for (name, value) in
        [("daily_budget", json!(5_000)), ("status", json!("ACTIVE")), ("bid_amount", json!(5))]
    {
        let mut fields = Map::new();
        fields.insert(name.to_owned(), value);
        let refused =
            platform.update_object(ctx, &update(&created.id, None, fields.clone())).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        assert!(refused.message().contains(name), "{refused}");
    }
    let active = AdObjectSpec { fields: map(json!({"status": "ACTIVE"})), ..spec };
    let refused = platform.create_object(ctx, &active, &nonce).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput, "an object is created paused: {refused}");
    for (kind, id) in [(KIND, "999000999000999"), (AdObjectKind::Creative, created.id.as_str())] {
        assert_eq!(platform.object(ctx, kind, id, &[]).await.unwrap_err().kind(), ErrorKind::NotFound);
        let gone = AdObjectUpdate { kind, ..update(id, Some("x"), Map::new()) };
        assert_eq!(platform.update_object(ctx, &gone).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
