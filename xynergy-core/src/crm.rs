//! The CRM: what it tells by webhook and what it is asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::ctx::Ctx;
use crate::env::Timestamp;
use crate::error::Result;
use crate::store::KeyedHash;

/// A change that a CRM reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CrmEvent {
    /// What makes the event one, over everything but the delivery: a further event of the same key is a duplicate.
    pub key: KeyedHash,
    /// When it happened, by the CRM's clock.
    pub occurred_at: Timestamp,
    /// When it arrived here. It says what was known at a time and decides nothing else.
    pub recorded_at: Timestamp,
    /// The CRM's id of the event. It orders events of the same time and need not be unique.
    pub event_id: String,
    /// The CRM's ids of the deals that it concerns: one as a rule; of a merge the survivor first, then those that were merged
    /// into it. Empty when it is about no deal, or says nothing that counts.
    pub deals: Vec<String>,
    /// What it says, when it says something that counts.
    pub change: Option<CrmChange>,
    /// The event as the CRM sent it, every unknown field included: a JSON object.
    pub raw: String,
}

impl CrmEvent {
    /// A deal's arrival in a stage: the deal and the CRM's id of the stage.
    pub fn stage_change(&self) -> Option<(&str, &str)> {
        match (&self.change, self.deals.first()) {
            (Some(CrmChange::Stage { stage }), Some(deal_id)) => Some((deal_id, stage)),
            _ => None,
        }
    }
}

/// What an event says of the first of its deals, or of a contact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CrmChange {
    /// The deal is in another pipeline stage.
    Stage {
        /// The CRM's id of the stage.
        stage: String,
    },
    /// The deal is in another pipeline.
    Pipeline {
        /// The CRM's id of the pipeline.
        pipeline: String,
    },
    /// What the deal would bring is another amount.
    Amount {
        /// In major units of the deal's currency, as decimal text: `1234.50`. `None` when it was emptied.
        amount: Option<String>,
    },
    /// The amount is in another currency.
    Currency {
        /// Its three-letter code. `None` when it was emptied.
        currency: Option<String>,
    },
    /// The deal was made.
    Created,
    /// The deal was deleted.
    Deleted,
    /// The deal is there again.
    Restored,
    /// The other deals of the event were merged into its first one.
    Merged,
    /// The customer got money of the deal back.
    Refund {
        /// In major units, as decimal text.
        amount: String,
        /// Its currency; the deal's when `None`.
        currency: Option<String>,
    },
    /// A person is to be forgotten: whatever is kept of this contact goes.
    Forgotten {
        /// The CRM's id of the contact.
        contact_id: String,
    },
}

/// The properties of a CRM object; `None` for one that is asked for and empty.
pub type Properties = BTreeMap<String, Option<String>>;

/// A deal as it stands in the CRM.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deal {
    /// Its properties.
    pub properties: Properties,
    /// The ids of its contacts.
    pub contacts: Vec<String>,
}

impl Deal {
    /// A property that is there and not empty.
    pub fn property(&self, name: &str) -> Option<&str> {
        filled(&self.properties, name)
    }
}

impl fmt::Debug for Deal {
    /// The names of the properties only: the values are about people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deal")
            .field("properties", &self.properties.keys())
            .field("contacts", &self.contacts)
            .finish()
    }
}

/// A contact as it stands in the CRM.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// Its properties.
    pub properties: Properties,
}

impl Contact {
    /// A property that is there and not empty.
    pub fn property(&self, name: &str) -> Option<&str> {
        filled(&self.properties, name)
    }
}

impl fmt::Debug for Contact {
    /// The names of the properties only: the values are about people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact").field("properties", &self.properties.keys()).finish()
    }
}

fn filled<'a>(properties: &'a Properties, name: &str) -> Option<&'a str> {
    properties.get(name)?.as_deref().filter(|value| !value.is_empty())
}

/// Reads of a CRM. They may be repeated and dropped at any point.
#[async_trait]
pub trait Crm: Send + Sync + fmt::Debug + 'static {
    /// The deals of these ids, with the ids of their contacts. Those that the CRM lacks are absent.
    async fn deals(&self, ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Deal>>;

    /// The contacts of these ids. Those that the CRM lacks are absent.
    async fn contacts(&self, ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Contact>>;
}

/// A [`Crm`] of fixed content, for tests and for hosts that hold their deals themselves. One content for every tenant.
#[derive(Clone, Debug, Default)]
pub struct MemoryCrm {
    deals: Arc<BTreeMap<String, Deal>>,
    contacts: Arc<BTreeMap<String, Contact>>,
}

impl MemoryCrm {
    /// A CRM with these deals and contacts by id.
    pub fn new(deals: BTreeMap<String, Deal>, contacts: BTreeMap<String, Contact>) -> Self {
        Self { deals: Arc::new(deals), contacts: Arc::new(contacts) }
    }
}

#[async_trait]
impl Crm for MemoryCrm {
    async fn deals(&self, _ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Deal>> {
        Ok(pick(&self.deals, ids))
    }

    async fn contacts(&self, _ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Contact>> {
        Ok(pick(&self.contacts, ids))
    }
}

fn pick<T: Clone>(all: &BTreeMap<String, T>, ids: &[String]) -> BTreeMap<String, T> {
    ids.iter().filter_map(|id| Some((id.clone(), all.get(id)?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Env, TenantId};

    #[tokio::test]
    async fn absent_objects_are_absent() {
        let contact =
            Contact { properties: [("hs_google_click_id".to_owned(), Some("g".to_owned()))].into() };
        let crm = MemoryCrm::new(BTreeMap::new(), [("7".to_owned(), contact.clone())].into());
        let ctx = Ctx::new(&Env::default(), TenantId::default());
        let found = crm.contacts(&ctx, &["7".to_owned(), "8".to_owned()]).await.unwrap();
        assert_eq!(found, [("7".to_owned(), contact)].into());
        assert!(crm.deals(&ctx, &["7".to_owned()]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn keeps_the_contract() {
        let properties = |name: &str| [(name.to_owned(), Some("x".to_owned()))].into();
        let deal = Deal { properties: properties("dealname"), contacts: vec!["7".to_owned()] };
        let deals = BTreeMap::from([("1".to_owned(), deal)]);
        let contacts = BTreeMap::from([("7".to_owned(), Contact { properties: properties("email") })]);
        let ctx = Ctx::new(&Env::default(), TenantId::default());
        let crm = MemoryCrm::new(deals.clone(), contacts.clone());
        crate::conformance::crm(&crm, &ctx, &deals, &contacts).await;
    }

    #[test]
    fn debug_shows_no_value_and_empty_is_absent() {
        let properties = [
            ("email".to_owned(), Some("ann@example.com".to_owned())),
            ("phone".to_owned(), Some(String::new())),
        ];
        let contact = Contact { properties: properties.into() };
        assert!(!format!("{contact:?}").contains("ann@"));
        assert_eq!(contact.property("phone"), None);
        assert_eq!(contact.property("email"), Some("ann@example.com"));
    }
}
