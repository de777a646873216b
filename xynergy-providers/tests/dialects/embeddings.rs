use serde_json::{Value, json};
use xynergy_core::ErrorKind;
use xynergy_core::config::{Dialect, OPENAI_RESPONSES, ProviderConfig};
use xynergy_core::embed::{EmbedRequest, EmbedResponse};

use crate::support::{JSON, KEY, Seen, at, ctx, http, provider, serve};

/// 1.0 and -2.0 in both encodings, the second text first.
const ANSWER: &str = r#"{"object":"list","data":[{"object":"embedding","index":1,"embedding":[0.5,0.25]},{"object":"embedding","index":0,"embedding":"AACAPwAAAMA="}],"model":"m","usage":{"prompt_tokens":7,"total_tokens":7}}"#;

fn request(dimensions: Option<u32>) -> EmbedRequest {
    let mut request = EmbedRequest { model: "e".into(), dimensions, ..EmbedRequest::new(["one", "two"]) };
    request.extra.insert("user".into(), "u".into());
    request
}

async fn sent(config: ProviderConfig, path: &str, request: &EmbedRequest) -> Option<(Seen, EmbedResponse)> {
    let server = serve(http(200, JSON, ANSWER.as_bytes())).await;
    let config = ProviderConfig { base_url: Some(format!("{}{path}", server.root)), ..config };
    let embedder = provider("named", config).embedder()?;
    let answer = embedder.embed(&ctx(), request).await.unwrap();
    Some((server.requests().remove(0), answer))
}

#[tokio::test]
async fn every_dialect_that_embeds_is_asked_in_its_own_way() {
    for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::Anthropic) {
        let config = ProviderConfig { dialect: Some(dialect), ..ProviderConfig::default() };
        let answered = sent(config, "/v1", &request(Some(2))).await;
        let embeds = !matches!(dialect, Dialect::Groq | Dialect::Deepseek | Dialect::Abacus);
        assert_eq!(answered.is_some(), embeds, "{dialect:?}");
        let Some((seen, answer)) = answered else { continue };
        assert_eq!(answer.vectors, [[1.0, -2.0], [0.5, 0.25]], "{dialect:?}");
        assert_eq!(answer.tokens, Some(7), "{dialect:?}");
        assert_eq!(seen.target, "/v1/embeddings", "{dialect:?}");
        let azure = dialect == Dialect::Azure;
        let bearer = format!("Bearer {KEY}");
        let keys = (seen.header("authorization"), seen.header("api-key"));
        assert_eq!(keys, if azure { (None, Some(KEY)) } else { (Some(&*bearer), None) }, "{dialect:?}");
        let length = if dialect == Dialect::Mistral { "output_dimension" } else { "dimensions" };
        let mut expected = json!({"model": "e", "input": ["one", "two"], "user": "u", length: 2});
        if matches!(dialect, Dialect::Openai | Dialect::Azure | Dialect::Vllm) {
            expected["encoding_format"] = "base64".into();
        }
        assert_eq!(seen.body, expected, "{dialect:?}");
    }
}

#[tokio::test]
async fn azure_is_asked_by_deployment_and_the_responses_type_beside_its_own_path() {
    let azure = ProviderConfig {
        dialect: Some(Dialect::Azure),
        api_version: Some("2024-10-21".into()),
        ..ProviderConfig::default()
    };
    let (seen, _) = sent(azure, "", &request(None)).await.unwrap();
    assert_eq!(seen.target, "/openai/deployments/e/embeddings?api-version=2024-10-21");
    let responses = ProviderConfig { kind: OPENAI_RESPONSES.into(), ..ProviderConfig::default() };
    let (seen, _) = sent(responses, "/v1", &request(None)).await.unwrap();
    assert_eq!((seen.target.as_str(), &seen.body["encoding_format"]), ("/v1/embeddings", &json!("base64")));
}

#[tokio::test]
async fn faults_have_their_kinds_and_no_key() {
    let told = |status: u16, body: &Value| (status, body.to_string());
    for ((status, body), kind) in [
        (told(200, &json!({"data": []})), ErrorKind::Corrupt),
        (told(200, &json!({"error": {"message": "busy", "code": 503}})), ErrorKind::Unavailable),
        ((200, "<html>".to_owned()), ErrorKind::Unavailable),
        ((200, ANSWER[..90].to_owned()), ErrorKind::Unavailable),
        (
            told(401, &json!({"error": {"message": format!("Incorrect API key: {KEY}")}})),
            ErrorKind::Unauthorized,
        ),
        (told(400, &json!({"error": {"message": format!("bad {KEY}")}})), ErrorKind::Rejected),
        (told(404, &json!({"error": {"message": "no such model"}})), ErrorKind::NotFound),
        (told(429, &json!({"error": {"message": "slow down"}})), ErrorKind::Throttled),
        (told(500, &json!({"error": {"message": "oh"}})), ErrorKind::Unavailable),
    ] {
        let server = serve(http(status, JSON, body.as_bytes())).await;
        let embedder = provider("named", at(server.root.clone())).embedder().unwrap();
        let error = embedder.embed(&ctx(), &request(None)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {body}: {error}");
        assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
    }
}
