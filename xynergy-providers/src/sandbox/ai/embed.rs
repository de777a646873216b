//! Embeddings by hashing: texts that share words and letters lie close, and nothing was learned.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{bad, error, tokens};
use crate::sandbox::incoming::Incoming;
use crate::sandbox::record::AiUsage;
use crate::sandbox::reply::{Handled, Reply};

const DIMENSIONS: usize = 768;
const MAX_DIMENSIONS: usize = 3_072;
const MAX_INPUTS: usize = 2_048;

pub(super) fn embed(request: &Incoming) -> Handled {
    match request.json().map_err(|message| error(400, &message, None)).and_then(|body| answer(&body)) {
        Ok((reply, usage)) => {
            let mut handled = Handled::from(reply);
            handled.usage = Some(usage);
            handled
        }
        Err(reply) => reply.into(),
    }
}

fn answer(body: &Value) -> Result<(Reply, AiUsage), Reply> {
    let model =
        body.get("model").and_then(Value::as_str).filter(|model| !model.is_empty() && model.len() <= 200);
    let model =
        model.ok_or_else(|| bad("model", "you must provide a model parameter of at most 200 bytes"))?;
    let texts = match body.get("input") {
        Some(Value::String(text)) => Some(vec![text.as_str()]),
        Some(Value::Array(list)) => list.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let texts = texts
        .filter(|texts| (1..=MAX_INPUTS).contains(&texts.len()) && texts.iter().all(|text| !text.is_empty()))
        .ok_or_else(|| bad("input", "give a text or a list of 1 to 2048 texts, none of them empty"))?;
    let dimensions = match body.get("dimensions") {
        None | Some(Value::Null) => DIMENSIONS,
        Some(value) => value
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| (1..=MAX_DIMENSIONS).contains(n))
            .ok_or_else(|| bad("dimensions", "give a whole number from 1 to 3072"))?,
    };
    let in_base64 = body.get("encoding_format").and_then(Value::as_str) == Some("base64");
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = vector(text, dimensions);
            let embedding: Value = if in_base64 {
                STANDARD.encode(vector.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()).into()
            } else {
                vector.into()
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let used = texts.iter().map(|text| tokens(text.len())).sum();
    let usage = AiUsage { model: model.to_owned(), prompt_tokens: used, completion_tokens: 0 };
    let body = json!({
        "object": "list", "data": data, "model": model,
        "usage": {"prompt_tokens": used, "total_tokens": used},
    });
    Ok((Reply::json(200, &body), usage))
}

/// A vector of length 1: every word and every three letters of it add a signed one at a hashed place.
fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut sums = vec![0_i32; dimensions];
    let mut add = |feature: &str, weight: i32| {
        let hash = Sha256::digest(feature.as_bytes());
        let place = hash.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        let count = u64::try_from(dimensions).unwrap_or(1);
        if let Some(sum) = usize::try_from(place % count).ok().and_then(|place| sums.get_mut(place)) {
            *sum += if hash.iter().last().is_some_and(|byte| byte & 1 == 1) { weight } else { -weight };
        }
    };
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        add(&word, 3);
        let letters: Vec<char> = format!("^{word}$").chars().collect();
        for three in letters.windows(3) {
            add(&three.iter().collect::<String>(), 1);
        }
    }
    if sums.iter().all(|sum| *sum == 0) {
        sums[0] = 1;
    }
    let length = sums.iter().map(|sum| f64::from(*sum) * f64::from(*sum)).sum::<f64>().sqrt();
    // Rounding to single precision is what the wire holds.
    #[expect(clippy::cast_possible_truncation)]
    sums.into_iter().map(|sum| (f64::from(sum) / length) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(a: &str, b: &str) -> f32 {
        vector(a, DIMENSIONS).iter().zip(vector(b, DIMENSIONS)).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn near_texts_lie_near() {
        assert!((similarity("summer sale", "Summer sale!") - 1.0).abs() < 1e-5);
        assert!(similarity("cheap running shoes", "cheap running shoe") > 0.6);
        assert!(similarity("cheap running shoes", "tax advice for dentists") < 0.3);
        assert_eq!(vector("???", 4), [1.0, 0.0, 0.0, 0.0]);
    }
}
