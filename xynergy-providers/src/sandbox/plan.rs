//! What a write or an edit would change: pure functions of the state and the time.

use xynergy_core::{Currency, Minor, Timestamp};

use super::fault::HumanEdit;
use super::graph::GraphError;
use super::record::{BudgetBlock, Field, FieldChange, FieldValue, ObjectKind, Write};
use super::world::{BUDGET_WINDOW, Object, World, in_window};

/// How many budget changes of one ad set Meta admits in an hour.
pub(super) const BUDGET_CHANGES_AN_HOUR: usize = 4;

/// The least daily budget, in minor units.
pub(super) const MINIMUM_DAILY: Minor = 100;

/// The greatest daily budget in US dollars, in minor units.
const MAXIMUM_DAILY_USD: Minor = 100_000_000;

/// The statuses that can be set.
pub(super) const STATUSES: [&str; 4] = ["ACTIVE", "PAUSED", "ARCHIVED", "DELETED"];

/// A write that is refused, and the block that it may bring.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: GraphError,
    pub(super) block: Option<BudgetBlock>,
}

impl From<GraphError> for Refusal {
    fn from(error: GraphError) -> Self {
        Self { error, block: None }
    }
}

impl World {
    /// What `write` by an app would change at `at`. It is validated like Meta does; with `validate_only` the limit of
    /// changes an hour is left out, as nothing would change.
    pub(super) fn plan_write(
        &self,
        write: &Write,
        at: Timestamp,
        validate_only: bool,
    ) -> Result<Vec<FieldChange>, Refusal> {
        let object = self
            .objects
            .get(&write.object_id)
            .ok_or_else(|| GraphError::missing("post", &write.object_id))?;
        let mut changes = Vec::new();
        if let Some(value) = write.daily_budget {
            let before = owned_budget(object)?;
            check_amount(value, self.seed.ads.account.currency)?;
            if object.kind == ObjectKind::Adset && !validate_only {
                self.check_rate(&write.object_id, at, value == before)?;
            }
            changes.extend(change(
                &write.object_id,
                object,
                Field::DailyBudget,
                FieldValue::Minor(before),
                FieldValue::Minor(value),
            ));
        }
        if let Some(value) = write.bid_amount {
            let before = owned_bid(object)?;
            if value < 1 {
                return Err(
                    GraphError::invalid("(#100) Param bid_amount must be at least 1 minor unit").into()
                );
            }
            changes.extend(change(
                &write.object_id,
                object,
                Field::BidAmount,
                FieldValue::Minor(before),
                FieldValue::Minor(value),
            ));
        }
        if let Some(status) = &write.status {
            if !STATUSES.contains(&status.as_str()) {
                return Err(GraphError::invalid(format!(
                    "Param status must be one of {{{}}}",
                    STATUSES.join(", ")
                ))
                .into());
            }
            changes.extend(status_change(&write.object_id, object, status));
        }
        Ok(changes)
    }

    fn check_rate(&self, adset: &str, at: Timestamp, unchanged: bool) -> Result<(), Refusal> {
        if self.blocked_until.get(adset).is_some_and(|until| at < *until) {
            return Err(GraphError::too_many_budget_changes().into());
        }
        let recent = self
            .budget_changes
            .get(adset)
            .map_or(0, |times| times.iter().filter(|t| in_window(**t, at)).count());
        if unchanged || recent < self.seed.budget_changes_per_hour {
            return Ok(());
        }
        let block = BudgetBlock { object_id: adset.to_owned(), until: at.plus(BUDGET_WINDOW) };
        Err(Refusal { error: GraphError::too_many_budget_changes(), block: Some(block) })
    }

