//! What the machine asks for, read inside the transaction after its locks.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio_postgres::Row;
use xynergy_core::ads::{Owner, OwnerLevel};
use xynergy_core::execution::guard::RecentChanges;
use xynergy_core::execution::machine::{AccountView, CallTime, ChangeView, Known, Transition};
use xynergy_core::execution::{
    AccountLimits, AdChange, ChainHead, ChangeId, ChangeRow, Movement, Pause, Policy,
};
use xynergy_core::store::AccountRules;
use xynergy_core::{Error, ErrorKind, TenantId, Timestamp};

use super::{rows, sql};
use crate::store::postgres::error::Failure;
use crate::store::postgres::numbers::unsigned;
use crate::store::postgres::transaction::Transaction;
use crate::store::postgres::values::{Value, values};

/// What a transition of one change needs, and whether its owner is hidden. Opens the transaction and takes the locks.
pub(super) struct Loaded {
    pub(super) view: ChangeView,
    pub(super) hidden: bool,
}

/// Opens the transaction, locks account, campaign and owner in this order, and loads: all of it in one trip.
pub(super) async fn change(
    transaction: &Transaction,
    tenant: &TenantId,
    id: ChangeId,
    asked: &Transition,
    called: Instant,
) -> Result<Loaded, Failure> {
    let lock = transaction.prepared(sql::LOCK_CHANGE).await?;
    let open = transaction.prepared(sql::OPEN_OF_CHANGE).await?;
    let rest = transaction.prepared(sql::REST_OF_CHANGE).await?;
    let name = id.to_string();
    let waited = called.elapsed();
    let begun = transaction.begin();
    let locked = transaction.query(&lock, values![tenant.as_str(), &name]);
    let open = transaction.query(&open, values![tenant.as_str(), &name]);
    let bound = asked.at.bound.then_some(asked.at.now);
    let windows = (micros(asked.policy.longest_window()), rate_window(&asked.policy));
    let unread =
        micros(Duration::from_millis(asked.policy.snapshot_max_age_ms)).saturating_add(micros(waited));
    let rest = transaction.query(&rest, values![tenant.as_str(), &name, bound, windows.0, windows.1, unread]);
    begun.await?;
    let locked = locked.await?;
    let (open, rest) = (open.await?, Rest::read(&rest.await?)?);
    let Some(account) = locked.first() else { return Err(unknown(id)) };
    let hidden = locked.iter().any(|row| row.get::<_, Option<i64>>(7).is_some());
    let mut open = changes(&open)?;
    let row = open.get(&id).cloned().ok_or_else(|| unknown(id))?;
    if row.is_over() {
        open.remove(&id);
    }
    let mut account = Account::read(account)?.view(rest, open, asked.at, waited);
    let window = account.now.minus(asked.policy.longest_window());
    let unread = asked.policy.read_since(account.asked_at);
    let campaign = &row.change.campaign_id;
    account.movements.retain(|m| {
        m.campaign_id == *campaign && (m.open || m.at > window) || m.own.is_some() && m.at > unread
    });
    Ok(Loaded { view: ChangeView { account, row }, hidden })
}

/// What the machine sees of one change's account, in one snapshot and without locks.
pub(super) async fn view(
    transaction: &Transaction,
    tenant: &TenantId,
    change: &AdChange,
    at: CallTime,
    policy: &Policy,
) -> Result<AccountView, Failure> {
    let mut view = account(transaction, tenant, &change.account_id, &[change], at, sql::ACCOUNT).await?;
    let statement = transaction.prepared(sql::MOVEMENTS).await?;
    let since = view.now.minus(policy.longest_window());
    let recent_since = view.now.minus(Duration::from_micros(u64::try_from(rate_window(policy)).unwrap_or(0)));
    let rows = transaction.query(
        &statement,
        values![
            tenant.as_str(),
            &change.account_id,
            &change.campaign_id,
            since,
            recent_since,
            policy.read_since(view.asked_at)
        ],
    );
    let rest = Rest::read(&rows.await?)?;
    (view.movements, view.recent) = (rest.movements, rest.recent);
    Ok(view)
}

