use std::collections::BTreeMap;

use xynergy_core::ads::{ChangeField, Owner};
use xynergy_core::execution::{AdChange, ChangeId};
use xynergy_core::{Currency, Error, Result};

use crate::allocation::Allocation;

/// The changes that an allocation asks for: one for each owner whose budget moves, with an id that follows from the
/// allocation's, so that asking again queues nothing twice. `campaigns` has the campaign of each owner.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an owner without a campaign.
pub fn propose(
    allocation_id: &str,
    account_id: &str,
    currency: Currency,
    allocation: &Allocation,
    campaigns: &BTreeMap<String, String>,
) -> Result<Vec<AdChange>> {
    let moving = allocation.rows.iter().filter(|row| row.proposed_minor != row.current_minor);
    moving
        .map(|row| {
            let campaign_id = campaigns.get(&row.owner_id).ok_or_else(|| {
                Error::invalid(
                    "allocation.propose",
                    format!("campaigns: the campaign of {} is missing", row.owner_id),
                )
            })?;
            Ok(AdChange {
                id: ChangeId::derive(&[allocation_id, account_id, &row.owner_id]),
                account_id: account_id.to_owned(),
                campaign_id: campaign_id.clone(),
                owner: Owner { level: row.level, id: row.owner_id.clone() },
                field: ChangeField::Budget,
                expected_from: row.current_minor,
                target: row.proposed_minor,
                currency,
                allocation_id: Some(allocation_id.to_owned()),
                causation_id: Some(allocation_id.to_owned()),
                reason: row.reason.clone(),
                expires_at: None,
                ramp: None,
            })
        })
        .collect()
}