    /// What a person's edit would change. Meta's limit of changes an hour binds apps, not people.
    pub(super) fn plan_edit(&self, edit: &HumanEdit) -> Result<Vec<FieldChange>, String> {
        let object = self
            .objects
            .get(&edit.id)
            .ok_or_else(|| format!("id: there is no {:?} in the ads file", edit.id))?;
        let mut changes = Vec::new();
        let target = match (edit.daily_budget, edit.daily_budget_percent) {
            (Some(_), Some(_)) => {
                return Err("give daily_budget or daily_budget_percent, not both".to_owned());
            }
            (Some(value), None) => Some(value),
            (None, Some(percent)) => {
                let before = owned_budget(object).map_err(|e| e.message)?;
                let value = i128::from(before) * (100 + i128::from(percent)) / 100;
                Some(Minor::try_from(value).map_err(|_| "daily_budget_percent: too large".to_owned())?)
            }
            (None, None) => None,
        };
        if let Some(value) = target {
            let before = owned_budget(object).map_err(|e| e.message)?;
            check_amount(value, self.seed.ads.account.currency).map_err(|e| e.message)?;
            changes.extend(change(
                &edit.id,
                object,
                Field::DailyBudget,
                FieldValue::Minor(before),
                FieldValue::Minor(value),
            ));
        }
        if let Some(status) = &edit.status {
            if !STATUSES.contains(&status.as_str()) {
                return Err(format!("status: {status:?} is not one of {}", STATUSES.join(", ")));
            }
            changes.extend(status_change(&edit.id, object, status));
        }
        if let Some(learning) = &edit.learning {
            let before = object.learning.clone().ok_or("learning: only an ad set learns")?;
            if !["LEARNING", "SUCCESS", "FAIL"].contains(&learning.as_str()) {
                return Err(format!("learning: {learning:?} is not one of LEARNING, SUCCESS, FAIL"));
            }
            let (before, after) = (FieldValue::Text(before), FieldValue::Text(learning.clone()));
            changes.extend(change(&edit.id, object, Field::Learning, before, after));
        }
        if let Some(value) = edit.bid_amount {
            let before = owned_bid(object).map_err(|e| e.message)?;
            if value < 1 {
                return Err("bid_amount: is at least 1 minor unit".to_owned());
            }
            let (before, after) = (FieldValue::Minor(before), FieldValue::Minor(value));
            changes.extend(change(&edit.id, object, Field::BidAmount, before, after));
        }
        if target.is_none() && edit.status.is_none() && edit.learning.is_none() && edit.bid_amount.is_none() {
            return Err("give daily_budget, daily_budget_percent, bid_amount, status or learning".to_owned());
        }
        Ok(changes)
    }
}

fn owned_budget(object: &Object) -> Result<Minor, GraphError> {
    object.daily_budget.ok_or_else(|| {
        GraphError::invalid(match object.kind {
            _ if object.lifetime_budget.is_some() => {
                "The lifetime budget cannot be changed into a daily budget: set lifetime_budget"
            }
            ObjectKind::Ad => "An ad has no daily_budget: set it on its ad set or campaign",
            ObjectKind::Adset => {
                "The budget of this ad set is its campaign's: set daily_budget on the campaign, or turn the campaign budget off"
            }
            ObjectKind::Campaign => "This campaign has no budget of its own: set daily_budget on its ad sets",
            ObjectKind::Creative | ObjectKind::Video => "(#100) Param daily_budget is not known for this object",
        })
    })
}

/// The bid; 0 where none is set.
fn owned_bid(object: &Object) -> Result<Minor, GraphError> {
    match object.kind {
        ObjectKind::Adset => Ok(object.bid_amount.unwrap_or(0)),
        _ => Err(GraphError::invalid("(#100) Param bid_amount: only an ad set has a bid: set it there")),
    }
}

pub(super) fn check_amount(value: Minor, currency: Currency) -> Result<(), GraphError> {
    if value < MINIMUM_DAILY {
        let mut error = GraphError::invalid(format!(
            "Your budget is too low: daily_budget is at least {}",
            currency.show(MINIMUM_DAILY)
        ));
        error.subcode = Some(1_885_272);
        return Err(error);
    }
    if currency == Currency::USD && value > MAXIMUM_DAILY_USD {
        let mut error = GraphError::invalid(format!(
            "Your budget is too high: daily_budget is at most {}",
            currency.show(MAXIMUM_DAILY_USD)
        ));
        error.subcode = Some(1_885_261);
        return Err(error);
    }
    Ok(())
}

fn status_change(id: &str, object: &Object, status: &str) -> Option<FieldChange> {
    let before = FieldValue::Text(object.status.clone());
    change(id, object, Field::Status, before, FieldValue::Text(status.to_owned()))
}

/// The change, unless the value stays the same.
fn change(
    id: &str,
    object: &Object,
    field: Field,
    before: FieldValue,
    after: FieldValue,
) -> Option<FieldChange> {
    (before != after).then(|| FieldChange {
        object_id: id.to_owned(),
        object_type: object.kind,
        field,
        before,
        after,
    })
}
