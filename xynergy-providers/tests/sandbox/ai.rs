use serde_json::{Value, json};

use crate::support::start;

fn ask(prompt: &str) -> Value {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": prompt}]})
}

const FACTS: &str =
    "In one plain sentence, tell the advertiser: ad set budget was raised by about 20%, because it sold more";

#[tokio::test]
async fn answers_the_facts_of_the_prompt() {
    let world = start().await;
    for path in ["/v1", "/openai/v1", "/abacus/v1", "/internal/v1"] {
        let answer = world.client.post(&format!("{path}/chat/completions"), &ask(FACTS)).await;
        assert_eq!(answer.status, 200);
        let body = answer.json();
        assert_eq!(body["object"], "chat.completion");
        assert_eq!(
            body["choices"][0]["message"]["content"],
            "The ad set budget was raised by about 20%, because it sold more."
        );
        assert_eq!(body["choices"][0]["finish_reason"], "stop");
        let prompt_bytes = "Be brief.".len() + FACTS.len();
        assert_eq!(body["usage"]["prompt_tokens"], prompt_bytes.div_ceil(4));
        assert_eq!(
            body["usage"]["total_tokens"].as_u64(),
            Some(body["usage"]["prompt_tokens"].as_u64().unwrap() + 16)
        );
        assert_eq!(body["created"], 1_772_366_400);
        let again = world.client.post(&format!("{path}/chat/completions"), &ask(FACTS)).await;
        assert_eq!(answer.text, again.text, "the same request at the same time has the same bytes");
    }
}

#[tokio::test]
async fn streams_the_same_answer() {
    let world = start().await;
    let mut request = ask(FACTS);
    request["stream"] = true.into();
    request["stream_options"] = json!({"include_usage": true});
    let answer = world.client.post("/openai/v1/chat/completions", &request).await;
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let events: Vec<&str> =
        answer.text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap()).collect();
    let (last, chunks) = events.split_last().unwrap();
    assert_eq!(*last, "[DONE]");
    let chunks: Vec<Value> = chunks.iter().map(|chunk| serde_json::from_str(chunk).unwrap()).collect();
    let text: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, "The ad set budget was raised by about 20%, because it sold more.");
    let (usage, rest) = chunks.split_last().unwrap();
    assert_eq!((&usage["choices"], &usage["usage"]["completion_tokens"]), (&json!([]), &json!(16)));
    assert_eq!(rest.last().unwrap()["choices"][0]["finish_reason"], "stop");
    assert!(rest.iter().all(|chunk| chunk["usage"].is_null() && chunk["id"] == usage["id"]));

    request["stream_options"] = json!(null);
    let without = world.client.post("/v1/chat/completions", &request).await;
    assert!(!without.text.contains("usage") && without.text.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_limit_cuts_the_answer_and_the_rest_can_be_asked_for() {
    let world = start().await;
    let mut request = ask("Write 600 words about ads");
    request["max_tokens"] = 100.into();
    let body = world.client.post("/v1/chat/completions", &request).await.json();
    let choice = &body["choices"][0];
    let begun = choice["message"]["content"].as_str().unwrap().to_owned();
    assert_eq!((&choice["finish_reason"], begun.len()), (&json!("length"), 400));
    assert_eq!(body["usage"]["completion_tokens"], 100);

    request["max_tokens"] = json!(null);
    let full = world.client.post("/v1/chat/completions", &request).await.json();
    let full = full["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    assert_eq!(full.split(' ').count(), 600);
    request["messages"].as_array_mut().unwrap().push(json!({"role": "assistant", "content": begun}));
    let rest = world.client.post("/v1/chat/completions", &request).await.json();
    assert_eq!(begun + rest["choices"][0]["message"]["content"].as_str().unwrap(), full);
}

#[tokio::test]
async fn refuses_in_openais_words() {
    let world = start().await;
    let messages = json!([{"role": "user", "content": "hi"}]);
    for (body, param) in [
        (json!({"messages": messages}), json!("model")),
        (json!({"model": "m"}), json!("messages")),
        (json!({"model": "m", "messages": []}), json!("messages")),
        (json!({"model": "m", "messages": [{"content": "hi"}]}), json!("messages")),
        (json!({"model": "m", "messages": [{"role": "user", "content": 5}]}), json!("messages")),
        (json!({"model": "m", "messages": messages, "max_tokens": 0}), json!("max_tokens")),
        (json!({"model": "m", "messages": messages, "temperature": 3}), json!("temperature")),
        (json!([]), json!(null)),
    ] {
        let answer = world.client.post("/v1/chat/completions", &body).await;
        assert_eq!((answer.status, &answer.json()["error"]["param"]), (400, &param), "{body}");
        assert_eq!(answer.json()["error"]["type"], "invalid_request_error");
    }
    let broken = world.client.request("POST", "/v1/chat/completions").body("{\"model\": \"top secret");
    let broken = world.client.try_send(broken).await.unwrap();
    assert_eq!(broken.status, 400);
    assert!(!broken.text.contains("secret"), "{}", broken.text);

    let url = |path: &str| format!("{}{path}/chat/completions", world.client.base);
    let keyless = |path: &str| world.client.http.post(url(path)).body(ask("hi").to_string());
    assert_eq!(world.client.try_send(keyless("/openai/v1")).await.unwrap().status, 401);
    assert_eq!(world.client.try_send(keyless("/internal/v1")).await.unwrap().status, 200, "self-hosted");
    let expired = keyless("/abacus/v1").header("authorization", "Bearer expired");
    let expired = world.client.try_send(expired).await.unwrap();
    assert_eq!((expired.status, &expired.json()["error"]["code"]), (401, &json!("invalid_api_key")));
    assert_eq!(world.client.get("/v1/nothing").await.status, 404);
}

#[tokio::test]
async fn other_forms_of_request() {
    let world = start().await;
    let mut request = ask(FACTS);
    request["messages"][1]["content"] = json!([{"type": "text", "text": FACTS}]);
    request["response_format"] = json!({"type": "json_object"});
    request["n"] = 2.into();
    let body = world.client.post("/v1/chat/completions", &request).await.json();
    assert_eq!(body["choices"].as_array().unwrap().len(), 2);
    let text = body["choices"][1]["message"]["content"].as_str().unwrap();
    assert!(
        serde_json::from_str::<Value>(text).unwrap()["answer"].as_str().unwrap().starts_with("The ad set")
    );
    let models = world.client.get("/abacus/v1/models").await.json();
    assert_eq!(models["data"][0]["id"], "route-llm");
}

#[tokio::test]
async fn embeds_texts() {
    let world = start().await;
    let request =
        json!({"model": "text-embedding-3-small", "input": ["red shoes", "red shoe"], "dimensions": 64});
    let answer = world.client.post("/openai/v1/embeddings", &request).await;
    let body = answer.json();
    assert_eq!(body["data"][1]["index"], 1);
    assert_eq!(body["data"][0]["embedding"].as_array().unwrap().len(), 64);
    assert_eq!(answer.text, world.client.post("/openai/v1/embeddings", &request).await.text);
    let request = json!({"model": "m", "input": "red", "encoding_format": "base64"});
    let text = world.client.post("/v1/embeddings", &request).await.json()["data"][0]["embedding"].clone();
    assert_eq!(text.as_str().unwrap().len(), (768_usize * 4).div_ceil(3) * 4);
    for bad in [
        json!({"model": "m"}),
        json!({"model": "m", "input": []}),
        json!({"model": "m", "input": "x", "dimensions": 0}),
    ] {
        assert_eq!(world.client.post("/v1/embeddings", &bad).await.status, 400, "{bad}");
    }
}
