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
    /// `ScCid`.
    Snapchat,
    /// `rdt_cid`.
    Reddit,
    /// `epik`.
    Pinterest,
    /// `qclid`.
    Quora,
    /// `yclid`.
    Yandex,
    /// `irclickid`, and `irclid` as some of its customers shorten it.
    Impact,
    /// `tblci`.
    Taboola,
    /// `dicbo`.
    Outbrain,
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
            Self::Snapchat => "snapchat",
            Self::Reddit => "reddit",
            Self::Pinterest => "pinterest",
            Self::Quora => "quora",
            Self::Yandex => "yandex",
            Self::Impact => "impact",
            Self::Taboola => "taboola",
            Self::Outbrain => "outbrain",
        }
    }

    /// Every family.
    pub fn all() -> impl Iterator<Item = Self> {
        // Those of one family stand side by side.
        let mut last = None;
        CLICK_IDS
            .into_iter()
            .map(|(_, family)| family)
            .filter(move |family| last.replace(*family) != Some(*family))
    }
}

/// The parameters that name one click. Others look like it and do not: `gclsrc` says who made the `gclid`, `gad_source` and
/// `mc_cid` name a campaign, `igshid` who shared a link, `_kx` and `mc_eid` a person.
const CLICK_IDS: [(&str, ClickIdFamily); 19] = [
    ("fbclid", ClickIdFamily::Facebook),
    ("gclid", ClickIdFamily::Google),
    ("gbraid", ClickIdFamily::Google),
    ("wbraid", ClickIdFamily::Google),
    ("dclid", ClickIdFamily::GoogleDisplay),
    ("msclkid", ClickIdFamily::Microsoft),
    ("ttclid", ClickIdFamily::Tiktok),
    ("li_fat_id", ClickIdFamily::Linkedin),
    ("twclid", ClickIdFamily::Twitter),
    ("ScCid", ClickIdFamily::Snapchat),
    ("sccid", ClickIdFamily::Snapchat),
    ("rdt_cid", ClickIdFamily::Reddit),
    ("epik", ClickIdFamily::Pinterest),
    ("qclid", ClickIdFamily::Quora),
    ("yclid", ClickIdFamily::Yandex),
    ("irclickid", ClickIdFamily::Impact),
    ("irclid", ClickIdFamily::Impact),
    ("tblci", ClickIdFamily::Taboola),
    ("dicbo", ClickIdFamily::Outbrain),
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

/// Whether parameters behind the `#` are read too, as pages that route in the browser have them. Those of the query win.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fragment {
    /// It is none of the query.
    #[default]
    Ignored,
    /// Its parameters are read: all of it, or what stands behind a `?` in it.
    Read,
}

impl Landing {
    /// What `url` tells.
    pub fn of(url: &Url, fragment: Fragment) -> Self {
        Self::of_parts(url.query().unwrap_or_default(), url.fragment().unwrap_or_default(), fragment)
    }

    /// What the URL in `text` tells, also when it lacks its scheme, as CRMs store it.
    pub fn of_text(text: &str, fragment: Fragment) -> Self {
        if let Ok(url) = Url::parse(text) {
            return Self::of(&url, fragment);
        }
        let (before, behind) = text.split_once('#').unwrap_or((text, ""));
        Self::of_parts(before.split_once('?').map_or("", |(_, query)| query), behind, fragment)
    }

    fn of_parts(query: &str, fragment: &str, read: Fragment) -> Self {
        let mut landing = Self::of_query(query);
        if read == Fragment::Read && fragment.contains('=') {
            landing.add(Self::of_query(fragment.split_once('?').map_or(fragment, |(_, query)| query)));
        }
        landing
    }

