//! How many requests and tokens a minute are let through: protection, not money.

mod allowance;
mod bucket;
mod memory;

pub use allowance::{Allowance, RateLimits};
pub use bucket::{Bucket, Rate};
pub use memory::MemoryLimiter;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::ctx::{Ctx, TenantId};
use crate::env::Timestamp;

/// What one call asks of a limiter: one request, and tokens by estimate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Whose call it is. Each tenant has buckets of its own.
    pub tenant: TenantId,
    /// Which of the tenant's limits: the client's is empty, a provider's is its name.
    pub key: String,
    /// The limit.
    pub rate: Rate,
    /// The tokens that are expected.
    pub tokens: u64,
    /// When.
    pub at: Timestamp,
    /// Whether that is the machine's own time. A limiter that many machines share then goes by the one that they share.
    pub is_system_time: bool,
}

impl Ask {
    /// What a call asks now.
    pub fn new(ctx: &Ctx, key: impl Into<String>, rate: Rate, tokens: u64) -> Self {
        let clock = &ctx.env.clock;
        Self {
            tenant: ctx.tenant.clone(),
            key: key.into(),
            rate,
            tokens,
            at: clock.now(),
            is_system_time: clock.is_system(),
        }
    }
}

/// Of what a limit is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Requests.
    Requests,
    /// Tokens, of prompts and answers.
    Tokens,
}

impl Counted {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
        }
    }
}

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may, and what it asked for is taken.
    Admitted,
    /// Not now, and nothing is taken. The same is there after this time if nobody else takes it.
    Wait(Counted, Duration),
    /// Never: it asks for more tokens than there are in a minute.
    TooLarge,
}

/// Counts requests and tokens, in this process or for many. It lets through rather than to fail: where it cannot be reached, it goes
/// by what it knows itself.
#[async_trait]
pub trait RateLimiter: Send + Sync + Debug + 'static {
    /// Takes what is asked for, all of it or nothing. Cancel safe: at worst it is taken and not used.
    async fn acquire(&self, ask: &Ask) -> Admission;

    /// Says how many tokens were used instead of those that an admitted call asked for. Never waits: a limiter with I/O takes note
    /// and tells with its next call.
    fn correct(&self, ask: &Ask, used: u64, at: Timestamp);
}
