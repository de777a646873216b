use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::ConnectionManager;
use redis::{FromRedisValue, Script};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use xynergy_core::config::SecretSource;
use xynergy_core::spend::{
    CloseNote, CloseNotes, KEPT, LATE, LimitScope, Reserve, Settlement, Span, Spend, SpendLedger, SpendLimit,
    SpendTotal, Window, history_start,
};
use xynergy_core::{Error, ErrorKind, Result, TenantId, Timestamp};

use super::RedisConfig;
use super::error::{from_redis, is_away};
use crate::spend::{Kept, Remembered, changed, json as list, limits_of, texts};

/// How often a script is sent while the connection is being made again. Each may be sent twice.
const SENDS: u32 = 4;

/// How often limits are read again that others change meanwhile.
const ATTEMPTS: u32 = 16;

/// The account of AI spend in a Redis server.
pub struct RedisLedger {
    config: RedisConfig,
    secrets: Arc<dyn SecretSource>,
    connection: OnceCell<ConnectionManager>,
    script: Script,
    notes: CloseNotes,
    remembered: Remembered,
}

impl fmt::Debug for RedisLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLedger").field("config", &self.config).finish_non_exhaustive()
    }
}

impl RedisLedger {
    /// A ledger on this server. Connects at the first call; the URL is read from `secrets` then.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) for settings that cannot work.
    pub fn new(config: RedisConfig, secrets: Arc<dyn SecretSource>) -> Result<Self> {
        config.validate()?;
        Ok(Self {
            config,
            secrets,
            connection: OnceCell::new(),
            script: Script::new(include_str!("ledger.lua")),
            notes: CloseNotes::default(),
            remembered: Remembered::default(),
        })
    }

    /// Runs the script on a tenant's account.
    async fn run<T: FromRedisValue>(&self, tenant: &TenantId, operation: &str, given: &Value) -> Result<T> {
        let connection = self.connection.get_or_try_init(|| self.config.connection(&*self.secrets)).await?;
        let key = format!("{}:{{{tenant}}}:spend", self.config.prefix);
        let mut sent = 0;
        loop {
            sent += 1;
            let mut connection = connection.clone();
            let mut call = self.script.key(&key);
            call.arg(operation).arg(given.to_string());
            match call.invoke_async::<T>(&mut connection).await {
                Ok(answer) => return Ok(answer),
                // A server that does not answer in time is not asked again: the caller waits.
                Err(error) if sent < SENDS && is_away(&error) && !error.is_timeout() => {
                    tokio::time::sleep(Duration::from_millis(50 * u64::from(sent))).await;
                }
                Err(error) => return Err(from_redis("ai.spend", &error)),
            }
        }
    }

    async fn known_limits(&self, tenant: &TenantId) -> Result<(i64, Vec<SpendLimit>)> {
        let (version, text): (i64, String) = self.run(tenant, "limits", &json!({})).await?;
        let limits = limits_of(&text)?;
        self.remembered.set(tenant, version, &limits);
        Ok((version, limits))
    }

    async fn change_limits(
        &self,
        tenant: &TenantId,
        scope: &LimitScope,
        window: Window,
        limit: Option<&SpendLimit>,
    ) -> Result<bool> {
        for _ in 0..ATTEMPTS {
            let (version, limits) = self.known_limits(tenant).await?;
            let (text, was_there) = changed(limits, scope, window, limit);
            let given = json!({"version": version.to_string(), "limits": text});
            let set: Vec<String> = self.run(tenant, "set_limits", &given).await?;
            if !set.is_empty() {
                return Ok(was_there);
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "ai.spend",
            "others change the limits at the same time: try again",
        ))
    }

    async fn write(&self, note: &CloseNote, wins: bool) -> Result<()> {
        let total = note.used.as_ref().map(SpendTotal::of).unwrap_or_default();
        let (provider, model) =
            note.used.as_ref().map_or(("", ""), |used| (used.provider.as_str(), used.model.as_str()));
        let given = json!({
            "id": name(note.id),
            "wins": wins,
            "used": note.used.is_some(),
            // As they stand in a cell, which is JSON too.
            "provider": json!(provider).to_string(),
            "model": json!(model).to_string(),
            "unpriced": total.unpriced_requests.to_string(),
            "tokens": kept(total.tokens),
            "cost": kept(total.cost_nano_usd),
            "keep": (KEPT.as_secs() / 3_600).to_string(),
        });
        self.run::<Vec<String>>(&note.tenant, "close", &given).await.map(drop)
    }

    /// Writes what destructors closed. What is not written is noted again, also when this is dropped.
    async fn write_notes(&self) -> Result<()> {
        if self.notes.is_empty() {
            return Ok(());
        }
        let taken = self.notes.take();
        for note in taken.notes() {
            self.write(note, true).await?;
        }
        taken.written();
        Ok(())
    }
}

#[async_trait]
impl SpendLedger for RedisLedger {
    async fn set_limit(&self, tenant: &TenantId, limit: SpendLimit) -> Result<()> {
        self.change_limits(tenant, &limit.scope, limit.window, Some(&limit)).await.map(drop)
    }

    async fn remove_limit(&self, tenant: &TenantId, scope: &LimitScope, window: Window) -> Result<bool> {
        self.change_limits(tenant, scope, window, None).await
    }

    async fn limits(&self, tenant: &TenantId) -> Result<Vec<SpendLimit>> {
        Ok(self.known_limits(tenant).await?.1)
    }

