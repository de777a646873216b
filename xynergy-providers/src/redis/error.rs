use std::time::Duration;

use redis::{ErrorKind as Kind, RedisError, ServerErrorKind};
use xynergy_core::{Error, ErrorKind, Retry};

/// Answers of a server that cannot serve now.
const AWAY: [&str; 8] =
    ["OOM", "LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS", "MISCONF"];

/// Whether the server could not be asked, or said that it cannot serve now.
pub(super) fn is_away(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_timeout()
        || error.is_connection_dropped()
        || error.is_connection_refusal()
        || error.code().is_some_and(|code| AWAY.contains(&code))
        || matches!(error.kind(), Kind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::ReadOnly))
}

/// The library's error for one of Redis'. What a key or a script says never enters it.
pub(super) fn from_redis(operation: &'static str, error: &RedisError) -> Error {
    let code = error.code().unwrap_or_default().to_owned();
    if matches!(error.kind(), Kind::AuthenticationFailed)
        || ["NOAUTH", "WRONGPASS", "NOPERM"].contains(&code.as_str())
    {
        return Error::new(
            ErrorKind::Unauthorized,
            operation,
            "redis refuses the user or the password: check redis.url and the user's rights",
        );
    }
    if is_away(error) {
        let message = "redis cannot be reached or cannot serve now; wait until it is back";
        return Error::new(ErrorKind::Unavailable, operation, message)
            .with_retry(Retry::After(Duration::from_secs(1)))
            .with_context("code", code);
    }
    Error::new(ErrorKind::Unexpected, operation, "redis refused a script of the library")
        .with_context("code", code)
        .with_source(error.to_string())
}
