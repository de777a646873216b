use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xynergy_core::crm::{Contact, Crm, Deal, Properties};
use xynergy_core::store::StateStore;
use xynergy_core::{Ctx, Error, ErrorKind, Result, TenantId, Timestamp};

use super::events::{Told, WebhookContact};

const DEALS: &str = "webhook_deals";
const CONTACTS: &str = "webhook_contacts";

/// How often a document that others write at the same time is tried.
const ATTEMPTS: usize = 64;

/// The names under which a contact's evidence is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PropertyNames {
    /// Of Facebook's click id.
    pub facebook_click_id: String,
    /// Of Google's click id.
    pub google_click_id: String,
    /// Of the first page.
    pub first_url: String,
    /// Of the address.
    pub ip: String,
    /// Of the user agent.
    pub user_agent: String,
    /// Of the languages.
    pub accept_language: String,
    /// Of the consent.
    pub consent: String,
}

/// What webhooks told of deals and contacts, as a [`Crm`].
///
/// The same deliveries in any order leave the same documents: of each thing that is told the latest counts, by the sender's time,
/// and of two at the same time the greater.
#[derive(Clone, Debug)]
pub struct WebhookCrm {
    state: Arc<dyn StateStore>,
    names: PropertyNames,
}

/// A deal, as far as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct DealDocument {
    created: Option<(Timestamp, Timestamp)>,
    contacts: Option<(Timestamp, BTreeSet<String>)>,
}

/// A contact, as far as it was told and is not to be forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct ContactDocument {
    told: Option<(Timestamp, WebhookContact)>,
    forgotten: Option<Timestamp>,
}

impl DealDocument {
    fn tell(&mut self, created_at: Option<Timestamp>, contacts: Option<&BTreeSet<String>>, at: Timestamp) {
        self.created = self.created.max(created_at.map(|created| (at, created)));
        if let Some(contacts) = contacts {
            let told = Some((at, contacts.clone()));
            if told > self.contacts {
                self.contacts = told;
            }
        }
    }
}

impl ContactDocument {
    fn tell(&mut self, contact: &WebhookContact, at: Timestamp) {
        let text = |told: &Option<(Timestamp, WebhookContact)>| {
            told.as_ref().map(|(at, contact)| (*at, serde_json::to_string(contact).unwrap_or_default()))
        };
        let told = Some((at, contact.clone()));
        if text(&told) > text(&self.told) {
            self.told = told;
        }
        self.forget(None);
    }

    /// What was told up to then goes; what the same person tells later is kept.
    fn forget(&mut self, at: Option<Timestamp>) {
        self.forgotten = self.forgotten.max(at);
        if self.told.as_ref().is_some_and(|(told, _)| Some(*told) <= self.forgotten) {
            self.told = None;
        }
    }
}

impl WebhookCrm {
    /// Over the documents of `state`, with contacts under these names.
    pub fn new(state: Arc<dyn StateStore>, names: PropertyNames) -> Self {
        Self { state, names }
    }

    /// Keeps what a delivery tells. Cancel safety: each thing is kept or not; the same again changes nothing.
    pub async fn tell(&self, tenant: &TenantId, told: &[Told]) -> Result<()> {
        for one in told {
            match one {
                Told::Deal { deal_id, created_at, contacts, at } => {
                    self.change(tenant, DEALS, deal_id, |deal: &mut DealDocument| {
                        deal.tell(*created_at, contacts.as_ref(), *at);
                    })
                    .await?;
                }
                Told::Contact { contact, at } => {
                    self.change(tenant, CONTACTS, &contact.contact_id, |document: &mut ContactDocument| {
                        document.tell(contact, *at);
                    })
                    .await?;
                }
                Told::Forgotten { contact_id, at } => self.forget(tenant, contact_id, *at).await?,
            }
        }
        Ok(())
    }

    /// Forgets what was told of a contact up to `at`, and whatever is told of that time from now on.
    pub async fn forget(&self, tenant: &TenantId, contact_id: &str, at: Timestamp) -> Result<()> {
        self.change(tenant, CONTACTS, contact_id, |document: &mut ContactDocument| document.forget(Some(at)))
            .await
    }