    /// Takes over what is not there yet.
    fn add(&mut self, other: Self) {
        for (family, id) in other.click_ids {
            if !self.click_ids.iter().any(|(known, _)| *known == family) {
                self.click_ids.push((family, id));
            }
        }
        let Utm { source, medium, campaign, content, term } = other.utm;
        let utm = &mut self.utm;
        for (mine, theirs) in [
            (&mut utm.source, source),
            (&mut utm.medium, medium),
            (&mut utm.campaign, campaign),
            (&mut utm.content, content),
            (&mut utm.term, term),
        ] {
            if mine.is_none() {
                *mine = theirs;
            }
        }
    }

    fn of_query(query: &str) -> Self {
        let mut ids: [Option<String>; CLICK_IDS.len()] = [const { None }; CLICK_IDS.len()];
        let mut utm: [Option<String>; UTM.len()] = [const { None }; UTM.len()];
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match CLICK_IDS.iter().position(|(known, _)| *known == name) {
                Some(place) => ids.get_mut(place),
                None => UTM.iter().position(|known| *known == name).and_then(|place| utm.get_mut(place)),
            };
            // The first counts, also when it is empty.
            if let Some(slot @ None) = slot {
                *slot = Some(value.into_owned());
            }
        }
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        let [source, medium, campaign, content, term] = utm.map(given);
        let click_ids = CLICK_IDS.iter().zip(ids).filter_map(|((_, family), id)| Some((*family, given(id)?)));
        Self { click_ids: click_ids.collect(), utm: Utm { source, medium, campaign, content, term } }
    }
}

const UTM: [&str; 5] = ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(url: &str) -> Vec<(ClickIdFamily, String)> {
        Landing::of_text(url, Fragment::Ignored).click_ids
    }

    #[test]
    fn decodes_once_and_keeps_the_case() {
        let landing = Landing::of_text(
            "https://shop.example/p?fbclid=IwAR%5FaB%2541&utm_campaign=spring+sale%2B&UTM_TERM=x",
            Fragment::Ignored,
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

    #[test]
    fn every_family_has_its_parameters() {
        for (name, family) in CLICK_IDS {
            assert_eq!(
                ids(&format!("https://x.example/?{name}=Ab-1")),
                [(family, "Ab-1".to_owned())],
                "{name}"
            );
        }
        assert_eq!(ClickIdFamily::all().count(), 15);
        let none = "https://x.example/?gclsrc=aw.ds&igshid=a&_kx=b&mc_cid=c&mc_eid=d&gad_source=1&FBCLID=e";
        assert!(ids(none).is_empty(), "what names no click");
    }

    #[test]
    fn the_fragment_is_read_when_it_is_asked_for_and_the_query_wins() {
        for url in [
            "https://x.example/#/page?gclid=a&utm_source=s",
            "https://x.example/#gclid=a&utm_source=s",
            "x.example#gclid=a&utm_source=s",
        ] {
            let landing = Landing::of_text(url, Fragment::Read);
            assert_eq!(landing.click_ids, [(ClickIdFamily::Google, "a".to_owned())], "{url}");
            assert_eq!(landing.utm.source.as_deref(), Some("s"));
        }
        let landing =
            Landing::of_text("https://x.example/?gclid=q&utm_source=q#gclid=f&utm_term=f", Fragment::Read);
        assert_eq!(landing.click_ids, [(ClickIdFamily::Google, "q".to_owned())]);
        assert_eq!((landing.utm.source.as_deref(), landing.utm.term.as_deref()), (Some("q"), Some("f")));
    }

    proptest! {
        #[test]
        fn any_text_tells_something_or_nothing(text in "\\PC{0,80}", query in "(gclid|utm_source|=|&|%|%4|%zz|#|\\?|\\+|é){0,30}") {
            for text in [text, format!("https://x.example/?{query}"), query] {
                let (ignored, read) =
                    (Landing::of_text(&text, Fragment::Ignored), Landing::of_text(&text, Fragment::Read));
                prop_assert!(ignored.click_ids.iter().all(|id| read.click_ids.contains(id)));
            }
        }
    }
}
