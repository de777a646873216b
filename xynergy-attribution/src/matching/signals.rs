use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xynergy_core::Timestamp;
use xynergy_core::store::{Candidate, Device, KeyedHash, Layer};

/// What a conversion told of its device, kept to learn from: keyed hashes and what is compared, of contacts who consented.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signals {
    /// When it converted.
    pub anchor: Timestamp,
    /// The devices of its contacts.
    pub devices: BTreeSet<Device>,
    /// The campaigns that it names.
    pub campaigns: BTreeSet<String>,
    /// Its keys of layers 2 and 3.
    pub keys: BTreeMap<KeyedHash, Layer>,
    /// The click that its click id names, where it has one: what training hides and looks for.
    pub click: Option<KeyedHash>,
}

impl std::fmt::Debug for Signals {
    /// Nothing of the person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signals(***)")
    }
}

impl Signals {
    /// Whether it holds one of these keys: of a network, a fingerprint, an address or a click.
    pub fn holds(&self, keys: &BTreeSet<KeyedHash>) -> bool {
        let networks = self.devices.iter().map(|device| device.network);
        let mut all = networks.chain(self.keys.keys().copied()).chain(self.click);
        all.any(|key| keys.contains(&key))
    }

    /// The networks of its devices.
    pub fn networks(&self) -> Vec<KeyedHash> {
        self.devices.iter().map(|device| device.network).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Without the click that is known: what the candidates of a conversion would be without it.
    pub(super) fn without_click<'a>(&self, candidates: &'a [Candidate]) -> Vec<&'a Candidate> {
        candidates.iter().filter(|candidate| Some(candidate.key) != self.click).collect()
    }
}
