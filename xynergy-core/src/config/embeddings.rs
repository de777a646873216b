use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How texts are embedded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddingsConfig {
    /// The model, as `text-embedding-3-small` or `openai/text-embedding-3-small`; where absent, the default model of the providers
    /// that embed, if they have but one.
    pub model: Option<String>,
    /// Who serves that model, in the order in which they are asked: `PROVIDER`, or `PROVIDER/MODEL` where it has another name there, as
    /// a deployment at Azure. It must be the same model everywhere: vectors of two models cannot be compared. Where empty, the
    /// providers whose default model it is.
    pub providers: Vec<String>,
    /// How long the vectors are to be where a request does not say, for models that can shorten them; the model's own length when absent.
    pub dimensions: Option<u32>,
    /// The most texts of one call. They are sent in as many requests as the provider needs.
    pub max_inputs: usize,
    /// How many requests of one call are in flight at once.
    pub concurrency: u32,
}

impl Default for EmbeddingsConfig {
    fn default() -> Self {
        Self { model: None, providers: Vec::new(), dimensions: None, max_inputs: 32_768, concurrency: 4 }
    }
}
