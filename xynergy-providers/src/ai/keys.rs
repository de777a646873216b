//! The API keys of a provider: read where they are kept, used in turns, left alone for a while where they are refused.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use xynergy_core::config::{ApiKeys, Secret, SecretRef, SecretSource};
use xynergy_core::provider::Call;
use xynergy_core::{Ctx, Error, ErrorKind, Result, Retry, TenantId};

use super::key_ring::{KeyRing, Why};
use super::openai_compatible::error::{DEFAULT_THROTTLE, OUT_OF_MONEY};

/// How long a key rests that was refused.
const REFUSED: Duration = Duration::from_secs(5 * 60);
/// How long a key rests whose money is used up.
const USED_UP: Duration = Duration::from_secs(30 * 60);
/// The longest rest that a provider can ask for.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// From how many tenants on those whose keys are all well are forgotten.
const MANY: usize = 1_024;

/// The keys of one provider.
#[derive(Debug)]
pub(crate) struct Keys {
    provider: String,
    references: Vec<SecretRef>,
    secrets: Arc<dyn SecretSource>,
    /// A key is known by a hash of it that holds only in this process.
    rings: Mutex<BTreeMap<TenantId, KeyRing<u64>>>,
    hashes: RandomState,
}

/// One key as it is used.
struct Used {
    index: usize,
    secret: Secret,
}

impl Keys {
    pub(crate) fn new(provider: &str, keys: Option<&ApiKeys>, secrets: Arc<dyn SecretSource>) -> Self {
        Self {
            provider: provider.to_owned(),
            references: keys.map(|keys| keys.references().to_vec()).unwrap_or_default(),
            secrets,
            rings: Mutex::default(),
            hashes: RandomState::new(),
        }
    }

    /// Whether there are several keys, each with limits of its own at the provider.
    pub(crate) fn are_several(&self) -> bool {
        self.references.len() > 1
    }

