//! The middleware of an AI request, one ability a file.
//!
//! Around the whole: `cache -> shed -> rate_limit -> route -> size -> recover -> hedge -> spend -> fallback`, so that a hit costs nothing of
//! the rate. Around each provider, which is where `fallback` sends a request to: `shed -> throttle -> rate_limit -> breaker -> retry
//! -> timeout -> attempt`. [`AiClient`](crate::client::AiClient) builds both in
//! this order; nobody else has to know it.

mod attempt;
mod backoff;
mod breaker;
mod cache;
mod fallback;
mod flight;
mod hedge;
mod rate_limit;
mod recover;
mod replay;
mod retry;
mod route;
mod shed;
mod size;
mod spend;
mod throttle;
mod timeout;

pub use attempt::AttemptLayer;
pub use breaker::{BreakerLayer, BreakerSnapshot, BreakerState, Machine, Permit, Verdict};
pub use cache::CacheLayer;
pub use fallback::Fallback;
pub use hedge::HedgeLayer;
pub use rate_limit::RateLimitLayer;
pub use recover::{ClassLists, RecoverLayer};
pub use retry::RetryLayer;
pub use route::RouteLayer;
pub use shed::ShedLayer;
pub use size::SizeLayer;
pub use spend::SpendLayer;
pub use throttle::ThrottleLayer;
pub use timeout::TimeoutLayer;
