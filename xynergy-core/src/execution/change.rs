use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::approval::Approval;
use crate::ads::{ChangeField, Owner};
use crate::env::{Entropy, Timestamp};
use crate::error::{Error, Result};
use crate::money::{Currency, Minor};

const QUEUE: &str = "execution.queue";

/// A change's key: 128 bits, 32 hex digits outside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ChangeId(u128);

impl ChangeId {
    /// The id that belongs to these parts: the same parts give the same id, so that a resumed run queues nothing
    /// twice.
    pub fn derive(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(u128::from_be_bytes(bytes))
    }

    /// A new id, ordered by time to the microsecond.
    pub fn fresh(now: Timestamp, entropy: &dyn Entropy) -> Self {
        let micros = u128::from(now.micros().cast_unsigned());
        Self((micros << 64) | u128::from(entropy.next_u64()))
    }

    /// The 16 bytes, most significant first.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ChangeId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let hex = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        hex.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(Self).ok_or_else(|| {
            Error::invalid(
                QUEUE,
                format!("id: {:?} is not 32 hex digits", text.chars().take(40).collect::<String>()),
            )
        })
    }
}

impl TryFrom<String> for ChangeId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ChangeId> for String {
    fn from(id: ChangeId) -> Self {
        id.to_string()
    }
}

/// A wish to move one field of one owner from what it was seen at to a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdChange {
    /// Its key. Queueing the same id again changes nothing.
    pub id: ChangeId,
    /// The ad account.
    pub account_id: String,
    /// The campaign that the owner is, or is in.
    pub campaign_id: String,
    /// The object to change.
    pub owner: Owner,
    /// What to change.
    pub field: ChangeField,
    /// The value that the decision was made on. If the platform shows another one, the change is not applied.
    pub expected_from: i64,
    /// The value to set.
    pub target: i64,
    /// The currency of both values.
    pub currency: Currency,
    /// The allocation it belongs to: its raises wait for its cuts.
    #[serde(default)]
    pub allocation_id: Option<String>,
    /// The event or request that caused it.
    #[serde(default)]
    pub causation_id: Option<String>,
    /// Why, in words, for the audit trail.
    #[serde(default)]
    pub reason: String,
    /// After this time it is not applied any more; by default the policy's `expires_after_ms` from queueing.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Which step of a ramp it is, where its target is reached in several.
    #[serde(default)]
    pub ramp: Option<RampStep>,
}

/// One step on the way to a target that is further away than one window allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RampStep {
    /// The ramp: the id of its first step.
    pub id: ChangeId,
    /// Which step, from 1.
    pub step: u32,
    /// How many there are.
    pub steps: u32,
    /// Where the last one arrives.
    pub target: i64,
}

/// Whether a change makes the account spend more or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A lower budget, or a pause.
    Cut,
    /// Neither: a bid.
    Neutral,
    /// A higher budget, or an activation.
    Raise,
}

impl AdChange {
    /// Whether it raises or cuts what the account may spend.
    pub fn direction(&self) -> Direction {
        match (self.field, self.target.cmp(&self.expected_from)) {
            (ChangeField::Bid, _) | (_, std::cmp::Ordering::Equal) => Direction::Neutral,
            (_, std::cmp::Ordering::Greater) => Direction::Raise,
            (_, std::cmp::Ordering::Less) => Direction::Cut,
        }
    }

    /// Refuses what no platform could execute.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) that names the field.
    pub fn validate(&self) -> Result<()> {
        let refuse = |message: String| {
            Err(Error::invalid(QUEUE, message).with_context("change_id", self.id.to_string()))
        };
        for (name, id) in [
            ("account_id", &self.account_id),
            ("campaign_id", &self.campaign_id),
            ("owner.id", &self.owner.id),
        ] {
            let plain = (1..=128).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'));
            if !plain {
                return refuse(format!("{name}: give the platform's id, 1 to 128 of A-Z a-z 0-9 _ - . :"));
            }
        }
        if self.owner.level == crate::ads::OwnerLevel::Campaign && self.owner.id != self.campaign_id {
            return refuse("campaign_id: of a campaign's own budget it is the owner's id".into());
        }
        let (least, most) = if self.field == ChangeField::Status { (0, 1) } else { (1, Minor::MAX) };
        for (name, value) in [("expected_from", self.expected_from), ("target", self.target)] {
            if value < least || value > most {
                return refuse(if self.field == ChangeField::Status {
                    format!("{name}: {value} is no status: 1 is active, 0 is paused")
                } else {
                    format!("{name}: {value} is not positive: give minor units, or pause the object instead")
                });
            }
        }
        if self.ramp.is_some_and(|ramp| ramp.step == 0 || ramp.step > ramp.steps) {
            return refuse("ramp.step: count from 1 to ramp.steps".into());
        }
        if self.target == self.expected_from {
            return refuse(
                "target: it equals expected_from, so there is nothing to change: leave it out".into(),
            );
        }
        Ok(())
    }
}