/// What the machine sees of an account, without movements; `sql` reads the account, locking it or not.
pub(super) async fn account(
    transaction: &Transaction,
    tenant: &TenantId,
    account_id: &str,
    of: &[&AdChange],
    at: CallTime,
    sql: &'static str,
) -> Result<AccountView, Failure> {
    let account = transaction.prepared(sql).await?;
    let open = transaction.prepared(sql::OPEN_OF_OWNERS).await?;
    let rest = transaction.prepared(sql::REST_OF_OWNERS).await?;
    let keys = OwnerKeys::of(of);
    let mut allocations: Vec<&str> = of.iter().filter_map(|c| c.allocation_id.as_deref()).collect();
    allocations.sort_unstable();
    allocations.dedup();
    let account = transaction.query(&account, values![tenant.as_str(), account_id]);
    let open = transaction.query(
        &open,
        [keys.values(tenant, account_id), values![allocations]].into_iter().flatten().collect(),
    );
    let rest = transaction.query(&rest, keys.values(tenant, account_id));
    let account = account.await?.first().map(Account::read).transpose()?.unwrap_or_default();
    let (open, rest) = (changes(&open.await?)?, Rest::read(&rest.await?)?);
    // Only a transition of one change goes by values that came with the call.
    Ok(account.view(rest, open, at, Duration::ZERO))
}

/// What holds for an account, in one snapshot.
pub(super) async fn rules(
    transaction: &Transaction,
    tenant: &TenantId,
    account_id: &str,
    at: CallTime,
) -> Result<AccountRules, Failure> {
    let view = account(transaction, tenant, account_id, &[], at, sql::ACCOUNT).await?;
    Ok(AccountRules { limits: view.limits, kills: view.kills, pauses: view.pauses, now: view.now })
}

/// Opens the transaction, makes the rows that are locked where they are missing, and locks them: the account, then
/// campaigns, then owners.
pub(super) async fn lock(
    transaction: &Transaction,
    tenant: &TenantId,
    account_id: &str,
    of: &[&AdChange],
) -> Result<(), Failure> {
    let make_account = transaction.prepared(sql::MAKE_ACCOUNT).await?;
    let make_owners = transaction.prepared(sql::MAKE_OWNERS).await?;
    let lock_account = transaction.prepared(sql::LOCK_ACCOUNT).await?;
    let lock_owners = transaction.prepared(sql::LOCK_OWNERS).await?;
    let keys = OwnerKeys::with_campaigns(of);
    let sent = [
        transaction.execute(&make_account, values![tenant.as_str(), account_id]),
        transaction.execute(&lock_account, values![tenant.as_str(), account_id]),
        transaction.execute(&make_owners, keys.values(tenant, account_id)),
        transaction.execute(&lock_owners, keys.values(tenant, account_id)),
    ];
    for answer in sent {
        answer.await?;
    }
    Ok(())
}

/// Levels and ids of owners, each once and in one order.
struct OwnerKeys<'a>(Vec<(OwnerLevel, &'a str)>);

