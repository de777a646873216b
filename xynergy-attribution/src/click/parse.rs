use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;
use xynergy_core::Timestamp;
use xynergy_core::store::{Click, KeyedHash, Personal};

use super::agent::{ClientHints, is_hint};
use super::bots::is_bot;
use super::facebook::facebook_click_id;
use super::identity::IdentityKey;
use super::landing::{ClickIdFamily, Landing};
use super::rules::ClickRules;
use super::visit::Visit;

/// Why a line is no click.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineProblem {
    /// The field, or `None` when the line is no JSON object.
    pub field: Option<&'static str>,
    /// What is wrong with it and what would be right. It repeats nothing of a person.
    pub problem: String,
    /// The key that the click would have, when all that is wrong is that a bot clicked.
    pub bot_click: Option<KeyedHash>,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            Some(field) => write!(f, "{field}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

/// One line of a click log, read and checked: a JSON object with `ts`, `url`, `ad_id`, `adset_id`, `campaign_id`, `ip`,
/// `user_agent`, `consent`, and perhaps `accept_language`, `click_id`, `x_forwarded_for`, `client_hints` (an object of the
/// `Sec-CH-UA` headers by name) and `fbc` (the browser's cookie `_fbc`). Nothing of it is hashed yet.
pub struct ClickLine<'a> {
    line: &'a [u8],
    at: Timestamp,
    url_text: String,
    url: Url,
    ad_id: String,
    adset_id: String,
    campaign_id: String,
    ip: Option<String>,
    user_agent: Option<String>,
    accept_language: Option<String>,
    forwarded_for: Option<String>,
    hints: ClientHints,
    facebook_cookie: Option<String>,
    consent: bool,
    click_id: Option<String>,
    rest: Fields<'a>,
}

impl fmt::Debug for ClickLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClickLine").field("at", &self.at).finish_non_exhaustive()
    }
}