/// Where a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeStatus {
    /// A guard refused it: with a retry time it is asked again then, without one it is over.
    Blocked,
    /// The intent is written, the request not yet sent.
    Claimed,
    /// The platform has the value.
    Completed,
    /// The request is on its way, or what became of it is unknown.
    Executing,
    /// The platform refused it.
    Failed,
    /// It waits for its time.
    Pending,
}

impl ChangeStatus {
    /// The status as it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Claimed => "claimed",
            Self::Completed => "completed",
            Self::Executing => "executing",
            Self::Failed => "failed",
            Self::Pending => "pending",
        }
    }
}

impl FromStr for ChangeStatus {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        [Self::Blocked, Self::Claimed, Self::Completed, Self::Executing, Self::Failed, Self::Pending]
            .into_iter()
            .find(|s| s.as_str() == name)
            .ok_or_else(|| {
                Error::invalid(
                    "execution.list",
                    "status: choose pending, claimed, executing, completed, failed or blocked",
                )
            })
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a change stands where it stands. The names are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Reason {
            /// The reason's stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl FromStr for Reason {
            type Err = Error;

            fn from_str(name: &str) -> Result<Self> {
                match name {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(Error::new(crate::ErrorKind::Corrupt, "execution", "a stored reason is unknown to this version")),
                }
            }
        }
    };
}

reasons! {
    /// The target is above the account's ceiling for one owner.
    AboveCeiling = "above_ceiling",
    /// Too many changes of the account for now: the library's limit, or one that the platform's refusals taught.
    RateLimitAccount = "rate_limit_account",
    /// The account's daily total would be exceeded.
    AccountCap = "account_cap",
    /// Its requests were lost too often; a person should look.
    AttemptsExhausted = "attempts_exhausted",
    /// Nobody has approved it yet; it is asked again when it expires.
    AwaitingApproval = "awaiting_approval",
    /// An earlier step of the same ramp has not taken effect yet.
    AwaitingStep = "awaiting_step",
    /// A cut of the same allocation has not taken effect yet.
    AwaitingCuts = "awaiting_cuts",
    /// The target is below the account's floor for one owner.
    BelowFloor = "below_floor",
    /// Somebody withdrew it.
    Cancelled = "cancelled",
    /// What became of its request cannot be told by reading; a person must look.
    Conflict = "conflict",
    /// The platform shows another value than the decision was made on.
    Drifted = "drifted",
    /// Somebody else edited the object after the decision: people's edits win.
    Edited = "edited",
    /// Its time has passed.
    Expired = "expired",
    /// Another change of the same owner is on its way.
    InFlight = "in_flight",
    /// A kill switch is on.
    KillSwitch = "kill_switch",
    /// Its request took effect after the verdict that it had not.
    LandedLate = "landed_late",
    /// The object is in the platform's learning phase, which a change would start anew.
    LearningPhase = "learning_phase",
    /// Its request had no effect; it may be sent again.
    NotApplied = "not_applied",
    /// Its intent was never sent.
    NotSent = "not_sent",
    /// The platform refused the request as it stands.
    PlatformRejected = "platform_rejected",
    /// The campaign has had its changes for this hour.
    RateLimitCampaign = "rate_limit_campaign",
    /// The ad set has had its budget changes for this hour.
    RateLimitOwner = "rate_limit_owner",
    /// Reading the platform showed that it took effect.
    Reconciled = "reconciled",
    /// A person found that it took effect.
    Resolved = "resolved",
    /// What was read of the platform is too old, or lacks the owner.
    StaleSnapshot = "stale_snapshot",
    /// A newer change of the same field took its place.
    Superseded = "superseded",
    /// The platform asks to slow down.
    Throttled = "throttled",
    /// The credentials are missing, wrong or without the permission.
    Unauthorized = "unauthorized",
    /// Its request got no answer; what became of it is found out by reading.
    Unknown = "unknown",
    /// The platform could not be reached.
    Unreachable = "unreachable",
    /// It would move the value further within the window than the limit allows.
    Velocity = "velocity",
    /// The object has a lifetime budget where the change sets a daily one.
    WrongBudgetType = "wrong_budget_type",
    /// The platform shows the account in another currency.
    WrongCurrency = "wrong_currency",
    /// The object is in another account or campaign, does not exist, or has no such field.
    WrongObject = "wrong_object",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a worker holds while it may write: a settlement with another token changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseToken(u64);

impl LeaseToken {
    /// A new token.
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        Self(entropy.next_u64())
    }
}

