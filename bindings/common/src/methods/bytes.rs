use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// Raw bytes in JSON: a string when they are UTF-8, `{"base64": "..."}` in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Base64 { base64: String },
        }
        match Form::deserialize(deserializer) {
            Ok(Form::Text(text)) => Ok(Self(text.into_bytes())),
            Ok(Form::Base64 { base64 }) => STANDARD
                .decode(&base64)
                .map(Self)
                .map_err(|e| serde::de::Error::custom(format!("base64: {e}"))),
            Err(_) => Err(serde::de::Error::custom("neither text nor bytes")),
        }
    }
}

impl JsonSchema for Bytes {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Raw bytes: text, or anything else as base64.",
            "format": "bytes",
            "anyOf": [
                {"type": "string"},
                {"type": "object", "properties": {"base64": {"type": "string"}}, "required": ["base64"]}
            ]
        })
    }
}
