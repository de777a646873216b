//! What is asked of Meta: paths, fields and the forms of writes. Pure functions.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use url::form_urlencoded;
use xynergy_core::ads::{AdWrite, ChangeField, OwnerLevel, WriteClass, WriteFailure};
use xynergy_core::config::Secret;
use xynergy_core::{Error, Result};

/// How many rows a page holds at most.
pub(super) const PAGE: &str = "200";

const ACCOUNT_PREFIX: &str = "act_";
const MAX_ID_BYTES: usize = 100;

/// An id that is safe in a path.
pub(super) fn checked_id<'a>(id: &'a str, field: &str, operation: &'static str) -> Result<&'a str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if (1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(plain) {
        return Ok(id);
    }
    let shown: String = id.chars().take(40).collect();
    Err(Error::invalid(
        operation,
        format!("{field}: {shown:?} is no id of Meta's: letters, digits and _ only"),
    ))
}

/// The number of an account that is given with or without `act_`.
pub(super) fn account_number<'a>(account_id: &'a str, operation: &'static str) -> Result<&'a str> {
    checked_id(account_id.strip_prefix(ACCOUNT_PREFIX).unwrap_or(account_id), "account_id", operation)
}

/// An account's id as this library writes it, whether or not `account_id` has the prefix.
pub(super) fn with_prefix(account_id: &str) -> String {
    let number = account_id.strip_prefix(ACCOUNT_PREFIX).unwrap_or(account_id);
    format!("{ACCOUNT_PREFIX}{number}")
}

/// The fields of a budget owner. Only an ad set has a campaign.
pub(super) fn owner_fields(level: OwnerLevel) -> &'static str {
    match level {
        OwnerLevel::AdSet => {
            "id,name,account_id,status,daily_budget,lifetime_budget,bid_amount,learning_stage_info,campaign_id"
        }
        OwnerLevel::Campaign => "id,name,account_id,status,daily_budget,lifetime_budget",
    }
}

/// The edge of an account that lists the owners of a level.
pub(super) fn owner_edge(level: OwnerLevel) -> &'static str {
    match level {
        OwnerLevel::AdSet => "adsets",
        OwnerLevel::Campaign => "campaigns",
    }
}

/// The one parameter that a write sets. A value that Meta would refuse for certain is not sent.
pub(super) fn assignment(write: &AdWrite) -> Result<(&'static str, String), WriteFailure> {
    let refused = |message: String| WriteFailure::new(WriteClass::Rejected, message);
    match (write.field, write.value) {
        (ChangeField::Budget, 1..) => Ok(("daily_budget", write.value.to_string())),
        (ChangeField::Budget, value) => {
            Err(refused(format!("daily_budget: {value} is no budget: give at least 1 minor unit")))
        }
        (ChangeField::Status, 1) => Ok(("status", "ACTIVE".to_owned())),
        (ChangeField::Status, 0) => Ok(("status", "PAUSED".to_owned())),
        (ChangeField::Status, value) => {
            Err(refused(format!("status: {value} cannot be set: give 1 for active or 0 for paused")))
        }
        (ChangeField::Bid, 1..) if write.owner.level == OwnerLevel::AdSet => {
            Ok(("bid_amount", write.value.to_string()))
        }
        (ChangeField::Bid, value) if write.owner.level == OwnerLevel::AdSet => {
            Err(refused(format!("bid_amount: {value} is no bid: give at least 1 minor unit")))
        }
        (ChangeField::Bid, _) => {
            Err(refused("bid_amount: on Meta only an ad set has a bid: change it there".to_owned()))
        }
    }
}

/// Parameters as a form.
pub(super) fn form<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// The proof that the caller holds the app's secret: the token's HMAC-SHA256 under it, in hex.
pub(super) fn app_secret_proof(token: &Secret, app_secret: &Secret) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(app_secret.expose().as_bytes()).ok()?;
    mac.update(token.expose().as_bytes());
    Some(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use xynergy_core::ads::Owner;
    use xynergy_core::execution::ChangeId;

    use super::*;

    #[test]
    fn ids_that_would_change_the_path_are_refused() {
        for good in ["120330000012345", "act_77", "adset_1"] {
            assert_eq!(checked_id(good, "owner.id", "ads.owner").unwrap(), good);
        }
        for bad in ["", "1/insights", "..", "1?fields=x", "a b", "ä", "1%2f2", &"1".repeat(101)] {
            let error = checked_id(bad, "owner.id", "ads.owner").unwrap_err();
            assert!(error.message().starts_with("owner.id: "), "{error}");
        }
        for id in ["77", "act_77"] {
            assert_eq!(account_number(id, "ads.owner").unwrap(), "77");
            assert_eq!(with_prefix(id), "act_77");
        }
        assert!(account_number("act_", "ads.owner").is_err());
    }

    #[test]
    fn a_write_sets_one_absolute_value() {
        let assigned = |field, value| {
            let change_id = ChangeId::derive(&["x"]);
            assignment(&AdWrite { owner: Owner::ad_set("1"), field, value, change_id, attempt: 1 })
        };
        assert_eq!(assigned(ChangeField::Budget, 2500).unwrap(), ("daily_budget", "2500".to_owned()));
        assert_eq!(assigned(ChangeField::Bid, 150).unwrap(), ("bid_amount", "150".to_owned()));
        assert_eq!(assigned(ChangeField::Status, 1).unwrap(), ("status", "ACTIVE".to_owned()));
        assert_eq!(assigned(ChangeField::Status, 0).unwrap(), ("status", "PAUSED".to_owned()));
        for (field, value, named) in [
            (ChangeField::Budget, 0, "daily_budget: "),
            (ChangeField::Budget, i64::MIN, "daily_budget: "),
            (ChangeField::Status, -1, "status: "),
            (ChangeField::Bid, 0, "bid_amount: "),
            (ChangeField::Bid, -7, "bid_amount: "),
        ] {
            let refused = assigned(field, value).unwrap_err();
            assert_eq!(refused.class, WriteClass::Rejected);
            assert!(refused.message.starts_with(named), "{refused}");
        }
    }

    /// RFC 4231, test case 2.
    #[test]
    fn the_proof_is_an_hmac_of_the_token() {
        let proof = app_secret_proof(&Secret::new("what do ya want for nothing?"), &Secret::new("Jefe"));
        assert_eq!(proof.unwrap(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
