use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result, Retry};
use crate::provider::Attempt;

/// What an embedder answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmbedResponse {
    /// One vector a text, in the order of the texts.
    pub vectors: Vec<Vec<f32>>,
    /// The tokens of the texts, as the service counts them; they are estimated when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

impl EmbedResponse {
    /// The same answer, if it can be one to `count` texts: a vector each, all of one length (`dimensions` where that was asked for),
    /// every number finite, no vector of nothing but zeros.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) that says what is wrong, and of which text.
    pub fn checked(self, count: usize, dimensions: Option<u32>) -> Result<Self> {
        if self.vectors.len() != count {
            return Err(corrupt(format!("{} vectors came for {count} texts", self.vectors.len())));
        }
        let asked = dimensions.and_then(|dimensions| usize::try_from(dimensions).ok());
        let expected = asked.or_else(|| self.vectors.first().map(Vec::len)).unwrap_or_default();
        for (number, vector) in self.vectors.iter().enumerate() {
            if vector.is_empty() {
                return Err(corrupt(format!("the vector of input[{number}] is empty")));
            }
            if vector.len() != expected {
                return Err(corrupt(format!(
                    "the vector of input[{number}] has {} dimensions, not {expected}",
                    vector.len()
                )));
            }
            if !vector.iter().all(|number| number.is_finite()) {
                return Err(corrupt(format!("the vector of input[{number}] holds what is no finite number")));
            }
            if vector.iter().all(|number| *number == 0.0) {
                return Err(corrupt(format!("the vector of input[{number}] is nothing but zeros")));
            }
        }
        Ok(self)
    }
}

/// Another try may do better: the request is not at fault.
fn corrupt(message: String) -> Error {
    Error::new(ErrorKind::Corrupt, "ai.embed", message).with_retry(Retry::Exhausted)
}

/// Texts as vectors, and what became of the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Embeddings {
    /// One vector a text, in the order of the texts.
    pub vectors: Vec<Vec<f32>>,
    /// How long each vector is.
    pub dimensions: u32,
    /// The provider that answered; where several parts were sent, that of the first.
    pub provider: String,
    /// The model that was asked there.
    pub model: String,
    /// The tokens of the texts.
    pub tokens_used: u64,
    /// Whether tokens were counted here because the provider did not say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub usage_estimated: bool,
    /// The cost in dollars, for people; null when the price is not known.
    pub cost: Option<f64>,
    /// The cost in billionths of a dollar; null when the price is not known.
    pub cost_nano_usd: Option<u64>,
    /// The id of the request.
    pub request_id: String,
    /// Every attempt, in order; one for each part where the texts were sent in several.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vectors: &[&[f32]]) -> EmbedResponse {
        EmbedResponse { vectors: vectors.iter().map(|vector| vector.to_vec()).collect(), tokens: None }
    }

    #[test]
    fn only_whole_answers_pass() {
        let good = of(&[&[1.0, 0.0], &[-0.5, 0.25]]);
        assert_eq!(good.clone().checked(2, None).unwrap(), good);
        assert_eq!(good.clone().checked(2, Some(2)).unwrap(), good);
        for (response, count, dimensions, part) in [
            (good.clone(), 3, None, "2 vectors came for 3 texts"),
            (good.clone(), 1, None, "2 vectors came for 1 texts"),
            (good, 2, Some(3), "input[0] has 2 dimensions, not 3"),
            (of(&[&[1.0], &[1.0, 2.0]]), 2, None, "input[1] has 2 dimensions, not 1"),
            (of(&[&[1.0], &[]]), 2, None, "input[1] is empty"),
            (of(&[&[f32::NAN]]), 1, None, "input[0] holds"),
            (of(&[&[1.0], &[f32::INFINITY]]), 2, None, "input[1] holds"),
            (of(&[&[0.0, -0.0]]), 1, None, "zeros"),
        ] {
            let error = response.checked(count, dimensions).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.message().contains(part), "{error}");
        }
    }

    #[test]
    fn numbers_are_written_short_and_read_back_as_they_were() {
        let response = of(&[&[0.1, -1.0e-8, 16_777_216.0, f32::MIN_POSITIVE]]);
        let json = serde_json::to_string(&response).unwrap();
        assert!(json.contains("[0.1,-1e-8,"), "{json}");
        assert_eq!(serde_json::from_str::<EmbedResponse>(&json).unwrap(), response);
    }
}
