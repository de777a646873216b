//! What an account is made of besides budgets: campaigns, ad sets, ads, creatives and videos.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::DeliveryStatus;
use crate::error::{Error, Result};

/// How long a name may be, in characters, the tag of a create included.
const MAX_NAME_CHARS: usize = 300;

const MAX_FIELD_NAME_CHARS: usize = 100;

/// The greatest number of rows of one page.
pub const MAX_OBJECT_PAGE: u32 = 500;

/// The fields of a create that are amounts of money, in minor units.
const AMOUNTS: [&str; 9] = [
    "bid_amount",
    "daily_budget",
    "daily_min_spend_target",
    "daily_spend_cap",
    "lifetime_budget",
    "lifetime_min_spend_target",
    "lifetime_spend_cap",
    "spend_cap",
    "bid",
];

/// Parameters of requests, not fields of objects.
const NO_FIELDS: [&str; 14] = [
    "access_token",
    "account_id",
    "appsecret_proof",
    "async",
    "batch",
    "debug",
    "execution_options",
    "fields",
    "format",
    "id",
    "include_headers",
    "input_token",
    "method",
    "suppress_http_code",
];

/// What kind of object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdObjectKind {
    /// An ad.
    Ad,
    /// An ad set.
    AdSet,
    /// A campaign.
    Campaign,
    /// What an ad shows.
    Creative,
    /// A video that a creative may show.
    Video,
}

impl AdObjectKind {
    /// Every kind, in the order of their names.
    pub const ALL: [Self; 5] = [Self::Ad, Self::AdSet, Self::Campaign, Self::Creative, Self::Video];

    /// The kind's name as it is stored: `ad`, `ad_set`, `campaign`, `creative` or `video`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ad => "ad",
            Self::AdSet => "ad_set",
            Self::Campaign => "campaign",
            Self::Creative => "creative",
            Self::Video => "video",
        }
    }

    /// Whether it can be switched on and off.
    pub fn is_delivered(self) -> bool {
        matches!(self, Self::Ad | Self::AdSet | Self::Campaign)
    }

    /// Whether it can have a budget of its own.
    pub fn has_budget(self) -> bool {
        matches!(self, Self::AdSet | Self::Campaign)
    }
}

impl fmt::Display for AdObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AdObjectKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
            let shown: String = name.chars().take(40).collect();
            Error::invalid("ads", format!("kind: {shown:?}: choose ad, ad_set, campaign, creative or video"))
        })
    }
}

/// An object of an ad account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdObject {
    /// What it is.
    pub kind: AdObjectKind,
    /// Its id on the platform.
    pub id: String,
    /// The account it is in; empty where the platform does not say.
    #[serde(default)]
    pub account_id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Whether it is switched on, as it is configured; `None` for what cannot be.
    #[serde(default)]
    pub status: Option<DeliveryStatus>,
    /// The other fields that were asked for or set, by the platform's names.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

/// An object to create. It begins paused: an active one would raise what the account spends with no guarded change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdObjectSpec {
    /// What to create.
    pub kind: AdObjectKind,
    /// In which account.
    pub account_id: String,
    /// Its name. The platform's copy carries a short tag behind it, by which it is found again after a lost answer.
    pub name: String,
    /// Its other fields, by the platform's names; amounts are integers in minor units.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

/// Fields to set on an object that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdObjectUpdate {
    /// What it is.
    pub kind: AdObjectKind,
    /// Its id on the platform.
    pub id: String,
    /// Its new name, if that changes.
    #[serde(default)]
    pub name: Option<String>,
    /// The fields that change, by the platform's names. Budget, bid and status are not among them.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

/// Which objects to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdObjectQuery {
    /// Of which kind.
    pub kind: AdObjectKind,
    /// Of which account.
    pub account_id: String,
    /// Only those under this campaign or ad set.
    #[serde(default)]
    pub parent_id: Option<String>,
    /// The further fields to show, by the platform's names.
    #[serde(default)]
    pub fields: Vec<String>,
    /// How many at most, 1 to 500; 100 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Where the page before ended: its `next`.
    #[serde(default)]
    pub after: Option<String>,
}

/// One page of objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdObjectPage {
    /// The objects.
    pub objects: Vec<AdObject>,
    /// What to give as `after` for the next page; `None` on the last one.
    #[serde(default)]
    pub next: Option<String>,
}

impl AdObjectSpec {
    /// The name with the tag behind it, by which a platform that keeps nothing else can be asked for the object.
    pub fn tagged_name(&self, nonce: &str) -> String {
        format!("{} {}", self.name, Self::tag(nonce))
    }

    /// The tag of a nonce.
    pub fn tag(nonce: &str) -> String {
        format!("[xy:{nonce}]")
    }

