//! Rows of the tables as what the machine knows, in the order of the columns that `sql` asks for.

use std::str::FromStr;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use xynergy_core::ads::{ChangeField, Owner};
use xynergy_core::execution::guard::RecentChanges;
use xynergy_core::execution::machine::KillScope;
use xynergy_core::execution::{
    AccountLimits, AdChange, Approval, AuditRow, ChangeRow, LearnedRate, Movement, Pause, RampStep,
};
use xynergy_core::{Error, ErrorKind, TenantId, Timestamp};

use crate::store::postgres::error::Failure;
use crate::store::postgres::numbers::unsigned;

/// Reads the columns of a row one after the other.
pub(super) struct Columns<'a> {
    row: &'a Row,
    next: usize,
}

impl<'a> Columns<'a> {
    /// From the column `next` on.
    pub(super) fn from(row: &'a Row, next: usize) -> Self {
        Self { row, next }
    }

    pub(super) fn get<T: FromSql<'a>>(&mut self) -> Result<T, Failure> {
        self.next += 1;
        Ok(self.row.try_get(self.next - 1)?)
    }

    fn skip(&mut self) {
        self.next += 1;
    }

    /// A value that is stored by its name.
    fn parsed<T: FromStr>(&mut self, column: &'static str) -> Result<T, Failure> {
        let text: &str = self.get()?;
        text.parse().map_err(|_| unreadable(column))
    }

    fn maybe_parsed<T: FromStr>(&mut self, column: &'static str) -> Result<Option<T>, Failure> {
        let text: Option<&str> = self.get()?;
        text.map(|t| t.parse().map_err(|_| unreadable(column))).transpose()
    }

    fn number<T: TryFrom<i64>>(&mut self) -> Result<T, Failure> {
        unsigned(self.get()?)
    }

    fn maybe_number<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, Failure> {
        self.get::<Option<i64>>()?.map(unsigned).transpose()
    }

    fn time(&mut self) -> Result<Timestamp, Failure> {
        Ok(Timestamp::from_micros(self.get()?))
    }

    fn maybe_time(&mut self) -> Result<Option<Timestamp>, Failure> {
        Ok(self.get::<Option<i64>>()?.map(Timestamp::from_micros))
    }

    fn owner(&mut self) -> Result<Owner, Failure> {
        Ok(Owner { level: self.parsed("owner_level")?, id: self.get()? })
    }
}

/// A change, from the columns `sql::CHANGE`.
pub(super) fn change(row: &Row) -> Result<ChangeRow, Failure> {
    change_from(&mut Columns::from(row, 0))
}

pub(super) fn change_from(c: &mut Columns<'_>) -> Result<ChangeRow, Failure> {
    let change = AdChange {
        id: c.parsed("id")?,
        account_id: c.get()?,
        campaign_id: c.get()?,
        owner: c.owner()?,
        field: c.parsed("field")?,
        expected_from: c.get()?,
        target: c.get()?,
        currency: c.parsed("currency")?,
        allocation_id: c.get()?,
        causation_id: c.get()?,
        reason: c.get()?,
        expires_at: c.maybe_time()?,
        ramp: ramp(c)?,
    };
    Ok(ChangeRow {
        change,
        status: c.parsed("status")?,
        reason: c.maybe_parsed("reason")?,
        retry_at: c.maybe_time()?,
        due_at: c.maybe_time()?,
        run_at: c.time()?,
        expires_at: c.time()?,
        attempt: c.number()?,
        attempts_forgiven: c.number()?,
        observed_from: c.get()?,
        sent_value: c.get()?,
        intent_at: c.maybe_time()?,
        lease_until: c.maybe_time()?,
        token: c.maybe_parsed("token")?,
        detail: c.get()?,
        approval: approval(c)?,
        queued_at: c.time()?,
        updated_at: c.time()?,
    })
}

fn ramp(c: &mut Columns<'_>) -> Result<Option<RampStep>, Failure> {
    let id = c.maybe_parsed("ramp_id")?;
    let (step, steps, target) = (c.maybe_number()?, c.maybe_number()?, c.get::<Option<i64>>()?);
    let Some(id) = id else { return Ok(None) };
    match (step, steps, target) {
        (Some(step), Some(steps), Some(target)) => Ok(Some(RampStep { id, step, steps, target })),
        _ => Err(unreadable("ramp_step")),
    }
}

