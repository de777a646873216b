//! Creating an object once, although an answer may be lost and a program may end in between.

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AdObject, AdObjectSpec, AdPlatform};
use crate::ctx::Ctx;
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::store::{Document, StateStore};

const OPERATION: &str = "ads.create";
const COLLECTION: &str = "ad_creates";

/// The waits before the looks that follow a lost answer at once.
const LOOKS: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3)];

/// How often two callers may run into each other before one is told.
const COLLISIONS: usize = 5;

const MAX_KEY_CHARS: usize = 128;

/// What is kept of a create, from before its request on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Intent {
    /// The tag in the object's name.
    nonce: String,
    /// What was asked for.
    digest: String,
    /// When the request went out whose fate is not known.
    sent_at: Option<Timestamp>,
    /// What came of it.
    object: Option<AdObject>,
}

/// What is to be done about a create.
enum Next {
    Done(Box<AdObject>),
    Look(Intent, u64),
    Send(Intent, u64),
}

/// Creates an object once under a key, which the caller chooses and gives again when it asks again.
///
/// The intent is stored before the request. After a lost answer the object is looked for by its nonce, which the platform keeps
/// in the object's name; the request goes out again only when it was not found and so much time has passed that the earlier one
/// can no longer land (`landing`). Two callers with one key create one object.
///
/// Cancel safety: dropped at any point, the same call again finds out what became of it.
///
/// # Errors
/// [`Ambiguous`](ErrorKind::Ambiguous) while it is not known whether the object exists, with the time after which the same call
/// knows more; [`Conflict`](ErrorKind::Conflict) when the key was used for something else; else those of the platform, which
/// mean that nothing was created.
pub async fn create_once(
    platform: &dyn AdPlatform,
    state: &dyn StateStore,
    ctx: &Ctx,
    spec: &AdObjectSpec,
    key: &str,
    landing: Duration,
) -> Result<AdObject> {
    spec.validate()?;
    let create = Create { platform, state, ctx, spec, landing, place: place(spec, key)? };
    for _ in 0..COLLISIONS {
        let done = match create.next().await? {
            Next::Done(object) => return Ok(*object),
            Next::Look(intent, version) => create.look(intent, version).await,
            Next::Send(intent, version) => create.send(intent, version).await,
        };
        match done {
            Err(error) if is_collision(&error) => {}
            other => return other,
        }
    }
    Err(Error::new(
        ErrorKind::Ambiguous,
        OPERATION,
        "other callers create under the same key at the same time: ask again",
    )
    .with_retry(Retry::After(Duration::from_secs(1))))
}

struct Create<'a> {
    platform: &'a dyn AdPlatform,
    state: &'a dyn StateStore,
    ctx: &'a Ctx,
    spec: &'a AdObjectSpec,
    landing: Duration,
    place: String,
}

