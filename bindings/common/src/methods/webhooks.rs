use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::Timestamp;
use xynergy::webhooks::{Accepted, Processed, SignedDelivery};

use super::hubspot::ProcessArguments;
use super::{Bytes, methods};

methods! {
    /// Verifies a webhook of your own by the scheme of Standard Webhooks, on its raw bytes, and stores its events durably: answer 200
    /// when this returns, and let `process` do the work. A delivery that is sent again is the same.
    "webhooks.accept"(headers, body, received_at, source) Value SignedArguments => Accepted =
        |session, a: SignedArguments| async move {
            let delivery = SignedDelivery {
                headers: &a.headers,
                body: &a.body.0,
                received_at: a.received_at,
                source: a.source.as_deref().unwrap_or(""),
            };
            session.scope.webhooks().accept(&delivery).await
        };

    /// Works on deals that have new events, of webhooks and of HubSpot alike. `ads` are the account's own, which a deal's first URL
    /// may name.
    "webhooks.process"(ads, limit) Value ProcessArguments => Processed = |session, arguments: ProcessArguments| async move {
        session.scope.webhooks().process(&arguments.ads, arguments.limit()).await
    };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignedArguments {
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
