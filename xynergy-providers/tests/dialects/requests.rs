use serde_json::{Value, json};
use xynergy_core::config::{Dialect, ProviderConfig};
use xynergy_core::provider::{ChatRequest, Outcome};

use crate::support::{EVENTS, JSON, KEY, Seen, at, ctx, http, provider, serve, streamed};

const WHOLE: &str = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"Once upon"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#;
const STREAM: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Once\"}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" upon\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

fn request() -> ChatRequest {
    let json = json!({
        "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9, "top_p": 0.5, "seed": 4, "service_tier": "flex",
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "parallel_tool_calls": true,
        "response_format": {"type": "json_object"}
    });
    serde_json::from_value(json).unwrap()
}

/// What the dialect is sent for `request`, whole and streamed.
async fn sent(dialect: Dialect, path: &str, config: ProviderConfig, request: &ChatRequest) -> (Seen, Seen) {
    let whole = serve(http(200, JSON, WHOLE.as_bytes())).await;
    let config =
        |root: &str| ProviderConfig { dialect: Some(dialect), ..with_base(&config, format!("{root}{path}")) };
    let asked = provider("named", config(&whole.root));
    let response = asked.chat(&ctx(), request).await.unwrap_or_else(|error| panic!("{dialect:?}: {error}"));
    assert_eq!((response.outcome, response.usage.unwrap().total()), (Outcome::Complete, 4), "{dialect:?}");

    let stream = serve(http(200, EVENTS, STREAM.as_bytes())).await;
    let asked = provider("named", config(&stream.root));
    let (response, failed) = streamed(&asked, request).await;
    assert!(failed.is_none() && response.outcome == Outcome::Complete, "{dialect:?}: {failed:?}");
    (whole.requests().remove(0), stream.requests().remove(0))
}

fn with_base(config: &ProviderConfig, base: String) -> ProviderConfig {
    ProviderConfig { base_url: Some(base), ..config.clone() }
}

#[tokio::test]
async fn every_dialect_is_asked_in_its_own_way() {
    for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::Anthropic) {
        let (whole, stream) = sent(dialect, "/v1", ProviderConfig::default(), &request()).await;
        for seen in [&whole, &stream] {
            assert_eq!(seen.target, "/v1/chat/completions", "{dialect:?}");
            assert_eq!(seen.header("content-type"), Some("application/json"), "{dialect:?}");
            let bearer = format!("Bearer {KEY}");
            let keys = (seen.header("authorization"), seen.header("api-key"));
            let azure = dialect == Dialect::Azure;
            assert_eq!(
                keys,
                if azure { (None, Some(KEY)) } else { (Some(bearer.as_str()), None) },
                "{dialect:?}"
            );
            assert!(seen.header("x-request-id").is_some_and(|id| id.starts_with("req_")), "{dialect:?}");
            // No compression: what would be unpacked could not be bounded by what comes.
            assert_eq!(seen.header("accept-encoding"), None, "{dialect:?}");

            let newer =
                matches!(dialect, Dialect::Openai | Dialect::Azure | Dialect::Groq | Dialect::Openrouter);
            let (limit, other) = if newer {
                ("max_completion_tokens", "max_tokens")
            } else {
                ("max_tokens", "max_completion_tokens")
            };
            assert_eq!((&seen.body[limit], seen.body.get(other)), (&json!(9), None), "{dialect:?}");
            let seed = if dialect == Dialect::Mistral { "random_seed" } else { "seed" };
            assert_eq!(seen.body[seed], 4, "{dialect:?}");
            for passed_on in ["top_p", "service_tier", "tools", "parallel_tool_calls", "response_format"] {
                assert!(!seen.body[passed_on].is_null(), "{dialect:?}: {passed_on}");
            }
            assert_eq!(seen.body["model"], "m", "{dialect:?}");
        }
        assert_eq!(
            (whole.header("accept"), stream.header("accept")),
            (Some("application/json"), Some("text/event-stream"))
        );
        assert_eq!((whole.body.get("stream"), whole.body.get("stream_options")), (None, None), "{dialect:?}");
        assert_eq!(stream.body["stream"], true, "{dialect:?}");
        let options = match dialect {
            Dialect::Openai => json!({"include_usage": true, "include_obfuscation": false}),
            Dialect::Vllm => json!({"include_usage": true, "continuous_usage_stats": true}),
            Dialect::Mistral | Dialect::Openrouter => Value::Null,
            _ => json!({"include_usage": true}),
        };
        assert_eq!(stream.body["stream_options"], options, "{dialect:?}");
    }
}

#[tokio::test]
async fn azure_is_asked_by_deployment_or_by_its_v1_api() {
    let version =
        |version: &str| ProviderConfig { api_version: Some(version.into()), ..ProviderConfig::default() };
    let (whole, _) = sent(Dialect::Azure, "", ProviderConfig::default(), &request()).await;
    assert_eq!(whole.target, "/openai/v1/chat/completions");
    let (whole, stream) = sent(Dialect::Azure, "", version("2025-01-01-preview"), &request()).await;
    assert_eq!(whole.target, "/openai/deployments/m/chat/completions?api-version=2025-01-01-preview");
    assert_eq!(stream.target, whole.target);
    let (whole, _) = sent(Dialect::Azure, "", version("2024-06-01"), &request()).await;
    assert_eq!((&whole.body["max_tokens"], whole.body.get("max_completion_tokens")), (&json!(9), None));
}

#[tokio::test]
async fn a_message_of_the_assistant_is_continued_where_that_is_known_to_work() {
    let json = json!({"messages": [{"role": "user", "content": "Tell me."}, {"role": "assistant", "content": "Once"}]});
    let request: ChatRequest = serde_json::from_value(json).unwrap();
    for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::Anthropic) {
        let server = serve(http(200, EVENTS, STREAM.as_bytes())).await;
        let config = ProviderConfig { dialect: Some(dialect), ..at(server.root.clone()) };
        let asked = provider("named", config);
        let (response, _) = streamed(&asked, &request).await;
        let seen = server.requests().remove(0);
        let can = matches!(dialect, Dialect::Mistral | Dialect::Deepseek | Dialect::Vllm | Dialect::LlamaCpp);
        assert_eq!(asked.capability().prefill, can, "{dialect:?}");
        let said = seen.body["messages"][1].get("prefix").or(seen.body.get("continue_final_message"));
        assert_eq!(said, can.then_some(&json!(true)), "{dialect:?}");
        let deepseek = dialect == Dialect::Deepseek;
        assert_eq!(seen.target.starts_with("/beta/"), deepseek, "{dialect:?}: {}", seen.target);
        // Mistral says again what it continues.
        let text = if dialect == Dialect::Mistral { " upon" } else { "Once upon" };
        assert_eq!(response.first_text(), text, "{dialect:?}");
    }
    let server = serve(http(200, JSON, WHOLE.as_bytes())).await;
    let asked = provider("mistral", at(server.root.clone()));
    assert_eq!(asked.chat(&ctx(), &request).await.unwrap().first_text(), " upon");
}
