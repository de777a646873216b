//! Which hashes belong to whom, so that a person can be forgotten whom the CRM no longer knows.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use xynergy_core::crm::{Contact, Deal};
use xynergy_core::store::{KeyedHash, StateStore};
use xynergy_core::{Ctx, Error, ErrorKind, Result, TenantId, Timestamp};

use crate::scope::Scope;

/// One document a contact.
const CONTACTS: &str = "crm_contacts";
/// Who is to be forgotten: one document.
const COLLECTION: &str = "crm";
const KEY: &str = "forget";

/// How often a document that others write at the same time is tried.
const ATTEMPTS: usize = 64;
/// How many documents are written at once.
const AT_ONCE: usize = 8;

/// What a contact left with us: keyed hashes, nothing that names the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Trace {
    keys: BTreeSet<KeyedHash>,
    deals: BTreeSet<String>,
    forgotten: bool,
}

type Queue = BTreeMap<String, Timestamp>;

/// Notes who is to be forgotten, durably.
pub(super) async fn note(state: &dyn StateStore, tenant: &TenantId, contacts: &Queue) -> Result<()> {
    if contacts.is_empty() {
        return Ok(());
    }
    change_queue(state, tenant, |queue| {
        for (contact, at) in contacts {
            let noted = queue.entry(contact.clone()).or_insert(*at);
            *noted = (*noted).max(*at);
        }
    })
    .await
}

/// Forgets everybody who is noted: clicks that share a hash with them are erased, and what was told of them. Returns how many. Each
/// stays noted until all of it is done.
pub(super) async fn forget(scope: &Scope, ctx: &Ctx) -> Result<u64> {
    let stores = scope.stores().await?;
    let (queue, _) = load_queue(&*stores.state, &ctx.tenant).await?;
    let mut forgotten = 0;
    for (contact, at) in queue {
        let trace = trace(&*stores.state, ctx, &contact).await?;
        let keys: Vec<KeyedHash> = trace.keys.iter().copied().collect();
        scope.attribution().forget_keys(ctx, &keys, &trace.deals).await?;
        if let Some(crm) = scope.webhook_crm().await? {
            crm.forget(&ctx.tenant, &contact, at).await?;
        }
        let gone = Trace { forgotten: true, ..Trace::default() };
        put_trace(&*stores.state, ctx, &contact, &gone).await?;
        change_queue(&*stores.state, &ctx.tenant, |queue| {
            // Asked for again in between, it is done again.
            if queue.get(&contact) == Some(&at) {
                queue.remove(&contact);
            }
        })
        .await?;
        forgotten += 1;
    }
    Ok(forgotten)
}

/// Takes hashes that are forgotten out of what is kept of contacts.
pub(crate) async fn forget_keys(state: &dyn StateStore, ctx: &Ctx, keys: &BTreeSet<KeyedHash>) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    for (contact, document) in state.list(&ctx.tenant, CONTACTS).await? {
        let mut known: Trace =
            serde_json::from_str(&document.value).map_err(|error| unreadable().with_source(error))?;
        let before = known.keys.len();
        known.keys.retain(|key| !keys.contains(key));
        if known.keys.len() < before {
            put_trace(state, ctx, &contact, &known).await?;
        }
    }
    Ok(())
}

/// Keeps the hashes of the contacts of these deals.
pub(super) async fn keep(
    scope: &Scope,
    ctx: &Ctx,
    deals: &BTreeMap<String, Deal>,
    contacts: &BTreeMap<String, Contact>,
) -> Result<()> {
    let stores = scope.stores().await?;
    let mut of_contact: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (deal_id, deal) in deals {
        for contact in &deal.contacts {
            of_contact.entry(contact).or_default().insert(deal_id.clone());
        }
    }
    let mut traces = Vec::new();
    for (contact, deals) in of_contact {
        let Some(found) = contacts.get(contact) else { continue };
        let evidence = scope.attribution().evidence_of(ctx, found).await?;
        let keys: BTreeSet<KeyedHash> = evidence.keys().into_iter().collect();
        if !keys.is_empty() || evidence.names_ad() {
            traces.push((contact.to_owned(), keys, deals));
        }
    }
    let state = &stores.state;
    let mut writes = stream::iter(traces)
        .map(|(contact, keys, deals)| async move {
            let stored = trace(&**state, ctx, &contact).await?;
            let mut next = Trace { forgotten: false, ..stored.clone() };
            next.keys.extend(keys);
            next.deals.extend(deals);
            if next == stored { Ok(()) } else { put_trace(&**state, ctx, &contact, &next).await }
        })
        .buffer_unordered(AT_ONCE);
    while let Some(written) = writes.next().await {
        written?;
    }
    Ok(())
}

async fn trace(state: &dyn StateStore, ctx: &Ctx, contact: &str) -> Result<Trace> {
    match state.get(&ctx.tenant, CONTACTS, contact).await? {
        Some(stored) => serde_json::from_str(&stored.value).map_err(|error| unreadable().with_source(error)),
        None => Ok(Trace::default()),
    }
}

async fn put_trace(state: &dyn StateStore, ctx: &Ctx, contact: &str, trace: &Trace) -> Result<()> {
    let text = serde_json::to_string(trace).map_err(|error| unreadable().with_source(error))?;
    state.put(&ctx.tenant, CONTACTS, contact, None, &text).await.map(|_| ())
}

async fn load_queue(state: &dyn StateStore, tenant: &TenantId) -> Result<(Queue, u64)> {
    match state.get(tenant, COLLECTION, KEY).await? {
        Some(stored) => {
            let queue = serde_json::from_str(&stored.value).map_err(|e| unreadable().with_source(e))?;
            Ok((queue, stored.version))
        }
        None => Ok((Queue::new(), 0)),
    }
}

async fn change_queue(state: &dyn StateStore, tenant: &TenantId, change: impl Fn(&mut Queue)) -> Result<()> {
    for _ in 0..ATTEMPTS {
        let (mut queue, version) = load_queue(state, tenant).await?;
        let before = queue.clone();
        change(&mut queue);
        if queue == before {
            return Ok(());
        }
        let text = serde_json::to_string(&queue).map_err(|error| unreadable().with_source(error))?;
        match state.put(tenant, COLLECTION, KEY, Some(version), &text).await {
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            outcome => return outcome.map(|_| ()),
        }
    }
    Err(Error::new(ErrorKind::Conflict, "crm", "others note who is to be forgotten all the time"))
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Corrupt, "crm", "what is kept of a contact cannot be read back")
}
