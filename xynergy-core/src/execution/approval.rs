use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::change::{AdChange, ChangeId};
use crate::env::Timestamp;
use crate::error::{Error, Result};

/// The approval that a change needs before it may be sent, and whose it got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// The digest of the changes that it was queued with: what is approved together.
    pub digest: String,
    /// Who approved it; `None` while it waits.
    pub approved_by: Option<String>,
    /// When; `None` while it waits.
    pub approved_at: Option<Timestamp>,
}

impl Approval {
    /// One that is still to be given.
    pub(super) fn awaited(digest: &str) -> Self {
        Self { digest: digest.to_owned(), approved_by: None, approved_at: None }
    }
}

/// The digest of a set of changes: 64 hex digits, the same for the same changes in any order, and another one when any
/// field of any of them differs.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) when one id stands for two different changes: which of them would be
/// queued is not what the digest says.
pub fn plan_digest(changes: &[AdChange]) -> Result<String> {
    let mut by_id: BTreeMap<ChangeId, &AdChange> = BTreeMap::new();
    for change in changes {
        let first = *by_id.entry(change.id).or_insert(change);
        if first != change {
            return Err(Error::invalid(
                "execution.plan",
                "id: two different changes have the same one: give each its own",
            )
            .with_context("change_id", change.id.to_string()));
        }
    }
    let mut hash = Sha256::new();
    hash.update(b"xynergy.ad_change_plan.1");
    for change in by_id.values() {
        let bytes = canonical_bytes(change);
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    }
    Ok(hex(&hash.finalize()))
}

/// Whether a text can be the digest of a plan.
pub(super) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Every field in its order, each with its length before it; an absent one has the length 2^64 - 1.
fn canonical_bytes(change: &AdChange) -> Vec<u8> {
    let AdChange {
        id,
        account_id,
        campaign_id,
        owner,
        field,
        expected_from,
        target,
        currency,
        allocation_id,
        causation_id,
        reason,
        expires_at,
        ramp,
    } = change;
    let mut bytes = Vec::with_capacity(256);
    let mut put = |field: Option<&str>| match field {
        Some(text) => {
            bytes.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX - 1).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        None => bytes.extend_from_slice(&u64::MAX.to_be_bytes()),
    };
    put(Some(&id.to_string()));
    put(Some(account_id));
    put(Some(campaign_id));
    put(Some(owner.level.as_str()));
    put(Some(&owner.id));
    put(Some(field.as_str()));
    put(Some(&expected_from.to_string()));
    put(Some(&target.to_string()));
    put(Some(currency.as_str()));
    put(allocation_id.as_deref());
    put(causation_id.as_deref());
    put(Some(reason));
    put(expires_at.map(|t| t.micros().to_string()).as_deref());
    put(ramp.map(|r| format!("{} {} {} {}", r.id, r.step, r.steps, r.target)).as_deref());
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write;
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ads::{ChangeField, Owner};
    use crate::money::Currency;

    fn change(name: &str) -> AdChange {
        AdChange {
            id: ChangeId::derive(&[name]),
            account_id: "act_1".into(),
            campaign_id: "c1".into(),
            owner: Owner::ad_set(name),
            field: ChangeField::Budget,
            expected_from: 1_000,
            target: 1_100,
            currency: Currency::USD,
            allocation_id: Some("a".into()),
            causation_id: None,
            reason: "because".into(),
            expires_at: None,
            ramp: None,
        }
    }

    #[test]
    fn the_order_and_repetition_do_not_matter() {
        let (a, b) = (change("a"), change("b"));
        let digest = plan_digest(&[a.clone(), b.clone()]).unwrap();
        assert!(is_digest(&digest), "{digest}");
        assert_eq!(plan_digest(&[b.clone(), a.clone(), b]).unwrap(), digest);
        assert_ne!(plan_digest(&[a]).unwrap(), digest);
        assert_ne!(plan_digest(&[]).unwrap(), digest);
    }

    #[test]
    fn every_field_is_in_it() {
        let whole = serde_json::to_value(change("a")).unwrap();
        let digest = plan_digest(&[change("a")]).unwrap();
        for (field, value) in whole.as_object().unwrap() {
            let other = match field.as_str() {
                "id" => ChangeId::derive(&["b"]).to_string().into(),
                "owner" => serde_json::json!({"level": "campaign", "id": "a"}),
                "field" => "bid".into(),
                "currency" => "EUR".into(),
                "expires_at" => "2030-01-01T00:00:00Z".into(),
                "ramp" => {
                    serde_json::json!({"id": ChangeId::derive(&["r"]), "step": 1, "steps": 2, "target": 9})
                }
                _ if value.is_number() => 77.into(),
                _ => "x".into(),
            };
            let mut altered = whole.clone();
            altered[field.as_str()] = other;
            let altered: AdChange = serde_json::from_value(altered).unwrap();
            assert_ne!(plan_digest(&[altered]).unwrap(), digest, "{field}");
        }
    }

    #[test]
    fn one_id_is_one_change() {
        let other = AdChange { target: 1_200, ..change("a") };
        let error = plan_digest(&[change("a"), other]).unwrap_err();
        assert!(error.message().starts_with("id: "), "{error}");
    }
}
