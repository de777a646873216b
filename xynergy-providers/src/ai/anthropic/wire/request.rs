use bytes::Bytes;
use serde_json::{Map, Value, json};
use xynergy_core::provider::ChatRequest;
use xynergy_core::{Error, ErrorKind, Result};

use super::conversation::{Conversation, Turn};
use super::tools::{choice, tools, without};
use super::{Prefill, unsupported};
use crate::ai::anthropic::model::{Abilities, Thinking, longest_answer};

/// OpenAI's fields that the Messages API refuses and whose absence changes no answer's meaning, and those that are translated.
const NOT_SENT: [&str; 23] = [
    "betas",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "metadata",
    "modalities",
    "output_config",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "seed",
    "stop",
    "store",
    "stream",
    "stream_options",
    "system",
    "tool_choice",
    "top_logprobs",
    "user",
];

/// The least that a model can be given to think, in tokens.
const LEAST_BUDGET: u64 = 1_024;
/// The most that is given where the request names an effort and no budget: more is for batches.
const GREATEST_BUDGET: u64 = 32_000;

/// A request as it goes out.
#[derive(Debug)]
pub(in super::super) struct Outgoing {
    pub(in super::super) body: Bytes,
    /// The value of the header `anthropic-beta`.
    pub(in super::super) betas: Option<String>,
    /// What the answer's beginning has to be compared with.
    pub(in super::super) prefill: Prefill,
}

/// `request` for the Messages API.
///
/// Errors: `Unsupported` for what the API has no counterpart of, `InvalidInput` for what no API could take.
pub(in super::super) fn outgoing(
    request: &ChatRequest,
    default_model: &str,
    stream: bool,
) -> Result<Outgoing> {
    let extra = without(&request.extra, &[]);
    refuse(request, &extra)?;
    let model = if request.model.is_empty() { default_model } else { &request.model };
    let abilities = Abilities::of(model);
    let mut conversation = Conversation::of(&request.messages)?;
    let continued = conversation.is_continued() && !conversation.is_paused();
    if continued && abilities.prefill == Some(false) {
        return Err(unsupported(format!(
            "messages: {model} does not continue an assistant's message; end with a user's"
        )));
    }
    let prefill = conversation.cut_end();
    let limit = request.token_limit().map_or_else(|| longest_answer(model), u64::from);

    let mut fields = without(&extra, &NOT_SENT);
    fields.insert("model".to_owned(), model.into());
    fields.insert("max_tokens".to_owned(), limit.into());
    let mut output = match extra.get("output_config") {
        Some(Value::Object(given)) => given.clone(),
        _ => Map::new(),
    };
    if let Some(format) = request.response_format.as_ref().map(format).transpose()?.flatten() {
        output.insert("format".to_owned(), format);
    }
    let parallel = extra.get("parallel_tool_calls").and_then(Value::as_bool);
    let tool_choice = choice(extra.get("tool_choice"), parallel)?.filter(|_| !request.tools.is_empty());
    let is_forced =
        tool_choice.as_ref().is_some_and(|choice| choice["type"] == "any" || choice["type"] == "tool");
    let may_think = !continued && !is_forced && !conversation.called_without_thinking();
    let mut thinks = false;
    if let Some(effort) = extra.get("reasoning_effort").and_then(Value::as_str) {
        let (level, thinking) = reason(effort, abilities.thinking, limit);
        if let Some(level) = level {
            output.entry("effort").or_insert_with(|| level.into());
        }
        if let Some(thinking) = thinking.filter(|_| may_think && !fields.contains_key("thinking")) {
            fields.insert("thinking".to_owned(), thinking);
            thinks = true;
        }
    }
    sample(&mut fields, request.temperature, abilities.sampling && !thinks);
    if !output.is_empty() {
        fields.insert("output_config".to_owned(), output.into());
    }
    if let Some(tool_choice) = tool_choice {
        fields.insert("tool_choice".to_owned(), tool_choice);
    }
    if !request.tools.is_empty() {
        fields.insert("tools".to_owned(), tools(&request.tools)?.into());
    }
    if let Some(stop) = extra.get("stop") {
        let stop = if stop.is_array() { stop.clone() } else { json!([stop]) };
        fields.insert("stop_sequences".to_owned(), stop);
    }
    if let Some(user) = user(&extra) {
        fields.insert("metadata".to_owned(), json!({"user_id": user}));
    }
    let system = system(extra.get("system"), conversation.system);
    if !system.is_empty() {
        fields.insert("system".to_owned(), system.into());
    }
    let messages: Vec<Value> = conversation.turns.into_iter().map(Turn::into_message).collect();
    fields.insert("messages".to_owned(), messages.into());
    if stream {
        fields.insert("stream".to_owned(), true.into());
    }
    let body = serde_json::to_vec(&fields).map(Bytes::from).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "ai.chat", "the request cannot be written as JSON")
            .with_source(error)
    })?;
    Ok(Outgoing { body, betas: betas(extra.get("betas")), prefill })
}

