//! Embeddings as OpenAI's `/embeddings` has them. Without I/O.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use xynergy_core::config::Secret;
use xynergy_core::embed::{EmbedRequest, EmbedResponse};
use xynergy_core::{Error, ErrorKind, Result, Retry};

use super::dialect::Embeds;
use super::error::{in_band, no_json};

/// The body of a request.
pub(super) fn body(request: &EmbedRequest, ways: &Embeds) -> Result<Bytes> {
    let unwritable = |error| {
        Error::new(ErrorKind::Unexpected, "ai.embed", "the request cannot be written as JSON")
            .with_source(error)
    };
    let mut fields = request.extra.clone();
    fields.remove("xynergy");
    fields.insert("model".into(), request.model.as_str().into());
    fields.insert("input".into(), request.input.clone().into());
    if let Some(dimensions) = request.dimensions {
        let Some(name) = ways.dimensions else {
            let message = "dimensions: this provider does not shorten vectors; leave it away";
            return Err(Error::new(ErrorKind::Unsupported, "ai.embed", message));
        };
        fields.insert(name.into(), dimensions.into());
    }
    // The caller sees numbers whatever the wire has.
    fields.remove("encoding_format");
    if ways.base64 {
        fields.insert("encoding_format".into(), "base64".into());
    }
    serde_json::to_vec(&fields).map(Bytes::from).map_err(unwritable)
}

/// An answer, its vectors in the order of the texts.
pub(super) fn response(body: &[u8], count: usize, key: Option<&Secret>) -> Result<EmbedResponse> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        data: Option<Vec<Entry<'a>>>,
        #[serde(default)]
        usage: Value,
    }
    let read = serde_json::from_slice::<Body<'_>>(body);
    if !matches!(&read, Ok(Body { data: Some(_), .. })) {
        // Not an answer: what it is instead decides what becomes of the call.
        let value: Value = serde_json::from_slice(body).map_err(|_| no_json(body))?;
        if let Some(error) = in_band(&value, key) {
            return Err(error);
        }
    }
    let Body { data: Some(data), usage } =
        read.map_err(|error| corrupt("the answer is no list of vectors".to_owned()).with_source(error))?
    else {
        return Err(corrupt("the answer has no data".to_owned()));
    };
    let vectors = ordered(data, count)?;
    let tokens = |name: &str| usage.get(name).and_then(Value::as_u64).filter(|tokens| *tokens > 0);
    Ok(EmbedResponse { vectors, tokens: tokens("prompt_tokens").or_else(|| tokens("total_tokens")) })
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow)]
    embedding: &'a RawValue,
}

/// The vectors by their index; as they came where none has one.
fn ordered(data: Vec<Entry<'_>>, count: usize) -> Result<Vec<Vec<f32>>> {
    if data.len() != count {
        return Err(corrupt(format!("{} vectors came for {count} texts", data.len())));
    }
    let in_order = data.iter().all(|entry| entry.index.is_none());
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; count];
    for (number, entry) in data.into_iter().enumerate() {
        let place =
            if in_order { Some(number) } else { entry.index.and_then(|index| usize::try_from(index).ok()) };
        let read = vector(entry.embedding).ok_or_else(|| {
            corrupt(format!("the vector number {number} is neither numbers nor base64 of them"))
        })?;
        match place.and_then(|place| vectors.get_mut(place)) {
            Some(free @ None) => *free = Some(read),
            _ => {
                let message =
                    format!("the vector number {number} says no place of its own among {count} texts");
                return Err(corrupt(message));
            }
        }
    }
    Ok(vectors.into_iter().flatten().collect())
}

/// Numbers, or base64 of 32-bit floats in little-endian order; what a number is worth is judged by the caller.
fn vector(raw: &RawValue) -> Option<Vec<f32>> {
    let text = raw.get();
    if !text.starts_with('"') {
        return serde_json::from_str(text).ok();
    }
    // Escaped slashes are valid JSON, and some servers write them.
    let encoded: std::borrow::Cow<'_, str> = match text.get(1..text.len() - 1) {
        Some(plain) if !plain.contains('\\') => plain.into(),
        _ => serde_json::from_str::<String>(text).ok()?.into(),
    };
    let bytes = STANDARD.decode(encoded.as_bytes()).ok()?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
}

