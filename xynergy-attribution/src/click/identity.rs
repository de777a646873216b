use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use xynergy_core::TenantId;
use xynergy_core::store::{KeyedHash, NetworkKind};

use super::address::Network;
use super::landing::ClickIdFamily;

/// The key under which a tenant's identifiers are hashed. Two tenants' hashes never meet, and whoever has the hashes
/// but not the key cannot try addresses out.
#[derive(Clone)]
pub struct IdentityKey(Hmac<Sha256>);

impl IdentityKey {
    /// The key of `tenant` under `secret`, which may be the same for all tenants. Another secret finds none of the
    /// clicks that were stored under this one.
    pub fn new(tenant: &TenantId, secret: &[u8; 32]) -> Self {
        let tenant_key = digest(keyed(secret), "tenant", &[tenant.as_str().as_bytes()]);
        Self(keyed(&tenant_key))
    }

    /// What makes a click one: the hash of its id.
    pub fn click(&self, click_id: &str) -> KeyedHash {
        self.hash("click", &[click_id.as_bytes()])
    }

    /// What makes a click without an id one: the hash of its line.
    pub(super) fn line(&self, line: &[u8]) -> KeyedHash {
        self.hash("line", &[line])
    }

    /// The key of layer 1: the hash of an ad platform's click id, its case kept.
    pub fn layer1(&self, family: ClickIdFamily, click_id: &str) -> KeyedHash {
        self.hash("layer1", &[family.as_str().as_bytes(), click_id.as_bytes()])
    }

    /// The key of layer 2: the hash of address, user agent and language (an empty one is none). `None` without a
    /// valid address that is evidence or without a user agent.
    pub fn layer2(&self, ip: &str, user_agent: &str, language: &str) -> Option<KeyedHash> {
        let network = Network::of(ip).filter(|_| !user_agent.is_empty())?;
        Some(self.hash("layer2", &[network.as_bytes(), user_agent.as_bytes(), language.as_bytes()]))
    }

    /// The key of layer 3: the hash of address and user agent. `None` as for layer 2.
    pub fn layer3(&self, ip: &str, user_agent: &str) -> Option<KeyedHash> {
        let network = Network::of(ip).filter(|_| !user_agent.is_empty())?;
        Some(self.hash("layer3", &[network.as_bytes(), user_agent.as_bytes()]))
    }

    /// The hash of the address alone, and what kind it is. `None` without a valid address.
    pub fn network(&self, ip: &str) -> Option<(KeyedHash, NetworkKind)> {
        let network = Network::of(ip)?;
        Some((self.hash("network", &[network.as_bytes()]), network.kind()))
    }

    fn hash(&self, purpose: &str, fields: &[&[u8]]) -> KeyedHash {
        let [cut @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
            digest(self.0.clone(), purpose, fields);
        KeyedHash::from_bytes(cut)
    }
}

/// The secret of one span of time, of a secret that stays and a random one that is thrown away when the span's clicks are:
/// whoever has the first alone can compute nothing any more.
pub fn epoch_secret(secret: &[u8; 32], random: &[u8; 32]) -> [u8; 32] {
    digest(keyed(secret), "epoch", &[random])
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey(***)")
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    block[..32].copy_from_slice(key);
    Hmac::new(&block)
}

/// The MAC of a purpose and fields, each preceded by its length: no two lists of fields give the same bytes.
fn digest(mut mac: Hmac<Sha256>, purpose: &str, fields: &[&[u8]]) -> [u8; 32] {
    for field in std::iter::once(purpose.as_bytes()).chain(fields.iter().copied()) {
        mac.update(&(field.len() as u64).to_be_bytes());
        mac.update(field);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> IdentityKey {
        IdentityKey::new(&TenantId::default(), &[7; 32])
    }

    #[test]
    fn addresses_are_compared_by_what_stays() {
        let layer3 = |ip| key().layer3(ip, "agent");
        assert_eq!(layer3("2001:db8:1:2::1"), layer3("2001:db8:1:2:aaaa:bbbb:cccc:dddd"));
        assert_ne!(layer3("2001:db8:1:2::1"), layer3("2001:db8:1:3::1"));
        assert_eq!(layer3("::ffff:192.0.2.1"), layer3("192.0.2.1"));
        assert_ne!(layer3("192.0.2.1"), layer3("192.0.2.2"));
        assert_ne!(layer3("192.0.2.1"), layer3("c000:201::"));
        let network = |ip| key().network(ip).map(|(hash, _)| hash);
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2::2"));
        assert_ne!(network("192.0.2.1"), layer3("192.0.2.1"));
    }

    #[test]
    fn without_address_or_agent_there_is_no_key() {
        for (ip, agent) in [("", "a"), ("unknown", "a"), ("10.0.0.1", "a"), ("192.0.2.1", "")] {
            assert_eq!(key().layer3(ip, agent), None, "{ip:?} {agent:?}");
            assert_eq!(key().layer2(ip, agent, "de"), None, "{ip:?} {agent:?}");
        }
    }

    #[test]
    fn fields_cannot_run_into_each_other() {
        assert_ne!(key().layer2("192.0.2.1", "ab", "c"), key().layer2("192.0.2.1", "a", "bc"));
        assert_ne!(key().layer2("192.0.2.1", "ab", ""), key().layer3("192.0.2.1", "ab"));
    }

    #[test]
    fn tenants_and_secrets_have_their_own_hashes() {
        let other = TenantId::new("other").unwrap();
        assert_ne!(key().click("1"), IdentityKey::new(&other, &[7; 32]).click("1"));
        assert_ne!(key().click("1"), IdentityKey::new(&TenantId::default(), &[8; 32]).click("1"));
        assert_eq!(format!("{:?}", key()), "IdentityKey(***)");
    }

    /// Stored clicks are found by these bytes: another value would lose every click that is already stored.
    #[test]
    fn hashes_stay_the_same_over_versions() {
        assert_eq!(
            key().layer1(ClickIdFamily::Facebook, "IwAR_aBcD-1").to_string(),
            "9d69d30456f54ab6501eef0d474dca9e"
        );
        assert_eq!(
            key().layer3("192.0.2.1", "agent").unwrap().to_string(),
            "aa9972ed39babd62efc95f3aa1fbed34"
        );
    }
}
