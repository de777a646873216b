use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::AddressRange;
use super::landing::Fragment;

/// How clicks are read, and what of them is evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClickRules {
    /// Whether click ids and UTM parameters behind the `#` of a URL are read too.
    pub read_fragment: bool,
    /// The proxies whose `X-Forwarded-For` is believed, as ranges like `10.0.0.0/8`. Without one the header is not read.
    pub trusted_proxies: Vec<AddressRange>,
    /// Whether clicks of known bots are stored as others are; by default they are only counted.
    pub keep_bots: bool,
    /// Whether a frozen user agent, as Chrome sends it, counts in layers 2 and 3. It is equal for everybody with this
    /// version of the browser; if it does not count, client hints must stand in for it.
    pub use_frozen_user_agents: bool,
    /// Whether browser, platform, language and a hash of the address alone are kept with consent, which the probability
    /// of a match is computed from.
    pub keep_devices: bool,
    /// Whether the hashes of click ids need consent too. They are what layer 1 matches by.
    pub click_ids_need_consent: bool,
}

impl Default for ClickRules {
    fn default() -> Self {
        Self {
            read_fragment: false,
            trusted_proxies: Vec::new(),
            keep_bots: false,
            use_frozen_user_agents: true,
            keep_devices: false,
            click_ids_need_consent: false,
        }
    }
}

impl ClickRules {
    /// Whether the fragment is read.
    pub fn fragment(&self) -> Fragment {
        if self.read_fragment { Fragment::Read } else { Fragment::Ignored }
    }
}
