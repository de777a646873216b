use std::fmt;

use xynergy_core::Timestamp;

/// How many bytes a click id or a browser id may have: longer ones are no ids but somebody's attempt.
const LONGEST_ID: usize = 1_000;

/// The value of one of Meta's cookies: `fb.SUBDOMAIN.MILLISECONDS.ID`, which Meta's parameter builder gives a fifth part of
/// two letters or eight characters. The id is Facebook's click id in `_fbc`, and a number that names the browser in `_fbp`.
#[derive(Clone, PartialEq, Eq)]
pub struct FacebookCookie {
    /// The labels of the cookie's domain less one: 0 for `com`, 1 for `example.com`, 2 for `example.co.uk`.
    pub subdomain_index: u8,
    /// When the id was first seen.
    pub created: Timestamp,
    /// The id, with its case.
    pub id: String,
    /// The fifth part.
    pub appendix: Option<String>,
}

impl FacebookCookie {
    /// Reads a cookie's value; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.');
        let (fb, subdomain, millis, id) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let appendix = parts.next();
        let known = appendix.is_none_or(is_appendix);
        if fb != "fb" || !known || parts.next().is_some() || id.is_empty() || id.len() > LONGEST_ID {
            return None;
        }
        Some(Self {
            subdomain_index: digits(subdomain)?,
            created: Timestamp::from_millis(
                digits::<i64>(millis).filter(|millis| *millis <= i64::MAX / 1_000)?,
            ),
            id: id.to_owned(),
            appendix: appendix.map(str::to_owned),
        })
    }

    /// The value of `_fbc` after a visit with a click id at `now`. An unchanged click id keeps the cookie, and so the time at
    /// which it was first seen.
    pub fn after_click(
        existing: Option<&Self>,
        click_id: &str,
        subdomain_index: u8,
        now: Timestamp,
    ) -> Option<Self> {
        if let Some(kept) = existing.filter(|existing| existing.id == click_id) {
            return Some(kept.clone());
        }
        let valid = !click_id.is_empty() && click_id.len() <= LONGEST_ID && !click_id.contains('.');
        valid.then(|| Self { subdomain_index, created: now, id: click_id.to_owned(), appendix: None })
    }
}

/// The place of a cookie's domain: the labels of the registrable domain less one, 0 for an address.
pub fn subdomain_index(registrable_domain: &str) -> u8 {
    if registrable_domain.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok() {
        return 0;
    }
    let labels =
        registrable_domain.trim_end_matches('.').split('.').filter(|label| !label.is_empty()).count();
    u8::try_from(labels.saturating_sub(1)).unwrap_or(u8::MAX)
}

/// The click id in a stored value: of a cookie of any length its fourth part, any other text is the click id itself.
pub fn facebook_click_id(stored: &str) -> &str {
    let stored = stored.trim();
    let is_number =
        |part: Option<&str>| part.is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    let mut parts = stored.split('.');
    if parts.next() == Some("fb") && is_number(parts.next()) && is_number(parts.next()) {
        return parts.next().filter(|id| !id.is_empty()).unwrap_or(stored);
    }
    stored
}

impl fmt::Display for FacebookCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fb.{}.{}.{}", self.subdomain_index, self.created.micros().div_euclid(1_000), self.id)?;
        self.appendix.iter().try_for_each(|appendix| write!(f, ".{appendix}"))
    }
}

impl fmt::Debug for FacebookCookie {
    /// It names a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FacebookCookie(***)")
    }
}

fn is_appendix(text: &str) -> bool {
    matches!(text.len(), 2 | 8) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    let only_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    only_digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_123);

    #[test]
    fn four_and_five_parts_are_read() {
        for (text, id, appendix) in [
            ("fb.1.1700000000123.IwAR_aBcD-1", "IwAR_aBcD-1", None),
            ("fb.1.1700000000123.IwAR_aBcD-1.BA", "IwAR_aBcD-1", Some("BA")),
            (" fb.2.1700000000123.IwAR_aBcD-1.AQQCAQMC ", "IwAR_aBcD-1", Some("AQQCAQMC")),
            ("fb.0.1700000000123.1098115397", "1098115397", None),
        ] {
            let cookie = FacebookCookie::parse(text).unwrap();
            assert_eq!((cookie.id.as_str(), cookie.appendix.as_deref(), cookie.created), (id, appendix, NOW));
            assert_eq!(cookie.to_string(), text.trim(), "and written as it was");
            assert_eq!(facebook_click_id(text), id);
        }
        for text in [
            "",
            "fb",
            "fb.1.1700000000123",
            "fb.1.1700000000123.",
            "FB.1.1700000000123.x",
            "fb.x.1700000000123.x",
            "fb.1.abc.OLD",
            "fb.1.-5.x",
            "fb.+1.5.x",
            "fb.1.1700000000123.x.y",
            "fb.1.1700000000123.x.AQ.AQ",
            "fb.1.99999999999999999999.x",
            "fb.300.1.x",
        ] {
            assert_eq!(FacebookCookie::parse(text), None, "{text}");
        }
        for (text, id) in
            [("fb.1.1700000000123.x.new.ending", "x"), ("IwAR1", "IwAR1"), ("fb.1.abc.OLD", "fb.1.abc.OLD")]
        {
            assert_eq!(facebook_click_id(text), id, "a later form has its id in the same place");
        }
    }

    /// What Meta's `capi-param-builder-nodejs` 1.3.2 gives for these, without the name of the builder that it appends.
    #[test]
    fn cookies_are_those_of_metas_builder() {
        let fbc = |existing: Option<&str>, id: &str, domain: &str| {
            let existing = existing.and_then(FacebookCookie::parse);
            FacebookCookie::after_click(existing.as_ref(), id, subdomain_index(domain), NOW)
                .unwrap()
                .to_string()
        };
        assert_eq!(fbc(None, "IwAR_aBcD-1", "example.com"), "fb.1.1700000000123.IwAR_aBcD-1");
        assert_eq!(fbc(None, "IwAR_aBcD-1", "example.co.uk"), "fb.2.1700000000123.IwAR_aBcD-1");
        assert_eq!(fbc(None, "X", "127.0.0.1"), "fb.0.1700000000123.X");
        assert_eq!(fbc(None, "X", "[::1]"), "fb.0.1700000000123.X");
        assert_eq!(fbc(Some("fb.1.1600000000000.SAME"), "SAME", "example.com"), "fb.1.1600000000000.SAME");
        assert_eq!(fbc(Some("fb.1.1600000000000.OLD.AQ"), "NEW", "example.com"), "fb.1.1700000000123.NEW");
        assert_eq!(fbc(Some("fb.1.abc.OLD"), "N", "example.com"), "fb.1.1700000000123.N");
    }

    proptest! {
        #[test]
        fn any_text_is_a_cookie_or_none(text in "\\PC{0,60}", tail in "fb\\.[0-9]{0,4}\\.[0-9]{0,22}\\.\\PC{0,20}") {
            for text in [text, tail] {
                if let Some(cookie) = FacebookCookie::parse(&text) {
                    prop_assert_eq!(FacebookCookie::parse(&cookie.to_string()), Some(cookie));
                }
                let _ = (facebook_click_id(&text), subdomain_index(&text));
            }
        }
    }
}
