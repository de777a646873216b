//! What the body of an error says, in the words of each vendor.

use serde_json::Value;

use super::error::OUT_OF_MONEY;

/// Parts of messages that say that the prompt does not fit, in lower case.
const TOO_LONG: [&str; 27] = [
    "maximum context length",           // OpenAI, OpenRouter, DeepSeek, vLLM
    "maximum model length", // vLLM: "The decoder prompt (length 9) is longer than the maximum model length of 8"
    "too long to fit into the model", // vLLM
    "is too long and exceeds limit of", // vLLM
    "available context size", // llama.cpp
    "context size has been exceeded", // llama.cpp
    "exceed context window", // llama-cpp-python
    "exceeds the context window", // OpenAI, Responses
    "context window exceeded",
    "contextwindowexceedederror", // LiteLLM's proxy, whatever the provider behind it said
    "context length exceeded",
    "exceeds context length",
    "prompt is too long",                           // Anthropic
    "exceed context limit", // Anthropic: "input length and `max_tokens` exceed context limit"
    "input is too long for requested model", // Bedrock
    "exceeds the maximum number of tokens allowed", // Gemini
    "reduce the length of the messages", // Groq
    "too large for model with", // Mistral: "Prompt contains 9 tokens ... too large for model with 8 maximum context length"
    "exceeds the context length", // Ollama: "the input length exceeds the context length"
    "context length is only",   // vLLM: "However, the model's context length is only 8 tokens"
    "context length of only",   // LM Studio
    "longer than the model's context length", // SGLang
    "`max_new_tokens` must be <=", // TGI: "`inputs` tokens + `max_new_tokens` must be <= 8"
    "`inputs` must have less than", // TGI
    "maximum prompt length",    // xAI
    "too many input tokens",    // Bedrock
    "tokens_limit_reached",     // GitHub Models
];

/// Codes and types that say the same.
const TOO_LONG_NAMES: [&str; 3] =
    ["context_length_exceeded", "exceed_context_size_error", "context_window_exceeded"];

/// Codes and types of a content filter.
const FILTERED_NAMES: [&str; 7] = [
    "content_filter",
    "content_policy_violation",
    "ResponsibleAIPolicyViolation",
    "content_filtered",
    "moderation_blocked",
    "image_content_policy_violation", // OpenAI, Responses
    "data_inspection_failed",         // Qwen
];

/// Parts of messages that say so where no name does: DeepSeek's, and OpenAI's of a prompt to a reasoning model.
const FILTERED: [&str; 3] =
    ["Content Exists Risk", "flagged as potentially violating", "ContentPolicyViolationError"];

/// Codes of OpenAI for a request that is wrong, where a response fails with no status of its own.
const WRONG_REQUEST: [&str; 15] = [
    "invalid_prompt",
    "invalid_image",
    "invalid_image_format",
    "invalid_base64_image",
    "invalid_image_url",
    "invalid_image_mode",
    "image_too_large",
    "image_too_small",
    "image_parse_error",
    "image_file_too_large",
    "unsupported_image_media_type",
    "empty_image_file",
    "failed_to_download_image",
    "image_file_not_found",
    "tool_use_failed", // Groq
];

/// What an error body tells.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) message: String,
    pub(super) code: String,
    pub(super) kind: String,
    pub(super) param: String,
    /// The status that the body itself gives, if it does.
    pub(super) status: Option<u16>,
    inner_code: String,
    flagged: bool,
}

impl Told {
    /// OpenAI's `{"error": {message, type, code}}`, Ollama's `{"error": "..."}`, Mistral's and vLLM's `{"message"}`, FastAPI's
    /// `{"detail"}`, Gemini's list of one.
    pub(super) fn read(body: &Value) -> Self {
        let body = body.get(0).unwrap_or(body);
        let error = body.get("error").filter(|error| !is_nothing(error)).unwrap_or(body);
        let text = |name: &str| match error.get(name).or_else(|| body.get(name)) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) | None => None,
            Some(other) => Some(other.to_string()),
        };
        let whole = error.as_str().map(str::to_owned);
        let status = ["code", "status_code", "status", "raw_status_code"].iter().find_map(|name| {
            let value = error.get(*name)?;
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
            u16::try_from(number).ok().filter(|status| (400..600).contains(status))
        });
        let metadata = error.get("metadata");
        let raw = metadata.and_then(|metadata| metadata.get("raw")).and_then(Value::as_str);
        let message = whole.or_else(|| text("message")).or_else(|| text("detail")).or_else(|| text("msg"));
        Self {
            // OpenRouter's own message says nothing of what the provider behind it said.
            message: match (message.unwrap_or_default(), raw) {
                (message, Some(raw)) if message == "Provider returned error" => format!("{message}: {raw}"),
                (message, _) => message,
            },
            code: text("code").unwrap_or_default(),
            kind: text("type").or_else(|| text("status")).unwrap_or_default(),
            param: text("param").unwrap_or_default(),
            status,
            inner_code: inner_code(error),
            flagged: metadata.is_some_and(|metadata| metadata.get("flagged_input").is_some()),
        }
    }

    /// The status that an error under status 200 stands for.
    pub(super) fn status_by_name(&self) -> u16 {
        let any = |names: &[&str]| names.iter().any(|name| self.code == *name || self.kind == *name);
        if any(&OUT_OF_MONEY) || any(&["rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"]) {
            429
        } else if any(&["invalid_api_key", "authentication_error", "permission_error"]) {
            401
        } else if any(&["overloaded_error"]) {
            529
        } else if any(&["not_found_error", "model_not_found"]) {
            404
        } else if any(&["invalid_request_error", "BadRequestError"])
            || any(&WRONG_REQUEST)
            || self.is_too_long()
            || self.is_filtered()
        {
            400
        } else {
            502
        }
    }

    pub(super) fn is_too_long(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        TOO_LONG_NAMES.iter().any(|name| self.code == *name || self.kind == *name)
            || TOO_LONG.iter().any(|part| message.contains(part))
    }

    pub(super) fn is_filtered(&self) -> bool {
        let named = |name: &&str| [&self.code, &self.kind, &self.inner_code].iter().any(|told| *told == name);
        self.flagged
            || FILTERED_NAMES.iter().any(named)
            || FILTERED.iter().any(|part| self.message.contains(part))
    }

    pub(super) fn is_out_of_money(&self) -> bool {
        OUT_OF_MONEY.contains(&self.code.as_str())
    }

    /// LiteLLM's proxy: a key's budget is used up, with a status of the operator's choice.
    pub(super) fn is_over_budget(&self) -> bool {
        self.kind == "budget_exceeded"
    }

    /// LiteLLM's proxy without a database: every key but the master's is looked up in one, so a wrong key gets this and status 400.
    pub(super) fn is_unknown_key(&self) -> bool {
        self.kind == "no_db_connection"
    }

    pub(super) fn is_unknown_model(&self) -> bool {
        self.code == "model_not_found"
            || self.code == "DeploymentNotFound"
            || self.kind == "not_found_error"
            // LiteLLM's proxy, with status 400.
            || self.message.contains("Invalid model name passed in model=")
    }
}

/// Whether an `error` field says that there is none.
pub(super) fn is_nothing(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Array(_) | Value::Bool(true) | Value::Number(_) => false,
    }
}

fn inner_code(error: &Value) -> String {
    let inner = error.get("innererror").or_else(|| error.get("inner_error"));
    inner.and_then(|inner| inner.get("code")).and_then(Value::as_str).unwrap_or_default().to_owned()
}