fn approval(c: &mut Columns<'_>) -> Result<Option<Approval>, Failure> {
    let digest: Option<String> = c.get()?;
    let (approved_by, approved_at) = (c.get()?, c.maybe_time()?);
    Ok(digest.map(|digest| Approval { digest, approved_by, approved_at }))
}

/// A row of the history, from the columns `sql::AUDIT`.
pub(super) fn audit(row: &Row) -> Result<AuditRow, Failure> {
    let c = &mut Columns::from(row, 0);
    Ok(AuditRow {
        tenant_id: TenantId::new(c.get::<&str>()?)?,
        account_id: c.get()?,
        seq: c.number()?,
        kind: c.parsed("kind")?,
        change_id: c.parsed("change_id")?,
        attempt: c.number()?,
        campaign_id: c.get()?,
        owner: c.owner()?,
        field: c.parsed("field")?,
        from_value: c.get()?,
        to_value: c.get()?,
        status: c.parsed("status")?,
        reason: c.maybe_parsed("reason")?,
        retry_at: c.maybe_time()?,
        detail: c.get()?,
        duration_ms: c.maybe_number()?,
        allocation_id: c.get()?,
        causation_id: c.get()?,
        purpose: c.get()?,
        actor: c.get()?,
        request_id: c.get()?,
        at: c.time()?,
        prev_hash: c.get()?,
        hash: c.get()?,
    })
}

/// A movement, from the columns `sql::movement_columns` after the first.
pub(super) fn movement(c: &mut Columns<'_>) -> Result<Movement, Failure> {
    let owner = c.owner()?;
    let (campaign_id, field, from, to, at) = (c.get()?, c.parsed("field")?, c.get()?, c.get()?, c.time()?);
    let (change_id, attempt) = (c.maybe_parsed("change_id")?, c.maybe_number()?);
    Ok(Movement { owner, campaign_id, field, from, to, at, own: change_id.zip(attempt), open: c.get()? })
}

/// A pause, from the same columns.
pub(super) fn pause(c: &mut Columns<'_>) -> Result<Pause, Failure> {
    let (level, id) = (c.get::<&str>()?, c.get::<String>()?);
    let owner = match level {
        "" => None,
        level => Some(Owner { level: level.parse().map_err(|_| unreadable("owner_level"))?, id }),
    };
    c.skip();
    let (reason, until) = (c.parsed("reason")?, c.time()?);
    let (changes, learned_until) = (c.maybe_number()?, c.maybe_time()?);
    let learned = changes.zip(learned_until).map(|(changes, until)| LearnedRate { changes, until });
    Ok(Pause { owner, until, reason, learned })
}

/// A value that was last known of an owner, from the same columns.
pub(super) fn known(c: &mut Columns<'_>) -> Result<((Owner, ChangeField), i64), Failure> {
    let owner = c.owner()?;
    c.skip();
    Ok(((owner, c.parsed("field")?), c.get()?))
}

/// The count and time of the recent changes, from the same columns.
pub(super) fn recent(c: &mut Columns<'_>) -> Result<RecentChanges, Failure> {
    (0..4).for_each(|_| c.skip());
    Ok(RecentChanges { count: c.number()?, oldest: c.maybe_time()? })
}

/// The server's time and that of the transaction's beginning, from the same columns.
pub(super) fn clock(c: &mut Columns<'_>) -> Result<(Timestamp, Timestamp), Failure> {
    (0..4).for_each(|_| c.skip());
    Ok((c.time()?, c.time()?))
}

/// What the user allows, from the last columns of `ad_accounts`.
pub(super) fn limits(c: &mut Columns<'_>) -> Result<Option<AccountLimits>, Failure> {
    let currency = c.maybe_parsed("currency")?;
    let (total_daily_minor, min_minor, max_minor) = (c.get()?, c.get()?, c.get()?);
    Ok(currency.map(|currency| AccountLimits { currency, total_daily_minor, min_minor, max_minor }))
}

/// A kill switch that is on.
pub(super) fn kill(value: &str) -> Result<KillScope, Failure> {
    serde_json::from_str(value).map_err(|_| unreadable("kill_switches.value"))
}

/// A stored value that this version does not know: nothing is decided on a guess.
pub(super) fn unreadable(column: &'static str) -> Failure {
    Failure::Domain(
        Error::new(ErrorKind::Corrupt, "execution", "a stored value cannot be read back")
            .with_context("column", column),
    )
}