impl<'a> OwnerKeys<'a> {
    fn of(changes: &[&'a AdChange]) -> Self {
        Self::new(changes.iter().map(|c| (c.owner.level, c.owner.id.as_str())).collect())
    }

    fn with_campaigns(changes: &[&'a AdChange]) -> Self {
        let campaigns = changes.iter().map(|c| (OwnerLevel::Campaign, c.campaign_id.as_str()));
        Self::new(changes.iter().map(|c| (c.owner.level, c.owner.id.as_str())).chain(campaigns).collect())
    }

    fn new(mut keys: Vec<(OwnerLevel, &'a str)>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self(keys)
    }

    fn values<'v>(&self, tenant: &'v TenantId, account_id: &'v str) -> Vec<Value<'v>>
    where
        'a: 'v,
    {
        let levels: Vec<&'v str> = self.0.iter().map(|(level, _)| level.as_str()).collect();
        let ids: Vec<&'v str> = self.0.iter().map(|(_, id)| *id).collect();
        values![tenant.as_str(), account_id, levels, ids]
    }
}

/// A row of `ad_accounts`.
#[derive(Default)]
struct Account {
    high_water: Option<Timestamp>,
    head: ChainHead,
    limits: Option<AccountLimits>,
}

impl Account {
    fn read(row: &Row) -> Result<Self, Failure> {
        let high_water: Option<i64> = row.try_get(0)?;
        let head = ChainHead { seq: unsigned(row.try_get(1)?)?, hash: row.try_get(2)? };
        let limits = rows::limits(&mut rows::Columns::from(row, 3))?;
        Ok(Self { high_water: high_water.map(Timestamp::from_micros), head, limits })
    }

    /// `waited` is for how long the call waited before its transaction began.
    fn view(
        self,
        rest: Rest,
        open: BTreeMap<ChangeId, ChangeRow>,
        at: CallTime,
        waited: Duration,
    ) -> AccountView {
        let (clock, asked_at) =
            if at.bound { (at.now, at.now) } else { (rest.clock, rest.begun.minus(waited)) };
        let now = self.high_water.map_or(clock, |seen| seen.max(clock));
        let mut pauses = rest.pauses;
        pauses.retain(|p| p.until > now || p.learned.is_some_and(|l| l.until > now));
        AccountView {
            now,
            asked_at,
            limits: self.limits,
            kills: rest.kills,
            pauses,
            recent: rest.recent,
            head: self.head,
            known: rest.known,
            open: open.into_values().collect(),
            movements: rest.movements,
        }
    }
}

/// What `sql::REST_OF_CHANGE` and its like return.
#[derive(Default)]
struct Rest {
    clock: Timestamp,
    begun: Timestamp,
    kills: Vec<xynergy_core::execution::machine::KillScope>,
    pauses: Vec<Pause>,
    known: Known,
    movements: Vec<Movement>,
    recent: RecentChanges,
}

impl Rest {
    fn read(found: &[Row]) -> Result<Self, Failure> {
        let (mut rest, mut movements) = (Self::default(), Vec::new());
        for row in found {
            let columns = &mut rows::Columns::from(row, 1);
            match row.try_get::<_, &str>(0)? {
                "now" => (rest.clock, rest.begun) = rows::clock(columns)?,
                "kill" => rest.kills.push(rows::kill(row.try_get(1)?)?),
                "pause" => rest.pauses.push(rows::pause(columns)?),
                "known" => rest.known.extend([rows::known(columns)?]),
                "move" => movements.push((row.try_get::<_, i64>(11)?, rows::movement(columns)?)),
                _ => rest.recent = rows::recent(columns)?,
            }
        }
        rest.kills.sort();
        rest.pauses.sort_by(|a, b| a.owner.cmp(&b.owner));
        movements.sort_by_key(|(id, _)| *id);
        movements.dedup_by_key(|(id, _)| *id);
        rest.movements = movements.into_iter().map(|(_, movement)| movement).collect();
        Ok(rest)
    }
}

/// Changes, each once, by id.
pub(super) fn changes(found: &[Row]) -> Result<BTreeMap<ChangeId, ChangeRow>, Failure> {
    let mut changes = BTreeMap::new();
    for row in found {
        let change = rows::change(row)?;
        changes.insert(change.change.id, change);
    }
    Ok(changes)
}

pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn rate_window(policy: &Policy) -> i64 {
    micros(Duration::from_millis(policy.rate_window_ms))
}

pub(super) fn unknown(id: ChangeId) -> Failure {
    Failure::Domain(
        Error::new(ErrorKind::NotFound, "execution", "there is no such change")
            .with_context("change_id", id.to_string()),
    )
}

/// The owner's key, as it is looked up.
pub(super) fn owner_values<'a>(
    tenant: &'a TenantId,
    account_id: &'a str,
    owner: &'a Owner,
) -> Vec<Value<'a>> {
    values![tenant.as_str(), account_id, owner.level.as_str(), &owner.id]
}