    /// Whether anything was ever told of this contact.
    pub async fn knows_contact(&self, tenant: &TenantId, contact_id: &str) -> Result<bool> {
        Ok(self.state.get(tenant, CONTACTS, contact_id).await?.is_some())
    }

    async fn change<T>(
        &self,
        tenant: &TenantId,
        collection: &'static str,
        key: &str,
        change: impl Fn(&mut T),
    ) -> Result<()>
    where
        T: Default + Clone + PartialEq + Serialize + DeserializeOwned,
    {
        for _ in 0..ATTEMPTS {
            let stored = self.state.get(tenant, collection, key).await?;
            let version = stored.as_ref().map_or(0, |document| document.version);
            let old: Option<T> = stored.map(|document| read(&document.value)).transpose()?;
            let mut new = old.clone().unwrap_or_default();
            change(&mut new);
            if old.as_ref() == Some(&new) {
                return Ok(());
            }
            let text = serde_json::to_string(&new).map_err(|e| unreadable().with_source(e))?;
            match self.state.put(tenant, collection, key, Some(version), &text).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                outcome => return outcome.map(|_| ()),
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "webhooks.accept",
            "others write the same deal or contact all the time",
        ))
    }

    fn properties(&self, contact: WebhookContact) -> Properties {
        let names = &self.names;
        let consent = contact.consent.then(|| "true".to_owned());
        [
            (&names.facebook_click_id, contact.facebook_click_id),
            (&names.google_click_id, contact.google_click_id),
            (&names.first_url, contact.first_url),
            (&names.ip, contact.ip),
            (&names.user_agent, contact.user_agent),
            (&names.accept_language, contact.accept_language),
            (&names.consent, consent),
        ]
        .into_iter()
        .map(|(name, value)| (name.clone(), value))
        .collect()
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| unreadable())
}

/// Without the cause, which could repeat what is stored of a person.
fn unreadable() -> Error {
    Error::new(ErrorKind::Corrupt, "webhooks", "a stored deal or contact cannot be read back")
}

