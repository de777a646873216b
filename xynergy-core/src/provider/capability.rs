use super::ChatRequest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a provider can do. A request goes only to providers that can do what it asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Capability {
    /// The model that is asked when the request names none.
    pub default_model: String,
    /// Whether it streams.
    pub streaming: bool,
    /// Whether it takes tools.
    pub tools: bool,
    /// Whether it takes a response format.
    pub response_format: bool,
    /// Whether it reads images.
    pub images: bool,
    /// Whether its default model continues the assistant's message that a request ends with, without saying it again.
    #[serde(default)]
    pub prefill: bool,
}

impl Capability {
    /// Everything that any provider can, with `default_model`; continuing a message is no such thing.
    pub fn all(default_model: impl Into<String>) -> Self {
        Self {
            default_model: default_model.into(),
            streaming: true,
            tools: true,
            response_format: true,
            images: true,
            prefill: false,
        }
    }

    /// What `request` needs and this provider lacks, as a person would say it; `None` when it can serve it.
    pub fn lacks(&self, request: &ChatRequest, stream: bool) -> Option<&'static str> {
        if stream && !self.streaming {
            Some("streaming")
        } else if !request.tools.is_empty() && !self.tools {
            Some("tools")
        } else if request.response_format.is_some() && !self.response_format {
            Some("response formats")
        } else if !self.images && request.messages.iter().any(super::Message::has_image) {
            Some("images")
        } else {
            None
        }
    }
}
