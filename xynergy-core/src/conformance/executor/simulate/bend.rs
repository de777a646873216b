use crate::execution::machine::{Action, Transition};
use crate::execution::reconcile::Finding;

/// A mistake that a store, a client or a host could make, built in on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// Whatever became of a request that is unknown, it goes back to be sent again.
    NaiveRescue,
    /// What became of a request is decided as soon as its lease is over, while it may still land.
    NoTimeToLand,
    /// The store lets whoever asks settle: it does not look at the token.
    NoFence,
    /// The store goes by the clock of whichever worker calls.
    WorkersClock,
    /// A kill switch does not reach the store.
    DeafKillSwitch,
    /// The client repeats a write that got no answer.
    RetryingClient,
    /// The client moves the value after the guard allowed it.
    FuzzAfterCheck,
    /// The platform's log of edits is not asked for: it seems empty.
    BlindToEdits,
    /// Reading an owner gives what was read before.
    CachedReadings,
    /// The client asks the platform to validate by writing.
    WritingDryRun,
    /// One tenant's dead token stops every tenant.
    SharedBreaker,
    /// Changes are sent without the approval that they need.
    SkippedApproval,
    /// The window of the limit on movement is half as long as it should be.
    HalfWindow,
}

impl Flaw {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::NaiveRescue,
        Self::NoTimeToLand,
        Self::NoFence,
        Self::WorkersClock,
        Self::DeafKillSwitch,
        Self::RetryingClient,
        Self::FuzzAfterCheck,
        Self::BlindToEdits,
        Self::CachedReadings,
        Self::WritingDryRun,
        Self::SharedBreaker,
        Self::SkippedApproval,
        Self::HalfWindow,
    ];

    /// What the flawed store makes of a request to it.
    pub(super) fn bend(
        self,
        transition: &mut Transition,
        holder: Option<(u32, crate::execution::LeaseToken)>,
    ) {
        match (self, &mut transition.action) {
            (Self::NaiveRescue, Action::Reconcile { finding, .. }) => *finding = Finding::NotApplied,
            (Self::NoTimeToLand, _) => transition.policy.landing_ms = 0,
            (Self::NoFence, Action::Settle { attempt, token, .. } | Action::Begin { attempt, token, .. }) => {
                if let Some(holder) = holder {
                    (*attempt, *token) = holder;
                }
            }
            (Self::HalfWindow, Action::Reserve { .. }) => transition.policy.velocity_window_ms /= 2,
            _ => {}
        }
    }
}
