use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::Timestamp;
use xynergy::attribution::AdParents;
use xynergy::hubspot::{Accepted, Delivery, Processed};

use super::attribution::SourceArguments;
use super::{Bytes, methods};

methods! {
    /// Verifies a webhook on its raw bytes and stores its events durably: answer 200 when this returns, and let `process` do the
    /// work. The same events in any order and batching leave the same state. `url` is the whole address as it is configured in
    /// HubSpot.
    "hubspot.accept"(method, url, headers, body, received_at, source) Value AcceptArguments => Accepted =
        |session, a: AcceptArguments| async move {
            let delivery = Delivery {
                method: &a.method,
                url: &a.url,
                headers: &a.headers,
                body: &a.body.0,
                received_at: a.received_at,
                source: a.source.as_deref().unwrap_or(""),
            };
            session.scope.hubspot().accept(&delivery).await
        };

    /// Works on deals that have new events: revenue, match, ledger. A deal that fails is kept and tried again later, and stops no
    /// other. `ads` are the account's own, which a deal's first URL may name.
    "hubspot.process"(ads, limit) Value ProcessArguments => Processed = |session, arguments: ProcessArguments| async move {
        session.scope.hubspot().process(&arguments.ads, arguments.limit()).await
    };

    /// How many events are stored, of all or of one batch.
    "hubspot.count_events"(source) Value SourceArguments => u64 = |session, arguments: SourceArguments| async move {
        session.scope.hubspot().count_events(arguments.source.as_deref()).await
    };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptArguments {
    /// The HTTP method.
    method: String,
    /// The whole address.
    url: String,
    /// The headers; the case of their names does not matter.
    headers: BTreeMap<String, String>,
    /// The body's bytes as they came.
    body: Bytes,
    /// When it arrived; now when absent.
    #[serde(default)]
    received_at: Option<Timestamp>,
    /// The name of the batch.
    #[serde(default)]
    source: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProcessArguments {
    /// The ad set and campaign of each ad, by ad id.
    #[serde(default)]
    pub(crate) ads: BTreeMap<String, AdParents>,
    /// At most so many deals; 100 when absent.
    #[serde(default)]
    limit: Option<u64>,
}

impl ProcessArguments {
    pub(crate) fn limit(&self) -> usize {
        usize::try_from(self.limit.unwrap_or(100)).unwrap_or(usize::MAX)
    }
}