#[async_trait]
impl Crm for WebhookCrm {
    async fn deals(&self, ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Deal>> {
        let mut deals = BTreeMap::new();
        for id in ids {
            let Some(stored) = self.state.get(&ctx.tenant, DEALS, id).await? else { continue };
            let document: DealDocument = read(&stored.value)?;
            let created = document.created.map(|(_, created)| created.to_string());
            let contacts = document.contacts.map(|(_, contacts)| contacts).unwrap_or_default();
            let properties = [("createdate".to_owned(), created)].into();
            deals.insert(id.clone(), Deal { properties, contacts: contacts.into_iter().collect() });
        }
        Ok(deals)
    }

    async fn contacts(&self, ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Contact>> {
        let mut contacts = BTreeMap::new();
        for id in ids {
            let Some(stored) = self.state.get(&ctx.tenant, CONTACTS, id).await? else { continue };
            let document: ContactDocument = read(&stored.value)?;
            if let Some((_, contact)) = document.told {
                contacts.insert(id.clone(), Contact { properties: self.properties(contact) });
            }
        }
        Ok(contacts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xynergy_core::Env;
    use xynergy_core::store::memory::MemoryState;

    use super::*;

    fn names() -> PropertyNames {
        let name = |text: &str| text.to_owned();
        PropertyNames {
            facebook_click_id: name("fb"),
            google_click_id: name("g"),
            first_url: name("url"),
            ip: name("ip"),
            user_agent: name("ua"),
            accept_language: name("al"),
            consent: name("consent"),
        }
    }

    fn contact(id: &str, click: &str) -> WebhookContact {
        WebhookContact {
            contact_id: id.to_owned(),
            google_click_id: Some(click.to_owned()),
            ip: Some("192.0.2.1".to_owned()),
            consent: true,
            ..WebhookContact::default()
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_772_366_400_000 + seconds * 1_000)
    }

    #[tokio::test]
    async fn keeps_the_contract_of_a_crm() {
        let crm = WebhookCrm::new(Arc::new(MemoryState::default()), names());
        let ctx = Ctx::new(&Env::default(), TenantId::default());
        let told = [
            Told::Deal {
                deal_id: "1".into(),
                created_at: Some(at(0)),
                contacts: Some(["7".to_owned()].into()),
                at: at(0),
            },
            Told::Contact { contact: contact("7", "click"), at: at(0) },
        ];
        crm.tell(&ctx.tenant, &told).await.unwrap();
        let deals = crm.deals(&ctx, &["1".to_owned()]).await.unwrap();
        let contacts = crm.contacts(&ctx, &["7".to_owned()]).await.unwrap();
        assert_eq!(deals["1"].property("createdate"), Some("2026-03-01T12:00:00Z"));
        assert_eq!(contacts["7"].property("g"), Some("click"));
        assert_eq!(contacts["7"].property("consent"), Some("true"));
        xynergy_core::conformance::crm(&crm, &ctx, &deals, &contacts).await;
        let other = Ctx { tenant: TenantId::new("other").unwrap(), ..ctx };
        assert!(crm.deals(&other, &["1".to_owned()]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_is_forgotten_stays_forgotten_and_what_comes_later_is_new() {
        let crm = WebhookCrm::new(Arc::new(MemoryState::default()), names());
        let ctx = Ctx::new(&Env::default(), TenantId::default());
        let ids = ["7".to_owned()];
        let told = |click: &str, seconds| [Told::Contact { contact: contact("7", click), at: at(seconds) }];
        crm.tell(&ctx.tenant, &told("a", 1)).await.unwrap();
        crm.forget(&ctx.tenant, "7", at(5)).await.unwrap();
        crm.tell(&ctx.tenant, &told("late", 4)).await.unwrap();
        assert!(crm.contacts(&ctx, &ids).await.unwrap().is_empty());
        let stored = crm.state.get(&ctx.tenant, CONTACTS, "7").await.unwrap().unwrap().value;
        assert!(!stored.contains("192.0.2.1") && !stored.contains("late"), "{stored}");
        crm.tell(&ctx.tenant, &told("new", 6)).await.unwrap();
        assert_eq!(crm.contacts(&ctx, &ids).await.unwrap()["7"].property("g"), Some("new"));
    }

    fn told() -> impl Strategy<Value = Told> {
        prop_oneof![
            (
                0_i64..4,
                proptest::option::of(0_i64..3),
                proptest::option::of(proptest::collection::btree_set("[a-c]", 0..3))
            )
                .prop_map(|(when, created, contacts)| Told::Deal {
                    deal_id: "1".into(),
                    created_at: created.map(at),
                    contacts,
                    at: at(when),
                }),
            (0_i64..4, "[a-c]")
                .prop_map(|(when, click)| Told::Contact { contact: contact("7", &click), at: at(when) }),
            (0_i64..4).prop_map(|when| Told::Forgotten { contact_id: "7".into(), at: at(when) }),
        ]
    }

    proptest! {
        #[test]
        fn order_and_repetition_change_nothing(
            (told, shuffled) in proptest::collection::vec(told(), 1..12).prop_flat_map(|told| {
                let twice: Vec<Told> = told.iter().chain(&told).cloned().collect();
                (Just(told), Just(twice).prop_shuffle())
            })
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let documents = |told: &[Told]| runtime.block_on(async {
                let crm = WebhookCrm::new(Arc::new(MemoryState::default()), names());
                let tenant = TenantId::default();
                crm.tell(&tenant, told).await.unwrap();
                let mut all = Vec::new();
                for (collection, key) in [(DEALS, "1"), (CONTACTS, "7")] {
                    all.push(crm.state.get(&tenant, collection, key).await.unwrap().map(|document| document.value));
                }
                all
            });
            prop_assert_eq!(documents(&told), documents(&shuffled));
        }
    }
}
