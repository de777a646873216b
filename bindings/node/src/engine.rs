use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use napi::Either;
use napi_derive::napi;
use serde::Deserialize;
use xynergy_bindings::host::Host;
use xynergy_bindings::{Backends, CallInfo, Engine, Options};

use crate::clock::Clock;
use crate::environment::{Environment, Shared, id, number, spawn};
use crate::host::JsObject;
use crate::mailbox::at_once;
use crate::{refused, router};

/// The numbers of the objects that stand behind the library's traits.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Seats {
    providers: BTreeMap<String, u32>,
    embedders: BTreeMap<String, u32>,
    cache: Option<u32>,
    secrets: Option<u32>,
    crm: Option<u32>,
    ad_platform: Option<u32>,
    state: Option<u32>,
    clicks: Option<u32>,
    revenue: Option<u32>,
}

/// One client's engine.
#[napi]
pub struct NativeEngine {
    engine: Engine,
    shared: Arc<Shared>,
}

#[napi]
impl NativeEngine {
    /// Builds it. `seats` is the JSON of the numbers of the JavaScript objects.
    ///
    /// # Errors
    /// The options are wrong.
    #[napi(constructor, catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "strings from JavaScript arrive owned")]
    pub fn new(
        environment: &Environment,
        options: String,
        seats: String,
        clock: Option<&Clock>,
    ) -> napi::Result<Self> {
        let shared = environment.shared().clone();
        let options = Options::from_json(&options).map_err(refused)?;
        let seats: Seats =
            serde_json::from_str(&seats).map_err(|e| napi::Error::from_reason(e.to_string()))?;
        let object = |number: Option<u32>| -> Option<Arc<dyn Host>> {
            number.map(|number| JsObject::host(number, shared.mailbox.clone()))
        };
        let named = |numbers: &BTreeMap<String, u32>| {
            let seated = |(name, number): (&String, &u32)| {
                (name.clone(), JsObject::host(*number, shared.mailbox.clone()))
            };
            numbers.iter().map(seated).collect()
        };
        let backends = Backends {
            providers: named(&seats.providers),
            embedders: named(&seats.embedders),
            cache: object(seats.cache),
            secrets: object(seats.secrets),
            crm: object(seats.crm),
            ad_platform: object(seats.ad_platform),
            state: object(seats.state),
            clicks: object(seats.clicks),
            revenue: object(seats.revenue),
            clock: clock.map(Clock::shared),
        };
        let events = options.events;
        let engine = Engine::new(options, backends).map_err(refused)?;
        if events {
            router::join(Some(engine.id()), &shared.mailbox).map_err(refused)?;
        }
        shared.add(&engine);
        Ok(Self { engine, shared })
    }

    /// The number by which events name it.
    #[napi(getter)]
    pub fn id(&self) -> f64 {
        number(self.engine.id())
    }

    /// Starts a call. Text is the outcome, of a call that was answered at once; a number is the call's, whose outcome comes by the mailbox.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "strings from JavaScript arrive owned")]
    pub fn start(&self, method: String, info: Option<String>, arguments: String) -> Either<String, f64> {
        let info = match info.as_deref().map_or_else(|| Ok(CallInfo::default()), CallInfo::from_json) {
            Ok(info) => info,
            Err(error) => return Either::A(at_once(Err(error.into()))),
        };
        let call = self.engine.next_call_id();
        let mailbox = self.shared.mailbox.clone();
        let complete = move |outcome| mailbox.complete(call, outcome);
        match self.engine.start(call, &method, &info, &arguments, complete) {
            Some(outcome) => Either::A(at_once(outcome)),
            None => Either::B(number(call)),
        }
    }

    /// Cancels a call; it completes with `cancelled`.
    #[napi(catch_unwind)]
    pub fn cancel(&self, call: f64) -> bool {
        self.engine.cancel(id(call))
    }

    /// Closes a stream that is not read to its end.
    #[napi(catch_unwind)]
    pub fn close_stream(&self, stream: f64) {
        self.engine.close_stream(id(stream));
    }

    /// How many calls are under way.
    #[napi(catch_unwind)]
    pub fn in_flight(&self) -> u32 {
        u32::try_from(self.engine.in_flight()).unwrap_or(u32::MAX)
    }

    /// Closes it; completes as a call does.
    ///
    /// # Errors
    /// There are no threads.
    #[napi(catch_unwind)]
    pub fn close(&self, grace_ms: u32) -> napi::Result<f64> {
        let engine = self.engine.clone();
        let grace = Duration::from_millis(grace_ms.into());
        let work = async move {
            engine.close(grace).await;
            Ok("null".to_owned())
        };
        spawn(self.shared.mailbox.clone(), work).map_err(refused)
    }
}

/// One that was forgotten: the calls under way belong to nobody any more, but a budget write is not torn.
impl Drop for NativeEngine {
    fn drop(&mut self) {
        router::leave(Some(self.engine.id()), &self.shared.mailbox);
        self.shared.remove(self.engine.id());
    }
}