/// What would silently be missing from the answer.
fn refuse(request: &ChatRequest, extra: &Map<String, Value>) -> Result<()> {
    let more_than_text =
        |modalities: &Value| modalities.as_array().into_iter().flatten().any(|modality| modality != "text");
    if request.n.is_some_and(|n| n > 1) {
        Err(unsupported("n: the Messages API gives one answer; leave it away or ask several times"))
    } else if extra.get("logprobs").is_some_and(|asked| *asked == true) {
        Err(unsupported("logprobs: the Messages API gives no log probabilities; leave it away"))
    } else if extra.contains_key("functions") || extra.contains_key("function_call") {
        Err(unsupported("functions: their answers have no counterpart in the Messages API; use tools"))
    } else if extra.contains_key("audio") || extra.get("modalities").is_some_and(more_than_text) {
        Err(unsupported("modalities: the Messages API answers with text alone; leave it away"))
    } else {
        Ok(())
    }
}

/// The API guarantees a schema, and without one nothing: a forced tool or an instruction would only look like it.
fn format(format: &Value) -> Result<Option<Value>> {
    match format["type"].as_str() {
        Some("text") => Ok(None),
        Some("json_schema") => {
            let schema = format.pointer("/json_schema/schema").or_else(|| format.get("schema"));
            let schema = schema.filter(|schema| schema.is_object()).ok_or_else(|| {
                Error::invalid("ai.chat", "response_format.json_schema.schema: missing; give a JSON schema")
            })?;
            Ok(Some(json!({"type": "json_schema", "schema": schema})))
        }
        Some("json_object") => Err(unsupported(
            "response_format: the Messages API has no json_object; use json_schema, whose schema it guarantees",
        )),
        _ => Err(unsupported("response_format: the Messages API knows text and json_schema")),
    }
}

/// An effort as the model is told of it: `output_config.effort` and `thinking`.
fn reason(effort: &str, thinking: Thinking, limit: u64) -> (Option<&str>, Option<Value>) {
    let percent = match effort {
        "minimal" => 10,
        "low" => 20,
        "medium" => 50,
        "high" => 80,
        "xhigh" | "max" => 90,
        _ => 0,
    };
    let level = match effort {
        "minimal" => "low",
        "xhigh" if thinking == Thinking::Effort => "high",
        other => other,
    };
    match thinking {
        _ if effort == "none" => (None, None),
        Thinking::No => (None, None),
        Thinking::Budget => {
            let budget = (limit.saturating_mul(percent) / 100).clamp(LEAST_BUDGET, GREATEST_BUDGET);
            // The user's limit holds for thinking and answer together.
            let fits = percent > 0 && budget < limit;
            (None, fits.then(|| json!({"type": "enabled", "budget_tokens": budget})))
        }
        Thinking::Effort | Thinking::MoreEffort => (Some(level), Some(json!({"type": "adaptive"}))),
    }
}

/// OpenAI's temperatures reach 2, these 1. Models that think or are new take none, and some not both of temperature and `top_p`.
fn sample(fields: &mut Map<String, Value>, temperature: Option<f64>, allowed: bool) {
    if !allowed {
        fields.retain(|name, _| name != "top_p" && name != "top_k");
        return;
    }
    if let Some(temperature) = temperature {
        fields.insert("temperature".to_owned(), temperature.min(1.0).into());
        if fields.get("top_p").and_then(Value::as_f64) == Some(1.0) {
            fields.remove("top_p");
        }
    }
}

/// `metadata` holds nothing but the user here; OpenAI's is the caller's own.
fn user(extra: &Map<String, Value>) -> Option<Value> {
    let given = extra.get("metadata").and_then(|metadata| metadata.get("user_id"));
    given.or_else(|| extra.get("safety_identifier")).or_else(|| extra.get("user")).cloned()
}

fn system(given: Option<&Value>, hoisted: Vec<Value>) -> Vec<Value> {
    let mut system = match given {
        Some(Value::Array(blocks)) => blocks.clone(),
        Some(Value::String(text)) => vec![json!({"type": "text", "text": text})],
        _ => Vec::new(),
    };
    system.extend(hoisted);
    system
}

fn betas(given: Option<&Value>) -> Option<String> {
    match given? {
        Value::String(one) => Some(one.clone()),
        Value::Array(several) => {
            let names: Vec<&str> = several.iter().filter_map(Value::as_str).collect();
            (!names.is_empty()).then(|| names.join(","))
        }
        _ => None,
    }
}
