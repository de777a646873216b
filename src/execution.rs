//! Guarded changes of budgets, and their audit trail.

use std::collections::BTreeMap;

use xynergy_core::ads::{ChangeField, Owner, OwnerState};
use xynergy_core::execution::{AuditReport, DrawKey, Executor};
use xynergy_core::store::ChangeFilter;
use xynergy_core::{Ctx, Error, ErrorKind, Result, Timestamp};

pub use xynergy_core::execution::{
    AccountLimits, AdChange, AuditRow, ChangeId, ChangeRow, ChangeStatus, Plan, Policy, Reason, Step,
};
pub use xynergy_core::execution::machine::KillScope;
pub use xynergy_core::store::HistoryFilter;
pub use xynergy_providers::ads::meta::MetaConfig;

use crate::scope::Scope;

const OPERATION: &str = "execution";

/// Budget changes of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Execution<'a>(&'a Scope);

impl Scope {
    /// Budget changes, planned, queued, executed and audited.
    pub fn execution(&self) -> Execution<'_> {
        Execution(self)
    }
}
