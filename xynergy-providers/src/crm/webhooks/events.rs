use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use xynergy_core::crm::{CrmChange, CrmEvent};
use xynergy_core::store::KeyedHash;
use xynergy_core::{Error, Result, Timestamp};

use crate::crm::elements;
use crate::crm::hubspot::EventProblem;

const OPERATION: &str = "webhooks.accept";

/// The first moment that an event may have happened at: 2000-01-01.
const EARLIEST: Timestamp = Timestamp::from_millis(946_684_800_000);
/// How far before its arrival's time a sender's clock may be, in microseconds: a day.
const AHEAD_MICROS: i64 = 86_400 * 1_000_000;
/// The longest id.
const LONGEST_ID: usize = 256;
/// The most contacts or merged deals of one event.
const MOST_OF_ONE: usize = 1_000;

/// What a delivery says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookBatch {
    /// The changes, in their order.
    pub events: Vec<CrmEvent>,
    /// What is told of contacts, and of which deals have which.
    pub told: Vec<Told>,
    /// Elements that are no event.
    pub problems: Vec<EventProblem>,
}

/// What an event tells beyond the changes of a deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A deal has these contacts, or was made at a time.
    Deal {
        /// The deal.
        deal_id: String,
        /// When it was made.
        created_at: Option<Timestamp>,
        /// Its contacts, where the event names them.
        contacts: Option<BTreeSet<String>>,
        /// When this was so.
        at: Timestamp,
    },
    /// A contact is to be forgotten.
    Forgotten {
        /// The contact.
        contact_id: String,
        /// Whatever was told up to then.
        at: Timestamp,
    },
    /// What is known of a contact.
    Contact {
        /// The contact, with its evidence.
        contact: WebhookContact,
        /// When this was so.
        at: Timestamp,
    },
}

/// One event: `{"type": ..., "timestamp": ..., "data": {...}}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    r#type: String,
    timestamp: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Whom a deal came from, and what may lead to the click behind it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookContact {
    /// The sender's id of the contact.
    #[serde(deserialize_with = "id")]
    pub contact_id: String,
    /// Facebook's click id, plain or as the browser's `_fbc` cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facebook_click_id: Option<String>,
    /// Google's click id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub google_click_id: Option<String>,
    /// The first page that the contact saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_url: Option<String>,
    /// The contact's address; kept only with consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The contact's user agent; kept only with consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The contact's `Accept-Language`; kept only with consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_language: Option<String>,
    /// Whether the contact consented.
    #[serde(default)]
    pub consent: bool,
}