    /// Checks what can be told without the platform.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) that names the field and the way out.
    pub fn validate(&self) -> Result<()> {
        const OPERATION: &str = "ads.create";
        named(&self.name, OPERATION)?;
        for (name, value) in &self.fields {
            plain(name, OPERATION)?;
            if is_status(name) && (name != "status" || value != "PAUSED") {
                return Err(Error::invalid(
                    OPERATION,
                    format!(
                        "fields.{name}: an object is created paused: leave it out, and switch the object on by queueing a change of its status"
                    ),
                ));
            }
            if ["adset_bid_amounts", "adset_budgets"].contains(&name.as_str()) {
                return Err(elsewhere(OPERATION, name));
            }
            if AMOUNTS.contains(&name.as_str()) {
                self.amount(name, value, OPERATION)?;
            }
        }
        if self.fields.contains_key("daily_budget") && self.fields.contains_key("lifetime_budget") {
            return Err(Error::invalid(
                OPERATION,
                "fields.lifetime_budget: an object has a daily budget or a lifetime budget: leave one of the two out",
            ));
        }
        Ok(())
    }

    fn amount(&self, name: &str, value: &Value, operation: &'static str) -> Result<()> {
        if !self.kind.has_budget() {
            let kind = self.kind;
            return Err(Error::invalid(
                operation,
                format!(
                    "fields.{name}: {kind}: only campaigns and ad sets have budgets and bids: set it there"
                ),
            ));
        }
        match value.as_i64() {
            Some(1..) => Ok(()),
            _ => {
                let shown: String = value.to_string().chars().take(40).collect();
                Err(Error::invalid(
                    operation,
                    format!(
                        "fields.{name}: {shown} is no whole amount of at least 1 minor unit (2500 is 25.00 where the currency has cents)"
                    ),
                ))
            }
        }
    }
}

impl AdObjectUpdate {
    /// Checks what can be told without the platform.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) that names the field and the way out.
    pub fn validate(&self) -> Result<()> {
        const OPERATION: &str = "ads.update";
        if let Some(name) = &self.name {
            named(name, OPERATION)?;
        }
        for name in self.fields.keys() {
            plain(name, OPERATION)?;
            if moves_money(name) {
                return Err(elsewhere(OPERATION, name));
            }
        }
        if self.name.is_none() && self.fields.is_empty() {
            return Err(Error::invalid(OPERATION, "fields: nothing is to be set: give a name or a field"));
        }
        Ok(())
    }
}

impl AdObjectQuery {
    /// Checks what can be told without the platform, and gives the length of the page.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) that names the field and the way out.
    pub fn validate(&self) -> Result<u32> {
        const OPERATION: &str = "ads.list";
        field_names(&self.fields, OPERATION)?;
        match self.limit.unwrap_or(100) {
            limit @ 1..=MAX_OBJECT_PAGE => Ok(limit),
            limit => Err(Error::invalid(
                OPERATION,
                format!(
                    "limit: {limit} is not from 1 to {MAX_OBJECT_PAGE}: read the rest page by page with after"
                ),
            )),
        }
    }
}

/// Checks the names of fields that are to be shown.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a name that would change the request.
pub fn field_names(names: &[String], operation: &'static str) -> Result<()> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.{}".contains(&b);
    match names.iter().find(|n| n.is_empty() || n.len() > MAX_FIELD_NAME_CHARS || !n.bytes().all(plain)) {
        None => Ok(()),
        Some(name) => Err(not_a_field(name, operation)),
    }
}

/// Whether setting a field would change what an object may spend, or whether it spends.
fn moves_money(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    is_status(&name) || ["bid", "budget", "spend"].iter().any(|word| name.contains(word))
}

fn is_status(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("status")
}

fn elsewhere(operation: &'static str, name: &str) -> Error {
    Error::invalid(
        operation,
        format!(
            "fields.{name}: budgets, bids and statuses are changed under the guards only: queue the change with execution.queue"
        ),
    )
}

fn named(name: &str, operation: &'static str) -> Result<()> {
    let length = name.chars().count();
    if name.trim().is_empty() || length > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            operation,
            format!("name: must be 1 to {MAX_NAME_CHARS} characters on one line"),
        ));
    }
    Ok(())
}

fn plain(name: &str, operation: &'static str) -> Result<()> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if NO_FIELDS.contains(&name) || name == "name" {
        let hint = if name == "name" { "give it as name beside the fields" } else { "leave it out" };
        return Err(Error::invalid(operation, format!("fields.{name}: is no field to set: {hint}")));
    }
    if name.is_empty() || name.len() > MAX_FIELD_NAME_CHARS || !name.bytes().all(plain) {
        return Err(not_a_field(name, operation));
    }
    Ok(())
}

