use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Currency, Minor, Result};

use super::millionths::Millionths;
use super::request::{OwnerBudget, amount, invalid};

/// The limits of the new budgets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Constraints {
    /// What the new daily budgets of owners with active ads sum to, in minor units.
    pub total_daily_minor: Minor,
    /// The least daily budget of an owner, in minor units.
    pub min_minor: Minor,
    /// The greatest daily budget of an owner, in minor units.
    pub max_minor: Minor,
    /// How much of its present budget one change may be: a fifth unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Millionths>,
    /// The share that every active ad keeps, so that no ad stops teaching: 0.01 unless given, and at most half of an equal share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploration: Option<Millionths>,
    /// A change by less than this part of the present budget is not made, where the total can be kept without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hysteresis: Option<Millionths>,
    /// The platform's smallest step, in minor units: every changed budget is a multiple of it. 1 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_minor: Option<Minor>,
    /// Limits of what several owners get together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupLimit>,
}

/// What the owners of a group get together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupLimit {
    /// The name that [`OwnerBudget::group`] refers to.
    pub name: String,
    /// The least sum of their daily budgets, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_minor: Option<Minor>,
    /// The greatest sum of their daily budgets, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_minor: Option<Minor>,
}

impl Constraints {
    /// The part of the present budget that one change may be, in millionths.
    pub(super) fn step_millionths(&self) -> i64 {
        self.step.map_or(200_000, |step| step.get().into())
    }

    /// The share that every active ad keeps, in millionths.
    pub(super) fn exploration_millionths(&self) -> i64 {
        self.exploration.map_or(10_000, |part| part.get().into())
    }

    /// The platform's smallest step.
    pub(super) fn unit(&self) -> Minor {
        self.unit_minor.unwrap_or(1)
    }

    /// The least and the greatest budget of an owner, as multiples of the unit.
    pub(super) fn bounds(&self, owner: &OwnerBudget) -> (Minor, Minor) {
        let (least, greatest) =
            (owner.min_minor.unwrap_or(self.min_minor), owner.max_minor.unwrap_or(self.max_minor));
        (up(least, self.unit()), down(greatest, self.unit()))
    }

    /// Checks every field; the error names the first that is wrong.
    pub(super) fn validate(&self) -> Result<()> {
        amount("constraints: total_daily_minor", self.total_daily_minor)?;
        amount("constraints: min_minor", self.min_minor)?;
        amount("constraints: max_minor", self.max_minor)?;
        if self.min_minor > self.max_minor {
            return Err(invalid(format!(
                "constraints: min_minor: {} is above max_minor {}; lower it or raise max_minor",
                self.min_minor, self.max_minor
            )));
        }
        let unit = self.unit();
        if !(1..=1_000_000_000).contains(&unit) {
            return Err(invalid(format!("constraints: unit_minor: {unit} is not 1 to 1000000000")));
        }
        if self.total_daily_minor % unit != 0 {
            return Err(invalid(format!(
                "constraints: total_daily_minor: {} is no multiple of unit_minor {unit}; give one",
                self.total_daily_minor
            )));
        }
        let mut names = BTreeSet::new();
        for GroupLimit { name, min_minor, max_minor } in &self.groups {
            if !names.insert(name) {
                return Err(invalid(format!("constraints: groups: {name} is given twice; merge its limits")));
            }
            amount(&format!("constraints: group {name}: min_minor"), min_minor.unwrap_or(0))?;
            amount(&format!("constraints: group {name}: max_minor"), max_minor.unwrap_or(0))?;
            if let (Some(least), Some(greatest)) = (min_minor, max_minor)
                && least > greatest
            {
                return Err(invalid(format!(
                    "constraints: group {name}: min_minor: {least} is above max_minor {greatest}"
                )));
            }
        }
        Ok(())
    }

    /// Checks what an owner says of its own limits.
    pub(super) fn validate_owner(&self, owner: &OwnerBudget) -> Result<()> {
        let id = &owner.owner_id;
        amount(&format!("owner {id}: min_minor"), owner.min_minor.unwrap_or(0))?;
        amount(&format!("owner {id}: max_minor"), owner.max_minor.unwrap_or(0))?;
        if let Some(group) = &owner.group
            && !self.groups.iter().any(|limit| limit.name == *group)
        {
            return Err(invalid(format!("owner {id}: group: {group} is not in constraints.groups")));
        }
        let (least, greatest) = self.bounds(owner);
        if least > greatest {
            return Err(invalid(format!(
                "owner {id}: no budget is both at least {} and at most {} and a multiple of unit_minor {}",
                owner.min_minor.unwrap_or(self.min_minor),
                owner.max_minor.unwrap_or(self.max_minor),
                self.unit()
            )));
        }
        Ok(())
    }