    /// Sends with the first key that is well; with the next at once where that one is refused or throttled. A refused key whose
    /// value has changed meanwhile is tried again. When all rest, the one that rested longest is asked all the same, since only
    /// the provider can say.
    ///
    /// Each try that fails is noted in the trace by its number; the last one, or the one that is answered, by whoever called.
    pub(crate) async fn send<'a, T: Send>(
        &'a self,
        ctx: &'a Ctx,
        (call, model): (&'a Call, &'a str),
        send: impl Fn(Option<Secret>) -> BoxFuture<'a, Result<T>> + Send + Sync,
    ) -> Result<T> {
        match self.references.as_slice() {
            [] => send(None).await,
            [reference] => {
                let used = Used { index: 0, secret: self.secrets.get(&ctx.tenant, reference).await? };
                self.send_with(ctx, (call, model), used, &send).await
            }
            _ => self.send_in_turn(ctx, (call, model), &send).await,
        }
    }

    async fn send_in_turn<'a, T: Send>(
        &'a self,
        ctx: &'a Ctx,
        (call, model): (&'a Call, &'a str),
        send: &(impl Fn(Option<Secret>) -> BoxFuture<'a, Result<T>> + Send + Sync),
    ) -> Result<T> {
        let turn = self.with_ring(ctx, KeyRing::turn);
        let mut resting = BTreeMap::new();
        let mut failure = None;
        let mut was_tried = false;
        for index in turn {
            let secret = match self.secrets.get(&ctx.tenant, &self.references[index]).await {
                Ok(secret) => secret,
                Err(error) => {
                    let reason = format!("{}: none was found", self.name(index));
                    call.note_skipped(&self.provider, model, error.kind(), &reason);
                    failure.get_or_insert(error);
                    continue;
                }
            };
            if !self.with_ring(ctx, |ring| ring.take(index, &self.hash(&secret), ctx.env.clock.now())) {
                resting.insert(index, secret);
                continue;
            }
            was_tried = true;
            match self.send_with(ctx, (call, model), Used { index, secret }, send).await {
                Err(error) if Fate::of(&error).is_some() => failure = Some(worse_to_keep(failure, error)),
                outcome => return outcome,
            }
        }
        if !was_tried
            && let Some(index) = self.with_ring(ctx, |ring| ring.soonest())
            && let Some(secret) = resting.remove(&index)
        {
            return self.send_with(ctx, (call, model), Used { index, secret }, send).await;
        }
        let error = failure.unwrap_or_else(|| {
            Error::new(ErrorKind::Unauthorized, "ai.chat", "no API key of the provider can be used now")
        });
        Err(self.as_soon_as_one_is_free(ctx, error))
    }

    /// One key, and once more where it was refused and has been rotated.
    async fn send_with<'a, T: Send>(
        &'a self,
        ctx: &'a Ctx,
        (call, model): (&'a Call, &'a str),
        mut used: Used,
        send: &(impl Fn(Option<Secret>) -> BoxFuture<'a, Result<T>> + Send + Sync),
    ) -> Result<T> {
        let (provider, reference) = (&self.provider, &self.references[used.index]);
        let several = self.references.len() > 1;
        let mut rotated = false;
        loop {
            let name = match (several, rotated) {
                (false, false) => None,
                (_, false) => Some(self.name(used.index)),
                (_, true) => Some(format!("{}, read anew", self.name(used.index))),
            };
            call.begin_try(provider, model, name);
            let error = match send(Some(used.secret.clone())).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(fate) = Fate::of(&error) else { return Err(error) };
            if several {
                let until = ctx.env.clock.now().plus(fate.rest);
                let hash = self.hash(&used.secret);
                self.with_ring(ctx, |ring| ring.rest(used.index, hash, fate.why, until));
                call.fail_try(provider, model, error.kind());
            }
            if fate.why != Why::Refused || rotated {
                return Err(error);
            }
            self.secrets.refused(&ctx.tenant, reference, &used.secret);
            match self.secrets.get(&ctx.tenant, reference).await {
                Ok(fresh) if fresh.expose() != used.secret.expose() => used.secret = fresh,
                _ => return Err(error),
            }
            call.fail_try(provider, model, error.kind());
            rotated = true;
        }
    }

    fn as_soon_as_one_is_free(&self, ctx: &Ctx, error: Error) -> Error {
        let wait = self.with_ring(ctx, |ring| ring.wait(ctx.env.clock.now()));
        match (error.kind(), error.retry(), wait) {
            (ErrorKind::Throttled, Retry::After(asked), Some(wait)) if wait < asked => {
                error.with_retry(Retry::After(wait))
            }
            _ => error,
        }
    }

    /// What the trace calls a key.
    fn name(&self, index: usize) -> String {
        match self.references.len() {
            1 => "the key".to_owned(),
            count => format!("key {} of {count}", index + 1),
        }
    }

    fn hash(&self, secret: &Secret) -> u64 {
        self.hashes.hash_one(secret.expose())
    }

    fn with_ring<R>(&self, ctx: &Ctx, change: impl FnOnce(&mut KeyRing<u64>) -> R) -> R {
        let mut rings = self.rings();
        if rings.len() >= MANY && !rings.contains_key(&ctx.tenant) {
            let now = ctx.env.clock.now();
            rings.retain(|_, ring| !ring.is_well(now));
            while rings.len() >= MANY {
                rings.pop_first();
            }
        }
        let new = || KeyRing::new(self.references.len());
        change(rings.entry(ctx.tenant.clone()).or_insert_with(new))
    }

    fn rings(&self) -> MutexGuard<'_, BTreeMap<TenantId, KeyRing<u64>>> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an error means for the key that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fate {
    why: Why,
    rest: Duration,
}

impl Fate {
    /// `None` where the key has nothing to do with it.
    fn of(error: &Error) -> Option<Self> {
        let told = |name: &str| {
            error.context().iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
        };
        match error.kind() {
            ErrorKind::Unauthorized => Some(Self { why: Why::Refused, rest: REFUSED }),
            // A request that alone is more than a limit is none of the key's faults.
            ErrorKind::Throttled if told("status").is_some_and(|status| status != "429") => None,
            ErrorKind::Throttled if told("code").is_some_and(|code| OUT_OF_MONEY.contains(&code)) => {
                Some(Self { why: Why::Refused, rest: USED_UP })
            }
            ErrorKind::Throttled => {
                let far = || told("retry_after_ms")?.parse().ok().map(Duration::from_millis);
                let rest = match error.retry() {
                    Retry::After(wait) if !wait.is_zero() => wait,
                    _ => far().unwrap_or(DEFAULT_THROTTLE),
                };
                Some(Self { why: Why::Throttled, rest: rest.min(LONGEST) })
            }
            _ => None,
        }
    }
}

/// Of two failures that which the caller can do more with: throttling passes.
fn worse_to_keep(before: Option<Error>, now: Error) -> Error {
    match before {
        Some(before)
            if before.kind() == ErrorKind::Throttled && matches!(before.retry(), Retry::After(_)) =>
        {
            before
        }
        _ => now,
    }
}
