use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::future::{AbortHandle, Abortable};
use serde::Deserialize;
use xynergy::{Client, Error, Result, Scope, TenantId};

/// Whose call it is and what ties it to the host's own traces. Everything may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallInfo {
    /// The tenant; `default` when absent.
    pub tenant: Option<String>,
    /// The person or program that acts, for the audit trail.
    pub actor: Option<String>,
    /// The caller's id of the request; one is made when absent.
    pub request_id: Option<String>,
    /// The W3C trace context to continue.
    pub traceparent: Option<String>,
    /// After so many milliseconds the call ends with `timeout`; what it had begun is undone as by a cancellation.
    pub timeout_ms: Option<u64>,
}

impl CallInfo {
    /// Reads it from JSON.
    ///
    /// # Errors
    /// [`InvalidInput`](xynergy::ErrorKind::InvalidInput) that names the field.
    pub fn from_json(json: &str) -> Result<Self> {
        crate::methods::read("scope", json)
    }

    /// Refuses what no call could carry.
    ///
    /// # Errors
    /// [`InvalidInput`](xynergy::ErrorKind::InvalidInput) that names the field.
    pub fn validate(&self) -> Result<()> {
        if let Some(tenant) = &self.tenant {
            TenantId::new(tenant)?;
        }
        // They go into HTTP headers as they are.
        let headers = [("request_id", &self.request_id), ("traceparent", &self.traceparent)];
        for (name, value) in headers {
            let plain = |text: &String| {
                (1..=256).contains(&text.len()) && text.bytes().all(|b| (0x21..0x7f).contains(&b))
            };
            if value.as_ref().is_some_and(|text| !plain(text)) {
                return Err(Error::invalid(
                    "scope",
                    format!("{name}: give 1 to 256 printable ASCII characters without spaces"),
                ));
            }
        }
        if self.actor.as_ref().is_some_and(|actor| actor.is_empty() || actor.len() > 256) {
            return Err(Error::invalid("scope", "actor: give 1 to 256 bytes of text"));
        }
        Ok(())
    }

    pub(crate) fn scope(&self, client: &Client) -> Result<Scope> {
        self.validate()?;
        let tenant = self.tenant.as_deref().map_or_else(|| Ok(TenantId::default()), TenantId::new)?;
        let mut scope = client.scope(tenant);
        if let Some(actor) = &self.actor {
            scope = scope.with_actor(actor);
        }
        if let Some(request_id) = &self.request_id {
            scope = scope.with_request_id(request_id);
        }
        if let Some(traceparent) = &self.traceparent {
            scope = scope.with_traceparent(traceparent);
        }
        Ok(scope)
    }
}

/// The calls that are under way, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<HashMap<u64, AbortHandle>>);

impl Calls {
    /// Makes `future` one that [`cancel`](Self::cancel) ends.
    pub(crate) fn track<F>(&self, id: u64, future: F) -> Abortable<F> {
        let (handle, registration) = AbortHandle::new_pair();
        self.lock().insert(id, handle);
        Abortable::new(future, registration)
    }

    pub(crate) fn done(&self, id: u64) {
        self.lock().remove(&id);
    }

    pub(crate) fn cancel(&self, id: u64) -> bool {
        let handle = self.lock().remove(&id);
        handle.inspect(AbortHandle::abort).is_some()
    }

    pub(crate) fn cancel_all(&self) {
        for (_, handle) in self.lock().drain() {
            handle.abort();
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_fields_are_named() {
        for (json, field) in [
            (r#"{"tenant": "a b"}"#, "tenant"),
            (r#"{"request_id": "a\nb"}"#, "request_id"),
            (r#"{"traceparent": ""}"#, "traceparent"),
            (r#"{"actor": ""}"#, "actor"),
            (r#"{"timeout_ms": -1}"#, "timeout_ms"),
            (r#"{"user": "x"}"#, "user"),
        ] {
            let error = CallInfo::from_json(json).and_then(|info| info.validate()).unwrap_err();
            assert!(error.to_string().contains(field), "{json}: {error}");
        }
    }
}