impl<'a> ClickLine<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// A [`LineProblem`] that names the field; the caller adds the line's number.
    pub fn read(line: &'a [u8]) -> Result<Self, LineProblem> {
        let line = line.trim_ascii();
        let text = std::str::from_utf8(line).map_err(|_| problem(None, "the line is not UTF-8 text"))?;
        let mut fields = Fields::read(text)?;
        let at = fields.time("ts")?;
        let url_text: String = fields.required("url", "a string")?;
        let url = Url::parse(&url_text)
            .map_err(|error| problem(Some("url"), format!("is not a whole URL: {error}")))?;
        let (ad_id, adset_id) = (fields.name("ad_id")?, fields.name("adset_id")?);
        let campaign_id = fields.name("campaign_id")?;
        let ip = fields.required("ip", "a string or null")?;
        let user_agent = fields.required("user_agent", "a string or null")?;
        let accept_language = fields.optional("accept_language")?;
        let forwarded_for = fields.optional("x_forwarded_for")?;
        let hints = fields.hints("client_hints")?;
        let facebook_cookie = fields.optional("fbc")?;
        let consent = fields.required("consent", "true or false")?;
        let click_id = fields.optional("click_id")?.filter(|id| !id.is_empty());
        Ok(Self {
            line,
            at,
            url_text,
            url,
            ad_id,
            adset_id,
            campaign_id,
            ip,
            user_agent,
            accept_language,
            forwarded_for,
            hints,
            facebook_cookie,
            consent,
            click_id,
            rest: fields,
        })
    }

    /// When it happened: the span of time whose key it is hashed under.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The click, under the key of its time.
    ///
    /// Without consent, address, user agent, language, URL and unknown fields end here, and nothing is computed of them:
    /// the click holds the time, the ad, the UTM parameters and, unless they need consent too, keyed hashes of its click ids.
    /// A line without a `click_id` is identified by its own hash.
    ///
    /// # Errors
    /// A [`LineProblem`] for a bot's click, which says so.
    pub fn into_click(self, key: &IdentityKey, rules: &ClickRules) -> Result<Click, LineProblem> {
        let hash = self.click_id.as_deref().map_or_else(|| key.line(self.line), |id| key.click(id));
        let agent = self.user_agent.as_deref().unwrap_or_default();
        if !rules.keep_bots && is_bot(agent) {
            let bot = problem(Some("user_agent"), "is a bot's: it is counted and not stored");
            return Err(LineProblem { bot_click: Some(hash), ..bot });
        }
        let landing = Landing::of(&self.url, rules.fragment());
        let mut id_keys = Vec::new();
        if self.consent || !rules.click_ids_need_consent {
            id_keys.extend(landing.click_ids.iter().map(|(family, id)| key.layer1(*family, id)));
            // A cookie beside another click id in the URL is of an earlier click: the browser renews it after the page has come.
            let is_named = landing.click_ids.iter().any(|(family, _)| *family == ClickIdFamily::Facebook);
            let cookie = self.facebook_cookie.as_deref().filter(|_| !is_named).map(facebook_click_id);
            let cookie = cookie.filter(|id| !id.is_empty());
            id_keys.extend(cookie.map(|id| key.layer1(ClickIdFamily::Facebook, id)));
        }
        let personal = if self.consent {
            let visit = Visit::new(
                self.ip.as_deref().unwrap_or_default(),
                self.forwarded_for.as_deref(),
                agent,
                self.accept_language.as_deref().unwrap_or_default(),
                &self.hints,
                rules,
            );
            Some(Personal {
                click_id: self.click_id.clone().unwrap_or_else(|| hash.to_string()),
                fingerprint: visit.fingerprint(key),
                address: visit.address(key),
                device: if rules.keep_devices { visit.device(key) } else { None },
                raw: self.raw()?,
            })
        } else {
            None
        };
        Ok(Click {
            key: hash,
            at: self.at,
            ad_id: self.ad_id,
            adset_id: self.adset_id,
            campaign_id: self.campaign_id,
            utm: landing.utm,
            id_keys,
            personal,
        })
    }

    fn raw(&self) -> Result<String, LineProblem> {
        let raw = Raw {
            ip: self.ip.as_deref(),
            user_agent: self.user_agent.as_deref(),
            accept_language: self.accept_language.as_deref(),
            url: &self.url_text,
            x_forwarded_for: self.forwarded_for.as_deref(),
            client_hints: &self.hints,
            fbc: self.facebook_cookie.as_deref(),
            extra: &self.rest.0,
        };
        serde_json::to_string(&raw).map_err(|_| problem(None, "the line cannot be written again as JSON"))
    }
}

/// Reads one line as [`ClickLine`] does and makes its click by the default rules.
///
/// # Errors
/// Those of [`ClickLine::read`] and [`ClickLine::into_click`].
pub fn parse_line(line: &[u8], key: &IdentityKey) -> Result<Click, LineProblem> {
    ClickLine::read(line)?.into_click(key, &ClickRules::default())
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
    #[serde(skip_serializing_if = "Option::is_none")]
    x_forwarded_for: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    client_hints: &'a ClientHints,
    #[serde(skip_serializing_if = "Option::is_none")]
    fbc: Option<&'a str>,
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

    /// The headers that are client hints, by name in small letters.
    fn hints(&mut self, name: &'static str) -> Result<ClientHints, LineProblem> {
        if !self.0.contains_key(name) {
            return Ok(ClientHints::new());
        }
        let given: Option<BTreeMap<String, String>> =
            self.required(name, "an object of Sec-CH-UA headers, each a string")?;
        let named =
            given.unwrap_or_default().into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        Ok(named.filter(|(name, _)| is_hint(name)).collect())
    }
}

