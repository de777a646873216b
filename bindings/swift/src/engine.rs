//! The engine behind a client.

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use xynergy_bindings::host::Host;
use xynergy_bindings::{Backends, CallInfo, Engine, Options};

use crate::clock::NativeClock;
use crate::failure::NativeError;
use crate::host::{HostObject, SwiftHost};

/// How many early cancellations are remembered.
const EARLY: usize = 1_024;

/// Objects of the host's, by the trait that they stand behind.
#[derive(Default, uniffi::Record)]
pub struct NativeBackends {
    /// AI providers, by name.
    pub providers: HashMap<String, Arc<dyn HostObject>>,
    /// Embedders, by name.
    pub embedders: HashMap<String, Arc<dyn HostObject>>,
    /// The response cache.
    pub cache: Option<Arc<dyn HostObject>>,
    /// The CRM.
    pub crm: Option<Arc<dyn HostObject>>,
    /// The ad platform.
    pub ad_platform: Option<Arc<dyn HostObject>>,
    /// Where credentials come from.
    pub secrets: Option<Arc<dyn HostObject>>,
    /// Small documents.
    pub state: Option<Arc<dyn HostObject>>,
    /// Clicks.
    pub clicks: Option<Arc<dyn HostObject>>,
    /// CRM events and the revenue ledger.
    pub revenue: Option<Arc<dyn HostObject>>,
    /// The time of every decision.
    pub clock: Option<Arc<NativeClock>>,
}

impl From<NativeBackends> for Backends {
    fn from(native: NativeBackends) -> Self {
        Self {
            providers: native.providers.into_iter().map(|(name, object)| (name, seated(object))).collect(),
            embedders: native.embedders.into_iter().map(|(name, object)| (name, seated(object))).collect(),
            cache: native.cache.map(seated),
            crm: native.crm.map(seated),
            ad_platform: native.ad_platform.map(seated),
            secrets: native.secrets.map(seated),
            state: native.state.map(seated),
            clicks: native.clicks.map(seated),
            revenue: native.revenue.map(seated),
            clock: native.clock.map(|clock| clock.0.clone()),
        }
    }
}

pub(crate) fn seated(object: Arc<dyn HostObject>) -> Arc<dyn Host> {
    Arc::new(SwiftHost(object))
}

/// The engine behind a client.
#[derive(Debug, uniffi::Object)]
pub struct NativeEngine {
    engine: Engine,
    /// Calls that were cancelled before they began. A call that had ended already is forgotten with time.
    early: Mutex<BTreeSet<u64>>,
}

impl NativeEngine {
    fn early(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[uniffi::export]
impl NativeEngine {
    /// Builds it from options as JSON.
    ///
    /// # Errors
    /// The part of the options that is wrong.
    #[uniffi::constructor]
    pub fn new(options: &str, backends: NativeBackends) -> Result<Arc<Self>, NativeError> {
        let options = Options::from_json(options)?;
        let engine = Engine::new(options, backends.into())?;
        Ok(Arc::new(Self { engine, early: Mutex::default() }))
    }

    /// The number by which the outbox names this engine's events.
    pub fn id(&self) -> u64 {
        self.engine.id()
    }

    /// A fresh id for a call.
    pub fn next_call_id(&self) -> u64 {
        self.engine.next_call_id()
    }

    /// Makes a call. It is begun on the calling thread, and answered there when nothing has to be waited for.
    ///
    /// # Errors
    /// As the method's.
    pub async fn call(
        &self,
        id: u64,
        method: String,
        info: String,
        arguments: String,
    ) -> Result<String, NativeError> {
        let info = CallInfo::from_json(&info)?;
        let mut call = pin!(self.engine.call(id, &method, &info, &arguments));
        // From its first poll on, the engine knows the call and can cancel it.
        let begun = call.as_mut().now_or_never();
        let was_cancelled = self.early().remove(&id);
        if let Some(outcome) = begun {
            return Ok(outcome?);
        }
        if was_cancelled {
            self.engine.cancel(id);
        }
        Ok(call.await?)
    }

    /// Cancels a call. Returns whether there was one of this id.
    ///
    /// # Errors
    /// None by itself; a panic would be one.
    pub fn cancel(&self, id: u64) -> Result<bool, NativeError> {
        let known = self.engine.cancel(id);
        if !known {
            let mut early = self.early();
            early.insert(id);
            if early.len() > EARLY {
                early.pop_first();
            }
        }
        Ok(known)
    }

    /// Closes a stream that is not read to its end.
    ///
    /// # Errors
    /// None by itself; a panic would be one.
    pub fn close_stream(&self, stream: u64) -> Result<(), NativeError> {
        self.engine.close_stream(stream);
        Ok(())
    }

    /// How many calls are under way.
    ///
    /// # Errors
    /// None by itself; a panic would be one.
    pub fn in_flight(&self) -> Result<u64, NativeError> {
        Ok(self.engine.in_flight() as u64)
    }

    /// Waits for the calls under way for at most so long, then cancels them; budget writes are waited for.
    ///
    /// # Errors
    /// None by itself; a panic would be one.
    pub async fn close(&self, grace_ms: u64) -> Result<(), NativeError> {
        self.engine.close(Duration::from_millis(grace_ms)).await;
        Ok(())
    }
}
