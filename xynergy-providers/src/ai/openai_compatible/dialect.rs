//! What each kind of server does its own way. A difference is a field here, and the code asks the field, never the name.
//!
//! What is read is no part of it: every odd form is read from everybody, because servers stand in front of servers.

use xynergy_core::config::Dialect;

/// The ways of one dialect.
#[derive(Debug)]
pub(super) struct Ways {
    pub(super) address: Address,
    pub(super) key: KeyHeader,
    /// The name of the limit of the answer.
    pub(super) limit: &'static str,
    /// What is asked for in `stream_options`; the field itself is unknown there when this is empty.
    pub(super) stream_options: &'static [(&'static str, bool)],
    /// OpenAI's names of parameters that have another name there.
    pub(super) renamed: &'static [(&'static str, &'static str)],
    /// What becomes of the reasoning of earlier answers in the conversation.
    pub(super) reasoning: Reasoning,
    /// Whether reasoning models are OpenAI's, which refuse every temperature but their own.
    pub(super) own_temperature: bool,
    /// Whether ids of tool calls must be nine letters and digits.
    pub(super) short_tool_ids: bool,
    /// Whether images are read from data URLs alone.
    pub(super) images_inline: bool,
    pub(super) prefill: Option<Prefill>,
    /// How it embeds texts, where it does.
    pub(super) embeds: Option<Embeds>,
}

/// How the address of chat completions follows from the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    BelowBase,
    /// By deployment where a version is given, else the v1 API.
    Azure,
}

/// How the API key is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyHeader {
    Bearer,
    ApiKey,
}

/// What becomes of `reasoning_content` and `reasoning` in messages that are sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reasoning {
    /// As it came: it is read, or passed over.
    Kept,
    /// Taken out: an unknown field of a message is refused.
    Removed,
    /// Kept where tools were called, where it is asked for; taken out otherwise, where older models refuse it.
    KeptWithTools,
}

/// How the last message is continued when it is the assistant's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefill {
    /// What is set in that message.
    pub(super) message: &'static [(&'static str, bool)],
    /// What is set in the request.
    pub(super) request: &'static [(&'static str, bool)],
    /// The path of the base where it works.
    pub(super) path: Option<&'static str>,
    /// Whether the answer begins with the message that it continues.
    pub(super) echoed: bool,
}

/// How texts are embedded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Embeds {
    /// Whether vectors are asked for in base64, which is a third of the bytes. Not where a server of some age may not know it.
    pub(super) base64: bool,
    /// The name of the length of the vectors; it cannot be asked for where there is none.
    pub(super) dimensions: Option<&'static str>,
    /// The model that is asked by default; none when empty.
    pub(super) model: &'static str,
    /// How many texts are sent in one request. OpenAI takes 2,048, and with as many long vectors the answer would be larger than what
    /// is read.
    pub(super) max_inputs: usize,
}

/// Embeddings as OpenAI has them, of whatever model is there.
const EMBEDS: Embeds = Embeds { base64: false, dimensions: Some("dimensions"), model: "", max_inputs: 256 };
/// The same in base64.
const EMBEDS_SHORT: Embeds = Embeds { base64: true, max_inputs: 1_024, ..EMBEDS };

const USAGE: &[(&str, bool)] = &[("include_usage", true)];
const CONTINUE: &[(&str, bool)] = &[("continue_final_message", true), ("add_generation_prompt", false)];

/// A server that follows OpenAI as it was when others began to.
const COMMON: Ways = Ways {
    address: Address::BelowBase,
    key: KeyHeader::Bearer,
    limit: "max_tokens",
    stream_options: USAGE,
    renamed: &[],
    reasoning: Reasoning::Kept,
    own_temperature: false,
    short_tool_ids: false,
    images_inline: false,
    prefill: None,
    embeds: Some(EMBEDS),
};

static OPENAI: Ways = Ways {
    limit: "max_completion_tokens",
    // Obfuscation is filling that only costs bandwidth where the connection is not watched.
    stream_options: &[("include_usage", true), ("include_obfuscation", false)],
    reasoning: Reasoning::Removed,
    own_temperature: true,
    embeds: Some(Embeds { model: "text-embedding-3-small", ..EMBEDS_SHORT }),
    ..COMMON
};

static AZURE: Ways = Ways {
    address: Address::Azure,
    key: KeyHeader::ApiKey,
    limit: "max_completion_tokens",
    reasoning: Reasoning::Removed,
    own_temperature: true,
    embeds: Some(EMBEDS_SHORT),
    ..COMMON
};

/// Usage always comes, asked for or not. Whether a message is continued depends on the model behind it: not promised.
static OPENROUTER: Ways = Ways { limit: "max_completion_tokens", stream_options: &[], ..COMMON };

static GROQ: Ways =
    Ways { limit: "max_completion_tokens", reasoning: Reasoning::Removed, embeds: None, ..COMMON };

/// Fields that are not in its description are refused with status 422. Usage comes with the last chunk.
static MISTRAL: Ways = Ways {
    stream_options: &[],
    renamed: &[("seed", "random_seed")],
    reasoning: Reasoning::Removed,
    short_tool_ids: true,
    prefill: Some(Prefill { message: &[("prefix", true)], request: &[], path: None, echoed: true }),
    // More than 256 texts are refused.
    embeds: Some(Embeds { dimensions: Some("output_dimension"), model: "mistral-embed", ..EMBEDS }),
    ..COMMON
};

static DEEPSEEK: Ways = Ways {
    reasoning: Reasoning::KeptWithTools,
    prefill: Some(Prefill { message: &[("prefix", true)], request: &[], path: Some("beta"), echoed: false }),
    embeds: None,
    ..COMMON
};

static OLLAMA: Ways = Ways { images_inline: true, ..COMMON };

static VLLM: Ways = Ways {
    // Usage in every chunk: it is known where a stream breaks.
    stream_options: &[("include_usage", true), ("continuous_usage_stats", true)],
    prefill: Some(Prefill { message: &[], request: CONTINUE, path: None, echoed: false }),
    embeds: Some(EMBEDS_SHORT),
    ..COMMON
};

static LLAMA_CPP: Ways =
    Ways { prefill: Some(Prefill { message: &[], request: CONTINUE, path: None, echoed: false }), ..COMMON };

/// Its description has no embeddings.
static ABACUS: Ways = Ways { embeds: None, ..COMMON };

static OTHERS: Ways = COMMON;

/// The ways of `dialect`.
pub(super) fn ways(dialect: Dialect) -> &'static Ways {
    match dialect {
        Dialect::Openai => &OPENAI,
        Dialect::Azure => &AZURE,
        Dialect::Openrouter => &OPENROUTER,
        Dialect::Groq => &GROQ,
        Dialect::Mistral => &MISTRAL,
        Dialect::Deepseek => &DEEPSEEK,
        Dialect::Ollama => &OLLAMA,
        Dialect::Vllm => &VLLM,
        Dialect::LlamaCpp => &LLAMA_CPP,
        Dialect::Abacus => &ABACUS,
        // Anthropic's own API is a type of its own.
        Dialect::Anthropic | Dialect::Internal | Dialect::Compatible => &OTHERS,
    }
}
