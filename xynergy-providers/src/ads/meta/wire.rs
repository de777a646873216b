//! Meta's answers about accounts, campaigns and ad sets, and the pages of lists. Pure functions.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use xynergy_core::ads::{DeliveryStatus, Owner, OwnerLevel, OwnerState};
use xynergy_core::{Currency, Minor, Result, Timestamp};

use super::error::corrupt;
use super::request::with_prefix;

/// An id, which Meta writes as a text in most places and as a number in some.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub(super) enum Id {
    Text(String),
    Number(u64),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// One page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    paging: Option<Paging>,
}

#[derive(Debug, Deserialize)]
struct Paging {
    cursors: Option<Cursors>,
    /// The whole address of the next page. It is not followed: an address out of an answer gets no token.
    next: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Cursors {
    after: Option<String>,
}

impl<T> Page<T> {
    /// The cursor of the next page; `None` on the last one, which has a cursor too.
    pub(super) fn next(&self, operation: &'static str) -> Result<Option<String>> {
        let Some(paging) = self.paging.as_ref().filter(|paging| paging.next.is_some()) else {
            return Ok(None);
        };
        let after = paging.cursors.as_ref().and_then(|cursors| cursors.after.clone());
        after.filter(|after| !after.is_empty()).map(Some).ok_or_else(|| {
            corrupt(
                operation,
                "paging.cursors.after: is missing although Meta says that there is a next page",
            )
        })
    }
}

/// Reads an answer. The error names the position, never the content.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8], operation: &'static str) -> Result<T> {
    serde_json::from_slice(body).map_err(|e| {
        corrupt(operation, "Meta's answer is not what its API describes").with_source(e.to_string())
    })
}

/// An account.
#[derive(Debug, Deserialize)]
pub(super) struct AccountRow {
    currency: String,
}

impl AccountRow {
    pub(super) fn currency(&self, operation: &'static str) -> Result<Currency> {
        currency(&self.currency, operation)
    }
}

fn currency(code: &str, operation: &'static str) -> Result<Currency> {
    code.parse().map_err(|e| corrupt(operation, "currency: is no currency code").with_source(e))
}

/// The least budgets of one currency.
#[derive(Debug, Deserialize)]
pub(super) struct MinimumRow {
    currency: String,
    min_daily_budget_imp: Option<Value>,
}

/// The least daily budget in `currency`, if it is among the rows.
pub(super) fn minimum(
    rows: &[MinimumRow],
    currency: Currency,
    operation: &'static str,
) -> Result<Option<Minor>> {
    let row = rows.iter().find(|row| row.currency == currency.as_str());
    row.map_or(Ok(None), |row| amount(row.min_daily_budget_imp.as_ref(), "min_daily_budget_imp", operation))
}

/// A campaign or an ad set.
#[derive(Debug, Deserialize)]
pub(super) struct OwnerRow {
    id: Id,
    account_id: Id,
    #[serde(default)]
    name: String,
    status: String,
    daily_budget: Option<Value>,
    lifetime_budget: Option<Value>,
    learning_stage_info: Option<Learning>,
    bid_amount: Option<Value>,
    campaign_id: Option<Id>,
}

/// How far an ad set has learned whom to show itself to. Meta leaves it out of ad sets that are not active.
#[derive(Debug, Deserialize)]
struct Learning {
    status: Option<String>,
}

impl OwnerRow {
    /// The number of the account that it is in.
    pub(super) fn account_id(&self) -> String {
        with_prefix(&self.account_id.to_string())
    }

    /// The owner of `level` as it was at `read_at`.
    pub(super) fn into_state(
        self,
        level: OwnerLevel,
        currency: Currency,
        read_at: Timestamp,
        operation: &'static str,
    ) -> Result<OwnerState> {
        let (id, account_id) = (self.id.to_string(), self.account_id());
        let campaign_id = match level {
            OwnerLevel::Campaign => id.clone(),
            OwnerLevel::AdSet => self
                .campaign_id
                .map(|id| id.to_string())
                .ok_or_else(|| corrupt(operation, "campaign_id: is missing for an ad set"))?,
        };
        Ok(OwnerState {
            owner: Owner { level, id },
            account_id,
            campaign_id,
            name: self.name,
            currency,
            daily_budget_minor: amount(self.daily_budget.as_ref(), "daily_budget", operation)?,
            lifetime_budget_minor: amount(self.lifetime_budget.as_ref(), "lifetime_budget", operation)?,
            bid_minor: amount(self.bid_amount.as_ref(), "bid_amount", operation)?,
            status: status(&self.status),
            learning: self
                .learning_stage_info
                .and_then(|learning| learning.status)
                .is_some_and(|status| status == "LEARNING"),
            read_at,
        })
    }
}

/// An amount in minor units, which Meta writes as text or number; 0 stands for a kind of budget that is not used.
fn amount(value: Option<&Value>, field: &str, operation: &'static str) -> Result<Option<Minor>> {
    let whole = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.parse::<Minor>().ok(),
        Some(value) => value.as_i64(),
    };
    match whole {
        Some(0) => Ok(None),
        Some(amount @ 1..) => Ok(Some(amount)),
        _ => Err(corrupt(operation, format!("{field}: is no whole amount of minor units"))),
    }
}

