use std::borrow::Cow;

use xynergy_core::store::{Device, KeyedHash};

use super::address::client_address;
use super::agent::{Agent, ClientHints};
use super::identity::IdentityKey;
use super::rules::ClickRules;

/// Who came, as a request or a contact tells it: what layers 2 and 3 and the model are computed from. It exists only after
/// consent was seen.
#[derive(Debug)]
pub struct Visit<'a> {
    ip: &'a str,
    agent_text: Cow<'a, str>,
    language: &'a str,
    agent: Agent,
}

impl<'a> Visit<'a> {
    /// Of the peer's address, `X-Forwarded-For`, user agent, `Accept-Language` and client hints.
    pub fn new(
        peer: &'a str,
        forwarded_for: Option<&'a str>,
        user_agent: &'a str,
        language: &'a str,
        hints: &ClientHints,
        rules: &ClickRules,
    ) -> Self {
        let agent = Agent::of(user_agent, hints);
        let agent_text = if agent.frozen && !rules.use_frozen_user_agents {
            Cow::Owned(told_by_hints(&agent).unwrap_or_default())
        } else {
            Cow::Borrowed(user_agent)
        };
        Self { ip: client_address(peer, forwarded_for, &rules.trusted_proxies), agent_text, language, agent }
    }

    /// The key of layer 2.
    pub fn fingerprint(&self, key: &IdentityKey) -> Option<KeyedHash> {
        key.layer2(self.ip, &self.agent_text, self.language)
    }

    /// The key of layer 3.
    pub fn address(&self, key: &IdentityKey) -> Option<KeyedHash> {
        key.layer3(self.ip, &self.agent_text)
    }

    /// What is compared of the device; none without an address that is evidence.
    pub fn device(&self, key: &IdentityKey) -> Option<Device> {
        let (network, kind) = key.network(self.ip)?;
        Some(Device {
            network,
            kind,
            browser: self.agent.browser.clone(),
            platform: self.agent.platform.clone(),
            language: first_language(self.language),
        })
    }
}

/// What stands in for a frozen text; nothing when the hints tell no more than it does.
fn told_by_hints(agent: &Agent) -> Option<String> {
    let field = |value: &Option<String>| value.clone().unwrap_or_default();
    agent.has_detail().then(|| {
        [&agent.browser, &agent.platform, &agent.platform_version, &agent.model].map(field).join("\n")
    })
}

/// The first tag of an `Accept-Language`, in small letters.
fn first_language(header: &str) -> Option<String> {
    let first = header.split([',', ';']).next().unwrap_or_default().trim();
    let is_tag =
        (1..=35).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_tag.then(|| first.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use xynergy_core::TenantId;

    use super::*;

    const REDUCED: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36";
    const FULL: &str =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2_1 like Mac OS X) Version/17.2 Mobile/15E148 Safari/604.1";

    fn key() -> IdentityKey {
        IdentityKey::new(&TenantId::default(), &[1; 32])
    }

    fn hints(model: &str) -> ClientHints {
        [("sec-ch-ua-model".to_owned(), format!("\"{model}\""))].into()
    }

    #[test]
    fn a_frozen_agent_is_missing_when_it_does_not_count() {
        let strict = ClickRules { use_frozen_user_agents: false, ..ClickRules::default() };
        fn visit(agent: &str, hints: &ClientHints, rules: &ClickRules) -> Option<KeyedHash> {
            Visit::new("192.0.2.1", None, agent, "de", hints, rules).address(&key())
        }
        let none = ClientHints::new();
        assert_eq!(visit(REDUCED, &none, &ClickRules::default()), key().layer3("192.0.2.1", REDUCED));
        assert_eq!(visit(REDUCED, &none, &strict), None);
        assert_eq!(visit(FULL, &none, &strict), key().layer3("192.0.2.1", FULL), "Safari's is not frozen");
        let (pixel, galaxy) =
            (visit(REDUCED, &hints("Pixel 7"), &strict), visit(REDUCED, &hints("SM-S918B"), &strict));
        assert!(pixel.is_some() && pixel != galaxy, "hints stand in for it");
        assert_eq!(pixel, visit(REDUCED, &hints("Pixel 7"), &strict));
    }

    #[test]
    fn a_device_is_told_by_bucket() {
        let rules = ClickRules::default();
        let visit = Visit::new("2001:db8::1", None, REDUCED, "de-CH,de;q=0.9", &ClientHints::new(), &rules);
        let device = visit.device(&key()).unwrap();
        assert_eq!(device.browser.as_deref(), Some("chrome 120"));
        assert_eq!(
            (device.platform.as_deref(), device.language.as_deref()),
            (Some("android"), Some("de-ch"))
        );
        let shared = Visit::new("100.64.1.1", None, REDUCED, "de", &ClientHints::new(), &rules);
        assert_eq!(
            (shared.device(&key()), shared.address(&key()), shared.fingerprint(&key())),
            (None, None, None)
        );
        for language in ["", "*", "é", ";q=1"] {
            assert_eq!(first_language(language), None, "{language}");
        }
    }
}
