use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::EmbeddingsConfig;
use crate::error::{Error, Result};
use crate::provider::{Call, CallOptions};

/// Texts to be embedded, in OpenAI's shape.
///
/// `model` is a provider's model (`openai/text-embedding-3-small`), the model of one of the embedders, or a provider for its default
/// one; empty for the configured model. Vectors of different models, or of different dimensions, cannot be compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmbedRequest {
    /// The texts.
    pub input: Vec<String>,
    /// Which model.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// How long the vectors are to be, where the model can shorten them; the configured length when absent, else the model's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u32>,
    /// What is meant for this library and sent to no provider.
    #[serde(rename = "xynergy", default, skip_serializing_if = "is_default")]
    pub options: CallOptions,
    /// What the layers of the call tell one another.
    #[serde(skip)]
    pub call: Call,
    /// Every other field, as it came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

fn is_default(options: &CallOptions) -> bool {
    *options == CallOptions::default()
}

impl EmbedRequest {
    /// A request for these texts with every default.
    pub fn new(input: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { input: input.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Refuses what no embedder could answer, before anything is reserved or sent.
    ///
    /// `max_text_bytes` bounds each text.
    pub(crate) fn validate(&self, settings: &EmbeddingsConfig, max_text_bytes: usize) -> Result<()> {
        let wrong = |message: String| Err(Error::invalid("ai.embed", message));
        if self.input.is_empty() {
            return wrong("input: empty; give at least one text".to_owned());
        }
        if self.input.len() > settings.max_inputs {
            return wrong(format!(
                "input: {} texts are more than ai.embeddings.max_inputs = {}; embed them in several calls, or raise it",
                self.input.len(),
                settings.max_inputs
            ));
        }
        for (number, text) in self.input.iter().enumerate() {
            if text.trim().is_empty() {
                return wrong(format!("input[{number}]: blank; leave it away or give a text"));
            }
            if text.len() > max_text_bytes {
                return wrong(format!(
                    "input[{number}]: {} bytes are more than ai.max_prompt_bytes = {max_text_bytes}; split it, or raise that",
                    text.len()
                ));
            }
        }
        if self.dimensions == Some(0) {
            return wrong("dimensions: 0 leaves no vector; give at least 1 or leave it away".to_owned());
        }
        Ok(())
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for EmbedRequest {
    fn from(texts: [T; N]) -> Self {
        Self::new(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_names_its_field() {
        let settings = EmbeddingsConfig { max_inputs: 3, ..EmbeddingsConfig::default() };
        let valid = EmbedRequest::new(["a", "b"]);
        assert!(valid.validate(&settings, 10).is_ok());
        for (request, part) in [
            (EmbedRequest::default(), "input: empty"),
            (EmbedRequest::new(["a", "b", "c", "d"]), "max_inputs = 3"),
            (EmbedRequest::new(["a", "b", " \n"]), "input[2]: blank"),
            (EmbedRequest::new(["a", "12345678901"]), "input[1]: 11 bytes"),
            (EmbedRequest { dimensions: Some(0), ..valid.clone() }, "dimensions: 0"),
        ] {
            let error = request.validate(&settings, 10).unwrap_err();
            assert!(error.message().contains(part), "{error}");
        }
    }

    #[test]
    fn unknown_parameters_survive() {
        let json = serde_json::json!({"input": ["a"], "model": "m", "user": "u", "xynergy": {"tags": ["t"]}});
        let request: EmbedRequest = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(request.extra["user"], "u");
        assert_eq!(serde_json::to_value(&request).unwrap(), json);
    }

    #[test]
    fn dimensions_that_are_no_count_are_no_request() {
        for wrong in ["-1", "1.5", "null0", "\"3\"", "4294967296"] {
            let json = format!(r#"{{"input": ["a"], "dimensions": {wrong}}}"#);
            assert!(serde_json::from_str::<EmbedRequest>(&json).is_err(), "{wrong}");
        }
    }
}
