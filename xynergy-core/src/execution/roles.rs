use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ctx::Ctx;
use crate::error::{Error, ErrorKind, Result};

/// What an actor may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Approves plans.
    Approver,
    /// Says what became of a request, sends it again, and switches a kill switch off.
    Operator,
}

impl Role {
    /// The role's name as it is configured.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approver => "approver",
            Self::Operator => "operator",
        }
    }
}

/// Who may decide what, by actor. Without any entry every named actor may decide everything: who that is is then for the
/// host to know before it calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Roles(BTreeMap<String, BTreeSet<Role>>);

impl Roles {
    /// These actors with these roles.
    pub fn new(roles: impl IntoIterator<Item = (String, BTreeSet<Role>)>) -> Self {
        Self(roles.into_iter().collect())
    }

    /// Whether nothing is configured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The call's actor, who has the role.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) without an actor, [`Unauthorized`](ErrorKind::Unauthorized) for one
    /// without the role.
    pub(super) fn require<'c>(&self, ctx: &'c Ctx, role: Role, operation: &'static str) -> Result<&'c str> {
        let actor = ctx.actor.as_deref().filter(|actor| !actor.trim().is_empty()).ok_or_else(|| {
            Error::invalid(operation, "actor: such a decision must say whose it is: give the scope an actor")
        })?;
        if self.0.is_empty() || self.0.get(actor).is_some_and(|roles| roles.contains(&role)) {
            return Ok(actor);
        }
        Err(Error::new(
            ErrorKind::Unauthorized,
            operation,
            format!("actor: it lacks the role {}: give it in execution.roles", role.as_str()),
        )
        .with_context("actor", actor))
    }
}
