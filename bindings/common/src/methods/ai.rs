use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use xynergy::Timestamp;
use xynergy::ai::{GenerateRequest, Generation, PriceReport, Spend, SpendLimit};
use xynergy::embed::{EmbedRequest, Embeddings};
use xynergy::provider::{CallOptions, ChatChunk, ChatRequest, ChatResponse};
use xynergy_core::cache::CacheStats;
use xynergy_core::route::RouteDecision;
use xynergy_core::spend::{LimitScope, Window, Zone};
use xynergy_core::tokens::{TokenCount, TokenOptimization};

use super::{Nothing, methods};

methods! {
    /// Answers a prompt by the cheapest provider that can answer it well. The limit of the answer is sized unless
    /// `max_tokens` gives one, and an answer that our limit cut is continued before it is returned.
    "ai.generate"(prompt, max_tokens, temperature, tags, cache, key, session) Value GenerateRequest => Generation =
        |session, request| async move { session.scope.ai().generate(request).await };

    /// Answers a conversation in OpenAI's chat-completion shape. Every field that OpenAI's API has passes through.
    "ai.chat"(request) Value ChatArguments => ChatResponse =
        |session, arguments: ChatArguments| async move { session.scope.ai().chat(arguments.request).await };

    /// Answers a conversation in pieces. The last piece has no choices but the usage, the outcome and the report. A
    /// stream that breaks ends with an error, never as a complete answer.
    "ai.stream"(request) Stream ChatArguments => ChatChunk = |session, arguments: ChatArguments| async move {
        let stream = session.scope.ai().stream(arguments.request).await?;
        Ok(session.engine.streams()?.add(stream))
    };

    /// Embeds texts: a vector each, in their order. More than the provider takes at once are sent in several requests; if one of them
    /// fails, the call fails. Only providers of the same model stand in for one another.
    "ai.embed"(input, model, dimensions, tags, key) Value EmbedArguments => Embeddings =
        |session, arguments: EmbedArguments| async move { session.scope.ai().embed(arguments).await };

    /// Which models would be asked in which order, and why. Sends nothing.
    "ai.route"(request) Value PromptOrChat => RouteDecision =
        |session, arguments: PromptOrChat| async move { session.scope.ai().route(&arguments.request.into()) };

    /// How many tokens a text or a request has for a model; an estimate with a stated error unless `exact` says otherwise. A text is
    /// counted as it is, a request as its prompt is billed.
    "ai.count_tokens"(request, model) Value CountArguments => TokenCount = |session, arguments: CountArguments| async move {
        let model = arguments.model.as_deref();
        match &arguments.request {
            PromptOrRequest::Prompt(text) => session.scope.ai().count_tokens(text.as_str(), model),
            PromptOrRequest::Request(request) => session.scope.ai().count_tokens(request.as_ref(), model),
        }
    };

    /// The limit that an answer to a prompt would get, and what it saves.
    "ai.optimize_tokens"(prompt, default_limit, user_limit) Value OptimizeArguments => TokenOptimization =
        |session, arguments: OptimizeArguments| async move {
            session.scope.ai().optimize_tokens(&arguments.prompt, arguments.default_limit, arguments.user_limit)
        };

    /// What the tenant spent since `since`, rounded down to the minute; all that is kept when absent.
    "ai.spend"(since) Value SinceArguments => Spend =
        |session, arguments: SinceArguments| async move { session.scope.ai().spend(arguments.since).await };

    /// Sets a spend limit of the tenant, at once, in billionths of a dollar. It replaces the one of the same scope and window; a
    /// hard one refuses what would pass it.
    "ai.set_limit"(scope, window, amount_nano_usd, hard, zone) Value LimitArguments => () =
        |session, limit: LimitArguments| async move {
            let LimitArguments { scope, window, amount_nano_usd, hard, zone } = limit;
            let zone = zone.unwrap_or_default();
            session.scope.ai().set_limit(SpendLimit { scope, window, zone, amount_nano_usd, hard }).await
        };

    /// Removes the spend limit of the tenant of this scope and window, and says whether there was one. One of the
    /// configuration then holds again.
    "ai.remove_limit"(scope, window) Value RemoveLimitArguments => bool =
        |session, limit: RemoveLimitArguments| async move {
            session.scope.ai().remove_limit(&limit.scope, limit.window).await
        };

    /// Reads `ai.price_file` again and takes its prices from now on, and says what it held. A file that cannot be read leaves the
    /// prices as they are.
    "ai.reload_prices"() Value Nothing => PriceReport =
        |session, _: Nothing| async move { session.scope.ai().reload_prices().await };

    /// How the response cache fares for the tenant, in this process.
    "ai.cache_stats"() Value Nothing => CacheStats =
        |session, _: Nothing| async move { session.scope.ai().cache_stats() };

    /// Drops the tenant's cached answers whose `provider/model` matches `pattern`, in which `*` stands for anything; all of them
    /// when absent. Returns how many.
    "ai.cache_invalidate"(pattern) Value InvalidateArguments => u64 = |session, arguments: InvalidateArguments| async move {
        session.scope.ai().cache_invalidate(arguments.pattern.as_deref()).await
    };
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatArguments {
    /// The conversation and how to answer it.
    request: ChatRequest,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmbedArguments {
    /// The texts.
    input: Vec<String>,
    /// Which model: `PROVIDER/MODEL`, the model of one of the embedders, or a provider for its default one; the configured model when
    /// absent. Vectors of different models cannot be compared.
    #[serde(default)]
    model: Option<String>,
    /// How long the vectors are to be, where the model can shorten them.
    #[serde(default)]
    dimensions: Option<u32>,
    /// Names under which the spend is counted and limited.
    #[serde(default)]
    tags: BTreeSet<String>,
    /// A name of the caller's that the spend is counted and limited under, as that of an API key; never the secret itself.
    #[serde(default)]
    key: Option<String>,
}

impl From<EmbedArguments> for EmbedRequest {
    fn from(given: EmbedArguments) -> Self {
        let EmbedArguments { input, model, dimensions, tags, key } = given;
        Self {
            model: model.unwrap_or_default(),
            dimensions,
            options: CallOptions { tags, key, ..CallOptions::default() },
            ..Self::new(input)
        }
    }
}

/// A prompt, or a whole request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "give a prompt as text, or a chat request with `messages`")]
pub(crate) enum PromptOrRequest {
    /// One user message.
    Prompt(String),
    /// A conversation.
    Request(Box<ChatRequest>),
}

impl From<PromptOrRequest> for ChatRequest {
    fn from(given: PromptOrRequest) -> Self {
        match given {
            PromptOrRequest::Prompt(text) => Self::prompt(text),
            PromptOrRequest::Request(request) => *request,
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PromptOrChat {
    /// A prompt, or a conversation.
    request: PromptOrRequest,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountArguments {
    /// A text, or a conversation.
    request: PromptOrRequest,
    /// For which model; the request's own when absent.
    #[serde(default)]
    model: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OptimizeArguments {
    /// The prompt.
    prompt: String,
    /// The limit where nothing speaks for a lower one; 512 when absent.
    #[serde(default)]
    default_limit: Option<u32>,
    /// The user's limit, which is never raised.
    #[serde(default)]
    user_limit: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SinceArguments {
    /// From when on.
    #[serde(default)]
    since: Option<Timestamp>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitArguments {
    /// `tenant`, `{"tag": NAME}` or `{"key": NAME}`.
    scope: LimitScope,
    /// The span of the calendar that it is for.
    window: Window,
    /// The limit in billionths of a dollar.
    amount_nano_usd: u64,
    /// Whether it refuses; otherwise it only reports.
    hard: bool,
    /// Whose calendar and clock the span is of: an IANA name, as `Europe/Berlin`; UTC when absent.
    #[serde(default)]
    zone: Option<Zone>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveLimitArguments {
    /// `tenant`, `{"tag": NAME}` or `{"key": NAME}`.
    scope: LimitScope,
    /// The span of the calendar that it is for.
    window: Window,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvalidateArguments {
    /// What to drop.
    #[serde(default)]
    pattern: Option<String>,
}