fn not_a_field(name: &str, operation: &'static str) -> Error {
    let shown: String = name.chars().take(40).collect();
    Error::invalid(operation, format!("fields: {shown:?} is no name of a field"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;

    fn map(fields: &Value) -> Map<String, Value> {
        fields.as_object().unwrap().clone()
    }

    fn spec(kind: AdObjectKind, fields: &Value) -> AdObjectSpec {
        AdObjectSpec { kind, account_id: "act_1".into(), name: "Spring".into(), fields: map(fields) }
    }

    #[test]
    fn a_create_is_paused_and_its_amounts_are_whole() {
        let good = json!({"daily_budget": 2500, "bid_amount": 100, "targeting": {"age_min": 18}, "status": "PAUSED"});
        spec(AdObjectKind::AdSet, &good).validate().unwrap();
        for (kind, fields, named) in [
            (AdObjectKind::AdSet, json!({"status": "ACTIVE"}), "fields.status: "),
            (AdObjectKind::Ad, json!({"configured_status": "PAUSED"}), "fields.configured_status: "),
            (AdObjectKind::Ad, json!({"daily_budget": 100}), "fields.daily_budget: "),
            (AdObjectKind::Creative, json!({"bid_amount": 100}), "fields.bid_amount: "),
            (AdObjectKind::AdSet, json!({"daily_budget": 0}), "fields.daily_budget: "),
            (AdObjectKind::AdSet, json!({"daily_budget": -1}), "fields.daily_budget: "),
            (AdObjectKind::AdSet, json!({"daily_budget": 25.5}), "fields.daily_budget: "),
            (AdObjectKind::AdSet, json!({"daily_budget": "NaN"}), "fields.daily_budget: "),
            (AdObjectKind::AdSet, json!({"daily_budget": "2500"}), "fields.daily_budget: "),
            (AdObjectKind::AdSet, json!({"daily_budget": null}), "fields.daily_budget: "),
            (
                AdObjectKind::AdSet,
                json!({"lifetime_budget": 9_223_372_036_854_775_808_u64}),
                "fields.lifetime_budget: ",
            ),
            (
                AdObjectKind::AdSet,
                json!({"daily_budget": 1, "lifetime_budget": 1}),
                "fields.lifetime_budget: ",
            ),
            (AdObjectKind::Campaign, json!({"adset_budgets": []}), "fields.adset_budgets: "),
            (AdObjectKind::Campaign, json!({"access_token": "x"}), "fields.access_token: "),
            (AdObjectKind::Campaign, json!({"name": "x"}), "fields.name: "),
            (AdObjectKind::Campaign, json!({"a b": "x"}), "fields: "),
        ] {
            let error = spec(kind, &fields).validate().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.message().starts_with(named), "{fields}: {error}");
        }
        for name in ["", "  ", "a\nb", &"x".repeat(301)] {
            let named = AdObjectSpec { name: name.to_owned(), ..spec(AdObjectKind::Ad, &json!({})) };
            assert!(named.validate().unwrap_err().message().starts_with("name: "), "{name:?}");
        }
    }

    #[test]
    fn an_update_leaves_money_and_statuses_to_the_guards() {
        let update = |fields: &Value| AdObjectUpdate {
            kind: AdObjectKind::AdSet,
            id: "1".into(),
            name: None,
            fields: map(fields),
        };
        update(&json!({"targeting": {"age_min": 21}})).validate().unwrap();
        AdObjectUpdate { name: Some("Summer".into()), ..update(&json!({})) }.validate().unwrap();
        for name in [
            "daily_budget",
            "lifetime_budget",
            "Daily_Budget",
            "status",
            "configured_status",
            "bid_amount",
            "bid_strategy",
            "adset_budgets",
            "daily_spend_cap",
            "budget_rebalance_flag",
        ] {
            let mut fields = Map::new();
            fields.insert(name.to_owned(), json!(1));
            let error = update(&Value::Object(fields)).validate().unwrap_err();
            assert!(error.message().starts_with(&format!("fields.{name}: ")), "{error}");
            assert!(error.message().contains("execution.queue"), "the way out is named: {error}");
        }
        assert!(update(&json!({"method": "delete"})).validate().is_err());
        assert!(update(&json!({})).validate().unwrap_err().message().starts_with("fields: "));
    }

    #[test]
    fn kinds_and_pages_are_checked() {
        assert_eq!("ad_set".parse::<AdObjectKind>().unwrap(), AdObjectKind::AdSet);
        let error = "adgroup".parse::<AdObjectKind>().unwrap_err();
        assert!(error.message().starts_with("kind: ") && error.message().contains("campaign"), "{error}");
        let query = |limit, field: &str| AdObjectQuery {
            kind: AdObjectKind::Ad,
            account_id: "act_1".into(),
            parent_id: None,
            fields: vec![field.to_owned()],
            limit,
            after: None,
        };
        assert_eq!(query(None, "creative{id}").validate().unwrap(), 100);
        assert!(query(Some(0), "x").validate().unwrap_err().message().starts_with("limit: "));
        assert!(query(Some(501), "x").validate().is_err());
        assert!(query(None, "a&b").validate().unwrap_err().message().starts_with("fields: "));
    }
}