impl Create<'_> {
    async fn next(&self) -> Result<Next> {
        let digest = digest(self.spec)?;
        let Some(Document { version, value }) =
            self.state.get(&self.ctx.tenant, COLLECTION, &self.place).await?
        else {
            let nonce = nonce(self.ctx);
            return Ok(Next::Send(Intent { nonce, digest, sent_at: None, object: None }, 0));
        };
        let intent: Intent = serde_json::from_str(&value).map_err(|e| {
            Error::new(ErrorKind::Corrupt, OPERATION, "the stored intent of a create cannot be read")
                .with_source(e)
        })?;
        if intent.digest != digest {
            return Err(Error::new(
                ErrorKind::Conflict,
                OPERATION,
                "key: was used for another object: choose another key for another object",
            ));
        }
        Ok(match (&intent.object, intent.sent_at) {
            (Some(object), _) => Next::Done(Box::new(object.clone())),
            (None, None) => Next::Send(intent, version),
            (None, Some(_)) => Next::Look(intent, version),
        })
    }

    /// Looks for what an earlier request may have created.
    async fn look(&self, intent: Intent, version: u64) -> Result<AdObject> {
        let asked_at = self.ctx.env.clock.now();
        if let Some(object) = self.platform.find_created(self.ctx, self.spec, &intent.nonce).await? {
            self.keep(&Intent { object: Some(object.clone()), ..intent }, version).await?;
            return Ok(object);
        }
        let lands_until = intent.sent_at.unwrap_or(asked_at).plus(self.landing);
        if asked_at < lands_until {
            return Err(self.unknown(lands_until.since(asked_at)));
        }
        self.send(intent, version).await
    }

    async fn send(&self, intent: Intent, version: u64) -> Result<AdObject> {
        let sent_at = Some(self.ctx.env.clock.now());
        let intent = Intent { sent_at, ..intent };
        let version = self.keep(&intent, version).await?;
        match self.platform.create_object(self.ctx, self.spec, &intent.nonce).await {
            Ok(object) => {
                // The object is there whether or not this is kept: the next call would find it by its nonce.
                let _ = self.keep(&Intent { object: Some(object.clone()), ..intent }, version).await;
                Ok(object)
            }
            Err(error) if error.kind() == ErrorKind::Ambiguous => self.search(intent, version, error).await,
            Err(error) => {
                // Kept so that the next call need not wait; without it, it waits.
                let _ = self.keep(&Intent { sent_at: None, ..intent }, version).await;
                Err(error)
            }
        }
    }

    /// Looks a few times after a lost answer. It sends nothing again.
    async fn search(&self, intent: Intent, version: u64, lost: Error) -> Result<AdObject> {
        for wait in LOOKS {
            tokio::time::sleep(wait).await;
            // A look that fails says nothing about the object.
            if let Ok(Some(object)) = self.platform.find_created(self.ctx, self.spec, &intent.nonce).await {
                let _ = self.keep(&Intent { object: Some(object.clone()), ..intent }, version).await;
                return Ok(object);
            }
        }
        Err(self.unknown(self.landing).with_source(lost))
    }

    fn unknown(&self, wait: Duration) -> Error {
        Error::new(
            ErrorKind::Ambiguous,
            OPERATION,
            "the answer to the create was lost and the object is not to be seen yet: call again with the same key, which \
             creates nothing twice",
        )
        .with_retry(Retry::After(wait))
        .with_context("key", self.place.rsplit('/').next().unwrap_or_default())
    }

    async fn keep(&self, intent: &Intent, version: u64) -> Result<u64> {
        let text = serde_json::to_string(intent).map_err(|e| {
            Error::new(ErrorKind::Unexpected, OPERATION, "the intent cannot be stored").with_source(e)
        })?;
        self.state.put(&self.ctx.tenant, COLLECTION, &self.place, Some(version), &text).await
    }
}

/// Whether another caller wrote the intent first; a reused key is none.
fn is_collision(error: &Error) -> bool {
    error.kind() == ErrorKind::Conflict && !error.message().starts_with("key: ")
}

fn place(spec: &AdObjectSpec, key: &str) -> Result<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
    if key.is_empty() || key.len() > MAX_KEY_CHARS || !key.bytes().all(plain) {
        return Err(Error::invalid(
            OPERATION,
            format!("key: must be 1 to {MAX_KEY_CHARS} of A-Z a-z 0-9 . _ : -"),
        ));
    }
    Ok(format!("{}/{}/{key}", account(spec), spec.kind))
}

/// The account without the prefix that Meta's ids are given with and without.
fn account(spec: &AdObjectSpec) -> &str {
    spec.account_id.strip_prefix("act_").unwrap_or(&spec.account_id)
}

fn digest(spec: &AdObjectSpec) -> Result<String> {
    // A `Value` keeps its keys sorted.
    let value = serde_json::to_value((account(spec), spec.kind, &spec.name, &spec.fields)).map_err(|e| {
        Error::new(ErrorKind::Unexpected, OPERATION, "the object cannot be written as JSON").with_source(e)
    })?;
    let hash = Sha256::digest(value.to_string());
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn nonce(ctx: &Ctx) -> String {
    format!("{:016x}", ctx.env.entropy.next_u64())
}
