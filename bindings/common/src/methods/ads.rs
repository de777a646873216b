use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use xynergy::Timestamp;
use xynergy::ads::{
    AdInsight, AdObject, AdObjectKind, AdObjectPage, AdObjectQuery, AdObjectSpec, AdObjectUpdate,
};

use super::methods;

methods! {
    /// Creates a campaign, ad set, ad, creative or video, paused. With a `key` that the caller keeps, the same call again gives the
    /// same object, whatever happened to the first one. Amounts are integers in minor units.
    "ads.create"(kind, account_id, name, fields, key) Value CreateArguments => AdObject = |session, a: CreateArguments| async move {
        let spec = AdObjectSpec { kind: a.kind, account_id: a.account_id, name: a.name, fields: a.fields };
        session.scope.ads().create(&spec, a.key.as_deref()).await
    };

    /// An object, with further fields by the platform's names; `not_found` when there is none of this kind.
    "ads.get"(kind, id, fields) Value GetArguments => AdObject =
        |session, a: GetArguments| async move { session.scope.ads().get(a.kind, &a.id, &a.fields).await };

    /// Sets the name and other fields of an object. Its budget, bid and status are refused by name: they change by
    /// `execution.queue` alone.
    "ads.update"(kind, id, name, fields) Value UpdateArguments => () = |session, a: UpdateArguments| async move {
        let update = AdObjectUpdate { kind: a.kind, id: a.id, name: a.name, fields: a.fields };
        session.scope.ads().update(&update).await
    };

    /// One page of objects; the next one with its `next` as `after`.
    "ads.list"(kind, account_id, parent_id, fields, limit, after) Value ListArguments => AdObjectPage =
        |session, a: ListArguments| async move {
            let query = AdObjectQuery {
                kind: a.kind,
                account_id: a.account_id,
                parent_id: a.parent_id,
                fields: a.fields,
                limit: a.limit,
                after: a.after,
            };
            session.scope.ads().list(&query).await
        };

    /// Reads what each ad of an account did on each day from that of `since` to today, and keeps it; a day that was read before is
    /// replaced. The number of ads and days that were read.
    "insights.sync"(account_id, since) Value SyncArguments => usize =
        |session, a: SyncArguments| async move { session.scope.insights().sync(&a.account_id, a.since).await };

    /// What each ad did from the day of `since` to that of `until` together, by ad id, as far as it was synchronised. Nothing is
    /// asked of the platform.
    "insights.totals"(account_id, since, until) Value TotalsArguments => Vec<AdInsight> =
        |session, a: TotalsArguments| async move {
            session.scope.insights().totals(&a.account_id, a.since, a.until).await
        };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateArguments {
    /// What to create.
    kind: AdObjectKind,
    /// In which account.
    account_id: String,
    /// Its name. The platform's copy carries a short tag behind it.
    name: String,
    /// Its other fields, by the platform's names.
    #[serde(default)]
    fields: Map<String, Value>,
    /// Names the create, so that it can be asked for again.
    #[serde(default)]
    key: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetArguments {
    /// What it is.
    kind: AdObjectKind,
    /// Its id on the platform.
    id: String,
    /// The further fields to show, by the platform's names.
    #[serde(default)]
    fields: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateArguments {
    /// What it is.
    kind: AdObjectKind,
    /// Its id on the platform.
    id: String,
    /// Its new name, if that changes.
    #[serde(default)]
    name: Option<String>,
    /// The fields that change, by the platform's names.
    #[serde(default)]
    fields: Map<String, Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListArguments {
    /// Of which kind.
    kind: AdObjectKind,
    /// Of which account.
    account_id: String,
    /// Only those under this campaign or ad set.
    #[serde(default)]
    parent_id: Option<String>,
    /// The further fields to show, by the platform's names.
    #[serde(default)]
    fields: Vec<String>,
    /// How many at most, 1 to 500; 100 when absent.
    #[serde(default)]
    limit: Option<u32>,
    /// Where the page before ended: its `next`.
    #[serde(default)]
    after: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncArguments {
    /// The ad account.
    account_id: String,
    /// From the day of this time.
    since: Timestamp,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TotalsArguments {
    /// The ad account.
    account_id: String,
    /// From the day of this time.
    since: Timestamp,
    /// To the day of this time.
    until: Timestamp,
}
