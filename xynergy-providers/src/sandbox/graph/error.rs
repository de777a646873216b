//! Meta's error bodies.

use serde_json::{Value, json};

use crate::sandbox::fault::GraphFault;

/// A Graph error as it is answered.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct GraphError {
    pub(in crate::sandbox) status: u16,
    pub(in crate::sandbox) code: u32,
    pub(in crate::sandbox) subcode: Option<u32>,
    pub(in crate::sandbox) message: String,
    kind: &'static str,
    is_transient: bool,
}

impl GraphError {
    fn new(status: u16, code: u32, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, subcode: None, message: message.into(), kind, is_transient: false }
    }

    /// Code 100: a parameter is wrong.
    pub(in crate::sandbox) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, 100, "OAuthException", message)
    }

    /// Code 100, subcode 33: there is no such object, or it has no such edge.
    pub(in crate::sandbox) fn missing(method: &str, id: &str) -> Self {
        let id: String = id.chars().take(80).collect();
        let mut error = Self::new(
            400,
            100,
            "GraphMethodException",
            format!(
                "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, \
                 or does not support this operation. Please read the Graph API documentation at \
                 https://developers.facebook.com/docs/graph-api"
            ),
        );
        error.subcode = Some(33);
        error
    }

    pub(super) fn no_token() -> Self {
        Self::new(400, 104, "OAuthException", "An access token is required to request this resource.")
    }

    pub(super) fn expired_token() -> Self {
        let mut error =
            Self::new(400, 190, "OAuthException", "Error validating access token: Session has expired.");
        error.subcode = Some(463);
        error
    }

    /// Code 613, subcode 1487632: more than four budget changes of an ad set in an hour.
    pub(in crate::sandbox) fn too_many_budget_changes() -> Self {
        let mut error = Self::new(
            400,
            613,
            "OAuthException",
            "(#613) Calls to this api have exceeded the rate limit: the budget of this ad set was changed too often in an hour, and \
             cannot be changed for an hour.",
        );
        error.subcode = Some(1_487_632);
        error
    }

    /// Code 80004: the account's quota of calls is used up.
    pub(super) fn too_many_calls() -> Self {
        let mut error = Self::new(
            400,
            80_004,
            "OAuthException",
            "(#80004) There have been too many calls to this ad-account. Wait a bit and try again.",
        );
        error.subcode = Some(2_446_079);
        error
    }

    pub(super) fn of_fault(fault: &GraphFault) -> Self {
        let (status, transient, text) = match fault.code {
            1 => (500, true, "An unknown error occurred"),
            2 => (400, true, "(#2) Service temporarily unavailable"),
            4 => (400, true, "(#4) Application request limit reached"),
            17 => (400, true, "(#17) User request limit reached"),
            32 => (400, true, "(#32) Page request limit reached"),
            341 => (400, true, "(#341) Feed action request limit reached"),
            613 => (400, true, "(#613) Calls to this api have exceeded the rate limit."),
            190 => (400, false, "Error validating access token: Session has expired."),
            200..=299 => (403, false, "Permissions error"),
            80_000..=80_014 => {
                (400, true, "There have been too many calls from this ad-account. Wait a bit and try again.")
            }
            _ => (400, false, "The sandbox was told to answer this error"),
        };
        let message = fault.message.clone().unwrap_or_else(|| text.to_owned());
        let mut error = Self::new(fault.status.unwrap_or(status), fault.code, "OAuthException", message);
        error.subcode = fault.subcode;
        error.is_transient = fault.is_transient.unwrap_or(transient);
        error
    }

    pub(in crate::sandbox) fn body(&self) -> Value {
        let mut error = json!({
            "message": self.message,
            "type": self.kind,
            "code": self.code,
            "is_transient": self.is_transient,
            "fbtrace_id": "A_sandbox_trace_id",
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        json!({"error": error})
    }
}