fn corrupt(message: String) -> Error {
    Error::new(ErrorKind::Corrupt, "ai.embed", message).with_retry(Retry::Exhausted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const FLOATS: Embeds = Embeds { base64: false, dimensions: Some("dimensions"), model: "", max_inputs: 9 };

    fn read(body: &Value, count: usize) -> Result<EmbedResponse> {
        response(body.to_string().as_bytes(), count, None)
    }

    fn message(body: &Value, count: usize) -> (ErrorKind, String) {
        let error = read(body, count).unwrap_err();
        (error.kind(), error.message().to_owned())
    }

    #[test]
    fn the_body_has_the_names_of_the_dialect() {
        let json = json!({
            "input": ["a"], "model": "m", "dimensions": 3, "user": "u", "encoding_format": "float", "xynergy": {"tags": ["t"]}
        });
        let request: EmbedRequest = serde_json::from_value(json).unwrap();
        let sent =
            |ways: &Embeds| -> Value { serde_json::from_slice(&body(&request, ways).unwrap()).unwrap() };
        assert_eq!(sent(&FLOATS), json!({"input": ["a"], "model": "m", "dimensions": 3, "user": "u"}));
        let other = Embeds { base64: true, dimensions: Some("output_dimension"), ..FLOATS };
        assert_eq!(
            sent(&other),
            json!({"input": ["a"], "model": "m", "output_dimension": 3, "user": "u", "encoding_format": "base64"})
        );
        let error = body(&request, &Embeds { dimensions: None, ..FLOATS }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn both_encodings_are_read_and_put_in_order() {
        let mixed = json!({
            "object": "list", "model": "m", "usage": {"prompt_tokens": 5, "total_tokens": 5},
            "data": [{"index": 1, "embedding": [0.5, -2.0, 1]}, {"index": 0, "embedding": "AACAPwAAAMAAAAAA", "object": "embedding"}]
        });
        let expected = vec![vec![1.0, -2.0, 0.0], vec![0.5, -2.0, 1.0]];
        assert_eq!(read(&mixed, 2).unwrap(), EmbedResponse { vectors: expected, tokens: Some(5) });
        let bare = json!({"data": [{"embedding": [1.0]}, {"embedding": [2.0]}], "usage": {"prompt_tokens": 0, "total_tokens": 0}});
        assert_eq!(
            read(&bare, 2).unwrap(),
            EmbedResponse { vectors: vec![vec![1.0], vec![2.0]], tokens: None }
        );
        let escaped = br#"{"data":[{"index":0,"embedding":"AACA\/w=="}]}"#;
        assert_eq!(response(escaped, 1, None).unwrap().vectors, [[f32::NEG_INFINITY]]);
    }

    #[test]
    fn what_is_no_answer_says_so() {
        let one = |embedding: Value| json!({"data": [{"index": 0, "embedding": embedding}]});
        for (body, count, part) in [
            (json!({"data": []}), 1, "0 vectors came for 1 texts"),
            (one(json!([1.0])), 2, "1 vectors came for 2 texts"),
            (json!({"data": null}), 1, "no data"),
            (json!({"object": "list"}), 1, "no data"),
            (json!({"data": [{"index": 0}]}), 1, "no list of vectors"),
            (json!({"data": "x"}), 1, "no list of vectors"),
            (one(json!(["a"])), 1, "number 0 is neither"),
            (one(json!([null])), 1, "number 0 is neither"),
            (one(json!("AAA=")), 1, "number 0 is neither"),
            (one(json!("***")), 1, "number 0 is neither"),
            (json!({"data": [{"index": 1, "embedding": [1.0]}]}), 1, "no place of its own"),
            (
                json!({"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]}),
                2,
                "no place",
            ),
            (json!({"data": [{"index": 0, "embedding": [1.0]}, {"embedding": [1.0]}]}), 2, "no place"),
        ] {
            let (kind, message) = message(&body, count);
            assert!(kind == ErrorKind::Corrupt && message.contains(part), "{body}: {kind} {message}");
        }
        let in_band = json!({"error": {"message": "overloaded", "code": 503}});
        assert_eq!(message(&in_band, 1).0, ErrorKind::Unavailable);
        for html in ["<html>", "", "{\"data\": [{"] {
            let error = response(html.as_bytes(), 1, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{html}");
        }
    }

    proptest! {
        #[test]
        fn every_vector_comes_back_bit_by_bit_in_any_order_and_encoding(
            vectors in proptest::collection::vec(proptest::collection::vec(-1e30_f32..1e30, 1..9), 1..9),
            order in any::<u64>(), encoded in any::<u64>(),
        ) {
            let mut data: Vec<Value> = vectors.iter().enumerate().map(|(index, vector)| {
                let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
                let embedding: Value =
                    if encoded >> index & 1 == 1 { STANDARD.encode(bytes).into() } else { vector.clone().into() };
                json!({"index": index, "embedding": embedding})
            }).collect();
            let turns = usize::try_from(order % data.len() as u64).unwrap();
            data.rotate_left(turns);
            if order >> 32 & 1 == 1 {
                data.reverse();
            }
            prop_assert_eq!(read(&json!({"data": data}), vectors.len()).unwrap().vectors, vectors);
        }

        #[test]
        fn no_bytes_are_too_odd(body in proptest::collection::vec(any::<u8>(), 0..200), count in 0_usize..4) {
            let _ = response(&body, count, None);
        }

        #[test]
        fn a_cut_answer_is_an_error(at in 0_usize..70) {
            let whole = br#"{"data":[{"index":0,"embedding":[0.25,1.5]}],"usage":{"prompt_tokens":3}}"#;
            prop_assert!(response(&whole[..at], 1, None).is_err());
        }
    }
}