pub(super) fn status(configured: &str) -> DeliveryStatus {
    match configured {
        "ACTIVE" => DeliveryStatus::Active,
        "PAUSED" => DeliveryStatus::Paused,
        _ => DeliveryStatus::Ended,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xynergy_core::ErrorKind;

    use super::*;

    const OPERATION: &str = "ads.owner";

    fn state(change: &Value, level: OwnerLevel) -> Result<OwnerState> {
        let mut row = json!({"id": "7", "account_id": "77", "name": "A", "status": "ACTIVE", "daily_budget": "2500",
                             "campaign_id": 5});
        for (key, value) in change.as_object().unwrap() {
            row[key] = value.clone();
        }
        let row: OwnerRow = parse(row.to_string().as_bytes(), OPERATION)?;
        row.into_state(level, Currency::USD, Timestamp::default(), OPERATION)
    }

    #[test]
    fn owners_are_read_as_they_are_configured() {
        let ad_set = state(&json!({}), OwnerLevel::AdSet).unwrap();
        assert_eq!((ad_set.owner, ad_set.campaign_id), (Owner::ad_set("7"), "5".to_owned()));
        assert_eq!((ad_set.account_id.as_str(), ad_set.daily_budget_minor), ("act_77", Some(2500)));
        assert_eq!(ad_set.bid_minor, None);
        let with_bid = state(&json!({"bid_amount": 150}), OwnerLevel::AdSet).unwrap();
        assert_eq!(with_bid.bid_minor, Some(150));
        let campaign =
            state(&json!({"campaign_id": null, "daily_budget": 9000}), OwnerLevel::Campaign).unwrap();
        assert_eq!((campaign.campaign_id.as_str(), campaign.daily_budget_minor), ("7", Some(9000)));
        for (status, expected) in [("PAUSED", DeliveryStatus::Paused), ("ARCHIVED", DeliveryStatus::Ended)] {
            assert_eq!(state(&json!({"status": status}), OwnerLevel::AdSet).unwrap().status, expected);
        }
    }

    #[test]
    fn lifetime_budgets_and_learning_phases_are_told() {
        let lifetime =
            state(&json!({"daily_budget": "0", "lifetime_budget": "70000"}), OwnerLevel::AdSet).unwrap();
        assert_eq!((lifetime.daily_budget_minor, lifetime.lifetime_budget_minor), (None, Some(70_000)));
        assert_eq!(
            state(&json!({"lifetime_budget": "0"}), OwnerLevel::AdSet).unwrap().lifetime_budget_minor,
            None
        );
        for (info, learning) in [
            (json!({"status": "LEARNING", "conversions": 3}), true),
            (json!({"status": "SUCCESS"}), false),
            (json!({"status": "FAIL"}), false),
            (json!({}), false),
            (json!(null), false),
        ] {
            let owner = state(&json!({"learning_stage_info": info}), OwnerLevel::AdSet).unwrap();
            assert_eq!(owner.learning, learning, "{info}");
        }
    }

    #[test]
    fn an_unused_budget_is_none_and_a_strange_one_an_error() {
        for none in [json!(null), json!("0"), json!(0)] {
            let owner = state(&json!({"daily_budget": none}), OwnerLevel::AdSet).unwrap();
            assert_eq!(owner.daily_budget_minor, None);
        }
        for strange in [
            json!("25.00"),
            json!(25.5),
            json!("-5"),
            json!(-5),
            json!(""),
            json!("9223372036854775808"),
            json!([]),
            json!("2,500"),
        ] {
            let error = state(&json!({"daily_budget": strange}), OwnerLevel::AdSet).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.message().starts_with("daily_budget: "), "{error}");
        }
        let homeless = state(&json!({"campaign_id": null}), OwnerLevel::AdSet).unwrap_err();
        assert!(homeless.message().starts_with("campaign_id: "), "{homeless}");
    }

    #[test]
    fn a_next_page_is_told_by_its_address_and_named_by_its_cursor() {
        let next = |paging: Value| {
            let page: Page<Value> =
                parse(json!({"data": [], "paging": paging}).to_string().as_bytes(), OPERATION)?;
            page.next(OPERATION)
        };
        let cursors = json!({"before": "a", "after": "b"});
        assert_eq!(next(json!({"cursors": cursors})).unwrap(), None, "the last page has a cursor too");
        assert_eq!(next(json!({"cursors": cursors, "next": "https://x"})).unwrap().as_deref(), Some("b"));
        assert_eq!(
            next(json!({"next": "https://x"})).unwrap_err().kind(),
            ErrorKind::Corrupt,
            "never cut short"
        );
        assert_eq!(next(json!(null)).unwrap(), None);
    }

    #[test]
    fn the_least_budget_is_the_accounts_currencys() {
        let page: Page<MinimumRow> = parse(
            br#"{"data":[{"currency":"EUR","min_daily_budget_imp":90},{"currency":"USD","min_daily_budget_imp":"100"}]}"#,
            OPERATION,
        )
        .unwrap();
        assert_eq!(minimum(&page.data, Currency::USD, OPERATION).unwrap(), Some(100));
        assert_eq!(minimum(&page.data, "JPY".parse().unwrap(), OPERATION).unwrap(), None);
    }
}
