use std::time::Duration;

use crate::config::RetryConfig;
use crate::error::{Error, ErrorKind, Retry};

/// How long to wait before the retry after `retries` earlier ones; `None` when there is to be none.
///
/// Only faults of the network and the provider are tried again, and throttling where no other model is left. The wait doubles
/// each time, half of it random; what the provider asks for is heeded if it is no longer than the longest wait.
pub(super) fn wait_before_retry(
    settings: &RetryConfig,
    error: &Error,
    retries: u32,
    last_resort: bool,
    random: u64,
) -> Option<Duration> {
    let Retry::After(asked) = error.retry() else { return None };
    let worth_it = match error.kind() {
        ErrorKind::Unavailable => true,
        ErrorKind::Throttled => last_resort,
        _ => false,
    };
    let longest = Duration::from_millis(settings.max_ms);
    if !worth_it || retries >= settings.max_retries || asked > longest {
        return None;
    }
    let doubled = settings.base_ms.saturating_mul(1_u64.checked_shl(retries).unwrap_or(u64::MAX));
    let full = doubled.min(settings.max_ms);
    let half = full / 2;
    let jittered = full - half + random % (half + 1);
    Some(Duration::from_millis(jittered).max(asked))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(kind: ErrorKind, retry: Retry) -> Error {
        Error::new(kind, "ai.chat", "x").with_retry(retry)
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let wait =
            |kind, retry, last| wait_before_retry(&RetryConfig::default(), &error(kind, retry), 0, last, 0);
        let now = Retry::After(Duration::ZERO);
        assert!(wait(ErrorKind::Unavailable, now, false).is_some());
        assert!(wait(ErrorKind::Unavailable, Retry::Never, false).is_none());
        assert!(wait(ErrorKind::Unavailable, Retry::Exhausted, false).is_none());
        assert!(wait(ErrorKind::Timeout, now, true).is_none());
        assert!(wait(ErrorKind::Rejected, now, true).is_none());
        assert!(wait(ErrorKind::Throttled, now, false).is_none());
        assert_eq!(
            wait(ErrorKind::Throttled, Retry::After(Duration::from_secs(3)), true),
            Some(Duration::from_secs(3))
        );
        assert!(wait(ErrorKind::Throttled, Retry::After(Duration::from_secs(60)), true).is_none());
    }

    proptest! {
        #[test]
        fn waits_grow_within_bounds(retries in 0_u32..40, random: u64, base in 1_u64..10_000, max in 1_u64..100_000) {
            let settings = RetryConfig { max_retries: 50, base_ms: base, max_ms: max, budget_percent: 20 };
            let fault = error(ErrorKind::Unavailable, Retry::After(Duration::ZERO));
            let wait = wait_before_retry(&settings, &fault, retries, false, random).unwrap();
            let full = base.saturating_mul(1 << retries.min(30)).min(max);
            prop_assert!(wait <= Duration::from_millis(max));
            prop_assert!(wait >= Duration::from_millis(full / 2));
        }
    }
}
