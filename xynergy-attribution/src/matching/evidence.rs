use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::Timestamp;
use xynergy_core::crm::Contact;
use xynergy_core::store::{Device, KeyedHash, Layer};

use super::signals::Signals;
use super::used::Layers;
use crate::click::{ClickIdFamily, ClickRules, ClientHints, IdentityKey, Landing, Visit, facebook_click_id};

/// The names of the contact properties that are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContactProperties {
    /// Facebook's click id, plain or as the browser's `_fbc` cookie.
    pub facebook_click_id: String,
    /// Google's click id.
    pub google_click_id: String,
    /// The first page that the contact saw.
    pub first_url: String,
    /// The contact's address.
    pub ip: String,
    /// The contact's user agent.
    pub user_agent: String,
    /// The contact's `Accept-Language`.
    pub accept_language: String,
    /// `true` when the contact consented; anything else is no consent.
    pub consent: String,
}

impl Default for ContactProperties {
    fn default() -> Self {
        Self {
            facebook_click_id: "hs_facebook_click_id".into(),
            google_click_id: "hs_google_click_id".into(),
            first_url: "hs_analytics_first_url".into(),
            ip: "xynergy_ip".into(),
            user_agent: "xynergy_user_agent".into(),
            accept_language: "xynergy_accept_language".into(),
            consent: "xynergy_consent".into(),
        }
    }
}

impl ContactProperties {
    /// All names, for a read of the CRM.
    pub fn names(&self) -> Vec<String> {
        [
            &self.facebook_click_id,
            &self.google_click_id,
            &self.first_url,
            &self.ip,
            &self.user_agent,
            &self.accept_language,
            &self.consent,
        ]
        .map(Clone::clone)
        .to_vec()
    }
}

/// What the contacts of one deal tell together, as keyed hashes: nothing in it identifies a person without the key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    pub(super) keys: BTreeMap<KeyedHash, Layer>,
    pub(super) contents: BTreeSet<String>,
    pub(super) devices: BTreeSet<Device>,
    pub(super) campaigns: BTreeSet<String>,
}

