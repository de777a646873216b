//! The middleware of an AI request, one ability a file.
//!
//! Around the whole: `cache -> rate_limit -> route -> size -> spend -> fallback`, so that a hit costs nothing of the rate. Around each provider, which is where `fallback`
//! sends a request to: `rate_limit -> breaker -> retry -> timeout -> attempt`. [`AiClient`](crate::client::AiClient) builds both in
//! this order; nobody else has to know it.

mod attempt;
mod backoff;
mod breaker;
mod cache;
mod fallback;
mod flight;
mod rate_limit;
mod replay;
mod retry;
mod route;
mod size;
mod spend;
mod timeout;

pub use attempt::AttemptLayer;
pub use breaker::{BreakerLayer, BreakerSnapshot, BreakerState, Machine, Permit, Verdict};
pub use cache::CacheLayer;
pub use fallback::Fallback;
pub use rate_limit::RateLimitLayer;
pub use retry::RetryLayer;
pub use route::RouteLayer;
pub use size::SizeLayer;
pub use spend::SpendLayer;
pub use timeout::TimeoutLayer;
