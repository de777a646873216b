use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy::embed::{EmbedCapability, EmbedRequest, EmbedResponse, Embedder};
use xynergy::{Ctx, Result};

use super::{CallContext, Host, Seat};

/// What an embedder of the host's can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EmbedderTraits {
    /// The model that is asked when the request names none; the embedder's name when absent.
    pub default_model: Option<String>,
    /// How many texts one call takes, at least 1; more are sent in several. 2,048 when absent.
    pub max_inputs: Option<u32>,
}

/// An embedder of the host's.
#[derive(Clone)]
pub struct HostEmbedder {
    name: String,
    capability: EmbedCapability,
    seat: Seat,
}

impl fmt::Debug for HostEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostEmbedder").field("name", &self.name).finish_non_exhaustive()
    }
}

impl HostEmbedder {
    /// The embedder `name`.
    pub fn new(name: &str, traits: EmbedderTraits, host: Arc<dyn Host>, timeout: Duration) -> Self {
        let mut capability = EmbedCapability::new(traits.default_model.unwrap_or_else(|| name.to_owned()));
        if let Some(most) = traits.max_inputs {
            capability.max_inputs = usize::try_from(most).unwrap_or(usize::MAX);
        }
        Self {
            name: name.to_owned(),
            capability,
            seat: Seat::new(format!("embedders.{name}"), host, timeout),
        }
    }
}

#[derive(Serialize)]
struct EmbedArguments<'a> {
    ctx: CallContext,
    request: &'a EmbedRequest,
}

#[async_trait]
impl Embedder for HostEmbedder {
    fn name(&self) -> &str {
        &self.name
    }

    fn capability(&self) -> EmbedCapability {
        self.capability.clone()
    }

    async fn embed(&self, ctx: &Ctx, request: &EmbedRequest) -> Result<EmbedResponse> {
        self.seat.call("embed", &EmbedArguments { ctx: ctx.into(), request }).await
    }
}
