//! Which models to ask, in which order, and why. Each strategy is a pure function of the
//! request, the configuration, what was measured and a draw; [`Router`] brings them together.

mod canary;
mod cheapest;
mod conversation;
mod features;
mod latency;
mod policy;
mod router;
mod score;
mod sticky;
mod weighted;
mod window;

pub use canary::{CanarySnapshot, CanaryState};
pub use features::Features;
pub use router::{Candidate, Decided, Figures, Memo, Router, RoutingTable};
pub use score::{COMPLEX_FROM, Score, score};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the router estimates of a request. It decides the order of the models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Complexity {
    /// A small model is enough.
    Simple,
    /// A strong model is needed.
    Complex,
}

impl Complexity {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Complex => "complex",
        }
    }
}

/// A model at a provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ModelChoice {
    /// The provider's configured name.
    pub provider: String,
    /// The model there.
    pub model: String,
}

/// What the router decided, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteDecision {
    /// What the request was judged to be.
    pub complexity: Complexity,
    /// How complex, 0 to 1.
    pub score: f64,
    /// The models in the order in which they are asked.
    pub models: Vec<ModelChoice>,
    /// What chose them: `complexity` for `ai.order`, `model` for one that the request or a policy names, `route` for a list, or the
    /// strategy of the route, as `weighted`.
    pub policy: String,
    /// Why, for a person.
    pub reason: String,
    /// The probability with which the first of the models was chosen to be the first, so that other policies can be evaluated on the
    /// log. Below 1 where it was drawn.
    pub propensity: f64,
}
