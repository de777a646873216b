use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;
use xynergy_core::Timestamp;
use xynergy_core::store::{Click, Personal};

use super::identity::IdentityKey;
use super::landing::Landing;

/// Why a line is no click.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineProblem {
    /// The field, or `None` when the line is no JSON object.
    pub field: Option<&'static str>,
    /// What is wrong with it and what would be right. It repeats nothing of a person.
    pub problem: String,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            Some(field) => write!(f, "{field}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

/// Reads one line of a click log: a JSON object with `ts`, `url`, `ad_id`, `adset_id`, `campaign_id`, `ip`,
/// `user_agent`, `consent`, and perhaps `accept_language` and `click_id`.
///
/// Without consent, address, user agent, language, URL and unknown fields end here: the click holds the time, the ad,
/// the UTM parameters and keyed hashes of its click ids. A line without a `click_id` is identified by its own hash.
///
/// # Errors
/// A [`LineProblem`] that names the field; the caller adds the line's number.
pub fn parse_line(line: &[u8], key: &IdentityKey) -> Result<Click, LineProblem> {
    let line = line.trim_ascii();
    let text = std::str::from_utf8(line).map_err(|_| problem(None, "the line is not UTF-8 text"))?;
    let mut fields = Fields::read(text)?;
    let at = fields.time("ts")?;
    let url_text: String = fields.required("url", "a string")?;
    let url = Url::parse(&url_text)
        .map_err(|error| problem(Some("url"), format!("is not a whole URL: {error}")))?;
    let ad_id = fields.name("ad_id")?;
    let adset_id = fields.name("adset_id")?;
    let campaign_id = fields.name("campaign_id")?;
    let ip: Option<String> = fields.required("ip", "a string or null")?;
    let user_agent: Option<String> = fields.required("user_agent", "a string or null")?;
    let accept_language = fields.optional("accept_language")?;
    let consent: bool = fields.required("consent", "true or false")?;
    let click_id = fields.optional("click_id")?.filter(|id| !id.is_empty());

    let landing = Landing::of(&url);
    let hash = click_id.as_deref().map_or_else(|| key.line(line), |id| key.click(id));
    let personal = if consent {
        let (ip_text, agent) = (ip.as_deref().unwrap_or_default(), user_agent.as_deref().unwrap_or_default());
        Some(Personal {
            click_id: click_id.unwrap_or_else(|| hash.to_string()),
            fingerprint: key.layer2(ip_text, agent, accept_language.as_deref().unwrap_or_default()),
            address: key.layer3(ip_text, agent),
            device: None,
            raw: fields.raw(ip.as_deref(), user_agent.as_deref(), accept_language.as_deref(), &url_text)?,
        })
    } else {
        None
    };
    Ok(Click {
        key: hash,
        at,
        ad_id,
        adset_id,
        campaign_id,
        utm: landing.utm,
        id_keys: landing.click_ids.iter().map(|(family, id)| key.layer1(*family, id)).collect(),
        personal,
    })
}

impl std::error::Error for LineProblem {}

/// The fields that are not read yet.
struct Fields<'a>(BTreeMap<String, &'a RawValue>);

/// What is kept with consent.
#[derive(Serialize)]
struct Raw<'a> {
    ip: Option<&'a str>,
    user_agent: Option<&'a str>,
    accept_language: Option<&'a str>,
    url: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extra: &'a BTreeMap<String, &'a RawValue>,
}

impl<'a> Fields<'a> {
    fn read(line: &'a str) -> Result<Self, LineProblem> {
        serde_json::from_str(line).map(Self).map_err(|error| {
            problem(None, format!("the line is not a JSON object (column {})", error.column()))
        })
    }

    fn required<T: DeserializeOwned>(&mut self, name: &'static str, what: &str) -> Result<T, LineProblem> {
        let value =
            self.0.remove(name).ok_or_else(|| problem(Some(name), format!("is missing: give {what}")))?;
        serde_json::from_str(value.get()).map_err(|_| problem(Some(name), format!("is not {what}")))
    }

    fn optional(&mut self, name: &'static str) -> Result<Option<String>, LineProblem> {
        if self.0.contains_key(name) { self.required(name, "a string or null") } else { Ok(None) }
    }

    fn name(&mut self, name: &'static str) -> Result<String, LineProblem> {
        let value: String = self.required(name, "a string")?;
        if value.trim().is_empty() {
            Err(problem(Some(name), "is blank: give the ad platform's id"))
        } else {
            Ok(value)
        }
    }

    fn time(&mut self, name: &'static str) -> Result<Timestamp, LineProblem> {
        let value: String = self.required(name, "a string")?;
        value.parse().map_err(|error: xynergy_core::Error| problem(Some(name), error.message().to_owned()))
    }

    fn raw(
        &self,
        ip: Option<&str>,
        user_agent: Option<&str>,
        accept_language: Option<&str>,
        url: &str,
    ) -> Result<String, LineProblem> {
        let raw = Raw { ip, user_agent, accept_language, url, extra: &self.0 };
        serde_json::to_string(&raw).map_err(|_| problem(None, "the line cannot be written again as JSON"))
    }
}