impl fmt::Display for LeaseToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for LeaseToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        u64::from_str_radix(text, 16).map(Self).map_err(|_| {
            Error::new(crate::ErrorKind::Corrupt, "execution", "a stored lease token is no hex number")
        })
    }
}

/// A change as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeRow {
    /// What is wanted.
    pub change: AdChange,
    /// Where it stands.
    pub status: ChangeStatus,
    /// Why, where there is more to say than the status.
    pub reason: Option<Reason>,
    /// When it is asked again, if it is blocked for a time only.
    pub retry_at: Option<Timestamp>,
    /// When something has to be done about it next; `None` when it is over.
    pub due_at: Option<Timestamp>,
    /// When it may run at the earliest.
    pub run_at: Timestamp,
    /// When it is not applied any more.
    pub expires_at: Timestamp,
    /// How many intents were written for it.
    pub attempt: u32,
    /// How many of them do not count towards the limit of lost attempts: those before a person's retry.
    pub attempts_forgiven: u32,
    /// The value seen when the last intent was written.
    pub observed_from: Option<i64>,
    /// The final value, fixed by the first intent: every request of this change carries it.
    pub sent_value: Option<i64>,
    /// When the last intent was written.
    pub intent_at: Option<Timestamp>,
    /// Until when the worker that claimed it may send.
    pub lease_until: Option<Timestamp>,
    /// The claim's token: for the store alone, since whoever has it may settle.
    #[serde(skip)]
    pub token: Option<LeaseToken>,
    /// What the platform said last, for a person.
    pub detail: Option<String>,
    /// The approval that it needs; `None` when it needs none.
    pub approval: Option<Approval>,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
}

impl ChangeRow {
    /// A change that was just queued.
    pub(super) fn queued(change: AdChange, now: Timestamp, run_at: Timestamp, expires: Timestamp) -> Self {
        Self {
            status: ChangeStatus::Pending,
            reason: None,
            retry_at: None,
            due_at: Some(run_at),
            run_at,
            expires_at: change.expires_at.unwrap_or(expires),
            attempt: 0,
            attempts_forgiven: 0,
            observed_from: None,
            sent_value: None,
            intent_at: None,
            lease_until: None,
            token: None,
            detail: None,
            approval: None,
            queued_at: now,
            updated_at: now,
            change,
        }
    }

    /// Whether a request of it may be on its way.
    pub fn in_flight(&self) -> bool {
        matches!(self.status, ChangeStatus::Claimed | ChangeStatus::Executing)
    }

    /// Whether a request of it, if it had an effect, had it by this time.
    pub(super) fn cannot_land(&self, policy: &super::Policy, by: Timestamp) -> bool {
        let landing = std::time::Duration::from_millis(policy.landing_ms);
        self.lease_until.is_some_and(|end| end.plus(landing) <= by)
    }

    /// Whether it waits to be sent: pending, or blocked for a time.
    pub fn waiting(&self) -> bool {
        match self.status {
            ChangeStatus::Pending => true,
            ChangeStatus::Blocked => self.retry_at.is_some(),
            _ => false,
        }
    }

    /// Whether it needs an approval that nobody has given.
    pub fn needs_approval(&self) -> bool {
        self.approval.as_ref().is_some_and(|approval| approval.approved_at.is_none())
    }

    /// Whether a person has to look: what became of a request cannot be told, or too many were lost.
    pub fn needs_human(&self) -> bool {
        matches!(self.reason, Some(Reason::AttemptsExhausted | Reason::Conflict)) && self.is_over()
    }

    /// Whether it ended with the verdict that its last request had no effect, so that it may be sent again.
    pub fn not_applied(&self) -> bool {
        let verdict = matches!(
            self.reason,
            Some(Reason::AttemptsExhausted | Reason::NotApplied | Reason::PlatformRejected)
        );
        self.status == ChangeStatus::Failed && verdict
    }

    /// Whether nothing more will happen to it by itself.
    pub fn is_over(&self) -> bool {
        !self.in_flight() && !self.waiting()
    }
}

/// What the user allows in an account. Absent limits do not limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountLimits {
    /// The account's currency.
    pub currency: Currency,
    /// The most that the daily budgets of all active owners may add up to after a raise.
    #[serde(default)]
    pub total_daily_minor: Option<Minor>,
    /// The least daily budget of one owner.
    #[serde(default)]
    pub min_minor: Option<Minor>,
    /// The greatest daily budget of one owner.
    #[serde(default)]
    pub max_minor: Option<Minor>,
}

