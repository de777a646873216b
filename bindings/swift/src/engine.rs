use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use xynergy_bindings::host::Host;
use xynergy_bindings::{Backends, CallInfo, Engine, Options};

use crate::clock::NativeClock;
use crate::failure::NativeError;
use crate::host::{HostObject, SwiftHost};

/// Objects of the host's, by the trait that they stand behind.
#[derive(Default, uniffi::Record)]
pub struct NativeBackends {
    /// AI providers, by name.
    pub providers: HashMap<String, Arc<dyn HostObject>>,
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
pub struct NativeEngine(Engine);

#[uniffi::export]
impl NativeEngine {
    /// Builds it from options as JSON.
    ///
    /// # Errors
    /// The part of the options that is wrong.
    #[uniffi::constructor]
    pub fn new(options: &str, backends: NativeBackends) -> Result<Arc<Self>, NativeError> {
        let options = Options::from_json(options)?;
        Ok(Arc::new(Self(Engine::new(options, backends.into())?)))
    }

    /// The number by which the outbox names this engine's events.
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// A fresh id for a call.
    pub fn next_call_id(&self) -> u64 {
        self.0.next_call_id()
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
        Ok(self.0.call(id, &method, &info, &arguments).await?)
    }

    /// Cancels a call. Returns whether there was one of this id.
    ///
    /// # Errors
    /// None by itself; a panic would be one.
    pub fn cancel(&self, id: u64) -> Result<bool, NativeError> {
        Ok(self.0.cancel(id))
    }

    /// Closes a stream that is not read to its end.
    ///
    /// # Errors
    /// None by itself; a panic would be one.
    pub fn close_stream(&self, stream: u64) -> Result<(), NativeError> {
        self.0.close_stream(stream);
        Ok(())
    }

    /// How many calls are under way.
    ///
    /// # Errors
    /// None by itself; a panic would be one.
    pub fn in_flight(&self) -> Result<u64, NativeError> {
        Ok(self.0.in_flight() as u64)
    }

    /// Waits for the calls under way for at most so long, then cancels them; budget writes are waited for.
    ///
    /// # Errors
    /// None by itself; a panic would be one.
    pub async fn close(&self, grace_ms: u64) -> Result<(), NativeError> {
        self.0.close(Duration::from_millis(grace_ms)).await;
        Ok(())
    }
}