fn problem(field: Option<&'static str>, problem: impl Into<String>) -> LineProblem {
    LineProblem { field, problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use xynergy_core::TenantId;

    use super::*;
    use crate::click::ClickIdFamily;

    fn key() -> IdentityKey {
        IdentityKey::new(&TenantId::default(), &[3; 32])
    }

    fn sample() -> Value {
        json!({
            "ts": "2026-03-01T12:00:00Z",
            "url": "https://shop.example/p?fbclid=IwAR_1&gclid=G-2&utm_source=facebook&utm_content=ad-1",
            "ad_id": "ad-1", "adset_id": "set-1", "campaign_id": "campaign-1",
            "ip": "192.0.2.77", "user_agent": "Agent/1", "accept_language": "de-CH",
            "consent": true, "click_id": "clk-1", "shoe_size": 43
        })
    }

    fn parse(value: &Value) -> Result<Click, LineProblem> {
        parse_line(value.to_string().as_bytes(), &key())
    }

    fn with(field: &str, value: Value) -> Value {
        let mut line = sample();
        line[field] = value;
        line
    }

    #[test]
    fn reads_a_whole_line() {
        let click = parse(&sample()).unwrap();
        assert_eq!(click.at.to_string(), "2026-03-01T12:00:00Z");
        assert_eq!((click.ad_id.as_str(), click.adset_id.as_str()), ("ad-1", "set-1"));
        assert_eq!(click.utm.content.as_deref(), Some("ad-1"));
        let ids = [(ClickIdFamily::Facebook, "IwAR_1"), (ClickIdFamily::Google, "G-2")];
        assert_eq!(click.id_keys, ids.map(|(family, id)| key().layer1(family, id)));
        assert_eq!(click.key, key().click("clk-1"));
        let personal = click.personal.unwrap();
        assert_eq!(personal.click_id, "clk-1");
        assert_eq!(personal.fingerprint, key().layer2("192.0.2.77", "Agent/1", "de-CH"));
        assert_eq!(personal.address, key().layer3("192.0.2.77", "Agent/1"));
        let raw: Value = serde_json::from_str(&personal.raw).unwrap();
        assert_eq!(raw["extra"], json!({"shoe_size": 43}), "unknown fields are kept");
        assert_eq!(raw["ip"], "192.0.2.77");
    }

    #[test]
    fn without_consent_nothing_that_identifies_is_left() {
        let click = parse(&with("consent", json!(false))).unwrap();
        assert_eq!(click.personal, None);
        assert_eq!(click.id_keys.len(), 2, "the keyed hashes of the click ids stay");
        let everything = format!("{click:?}");
        for raw in ["192.0.2.77", "Agent/1", "de-CH", "IwAR_1", "G-2", "clk-1", "shop.example", "43"] {
            assert!(!everything.contains(raw), "{raw} in {everything}");
        }
        assert!(everything.contains("facebook") && everything.contains("ad-1"));
    }

    #[test]
    fn wrong_fields_are_named() {
        for field in ["ts", "url", "ad_id", "adset_id", "campaign_id", "ip", "user_agent", "consent"] {
            let mut line = sample();
            line.as_object_mut().unwrap().remove(field);
            assert_eq!(parse(&line).unwrap_err().field, Some(field), "without {field}");
            assert_eq!(parse(&with(field, json!([1]))).unwrap_err().field, Some(field), "a list as {field}");
        }
        for (field, value) in [
            ("consent", json!("true")),
            ("consent", Value::Null),
            ("ad_id", json!(" ")),
            ("ad_id", json!(7)),
            ("ts", json!("2026-03-01")),
            ("url", json!("/p?fbclid=a")),
            ("url", Value::Null),
            ("accept_language", json!(1)),
            ("click_id", json!(1)),
        ] {
            assert_eq!(
                parse(&with(field, value.clone())).unwrap_err().field,
                Some(field),
                "{field}: {value}"
            );
        }
        for line in [&b"{"[..], b"[]", b"", b"\xff", b"{\"ts\": 1} x", b"null"] {
            assert_eq!(parse_line(line, &key()).unwrap_err().field, None, "{line:?}");
        }
    }

    #[test]
    fn a_click_may_lack_address_agent_and_language() {
        for (field, value) in
            [("ip", Value::Null), ("ip", json!("")), ("ip", json!("unix")), ("user_agent", Value::Null)]
        {
            let personal = parse(&with(field, value)).unwrap().personal.unwrap();
            assert_eq!((personal.fingerprint, personal.address), (None, None), "{field}");
        }
        let personal = parse(&with("accept_language", Value::Null)).unwrap().personal.unwrap();
        assert_eq!(personal.fingerprint, key().layer2("192.0.2.77", "Agent/1", ""));
    }

    #[test]
    fn a_line_without_an_id_is_its_own() {
        let line = with("click_id", Value::Null).to_string();
        let click = parse_line(line.as_bytes(), &key()).unwrap();
        assert_eq!(click.id(), click.key.to_string());
        let ended = parse_line(format!("{line}\r\n").as_bytes(), &key()).unwrap();
        assert_eq!(ended.key, click.key, "the end of the line is no part of it");
        let other = parse(&with("click_id", json!(""))).unwrap();
        assert_ne!(other.key, click.key, "another line is another click");
        assert_ne!(key().click(&line), click.key, "an id that looks like a line is none");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_click_or_a_problem(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_line(&bytes, &key());
        }

        #[test]
        fn any_field_values_are_a_click_or_a_problem(
            url in "https?://x\\.example/\\PC{0,40}", ip in "\\PC{0,24}", agent in "\\PC{0,40}", consent in any::<bool>(),
        ) {
            let mut line = with("url", json!(url));
            line["ip"] = json!(ip);
            line["user_agent"] = json!(agent);
            line["consent"] = json!(consent);
            if let Ok(click) = parse(&line) {
                prop_assert_eq!(click.personal.is_some(), consent);
            }
        }
    }
}