    fn remembered(&self, tenant: &TenantId) -> Option<Vec<SpendLimit>> {
        self.remembered.get(tenant).map(|(_, limits)| limits)
    }

    async fn reserve(&self, tenant: &TenantId, request: &Reserve) -> Result<Vec<SpendLimit>> {
        self.write_notes().await?;
        for _ in 0..ATTEMPTS {
            // A tenant whose limits were never seen is taken for one that has none; the answer tells if not.
            let (version, limits) = self.remembered.get(tenant).unwrap_or_default();
            let spans = request.spans(&limits);
            let answer: Vec<String> = self.run(tenant, "reserve", &asked(request, version, &spans)).await?;
            let number = |place: usize| answer.get(place).and_then(|text| text.parse::<u64>().ok());
            let span = |place: u64| spans.get(usize::try_from(place.checked_sub(1)?).ok()?);
            match answer.first().map(String::as_str) {
                Some("limits") => {
                    let version = number(1).and_then(|version| i64::try_from(version).ok());
                    let (version, text) = version.zip(answer.get(2)).ok_or_else(unreadable)?;
                    self.remembered.set(tenant, version, &limits_of(text)?);
                }
                Some("refused") => {
                    self.remembered.set(tenant, version, &limits);
                    let span = number(1).and_then(span).ok_or_else(unreadable)?;
                    let (settled, reserved) = number(2).zip(number(3)).ok_or_else(unreadable)?;
                    return Err(request.refusal(span, settled, reserved));
                }
                Some("reserved") => {
                    self.remembered.set(tenant, version, &limits);
                    let crossed = (1..answer.len()).filter_map(|place| number(place).and_then(span));
                    return Ok(crossed.map(|span| span.limit.clone()).collect());
                }
                _ => return Err(unreadable()),
            }
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "ai.spend",
            "the limits are being changed too fast: try again",
        ))
    }

    async fn settle(&self, tenant: &TenantId, id: u128, settlement: &Settlement) -> Result<()> {
        let note = CloseNote { tenant: tenant.clone(), id, used: Some(settlement.clone()) };
        // In the order in which they were made: what was closed before stays closed.
        self.write_notes().await?;
        self.write(&note, false).await
    }

    fn close(&self, tenant: &TenantId, id: u128, used: Option<Settlement>) {
        self.notes.push(tenant, id, used);
    }

    async fn drain(&self) -> Result<()> {
        self.write_notes().await
    }

    async fn spend(&self, tenant: &TenantId, since: Option<Timestamp>, now: Timestamp) -> Result<Spend> {
        self.write_notes().await?;
        let limits = self.limits(tenant).await?;
        let from = history_start(&limits, since, now);
        let given = json!({"from": from.micros().div_euclid(3_600_000_000).to_string()});
        let (open, pieces): (Vec<String>, Vec<String>) = self.run(tenant, "history", &given).await?;
        let kept = read(&open, &pieces, from).ok_or_else(unreadable)?;
        Ok(kept.report(&limits, since, now))
    }
}

fn asked(request: &Reserve, version: i64, spans: &[Span]) -> Value {
    let limit = |span: &Span| {
        json!({
            "scope": span.limit.scope.to_text(),
            "from": span.start.micros().to_string(),
            "to": span.end.micros().to_string(),
            "cap": kept(span.limit.amount_nano_usd),
            "hard": span.limit.hard,
        })
    };
    json!({
        "id": name(request.id),
        "version": version.to_string(),
        "amount": kept(request.amount_nano_usd),
        "at": request.at.micros().to_string(),
        "expires": request.expires().micros().to_string(),
        "late": LATE.as_micros().to_string(),
        "scopes": list(&texts(request.scopes())),
        "limits": spans.iter().map(limit).collect::<Vec<_>>(),
    })
}

/// What the history's answer holds: `amount|at|expires|state|scopes`, and a cell's four numbers under four letters.
fn read(open: &[String], pieces: &[String], from: Timestamp) -> Option<Kept> {
    let mut kept = Kept::default();
    for value in open {
        let parts: Vec<&str> = value.splitn(5, '|').collect();
        let &[amount, at, expires, state, scopes] = parts.as_slice() else { return None };
        if state == "held" {
            let scopes = serde_json::from_str(scopes).ok()?;
            kept.open.push((amount.parse().ok()?, at.parse().ok()?, expires.parse().ok()?, scopes));
        }
    }
    let mut cells = std::collections::BTreeMap::<&str, [u64; 4]>::new();
    for piece in pieces.chunks_exact(2) {
        let (letter, cell) = piece[0].split_at_checked(1)?;
        let place = ["n", "u", "t", "c"].iter().position(|known| *known == letter)?;
        cells.entry(cell).or_default()[place] = piece[1].parse().ok()?;
    }
    for (cell, [requests, unpriced, tokens, cost]) in cells {
        let (minute, provider, model, scopes): (i64, String, String, Vec<String>) =
            serde_json::from_str(cell).ok()?;
        if minute >= from.micros() {
            kept.cells.push((minute, provider, model, scopes, requests, unpriced, tokens, cost));
        }
    }
    Some(kept)
}

/// A number as Redis adds it: nine billion dollars stand for more.
fn kept(number: u64) -> String {
    number.min(i64::MAX.unsigned_abs()).to_string()
}

fn name(id: u128) -> String {
    format!("{id:032x}")
}

fn unreadable() -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "ai.spend",
        "the account in redis cannot be read: another program wrote to its keys",
    )
}