impl std::fmt::Debug for WebhookContact {
    /// The id only: the rest is about a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookContact").field("contact_id", &self.contact_id).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Updated {
    #[serde(deserialize_with = "id")]
    deal_id: String,
    #[serde(default, deserialize_with = "some_id", skip_serializing_if = "Option::is_none")]
    stage: Option<String>,
    #[serde(default, deserialize_with = "some_id", skip_serializing_if = "Option::is_none")]
    pipeline: Option<String>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    amount: Option<Option<Amount>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    currency: Option<Option<Code>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_at: Option<Timestamp>,
    #[serde(default, skip_serializing)]
    contacts: Option<Vec<WebhookContact>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refunded {
    #[serde(deserialize_with = "id")]
    deal_id: String,
    amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<Code>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Merged {
    #[serde(deserialize_with = "id")]
    deal_id: String,
    merged_deal_ids: Vec<AnyId>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfDeal {
    #[serde(deserialize_with = "id")]
    deal_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfContact {
    #[serde(deserialize_with = "id")]
    contact_id: String,
}

#[derive(Serialize, Deserialize)]
struct AnyId(#[serde(deserialize_with = "id")] String);

/// A decimal number in major units, exactly as it was written.
#[derive(Clone, Serialize)]
struct Amount(String);

/// A currency's three letters.
#[derive(Clone, Serialize)]
struct Code(String);

/// Reads a delivery's body: one event, or an array of them. Elements that are no event are told apart and do not spoil the rest.
///
/// `delivery_id` is the verified `webhook-id`: the same one again, by a sender that had no answer, gives the same events.
///
/// # Errors
/// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) when the body is neither a JSON object nor an array, and
/// [`LimitExceeded`](xynergy_core::ErrorKind::LimitExceeded) when the array holds more than 10,000 elements.
pub fn parse_events(body: &[u8], delivery_id: &str, received_at: Timestamp) -> Result<WebhookBatch> {
    let wrong = |error: serde_json::Error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Error::invalid(OPERATION, format!("body: is neither an event nor a JSON array of events ({place})"))
    };
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let elements: Vec<&RawValue> = match first {
        Some(b'[') => elements(body, OPERATION, "neither an event nor a JSON array of events")?,
        Some(b'{') => vec![serde_json::from_slice(body).map_err(wrong)?],
        _ => {
            return Err(Error::invalid(OPERATION, "body: is neither an event nor a JSON array of events"));
        }
    };
    let mut batch = WebhookBatch::default();
    for (index, element) in elements.into_iter().enumerate() {
        let mut reader = Reader { delivery_id, index, received_at, events: Vec::new(), told: Vec::new() };
        match reader.read(element) {
            Ok(()) => {
                batch.events.append(&mut reader.events);
                batch.told.append(&mut reader.told);
            }
            Err(problem) => batch.problems.push(EventProblem { index, problem }),
        }
    }
    Ok(batch)
}

/// Whether an event came by a webhook of this scheme, and not from a CRM: those have other fields.
pub fn is_event(event: &CrmEvent) -> bool {
    serde_json::from_str::<Envelope<'_>>(&event.raw).is_ok()
}

struct Reader<'a> {
    delivery_id: &'a str,
    index: usize,
    received_at: Timestamp,
    events: Vec<CrmEvent>,
    told: Vec<Told>,
}

impl Reader<'_> {
    fn read(&mut self, element: &RawValue) -> Result<(), String> {
        let envelope: Envelope<'_> = serde_json::from_str(element.get()).map_err(|e| named("", &e))?;
        let at = self.time(&envelope.timestamp)?;
        let kind = envelope.r#type.as_str();
        match kind {
            "deal.updated" => self.updated(at, data(&envelope)?),
            "deal.refunded" => {
                let Refunded { deal_id, amount, currency } = data(&envelope)?;
                let told =
                    Refunded { deal_id: deal_id.clone(), amount: amount.clone(), currency: currency.clone() };
                let change = CrmChange::Refund { amount: amount.0, currency: currency.map(|code| code.0) };
                self.change(kind, at, vec![deal_id], change, "refund", &told)
            }
            "deal.merged" => {
                let merged: Merged = data(&envelope)?;
                if merged.merged_deal_ids.is_empty() || merged.merged_deal_ids.len() > MOST_OF_ONE {
                    return Err(format!("data.merged_deal_ids: give 1 to {MOST_OF_ONE} deals"));
                }
                let others = merged.merged_deal_ids.iter().map(|id| id.0.clone());
                let deals: Vec<String> = std::iter::once(merged.deal_id.clone()).chain(others).collect();
                self.change(kind, at, deals, CrmChange::Merged, "merged", &merged)
            }
            "deal.deleted" | "deal.restored" => {
                let deal: OfDeal = data(&envelope)?;
                let change = if kind == "deal.deleted" { CrmChange::Deleted } else { CrmChange::Restored };
                self.change(kind, at, vec![deal.deal_id.clone()], change, "", &deal)
            }
            "contact.updated" => {
                let contact: WebhookContact = data(&envelope)?;
                self.told.push(Told::Contact { contact: kept(contact), at });
                Ok(())
            }
            "contact.deleted" => {
                let contact: OfContact = data(&envelope)?;
                let contact_id = contact.contact_id.clone();
                self.told.push(Told::Forgotten { contact_id: contact_id.clone(), at });
                let change = CrmChange::Forgotten { contact_id };
                self.change(kind, at, Vec::new(), change, "", &contact)
            }
            other => {
                let shown: String = other.chars().take(40).collect();
                Err(format!(
                    "type: {shown:?} is none of deal.updated, deal.refunded, deal.merged, deal.deleted, deal.restored, contact.updated, contact.deleted"
                ))
            }
        }
    }

    fn updated(&mut self, at: Timestamp, mut deal: Updated) -> Result<(), String> {
        let deal_id = deal.deal_id.clone();
        let contacts = deal.contacts.take();
        if contacts.as_ref().is_some_and(|contacts| contacts.len() > MOST_OF_ONE) {
            return Err(format!("data.contacts: are more than {MOST_OF_ONE}"));
        }
        let changes = [
            deal.pipeline.clone().map(|pipeline| ("pipeline", CrmChange::Pipeline { pipeline })),
            deal.currency
                .clone()
                .map(|currency| ("currency", CrmChange::Currency { currency: currency.map(|code| code.0) })),
            deal.amount.clone().map(|amount| ("amount", CrmChange::Amount { amount: amount.map(|a| a.0) })),
            deal.stage.clone().map(|stage| ("stage", CrmChange::Stage { stage })),
            deal.created_at.map(|_| ("created", CrmChange::Created)),
        ];
        for (field, change) in changes.into_iter().flatten() {
            let when = if field == "created" { deal.created_at.unwrap_or(at) } else { at };
            if !(EARLIEST..=self.latest()).contains(&when) {
                return Err("data.created_at: is before 2000 or more than a day after its arrival".to_owned());
            }
            self.change("deal.updated", when, vec![deal_id.clone()], change, field, &deal)?;
        }
        if deal.created_at.is_some() || contacts.is_some() {
            let ids = contacts.as_ref().map(|all| all.iter().map(|c| c.contact_id.clone()).collect());
            self.told.push(Told::Deal { deal_id, created_at: deal.created_at, contacts: ids, at });
        }
        let contacts = contacts.into_iter().flatten();
        self.told.extend(contacts.map(|contact| Told::Contact { contact: kept(contact), at }));
        Ok(())
    }

    /// One change of one event. Only what is known of it is kept, and nothing of a person.
    fn change(
        &mut self,
        kind: &str,
        at: Timestamp,
        deals: Vec<String>,
        change: CrmChange,
        field: &str,
        data: &impl Serialize,
    ) -> Result<(), String> {
        #[derive(Serialize)]
        struct Raw<'a, T> {
            r#type: &'a str,
            timestamp: Timestamp,
            data: &'a T,
        }
        let raw = serde_json::to_string(&Raw { r#type: kind, timestamp: at, data })
            .map_err(|_| "cannot be written again as JSON".to_owned())?;
        let key = key_of(&[self.delivery_id, &self.index.to_string(), kind, field, &raw]);
        let event_id = format!("{}.{}", self.delivery_id, self.index);
        let recorded_at = self.received_at;
        self.events.push(CrmEvent {
            key,
            occurred_at: at,
            recorded_at,
            event_id,
            deals,
            change: Some(change),
            raw,
        });
        Ok(())
    }

    fn time(&self, text: &str) -> Result<Timestamp, String> {
        let at: Timestamp = text
            .parse()
            .map_err(|_| "timestamp: is not an RFC 3339 time such as 2026-03-01T12:00:00Z".to_owned())?;
        if at < EARLIEST {
            return Err(format!("timestamp: {at} is before 2000"));
        }
        if at > self.latest() {
            return Err(format!(
                "timestamp: {at} is more than a day after its arrival: check the sender's clock"
            ));
        }
        Ok(at)
    }

    fn latest(&self) -> Timestamp {
        Timestamp::from_micros(self.received_at.micros().saturating_add(AHEAD_MICROS))
    }
}

/// Without consent nothing that identifies is kept but the click ids, as they came, and the first page.
fn kept(contact: WebhookContact) -> WebhookContact {
    if contact.consent {
        return contact;
    }
    WebhookContact { ip: None, user_agent: None, accept_language: None, ..contact }
}

fn data<'a, T: Deserialize<'a>>(envelope: &Envelope<'a>) -> Result<T, String> {
    xynergy_core::json::read(envelope.data.get()).map_err(|wrong| {
        let path = wrong.path();
        let field = if path.is_empty() { "data: ".to_owned() } else { format!("data.{path}: ") };
        named(&field, &wrong.error)
    })
}

/// What is wrong, without the place: it is one in a part of the body.
fn named(what: &str, error: &serde_json::Error) -> String {
    let text = error.to_string();
    let problem = text.split(" at line ").next().unwrap_or_default();
    // A value may be a person's: only the names of fields and types are told.
    let shown = if problem.starts_with("invalid type") || problem.starts_with("invalid value") {
        problem
            .rsplit("expected ")
            .next()
            .map_or("has a value of another type".to_owned(), |e| format!("expected {e}"))
    } else {
        problem.chars().take(200).collect()
    };
    format!("{what}{shown}")
}

/// The hash of what happened, each part preceded by its length.
fn key_of(parts: &[&str]) -> KeyedHash {
    let mut hash = Sha256::new();
    hash.update(b"webhooks");
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let [cut @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _]: [u8; 32] = hash.finalize().into();
    KeyedHash::from_bytes(cut)
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "is not a text or a whole number")]
enum Written {
    Text(String),
    Number(u64),
}

/// A text or a whole number that is not empty.
fn id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = match Written::deserialize(deserializer)? {
        Written::Text(text) => text,
        Written::Number(number) => number.to_string(),
    };
    if text.is_empty() || text.len() > LONGEST_ID || text.chars().any(char::is_control) {
        return Err(serde::de::Error::custom(format!("is not 1 to {LONGEST_ID} printable characters")));
    }
    Ok(text)
}

fn some_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    id(deserializer).map(Some)
}

/// `Some(None)` for a null, so that it is told from a field that is absent.
fn given<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Box::<RawValue>::deserialize(deserializer)?;
        let text = written.get().trim_matches('"');
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| (1..=15).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if plain(whole) && plain(fraction) {
            return Ok(Self(text.to_owned()));
        }
        Err(serde::de::Error::custom(
            "is not a decimal number such as \"1234.50\", in the currency's major unit",
        ))
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Ok(Self(text.to_ascii_uppercase()));
        }
        Err(serde::de::Error::custom("is not three letters such as USD"))
    }
}

#[cfg(test)]
mod tests;
