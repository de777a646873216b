use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::{AiConfig, CachedSecrets};
use xynergy_core::provider::ChatRequest;
use xynergy_core::registry::ProviderParts;
use xynergy_providers::registry::providers;

use crate::support::{Says, config, says, world};

/// Every span and event of every level, as text.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        writeln!(self.0.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

const CANARIES: [&str; 3] = ["sk-canary-one", "sk-canary-two", "sk-canary-new"];

#[tokio::test]
async fn no_key_is_seen_anywhere() {
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    let mut shown = String::new();
    for told in [
        says(200),
        says(400),
        says(401),
        says(402),
        says(403),
        says(404),
        says(413),
        Says { retry_after: Some("1"), ..says(429) },
        Says { code: "insufficient_quota", ..says(429) },
        says(500),
    ] {
        let world = world(&["A", "B"]);
        world.vault.set("A", Some(CANARIES[0]));
        world.vault.set("B", Some(CANARIES[1]));
        let secrets = Arc::new(CachedSecrets::new(
            world.vault.clone(),
            std::time::Duration::from_secs(300),
            world.clock.clone(),
        ));
        let parts = ProviderParts { http: world.wire.clone(), secrets: secrets.clone() };
        let mut settings = AiConfig::default();
        settings.cache.enabled = false;
        settings.retry.max_retries = 0;
        settings.providers.insert("somebody".into(), config(&["A", "B"]));
        let built = providers().build_all(&settings.providers, &parts).unwrap();
        write!(shown, "{settings:?} {parts:?} {built:?} {secrets:?}").unwrap();
        let ai = AiClient::new(settings, AiParts::new(built)).unwrap();
        for canary in &CANARIES[..2] {
            world.wire.tell(canary, told.clone());
        }
        for rotated in [None, Some(CANARIES[2])] {
            if rotated.is_some() {
                world.vault.set("B", rotated);
                world.pass(301);
            }
            match ai.chat(&world.ctx, ChatRequest::prompt("Hi")).await {
                Ok(response) => write!(shown, "{response:?}").unwrap(),
                Err(error) => {
                    write!(shown, "{error} {error:?} {}", serde_json::to_string(&error).unwrap()).unwrap();
                }
            }
            match ai.stream(&world.ctx, ChatRequest::prompt("Hi")).await {
                Ok(stream) => write!(shown, "{:?}", stream.collect::<Vec<_>>().await).unwrap(),
                Err(error) => write!(shown, "{error} {error:?}").unwrap(),
            }
        }
        write!(shown, "{ai:?}").unwrap();
        for event in world.events.drain() {
            write!(shown, "{event:?} {}", serde_json::to_string(&event).unwrap()).unwrap();
        }
        let used = world.wire.used();
        assert!(
            CANARIES.iter().all(|canary| used.iter().any(|key| key == canary)) || told.status != 401,
            "{used:?}"
        );
    }
    shown.push_str(&log.0.lock().unwrap());
    assert!(shown.contains("key 2 of 2") && shown.contains("ai.request"), "nothing was looked at");
    let found = shown.find("canary").map(|at| &shown[at.saturating_sub(200)..at + 40]);
    assert_eq!(found, None);
}