impl AccountLimits {
    /// Refuses limits that contradict themselves.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) that names the field.
    pub fn validate(&self) -> Result<()> {
        let refuse = |message: &'static str| Err(Error::invalid("execution.set_limits", message));
        if [self.total_daily_minor, self.min_minor, self.max_minor].into_iter().flatten().any(|v| v < 0) {
            return refuse("total_daily_minor, min_minor, max_minor: give minor units of at least 0");
        }
        if self.min_minor.zip(self.max_minor).is_some_and(|(min, max)| min > max) {
            return refuse("min_minor: it is above max_minor: lower it or raise max_minor");
        }
        Ok(())
    }
}

/// A move of a value, by this library or seen to be made by somebody else, for the limits over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The object.
    pub owner: Owner,
    /// The campaign it is in.
    pub campaign_id: String,
    /// The field.
    pub field: ChangeField,
    /// The value before.
    pub from: i64,
    /// The value after.
    pub to: i64,
    /// The latest time at which it can have happened: the settlement's, the observation's, or while it is open the
    /// lease's end and the time that a request may still take to land.
    pub at: Timestamp,
    /// The change and attempt that made it; `None` for somebody else's.
    pub own: Option<(ChangeId, u32)>,
    /// A reservation whose request may still land.
    pub open: bool,
}

/// What the platform's refusals taught about one owner, or about the whole account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pause {
    /// The owner; `None` for the account.
    pub owner: Option<Owner>,
    /// Until when nothing of it is sent.
    pub until: Timestamp,
    /// Why: throttled or unauthorized.
    pub reason: Reason,
    /// How many changes within the rate's window the platform took before it refused one, and until when that counts.
    pub learned: Option<LearnedRate>,
}

impl Pause {
    /// Whether it holds back changes of the owner.
    pub fn covers(&self, owner: &Owner) -> bool {
        self.owner.as_ref().is_none_or(|covered| covered == owner)
    }
}

/// A limit on the number of changes that the platform showed by refusing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LearnedRate {
    /// So many in the rate's window, at least 1.
    pub changes: u32,
    /// Until when it is kept to.
    pub until: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> AdChange {
        AdChange {
            id: ChangeId::derive(&["run", "adset:1"]),
            account_id: "act_1".into(),
            campaign_id: "c1".into(),
            owner: Owner::ad_set("s1"),
            field: ChangeField::Budget,
            expected_from: 1000,
            target: 1100,
            currency: Currency::USD,
            allocation_id: None,
            causation_id: None,
            reason: String::new(),
            expires_at: None,
            ramp: None,
        }
    }

    #[test]
    fn ids_are_a_function_of_their_parts() {
        assert_eq!(ChangeId::derive(&["a", "bc"]), ChangeId::derive(&["a", "bc"]));
        assert_ne!(ChangeId::derive(&["a", "bc"]), ChangeId::derive(&["ab", "c"]));
        let id = ChangeId::derive(&["a"]);
        assert_eq!(id.to_string().parse::<ChangeId>().unwrap(), id);
        for bad in ["", "abc", &"+".repeat(32), &"g".repeat(32)] {
            assert!(bad.parse::<ChangeId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_executed_is_refused_by_name() {
        assert!(change().validate().is_ok());
        for (broken, field) in [
            (AdChange { target: 0, ..change() }, "target"),
            (AdChange { target: -5, ..change() }, "target"),
            (AdChange { target: 1000, ..change() }, "target"),
            (AdChange { expected_from: 0, ..change() }, "expected_from"),
            (AdChange { account_id: String::new(), ..change() }, "account_id"),
            (AdChange { campaign_id: "a b".into(), ..change() }, "campaign_id"),
            (AdChange { owner: Owner::campaign("other"), ..change() }, "campaign_id"),
            (AdChange { owner: Owner::ad_set("../1"), ..change() }, "owner.id"),
            (AdChange { field: ChangeField::Status, expected_from: 0, target: 2, ..change() }, "target"),
        ] {
            let error = broken.validate().unwrap_err();
            assert!(error.message().starts_with(field), "{error}");
        }
    }

    #[test]
    fn names_read_back() {
        for reason in [Reason::AboveCeiling, Reason::Velocity, Reason::WrongObject] {
            assert_eq!(reason.as_str().parse::<Reason>().unwrap(), reason);
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        assert_eq!("executing".parse::<ChangeStatus>().unwrap(), ChangeStatus::Executing);
        assert!("done".parse::<ChangeStatus>().is_err());
    }
}
