use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use xynergy::env::{Clock, ManualClock};
use xynergy::execution::ChangeFilter;
use xynergy::hubspot::Delivery;
use xynergy::sandbox::{self, AdsFile, CrmFile, SandboxClock, SandboxConfig};
use xynergy::{Client, Timestamp};

use super::Told;

/// So many of the deliveries and clicks.
const SOME: usize = 60;

#[derive(Deserialize)]
struct Line {
    received_at: Timestamp,
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// Clicks and deliveries, an allocation and its changes, and a report; all of it twice.
pub(crate) async fn told() -> Told {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let (ads, _) = AdsFile::load(&data.join("ads.json")).unwrap();
    let (crm, _) = CrmFile::load(&data.join("crm.json")).unwrap();
    let account = sandbox::ad_account(&ads);
    let (events, clock) =
        (super::sink(), Arc::new(ManualClock::new("2026-03-31T18:00:00Z".parse().unwrap())));
    let shared = SandboxConfig { clock: SandboxClock::Shared(clock.clone()), ..SandboxConfig::new(ads, crm) };
    let sandbox = sandbox::start(shared).await.unwrap();
    let mut config = sandbox::config(sandbox.urls());
    config.meta.as_mut().unwrap().insights_sync_days = 1;
    let client = Client::builder(config)
        .secrets(Arc::new(sandbox::secrets(None)))
        .clock(clock.clone())
        .on_event(events.clone())
        .build()
        .unwrap();
    let scope = super::scope(&client);

    let attribution = scope.attribution();
    let mut clicks = Vec::new();
    for line in std::fs::read_to_string(data.join("clicks.ndjson")).unwrap().lines().take(SOME) {
        clicks.extend(attribution.parse_click(line.as_bytes()).await.unwrap());
    }
    let webhooks = std::fs::read_to_string(data.join("webhooks.ndjson")).unwrap();
    let lines: Vec<Line> =
        webhooks.lines().take(SOME).map(|line| serde_json::from_str(line).unwrap()).collect();
    let (mut deliveries, mut deals) = (0, 0);
    for _ in 0..2 {
        attribution.track_clicks(&clicks, "test").await.unwrap();
        for line in &lines {
            let delivery = Delivery {
                method: &line.method,
                url: &line.url,
                headers: &line.headers,
                body: line.body.as_bytes(),
                received_at: Some(line.received_at),
                source: "test",
            };
            let accepted = scope.hubspot().accept(&delivery).await;
            deliveries += usize::from(accepted.is_ok_and(|accepted| accepted.events > 0));
        }
        let mut next = Some(clock.now());
        while let Some(due) = next {
            clock.set(due.max(clock.now()));
            let tick = scope.closed_loop(&account).tick("april", 7).await.unwrap();
            (deals, next) = (deals + tick.deals, tick.next_due);
        }
    }
    for _ in 0..2 {
        attribution.revalue(clock.now()).await.unwrap();
    }
    let changes = scope.execution().list(&ChangeFilter::default()).await.unwrap().len();
    let since = "2026-03-28T00:00:00Z".parse().unwrap();
    scope.insights().sync(&account.account_id, since).await.unwrap();
    assert!(deliveries > 10 && deals > 10 && changes > 1, "{deliveries} {deals} {changes}");
    let times = BTreeMap::from([
        ("clicks.tracked", 1),
        ("delivery.accepted", deliveries),
        ("deal.attributed", deals),
        ("revenue.changed", deals),
        ("stages.revalued", 1),
        ("allocation.made", 1),
        ("change.queued", changes),
        ("change.completed", changes),
    ]);
    Told { events: events.drain(), times }
}
