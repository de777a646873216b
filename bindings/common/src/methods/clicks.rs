use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::Timestamp;
use xynergy::attribution::{Erasure, ErasureSubject, Pruning};
use xynergy::store::AdClicks;

use super::{Nothing, methods};

methods! {
    /// How often each ad was clicked on each day (UTC), from the day of `since` to that of `until`, both included; of all days
    /// without them. It counts clicks that were pruned or erased.
    "attribution.clicks_by_ad"(since, until) Value DaysArguments => Vec<AdClicks> = |session, arguments: DaysArguments| async move {
        session.scope.attribution().clicks_by_ad(arguments.since, arguments.until).await
    };

    /// Erases the clicks of a person: everything that identifies, and every key of theirs. How often an ad was clicked on a day stays,
    /// and nothing can be linked to the person again.
    "attribution.erase"(subject) Value EraseArguments => Erasure = |session, arguments: EraseArguments| async move {
        session.scope.attribution().erase(&arguments.subject).await
    };

    /// Forgets the clicks of every day that ended before the configured retention, and throws away the keys under which they were
    /// hashed. How often an ad was clicked on a day stays. Call it once a day.
    "attribution.prune"() Value Nothing => Pruning =
        |session, _: Nothing| async move { session.scope.attribution().prune().await };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DaysArguments {
    /// A moment of the first day.
    #[serde(default)]
    since: Option<Timestamp>,
    /// A moment of the last day.
    #[serde(default)]
    until: Option<Timestamp>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EraseArguments {
    /// Whose clicks.
    subject: ErasureSubject,
}