impl Evidence {
    /// The evidence of `contacts` for these layers, under every key that a click of the time may be hashed under. Layers 2
    /// and 3 need the consent of the contact that they come from.
    pub fn of<'a>(
        contacts: impl IntoIterator<Item = &'a Contact>,
        names: &ContactProperties,
        keys: &[impl Borrow<IdentityKey>],
        rules: &ClickRules,
        layers: &Layers,
    ) -> Self {
        let mut evidence = Self::default();
        for contact in contacts {
            // An ad that is named by a URL needs no click, and so no key.
            if layers.contains(Layer::Layer1) {
                let first_url = contact.property(&names.first_url).unwrap_or_default();
                evidence.contents.extend(Landing::of_text(first_url, rules.fragment()).utm.content);
            }
            for key in keys {
                evidence.add(contact, names, key.borrow(), rules, layers);
            }
        }
        evidence
    }

    /// What a model learns from: `None` without a device, which exists only with consent and where devices are kept. `click` is
    /// the click that a click id names.
    pub fn signals(&self, anchor: Timestamp, click: Option<KeyedHash>) -> Option<Signals> {
        let exact = self.keys.iter().filter(|(_, layer)| **layer != Layer::Layer1);
        (!self.devices.is_empty()).then(|| Signals {
            anchor,
            devices: self.devices.clone(),
            campaigns: self.campaigns.clone(),
            keys: exact.map(|(key, layer)| (*key, *layer)).collect(),
            click,
        })
    }

    /// Whether a first URL names an ad, for which no click is needed.
    pub fn names_ad(&self) -> bool {
        !self.contents.is_empty()
    }

    /// The networks to ask a click store for the clicks around of; none without a device.
    pub fn networks(&self) -> Vec<KeyedHash> {
        self.devices.iter().map(|device| device.network).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The layer of this key, where it is one of them.
    pub fn layer(&self, key: KeyedHash) -> Option<Layer> {
        self.keys.get(&key).copied()
    }

    /// The keys to ask a click store for.
    pub fn keys(&self) -> Vec<KeyedHash> {
        self.keys.keys().copied().collect()
    }

    fn add(
        &mut self,
        contact: &Contact,
        names: &ContactProperties,
        key: &IdentityKey,
        rules: &ClickRules,
        layers: &Layers,
    ) {
        let read = |name: &str| contact.property(name).unwrap_or_default();
        let consent = read(&names.consent).trim().eq_ignore_ascii_case("true");
        if layers.contains(Layer::Layer1) {
            self.add_named(contact, names, key, rules, consent);
        }
        if consent {
            let hints = ClientHints::new();
            let (ip, agent, language) =
                (read(&names.ip), read(&names.user_agent), read(&names.accept_language));
            let visit = Visit::new(ip, None, agent, language, &hints, rules);
            if layers.contains(Layer::Layer2) {
                self.keys.extend(visit.fingerprint(key).map(|key| (key, Layer::Layer2)));
            }
            // The model compares what layers 2 and 3 recognise by.
            if rules.keep_devices && layers.contains(Layer::Layer3) {
                self.devices.extend(visit.device(key));
            }
            if layers.contains(Layer::Layer3) {
                self.keys.extend(visit.address(key).map(|key| (key, Layer::Layer3)));
            }
        }
    }

    /// The click ids, and the ads that the first URL may name.
    fn add_named(
        &mut self,
        contact: &Contact,
        names: &ContactProperties,
        key: &IdentityKey,
        rules: &ClickRules,
        consent: bool,
    ) {
        let read = |name: &str| contact.property(name).unwrap_or_default();
        let first_url = Landing::of_text(read(&names.first_url), rules.fragment());
        if consent || !rules.click_ids_need_consent {
            let facebook = facebook_click_id(read(&names.facebook_click_id));
            let google = read(&names.google_click_id).trim();
            let stored =
                [(ClickIdFamily::Facebook, facebook.to_owned()), (ClickIdFamily::Google, google.to_owned())];
            let ids = stored.into_iter().filter(|(_, id)| !id.is_empty()).chain(first_url.click_ids);
            self.keys.extend(ids.map(|(family, id)| (key.layer1(family, &id), Layer::Layer1)));
        }
        self.contents.extend(first_url.utm.content);
        self.campaigns.extend(first_url.utm.campaign);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xynergy_core::TenantId;

    fn key() -> IdentityKey {
        IdentityKey::new(&TenantId::default(), &[1; 32])
    }

    fn evidence(properties: &[(&str, &str)]) -> Evidence {
        let properties = properties.iter().map(|(k, v)| ((*k).to_owned(), Some((*v).to_owned()))).collect();
        Evidence::of(
            &[Contact { properties }],
            &ContactProperties::default(),
            &[key()],
            &ClickRules::default(),
            &Layers::default(),
        )
    }

    #[test]
    fn cookies_have_four_or_five_parts() {
        for (stored, id) in [
            ("fb.1.1700000000123.IwAR_aBcD-1", "IwAR_aBcD-1"),
            ("fb.2.1700000000123.IwAR_aBcD-1.AQQCAQMC", "IwAR_aBcD-1"),
            ("fb.0.1.x.en", "x"),
            ("IwAR_aBcD-1", "IwAR_aBcD-1"),
            ("fb.x.1.id", "fb.x.1.id"),
            ("fb.1.2", "fb.1.2"),
            ("fb.1.2.", "fb.1.2."),
            ("", ""),
        ] {
            assert_eq!(facebook_click_id(stored), id, "{stored}");
        }
    }

    #[test]
    fn a_cookie_and_a_url_give_the_same_key() {
        let cookie = evidence(&[("hs_facebook_click_id", "fb.1.1700000000123.IwAR_aBcD-1")]);
        let url = evidence(&[("hs_analytics_first_url", "https://shop.example/?fbclid=IwAR_aBcD-1")]);
        assert_eq!(cookie.keys(), url.keys());
        assert_eq!(cookie.keys(), [key().layer1(ClickIdFamily::Facebook, "IwAR_aBcD-1")]);
        assert_ne!(cookie.keys(), evidence(&[("hs_google_click_id", "IwAR_aBcD-1")]).keys());
    }

    #[test]
    fn only_true_is_consent() {
        let with = |consent| {
            evidence(&[
                ("xynergy_ip", "192.0.2.1"),
                ("xynergy_user_agent", "agent"),
                ("xynergy_consent", consent),
            ])
        };
        for consent in ["true", "TRUE", "True"] {
            assert_eq!(with(consent).keys.len(), 2, "{consent}");
        }
        for consent in ["", "false", "1", "yes", "truee"] {
            assert!(with(consent).keys.is_empty(), "{consent}");
        }
    }

    #[test]
    fn layers_that_are_not_used_leave_no_evidence() {
        let properties = [
            ("hs_analytics_first_url", "https://shop.example/?gclid=g-1&utm_content=ad-1"),
            ("xynergy_ip", "192.0.2.1"),
            ("xynergy_user_agent", "agent"),
            ("xynergy_consent", "true"),
        ];
        let properties = properties.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).into();
        let contact = Contact { properties };
        for layers in [vec![1], vec![2], vec![3], vec![1, 3]] {
            let used = Layers::try_from(layers.clone()).unwrap();
            let evidence = Evidence::of(
                std::slice::from_ref(&contact),
                &ContactProperties::default(),
                &[key()],
                &ClickRules::default(),
                &used,
            );
            let mut found: Vec<u8> = evidence.keys.values().map(|layer| layer.number()).collect();
            found.sort_unstable();
            assert_eq!(found, layers);
            assert_eq!(evidence.contents.is_empty(), !layers.contains(&1), "an ad in a URL is of layer 1");
        }
    }

    #[test]
    fn one_contacts_address_is_not_another_contacts_agent() {
        let contact = |name: &str, value: &str| Contact {
            properties: [
                (name.to_owned(), Some(value.to_owned())),
                ("xynergy_consent".to_owned(), Some("true".to_owned())),
            ]
            .into(),
        };
        let contacts = [contact("xynergy_ip", "192.0.2.1"), contact("xynergy_user_agent", "agent")];
        assert!(
            Evidence::of(
                &contacts,
                &ContactProperties::default(),
                &[key()],
                &ClickRules::default(),
                &Layers::default()
            )
            .keys
            .is_empty()
        );
    }
}
