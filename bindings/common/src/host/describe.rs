use std::collections::BTreeMap;

use schemars::{Schema, SchemaGenerator};
use xynergy::Timestamp;
use xynergy::ads::{AccountState, Activity, AdInsight, AdWrite, Owner, OwnerState};
use xynergy::crm::{Contact, CrmEvent, Deal};
use xynergy::embed::{EmbedRequest, EmbedResponse};
use xynergy::provider::{ChatChunk, ChatRequest, ChatResponse};
use xynergy::secrets::SecretRef;
use xynergy::store::{
    AdClicks, Appended, Around, Candidate, Click, DealRevenue, Document, Erased, KeyedHash, Pruned,
    Revaluation, RevenueTotals, Tracked,
};

use super::CallContext;

type Shape = fn(&mut SchemaGenerator) -> Schema;

/// A trait that a host can implement.
#[derive(Debug)]
pub struct HostTrait {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// Its methods.
    pub methods: Vec<HostMethod>,
}

/// One method of such a trait.
#[derive(Debug)]
pub struct HostMethod {
    /// Its name.
    pub name: &'static str,
    /// What it has to do.
    pub doc: &'static str,
    /// The arguments by name, in order.
    pub params: Vec<(&'static str, Shape)>,
    /// What it returns, or the pieces of its stream.
    pub result: Shape,
    /// Whether it answers in pieces.
    pub stream: bool,
    /// Whether it may be absent.
    pub optional: bool,
}

fn shape<T: schemars::JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn matches_flag(flags: &[&str]) -> bool {
    flags.contains(&"stream")
}

macro_rules! host_traits {
    ($($(#[doc = $trait_doc:literal])+ $name:literal { $($(#[doc = $doc:literal])+ $method:literal ($($param:ident: $kind:ty),*) -> $result:ty $(, $flag:ident)? ;)+ })+) => {
        vec![$(HostTrait {
            name: $name,
            doc: concat!($($trait_doc, "\n"),+),
            methods: vec![$(HostMethod {
                name: $method,
                doc: concat!($($doc, "\n"),+),
                params: vec![$((stringify!($param), shape::<$kind> as Shape)),*],
                result: shape::<$result>,
                stream: matches_flag(&[$(stringify!($flag))?]),
                optional: matches_flag(&[$(stringify!($flag))?]),
            }),+],
        }),+]
    };
}

/// The traits that a host can implement.
pub fn traits() -> Vec<HostTrait> {
    host_traits! {
        /// An AI provider. Its attributes `default_model`, `tools`, `response_format` and `images` say what it can do.
        "Provider" {
            /// Answers a request: with a chat completion, or with the text alone.
            "chat" (ctx: CallContext, request: ChatRequest) -> TextOr<ChatResponse>;
            /// Answers in pieces: chunks, or text. May be absent.
            "stream" (ctx: CallContext, request: ChatRequest) -> TextOr<ChatChunk>, stream;
        }
        /// Embeds texts. Its attributes `default_model` and `max_inputs` say what it can do.
        "Embedder" {
            /// One vector for each text of `request.input`, in their order and all of the same length, and the tokens where they are known.
            "embed" (ctx: CallContext, request: EmbedRequest) -> EmbedResponse;
        }
        /// A cache of answers. An error is taken as a miss.
        "ResponseCache" {
            /// The answer under a key, unless it has expired at `now`; nothing when there is none.
            "get" (tenant: String, key: String, now: Timestamp) -> Option<ChatResponse>;
            /// Keeps an answer, replacing an older one.
            "put" (tenant: String, key: String, response: ChatResponse, expires_at: Timestamp) -> ();
            /// Drops the tenant's answers whose key, or whose `provider/model`, matches `pattern`, in which `*` stands for anything, and
            /// says how many.
            "invalidate" (tenant: String, pattern: String) -> u64;
        }
        /// A source of credentials, as a vault.
        "SecretSource" {
            /// The credential that `reference` names; nothing when there is none.
            "get" (tenant: String, reference: SecretRef) -> Option<String>;
        }
        /// A CRM to read deals and contacts from.
        "Crm" {
            /// The deals of these ids, with the ids of their contacts. Those that it lacks are absent.
            "deals" (ctx: CallContext, ids: Vec<String>) -> BTreeMap<String, Deal>;
            /// The contacts of these ids. Those that it lacks are absent.
            "contacts" (ctx: CallContext, ids: Vec<String>) -> BTreeMap<String, Contact>;
        }
        /// An ad platform. A write is one request and never repeated: an error other than `unauthorized`, `throttled`, `rejected`,
        /// `invalid_input`, `not_found` and `unsupported` means that it may have taken effect.
        "AdPlatform" {
            /// The currency and the platform's own limits of an account.
            "account" (ctx: CallContext, account_id: String) -> AccountState;
            /// The budget owner now; `not_found` when there is no such object.
            "owner" (ctx: CallContext, owner: Owner) -> OwnerState;
            /// Every object of the account that has a daily budget.
            "owners" (ctx: CallContext, account_id: String) -> Vec<OwnerState>;
            /// Sends one write, once. Returning means that the platform confirmed it.
            "set" (ctx: CallContext, write: AdWrite) -> ();
            /// Asks the platform whether it would accept the write; changes nothing.
            "validate" (ctx: CallContext, write: AdWrite) -> ();
            /// The edits of an owner since a time, oldest first; `unsupported` where the platform keeps no log.
            "activities" (ctx: CallContext, account_id: String, owner: Owner, since: Timestamp) -> Vec<Activity>;
            /// What each ad did from the day of `since` to the day of `until`, both included, by ad id.
            "insights" (ctx: CallContext, account_id: String, since: Timestamp, until: Timestamp) -> Vec<AdInsight>;
        }
        /// A store of small versioned documents.
        "StateStore" {
            /// The document; nothing when there is none.
            "get" (tenant: String, collection: String, key: String) -> Option<Document>;
            /// Writes a document whole and returns its new version; `conflict` when `expected` is given and is not the stored version,
            /// 0 expecting that there is none.
            "put" (tenant: String, collection: String, key: String, expected: Option<u64>, value: String) -> u64;
            /// The documents of a collection as pairs of key and document, by key in byte order.
            "list" (tenant: String, collection: String) -> Vec<(String, Document)>;
        }
        /// A store of clicks.
        "ClickStore" {
            /// Stores a batch at once or not at all; of the clicks of one key on one day (UTC) the first stays.
            "track" (tenant: String, clicks: Vec<Click>, source: String) -> Tracked;
            /// Of each key, the clicks at its latest time within `from` to `to`, all when several share it, in the order of the fields.
            "candidates" (tenant: String, keys: Vec<KeyedHash>, from: Timestamp, to: Timestamp) -> Vec<Candidate>;
            /// The clicks whose `personal.device.network` is one of `networks`, within `from` to `to`: the newest, at most `limit`, by
            /// time and then key, both descending, and how many there are.
            "around" (tenant: String, networks: Vec<KeyedHash>, from: Timestamp, to: Timestamp, limit: u64) -> Around;
            /// Forgets the clicks of every day (UTC) that has ended by `before`; what `clicks_by_ad` and `count` say stays.
            "prune" (tenant: String, before: Timestamp) -> Pruned;
            /// Forgets the clicks that have one of these keys, as their own or as one that they are found by, and says which, by key; what
            /// `clicks_by_ad` and `count` say stays.
            "erase" (tenant: String, keys: Vec<KeyedHash>) -> Erased;
            /// How often each ad was clicked on each day (UTC) from that of `from` to that of `to`, in the order of the fields, with the
            /// clicks that were forgotten.
            "clicks_by_ad" (tenant: String, from: Timestamp, to: Timestamp) -> Vec<AdClicks>;
            /// How many clicks were stored, by one ingest or by all.
            "count" (tenant: String, source: Option<String>) -> u64;
        }
        /// The inbox of CRM events and the revenue ledger that is folded from it.
        "RevenueStore" {
            /// Stores a batch at once or not at all. Of events of the same key, the smallest `raw` and the earliest `recorded_at`
            /// are kept.
            "append_events" (tenant: String, events: Vec<CrmEvent>, source: String) -> Appended;
            /// Up to `limit` deals with events that their stored state has not seen, or whose `values_seen` is below the sum of
            /// `events_seen + 1` of all revaluations; by id in byte order.
            "pending_deals" (tenant: String, limit: u64) -> Vec<String>;
            /// The events that concern a deal, by key.
            "events" (tenant: String, deal_id: String) -> Vec<CrmEvent>;
            /// The events that concern any deal, by key, from behind `after` on.
            "events_after" (tenant: String, after: Option<KeyedHash>, limit: u64) -> Vec<CrmEvent>;
            /// How many events that concern deals happened at `until` or before.
            "count_until" (tenant: String, until: Timestamp) -> u64;
            /// Replaces the states and ledgers of these deals at once; false, and nothing written, when a stored state has seen more
            /// events or greater values.
            "put_deals" (tenant: String, deals: Vec<DealRevenue>) -> bool;
            /// Every deal that was put with a stage, by id in byte order.
            "deals" (tenant: String) -> Vec<DealRevenue>;
            /// Those of these deals that were put with a stage, by id in byte order.
            "find_deals" (tenant: String, ids: Vec<String>) -> Vec<DealRevenue>;
            /// The sums over the deals that were put with a stage and not merged into others.
            "totals" (tenant: String) -> RevenueTotals;
            /// How many events were stored, by one ingest or by all.
            "count_events" (tenant: String, source: Option<String>) -> u64;
            /// Stores a revaluation, one for each cut; false, and nothing written, when the stored one has seen more events. The
            /// earliest `recorded_at` of a cut is kept.
            "put_revaluation" (tenant: String, revaluation: Revaluation) -> bool;
            /// Every revaluation, by cut.
            "revaluations" (tenant: String) -> Vec<Revaluation>;
        }
    }
}

/// A value, or its text alone.
#[derive(schemars::JsonSchema)]
#[schemars(untagged, inline)]
#[allow(dead_code)]
enum TextOr<T> {
    /// The text alone.
    Text(String),
    /// All of it.
    Whole(T),
}
