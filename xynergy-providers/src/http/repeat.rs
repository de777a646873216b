//! Reads that are repeated while the other side is away or busy.

use std::future::Future;
use std::time::Duration;

use xynergy_core::{Ctx, Result, Retry};

/// How often a read is sent at most.
const ATTEMPTS: u32 = 3;

/// The wait before the second attempt; it doubles from there.
const FIRST_BACK_OFF: Duration = Duration::from_millis(200);

/// The longest wait that a call takes upon itself; a longer one is the caller's.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Reads until it succeeds, for as long as the error says that it may be repeated. Never for a write.
pub(crate) async fn repeat_read<T, F>(ctx: &Ctx, read: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut back_off = FIRST_BACK_OFF;
    let mut attempts_left = ATTEMPTS;
    loop {
        let error = match read().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Retry::After(asked) = error.retry() else { return Err(error) };
        let wait = if asked.is_zero() { jittered(ctx, back_off) } else { asked };
        if wait > LONGEST_WAIT {
            return Err(error);
        }
        attempts_left -= 1;
        if attempts_left == 0 {
            return Err(error.with_retry(Retry::Exhausted));
        }
        tokio::time::sleep(wait).await;
        back_off *= 2;
    }
}

/// Half to all of `back_off`, so that many readers do not come back at once.
fn jittered(ctx: &Ctx, back_off: Duration) -> Duration {
    let half = back_off / 2;
    let micros = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).max(1);
    half + Duration::from_micros(ctx.env.entropy.next_u64() % micros)
}
