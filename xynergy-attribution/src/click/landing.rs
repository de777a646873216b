use std::collections::HashMap;
use std::collections::hash_map::Entry;

use url::{Url, form_urlencoded};
use xynergy_core::store::Utm;

/// The click ids that are one and the same: an id matches only within its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClickIdFamily {
    /// `fbclid`.
    Facebook,
    /// `gclid`, and `gbraid` and `wbraid`, which Google sends in its stead on iOS.
    Google,
    /// `dclid`.
    GoogleDisplay,
    /// `msclkid`.
    Microsoft,
    /// `ttclid`.
    Tiktok,
    /// `li_fat_id`.
    Linkedin,
    /// `twclid`.
    Twitter,
}

impl ClickIdFamily {
    /// The family's name, a part of the stored hashes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Facebook => "facebook",
            Self::Google => "google",
            Self::GoogleDisplay => "google_display",
            Self::Microsoft => "microsoft",
            Self::Tiktok => "tiktok",
            Self::Linkedin => "linkedin",
            Self::Twitter => "twitter",
        }
    }
}

const CLICK_IDS: [(&str, ClickIdFamily); 9] = [
    ("fbclid", ClickIdFamily::Facebook),
    ("gclid", ClickIdFamily::Google),
    ("gbraid", ClickIdFamily::Google),
    ("wbraid", ClickIdFamily::Google),
    ("dclid", ClickIdFamily::GoogleDisplay),
    ("msclkid", ClickIdFamily::Microsoft),
    ("ttclid", ClickIdFamily::Tiktok),
    ("li_fat_id", ClickIdFamily::Linkedin),
    ("twclid", ClickIdFamily::Twitter),
];

/// What the URL of a landing page tells of the ad: decoded once, its case kept; of a repeated parameter the first
/// counts, and an empty one is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landing {
    /// The ad platforms' click ids.
    pub click_ids: Vec<(ClickIdFamily, String)>,
    /// The UTM parameters.
    pub utm: Utm,
}

impl Landing {
    /// What `url` tells.
    pub fn of(url: &Url) -> Self {
        Self::of_query(url.query().unwrap_or_default())
    }

    /// What the URL in `text` tells, also when it lacks its scheme, as CRMs store it.
    pub fn of_text(text: &str) -> Self {
        if let Ok(url) = Url::parse(text) {
            return Self::of(&url);
        }
        let before_fragment = text.split('#').next().unwrap_or_default();
        Self::of_query(before_fragment.split_once('?').map_or("", |(_, query)| query))
    }

    fn of_query(query: &str) -> Self {
        let mut first = HashMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if let Entry::Vacant(entry) = first.entry(name) {
                entry.insert(value.into_owned());
            }
        }
        let mut take = |name: &str| first.remove(name).filter(|value| !value.is_empty());
        let utm = Utm {
            source: take("utm_source"),
            medium: take("utm_medium"),
            campaign: take("utm_campaign"),
            content: take("utm_content"),
            term: take("utm_term"),
        };
        let click_ids =
            CLICK_IDS.into_iter().filter_map(|(name, family)| Some((family, take(name)?))).collect();
        Self { click_ids, utm }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(url: &str) -> Vec<(ClickIdFamily, String)> {
        Landing::of_text(url).click_ids
    }

    #[test]
    fn decodes_once_and_keeps_the_case() {
        let landing = Landing::of_text(
            "https://shop.example/p?fbclid=IwAR%5FaB%2541&utm_campaign=spring+sale%2B&UTM_TERM=x",
        );
        assert_eq!(landing.click_ids, [(ClickIdFamily::Facebook, "IwAR_aB%41".to_owned())]);
        assert_eq!(landing.utm.campaign.as_deref(), Some("spring sale+"));
        assert_eq!(landing.utm.term, None, "names are compared with their case");
    }

    #[test]
    fn the_first_of_a_repeated_parameter_counts_and_empty_is_none() {
        assert_eq!(ids("https://x.example/?gclid=a&gclid=b"), [(ClickIdFamily::Google, "a".to_owned())]);
        assert!(ids("https://x.example/?gclid=&gclid=b&fbclid").is_empty());
    }

    #[test]
    fn googles_three_parameters_are_one_family() {
        let found = ids("https://x.example/?wbraid=w&gclid=g&gbraid=b");
        assert!(found.iter().all(|(family, _)| *family == ClickIdFamily::Google));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn the_fragment_is_no_query_and_the_scheme_may_lack() {
        assert!(ids("https://x.example/#?fbclid=a").is_empty());
        assert!(ids("x.example/#?fbclid=a").is_empty());
        assert_eq!(ids("x.example/p?fbclid=a#b"), [(ClickIdFamily::Facebook, "a".to_owned())]);
    }
}
