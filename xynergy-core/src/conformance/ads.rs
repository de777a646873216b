use crate::ads::{Activity, AdPlatform, AdWrite, ChangeField, Owner, WriteClass};
use crate::ctx::Ctx;
use crate::error::ErrorKind;
use crate::execution::ChangeId;

/// The behaviour of an [`AdPlatform`]. `owner` is an active ad set of `account_id` with a daily budget of at least
/// 1,000 minor units and no other edits going on; its budget is changed and set back.
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
}