fn problem(field: Option<&'static str>, problem: impl Into<String>) -> LineProblem {
    LineProblem { field, problem: problem.into(), bot_click: None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use xynergy_core::TenantId;

    use super::*;

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

    fn by(rules: &ClickRules, value: &Value) -> Result<Click, LineProblem> {
        ClickLine::read(value.to_string().as_bytes()).unwrap().into_click(&key(), rules)
    }

    #[test]
    fn a_bots_click_is_none_and_says_so() {
        let line = with("user_agent", json!("Googlebot/2.1 (+http://www.google.com/bot.html)"));
        let wrong = parse(&line).unwrap_err();
        assert_eq!((wrong.field, wrong.bot_click), (Some("user_agent"), Some(key().click("clk-1"))));
        assert!(by(&ClickRules { keep_bots: true, ..ClickRules::default() }, &line).is_ok());
        assert_eq!(parse(&with("ad_id", json!(7))).unwrap_err().bot_click, None);
    }

    #[test]
    fn click_ids_may_need_consent_too() {
        let rules = ClickRules { click_ids_need_consent: true, ..ClickRules::default() };
        assert_eq!(by(&rules, &with("consent", json!(false))).unwrap().id_keys, []);
        assert_eq!(by(&rules, &sample()).unwrap().id_keys.len(), 2);
    }

    #[test]
    fn the_cookie_gives_the_click_id_that_the_url_lacks() {
        let with_cookie = |cookie: &str| {
            let mut line = with("url", json!("https://shop.example/"));
            line["fbc"] = json!(cookie);
            parse(&line).unwrap()
        };
        for cookie in ["fb.1.1700000000123.IwAR_1", "fb.1.1700000000123.IwAR_1.AQQCAQMC"] {
            let click = with_cookie(cookie);
            assert_eq!(click.id_keys, [key().layer1(ClickIdFamily::Facebook, "IwAR_1")], "{cookie}");
            assert!(click.personal.unwrap().raw.contains(cookie));
        }
        assert_eq!(with_cookie("").id_keys, []);
        let both = with("fbc", json!("fb.1.1700000000123.IwAR_1"));
        assert_eq!(parse(&both).unwrap().id_keys.len(), 2, "the same id is one");
        let earlier = with("fbc", json!("fb.1.1600000000123.IwAR_0"));
        let expected = parse(&sample()).unwrap().id_keys;
        assert_eq!(parse(&earlier).unwrap().id_keys, expected, "an earlier click's id is not this one's");
    }

    #[test]
    fn the_person_behind_a_declared_proxy_is_found() {
        let mut line = with("ip", json!("10.0.0.7"));
        line["x_forwarded_for"] = json!("6.6.6.6, 192.0.2.77");
        assert_eq!(parse(&line).unwrap().personal.unwrap().address, None, "without one, a private address");
        let rules =
            ClickRules { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..ClickRules::default() };
        let personal = by(&rules, &line).unwrap().personal.unwrap();
        assert_eq!(personal.address, key().layer3("192.0.2.77", "Agent/1"));
    }

    #[test]
    fn devices_are_kept_when_asked_for_and_hints_are_read() {
        assert_eq!(parse(&sample()).unwrap().personal.unwrap().device, None);
        let rules = ClickRules { keep_devices: true, ..ClickRules::default() };
        let mut line = sample();
        line["client_hints"] = json!({"Sec-CH-UA": "\"Google Chrome\";v=\"120\"", "Sec-CH-UA-Platform": "\"Android\"", "Cookie": "x"});
        let click = by(&rules, &line).unwrap();
        let personal = click.personal.clone().unwrap();
        let device = personal.device.unwrap();
        assert_eq!(Some(device.network), key().network("192.0.2.77").map(|(network, _)| network));
        assert_eq!(
            (device.browser.as_deref(), device.platform.as_deref()),
            (Some("chrome 120"), Some("android"))
        );
        assert!(click.match_keys().any(|key| key == device.network));
        assert!(!personal.raw.contains("Cookie") && personal.raw.contains("Google Chrome"));
        for wrong in [json!(7), json!({"sec-ch-ua": 1}), json!("x")] {
            line["client_hints"] = wrong;
            assert_eq!(parse(&line).unwrap_err().field, Some("client_hints"));
        }
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
