use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient;
use super::open::open_enum;

open_enum! {
    /// Who speaks.
    Role {
        /// Instructions.
        System = "system",
        /// Instructions, in newer models.
        Developer = "developer",
        /// The person or program that asks.
        User = "user",
        /// The model.
        Assistant = "assistant",
        /// The result of a tool call.
        Tool = "tool",
    }
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Who speaks.
    #[serde(default = "assistant", deserialize_with = "role_or_assistant")]
    pub role: Role,
    /// What is said; absent beside tool calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// Why the model refused.
    #[serde(default, deserialize_with = "lenient::words", skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// The tools that the model calls, as they came.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<Value>,
    /// Every other field, as it came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Message {
    /// A message of plain text.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self {
            role,
            content: Some(Content::Text(text.into())),
            refusal: None,
            tool_calls: Vec::new(),
            extra: Map::new(),
        }
    }

    /// A message of the assistant that says nothing.
    pub(super) fn silent() -> Self {
        Self { content: None, ..Self::text(Role::Assistant, "") }
    }

    /// The pieces of text in it, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.content.iter().flat_map(Content::texts)
    }

    /// Whether there is nothing in it but a role and what is said.
    pub fn is_only_content(&self) -> bool {
        self.refusal.is_none() && self.tool_calls.is_empty() && self.extra.is_empty()
    }

    /// Whether a part of it is an image.
    pub fn has_image(&self) -> bool {
        self.image_parts() > 0
    }

    /// How many parts of it have to do with images, by whatever name.
    pub(crate) fn image_parts(&self) -> usize {
        match &self.content {
            Some(Content::Parts(parts)) => parts.iter().filter(|part| part.kind.contains("image")).count(),
            _ => 0,
        }
    }

    /// How many parts of it are images.
    pub fn images(&self) -> usize {
        match &self.content {
            Some(Content::Parts(parts)) => parts
                .iter()
                .filter(|part| matches!(part.kind.as_str(), "image_url" | "image" | "input_image"))
                .count(),
            _ => 0,
        }
    }
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Parts: text, images, files and whatever providers add.
    Parts(Vec<ContentPart>),
}

impl Content {
    /// The pieces of text in it, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let (whole, parts) = match self {
            Self::Text(text) => (Some(text.as_str()), [].as_slice()),
            Self::Parts(parts) => (None, parts.as_slice()),
        };
        whole.into_iter().chain(parts.iter().filter_map(|part| part.text.as_deref()))
    }
}

/// One part of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContentPart {
    /// What it is, as `text` or `image_url`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The text, in a text part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Every other field, as it came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

fn assistant() -> Role {
    Role::Assistant
}

/// Some providers send `null` or `""`.
fn role_or_assistant<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Role, D::Error> {
    Ok(lenient::name::<D, Role>(deserializer)?.unwrap_or(Role::Assistant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_and_roles_survive() {
        let json = serde_json::json!({
            "role": "critic", "content": [{"type": "input_audio", "input_audio": {"data": "AA=="}}, {"type": "text", "text": "hm"}],
            "name": "ann"
        });
        let message: Message = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(message.role, Role::Other("critic".into()));
        assert_eq!(message.texts().collect::<Vec<_>>(), ["hm"]);
        assert_eq!(serde_json::to_value(message).unwrap(), json);
    }

    #[test]
    fn nulls_are_absent() {
        let json = r#"{"role": "assistant", "content": null, "refusal": null, "tool_calls": null}"#;
        let message: Message = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&message).unwrap(), r#"{"role":"assistant"}"#);
    }
}