    /// Whether any budgets keep all of the limits, steps aside; the error names those that contradict each other.
    pub(super) fn feasible(&self, owners: &[&OwnerBudget], currency: Currency) -> Result<()> {
        if owners.is_empty() {
            return Ok(());
        }
        for GroupLimit { name, min_minor, .. } in &self.groups {
            if let Some(least) = min_minor.filter(|least| *least > 0)
                && !owners.iter().any(|owner| owner.group.as_ref() == Some(name))
            {
                return Err(invalid(format!(
                    "constraints: group {name}: min_minor: {} cannot be reached, since no owner of the group has an active ad",
                    currency.show(least)
                )));
            }
        }
        let (mut lowest, mut highest) = (0_i128, 0_i128);
        for (name, group) in self.grouped(owners) {
            let bounds = group.iter().map(|owner| {
                if owner.learning { (owner.current_minor, owner.current_minor) } else { self.bounds(owner) }
            });
            let (floors, ceilings) =
                bounds.fold((0_i128, 0_i128), |(floors, ceilings), (least, greatest)| {
                    (floors + i128::from(least), ceilings + i128::from(greatest))
                });
            let limit = name.and_then(|name| self.groups.iter().find(|limit| limit.name == *name));
            let (mut low, mut high) = (floors, ceilings);
            if let Some(GroupLimit { name, min_minor, max_minor }) = limit {
                if let Some(most) = max_minor.filter(|most| i128::from(*most) < floors) {
                    return Err(invalid(format!(
                        "constraints: group {name}: max_minor: {} is below the {} that the floors of its owners sum to ({}); raise it or lower them",
                        currency.show(most),
                        shown(floors, currency),
                        listed(
                            &group,
                            |owner| if owner.learning { owner.current_minor } else { self.bounds(owner).0 },
                            currency
                        )
                    )));
                }
                if let Some(least) = min_minor.filter(|least| i128::from(*least) > ceilings) {
                    return Err(invalid(format!(
                        "constraints: group {name}: min_minor: {} is above the {} that the ceilings of its owners sum to ({}); lower it or raise them",
                        currency.show(least),
                        shown(ceilings, currency),
                        listed(
                            &group,
                            |owner| if owner.learning { owner.current_minor } else { self.bounds(owner).1 },
                            currency
                        )
                    )));
                }
                low = low.max(up(min_minor.unwrap_or(0), self.unit()).into());
                high = high.min(down(max_minor.unwrap_or(Minor::MAX), self.unit()).into());
            }
            lowest += low;
            highest += high;
        }
        let total = self.total_daily_minor;
        if i128::from(total) < lowest {
            return Err(invalid(format!(
                "constraints: total_daily_minor: {} is below the {} that floors{} need for {} owners; raise it or lower them",
                currency.show(total),
                shown(lowest, currency),
                if self.groups.is_empty() { "" } else { " and groups" },
                owners.len()
            )));
        }
        if i128::from(total) > highest {
            return Err(invalid(format!(
                "constraints: total_daily_minor: {} is above the {} that ceilings{} allow for {} owners; lower it or raise them",
                currency.show(total),
                shown(highest, currency),
                if self.groups.is_empty() { "" } else { " and groups" },
                owners.len()
            )));
        }
        Ok(())
    }

    /// Owners by their group, those without one together.
    fn grouped<'a>(&self, owners: &[&'a OwnerBudget]) -> BTreeMap<Option<&'a String>, Vec<&'a OwnerBudget>> {
        let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for owner in owners {
            groups.entry(owner.group.as_ref()).or_default().push(*owner);
        }
        groups
    }
}

/// The next multiple of a unit, upwards.
fn up(amount: Minor, unit: Minor) -> Minor {
    (amount + unit - 1).div_euclid(unit) * unit
}

/// The next multiple of a unit, downwards.
fn down(amount: Minor, unit: Minor) -> Minor {
    amount.div_euclid(unit) * unit
}

fn shown(amount: i128, currency: Currency) -> String {
    currency.show(Minor::try_from(amount).unwrap_or(Minor::MAX))
}

/// The first few owners with an amount each.
fn listed(owners: &[&OwnerBudget], amount: impl Fn(&OwnerBudget) -> Minor, currency: Currency) -> String {
    const SHOWN: usize = 4;
    let mut parts: Vec<String> = owners
        .iter()
        .take(SHOWN)
        .map(|owner| format!("{} {}", owner.owner_id, currency.show(amount(owner))))
        .collect();
    if owners.len() > SHOWN {
        parts.push(format!("and {} more", owners.len() - SHOWN));
    }
    parts.join(", ")
}
