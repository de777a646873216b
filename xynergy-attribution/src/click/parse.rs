use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::Url;
use xynergy_core::Timestamp;
use xynergy_core::store::{Click, Personal};

use super::identity::IdentityKey;
use super::landing::Landing;

/// Why a line is no click.
#[derive(Clone, Debug, PartialEq, Eq)]
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
