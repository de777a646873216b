use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redis::Script;
use redis::aio::ConnectionManager;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use xynergy_core::config::SecretSource;
use xynergy_core::rate::{Admission, Ask, Counted, MemoryLimiter, RateLimiter};
use xynergy_core::{Error, ErrorKind, Result, TenantId, Timestamp};

use super::RedisConfig;
use super::error::from_redis;

/// For how long a server that could not be asked is not asked again.
const AWAY: Duration = Duration::from_secs(5);
/// How many corrections of one limit wait for its next call before they are added up.
const MANY: usize = 256;
/// Of how many limits corrections wait.
const MOST: usize = 16_384;

/// Requests and tokens a minute in Redis, for many workers: each call is one atomic script.
///
/// A correction is told with the next call of this process under the same limit. While the server is away, each process goes by
/// itself, with a warning: a limit of rates protects, and its loss must not stop the work.
pub struct RedisLimiter {
    config: RedisConfig,
    secrets: Arc<dyn SecretSource>,
    connection: OnceCell<ConnectionManager>,
    script: Script,
    own: MemoryLimiter,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    away_until: Option<Instant>,
    corrections: HashMap<(TenantId, String), Vec<Correction>>,
}

/// Tokens that were used more, or less, than was taken.
#[derive(Clone, Copy, Debug)]
struct Correction {
    more: i64,
    at: Timestamp,
}

impl fmt::Debug for RedisLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLimiter").field("config", &self.config).finish_non_exhaustive()
    }
}

impl RedisLimiter {
    /// A limiter on this server. Connects at the first call; the URL is read from `secrets` then.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) for settings that cannot work.
    pub fn new(config: RedisConfig, secrets: Arc<dyn SecretSource>) -> Result<Self> {
        config.validate()?;
        Ok(Self {
            config,
            secrets,
            connection: OnceCell::new(),
            script: Script::new(include_str!("limiter.lua")),
            own: MemoryLimiter::default(),
            state: Mutex::default(),
        })
    }

    async fn asked(&self, ask: &Ask) -> Result<Admission> {
        let connection = self.connection.get_or_try_init(|| self.config.connection(&*self.secrets)).await?;
        let corrections = self.state().corrections.remove(&key(ask)).unwrap_or_default();
        let place = format!("{}:{{{}}}:rate:{}", self.config.prefix, ask.tenant, ask.key);
        let given = told(ask, &corrections).to_string();
        let mut connection = connection.clone();
        let answer: (String, u64) = self
            .script
            .key(place)
            .arg(given)
            .invoke_async(&mut connection)
            .await
            .map_err(|error| from_redis("ai.rate_limit", &error))?;
        let wait = Duration::from_micros(answer.1);
        match answer.0.as_str() {
            "admitted" => Ok(Admission::Admitted),
            "requests" => Ok(Admission::Wait(Counted::Requests, wait)),
            "tokens" => Ok(Admission::Wait(Counted::Tokens, wait)),
            _ => Err(Error::new(ErrorKind::Corrupt, "ai.rate_limit", "the answer of redis cannot be read")),
        }
    }

    fn is_away(&self) -> bool {
        self.state().away_until.is_some_and(|until| Instant::now() < until)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RateLimiter for RedisLimiter {
    async fn acquire(&self, ask: &Ask) -> Admission {
        if ask.rate.tokens.is_some_and(|limit| ask.tokens > u64::from(limit.get())) {
            return Admission::TooLarge;
        }
        if !self.is_away() {
            match self.asked(ask).await {
                Ok(admission) => {
                    self.state().away_until = None;
                    return admission;
                }
                Err(error) => {
                    tracing::warn!(event = "rate_limit_not_shared", kind = error.kind().as_str(), %error);
                    self.state().away_until = Instant::now().checked_add(AWAY);
                }
            }
        }
        self.own.acquire(ask).await
    }

    fn correct(&self, ask: &Ask, used: u64, at: Timestamp) {
        if self.is_away() {
            return self.own.correct(ask, used, at);
        }
        let most = 2 * i64::from(ask.rate.tokens.map_or(0, NonZeroU32::get));
        let more = i128::from(used) - i128::from(ask.tokens);
        // Beyond what a bucket can hold, more is the same.
        let more = i64::try_from(more.clamp(-i128::from(most), i128::from(most))).unwrap_or_default();
        let mut state = self.state();
        if state.corrections.len() >= MOST && !state.corrections.contains_key(&key(ask)) {
            state.corrections.clear();
        }
        let waiting = state.corrections.entry(key(ask)).or_default();
        if waiting.len() < MANY {
            waiting.push(Correction { more, at });
        } else if let Some(last) = waiting.last_mut() {
            *last = Correction { more: last.more.saturating_add(more).clamp(-most, most), at };
        }
    }
}

fn key(ask: &Ask) -> (TenantId, String) {
    (ask.tenant.clone(), ask.key.clone())
}

fn told(ask: &Ask, corrections: &[Correction]) -> Value {
    let figure = |limit: Option<NonZeroU32>| limit.map_or(0, NonZeroU32::get);
    let correction =
        |correction: &Correction| json!({"more": correction.more, "at": correction.at.micros().to_string()});
    json!({
        "requests_limit": figure(ask.rate.requests),
        "tokens_limit": figure(ask.rate.tokens),
        // Without a limit there may be any number of them.
        "tokens": if ask.rate.tokens.is_some() { ask.tokens } else { 0 },
        "at": ask.at.micros().to_string(),
        "shared_time": ask.is_system_time,
        "corrections": corrections.iter().map(correction).collect::<Vec<_>>(),
    })
}
