use serde_json::{Value, json};
use xynergy_core::ErrorKind;
use xynergy_core::provider::{Assembler, ChatRequest, ChatResponse, FinishReason, Outcome};

use super::{CONTENT, Prefill, StreamReader, outgoing, response};
use crate::ai::exchange::StreamEvent;

fn sent(request: Value) -> Value {
    let request: ChatRequest = serde_json::from_value(request).unwrap();
    serde_json::from_slice(&outgoing(&request, "claude-haiku-4-5", false).unwrap().body).unwrap()
}

fn refused(request: Value) -> (ErrorKind, String) {
    let request: ChatRequest = serde_json::from_value(request).unwrap();
    let error = outgoing(&request, "claude-haiku-4-5", false).unwrap_err();
    (error.kind(), error.message().to_owned())
}

/// A request with one message and these fields.
#[allow(clippy::needless_pass_by_value)] // Reads as json!({...}) at each call.
fn asking(fields: Value) -> Value {
    let mut request = json!({"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4_000});
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    request
}

fn read(answer: &Value) -> ChatResponse {
    response(answer.to_string().as_bytes(), None, Prefill::default()).unwrap()
}

/// The same answer, streamed: each text, input and thought in pieces of one character.
fn streamed(answer: &Value) -> ChatResponse {
    let mut events = vec![json!({"type": "message_start", "message": {
        "id": answer["id"], "model": answer["model"], "role": "assistant", "content": [], "usage": {"input_tokens": 1, "output_tokens": 1}
    }})];
    for (index, block) in answer["content"].as_array().unwrap().iter().enumerate() {
        let mut begun = block.clone();
        let mut deltas = Vec::new();
        let mut pieces = |field: &str, kind: &str, name: &str| {
            if let Some(whole) = block[field].as_str() {
                begun[field] = "".into();
                deltas.extend(whole.chars().map(|c| json!({"type": kind, name: c})));
            }
        };
        pieces("text", "text_delta", "text");
        pieces("thinking", "thinking_delta", "thinking");
        if let Some(signature) = block["signature"].as_str() {
            begun["signature"] = "".into();
            deltas.push(json!({"type": "signature_delta", "signature": signature}));
        }
        if let Some(citations) = block["citations"].as_array() {
            begun["citations"] = Value::Null;
            deltas.extend(citations.iter().map(|one| json!({"type": "citations_delta", "citation": one})));
        }
        if block["input"].as_object().is_some_and(|input| !input.is_empty()) {
            begun["input"] = json!({});
            deltas.push(json!({"type": "input_json_delta", "partial_json": ""}));
            let written = block["input"].to_string();
            deltas.extend(written.chars().map(|c| json!({"type": "input_json_delta", "partial_json": c})));
        }
        events.push(json!({"type": "content_block_start", "index": index, "content_block": begun}));
        events.push(json!({"type": "ping"}));
        events.extend(
            deltas.iter().map(|d| json!({"type": "content_block_delta", "index": index, "delta": d})),
        );
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(json!({"type": "message_delta", "usage": answer["usage"], "delta": {
        "stop_reason": answer["stop_reason"], "stop_sequence": null
    }}));
    let mut reader = StreamReader::default();
    let mut seen = Assembler::default();
    for event in events {
        if let StreamEvent::Chunk(chunk) = reader.read(event.to_string().as_bytes(), None).unwrap() {
            seen.push(&chunk);
        }
    }
    assert!(matches!(reader.read(br#"{"type": "message_stop"}"#, None), Ok(StreamEvent::Done)));
    seen.response()
}

#[test]
fn a_conversation_with_tools_and_images_goes_out() {
    let request = json!({
        "model": "claude-sonnet-4-5", "max_completion_tokens": 900, "temperature": 1.5, "top_p": 1.0, "stop": "END", "user": "u-1",
        "metadata": {"team": "x"}, "seed": 5, "top_k": 7, "service_tier": "auto", "parallel_tool_calls": false,
        "stream": true, "stream_options": {"include_usage": true}, "container": null,
        "tools": [
            {"type": "function", "cache_control": {"type": "ephemeral"},
             "function": {"name": "weather", "description": "d", "parameters": {"type": "object"}, "strict": true}},
            {"type": "function", "function": {"name": "time"}},
            {"type": "web_search_20250305", "name": "web_search"}
        ],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]},
            {"role": "user", "name": "ann", "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://x.example/a.jpg"}, "cache_control": {"type": "ephemeral"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"}},
                {"type": "document", "source": {"type": "text", "data": "native"}}
            ]},
            {"role": "assistant", "content": null, "refusal": null, "annotations": [], "tool_calls": [
                {"id": "call:1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Rome\"}"}},
                {"id": "call_2", "type": "function", "index": 1, "function": {"name": "time", "arguments": ""}}
            ]},
            {"role": "tool", "tool_call_id": "call:1", "content": "sunny"},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "noon"}], "is_error": true},
            {"role": "user", "content": "So?"}
        ]
    });
    let ephemeral = json!({"type": "ephemeral"});
    assert_eq!(
        sent(request),
        json!({
            "model": "claude-sonnet-4-5", "max_tokens": 900, "temperature": 1.0, "stop_sequences": ["END"],
            "metadata": {"user_id": "u-1"}, "top_k": 7, "service_tier": "auto",
            "tools": [
                {"name": "weather", "description": "d", "input_schema": {"type": "object"}, "strict": true, "cache_control": ephemeral},
                {"name": "time", "input_schema": {"type": "object", "properties": {}}},
                {"type": "web_search_20250305", "name": "web_search"}
            ],
            "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": true},
            "system": [
                {"type": "text", "text": "Be brief."},
                {"type": "text", "text": "Be kind.", "cache_control": ephemeral}
            ],
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "Look:"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
                    {"type": "image", "source": {"type": "url", "url": "https://x.example/a.jpg"}, "cache_control": ephemeral},
                    {"type": "document", "title": "a.pdf",
                     "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}},
                    {"type": "document", "source": {"type": "text", "data": "native"}}
                ]},
                {"role": "assistant", "content": [
                    {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Rome"}},
                    {"type": "tool_use", "id": "call_2", "name": "time", "input": {}}
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": [{"type": "text", "text": "sunny"}]},
                    {"type": "tool_result", "tool_use_id": "call_2", "content": [{"type": "text", "text": "noon"}], "is_error": true},
                    {"type": "text", "text": "So?"}
                ]}
            ]
        })
    );
}

#[test]
fn tool_choices_have_counterparts() {
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let choice = |choice: Value, parallel: Value| {
        sent(asking(json!({"tools": tools, "tool_choice": choice, "parallel_tool_calls": parallel})))["tool_choice"].clone()
    };
    assert_eq!(choice(json!("auto"), Value::Null), json!({"type": "auto"}));
    assert_eq!(choice(json!("required"), json!(true)), json!({"type": "any"}));
    assert_eq!(choice(json!("none"), json!(false)), json!({"type": "none"}));
    assert_eq!(
        choice(json!({"type": "any"}), json!(false)),
        json!({"type": "any", "disable_parallel_tool_use": true})
    );
    assert_eq!(choice(Value::Null, json!(false)), json!({"type": "auto", "disable_parallel_tool_use": true}));
    assert_eq!(choice(Value::Null, Value::Null), Value::Null);
    let without_tools = sent(asking(json!({"tool_choice": "auto", "parallel_tool_calls": false})));
    assert!(without_tools.get("tool_choice").is_none());
    assert_eq!(refused(asking(json!({"tools": tools, "tool_choice": "maybe"}))).0, ErrorKind::InvalidInput);
    assert_eq!(
        refused(asking(json!({"tools": tools, "tool_choice": {"type": "allowed_tools"}}))).0,
        ErrorKind::Unsupported
    );
}

#[test]
fn a_limit_is_always_sent() {
    let limit = |request: Value| sent(request)["max_tokens"].as_u64().unwrap();
    let plain = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
    assert_eq!(limit(plain("")), 64_000);
    assert_eq!(limit(plain("claude-3-opus-20240229")), 4_096);
    assert_eq!(limit(asking(json!({"max_completion_tokens": 5}))), 5);
}

#[test]
fn a_schema_is_guaranteed_and_json_alone_refused() {
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let format =
        json!({"type": "json_schema", "json_schema": {"name": "x", "strict": true, "schema": schema}});
    let body = sent(asking(json!({"response_format": format, "output_config": {"effort": "low"}})));
    assert_eq!(
        body["output_config"],
        json!({"effort": "low", "format": {"type": "json_schema", "schema": schema}})
    );
    assert!(body.get("response_format").is_none());
    assert!(sent(asking(json!({"response_format": {"type": "text"}}))).get("output_config").is_none());
    let (kind, message) = refused(asking(json!({"response_format": {"type": "json_object"}})));
    assert!(kind == ErrorKind::Unsupported && message.contains("json_schema"), "{message}");
    assert_eq!(
        refused(asking(json!({"response_format": {"type": "json_schema"}}))).0,
        ErrorKind::InvalidInput
    );
}

#[test]
fn what_would_be_missing_from_the_answer_is_refused() {
    for (fields, part) in [
        (json!({"n": 2}), "n:"),
        (json!({"logprobs": true}), "logprobs:"),
        (json!({"functions": [{"name": "f"}]}), "functions:"),
        (json!({"modalities": ["text", "audio"]}), "modalities:"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}),
            "messages[0].content[0]",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}),
            "file_data",
        ),
        (json!({"messages": [{"role": "system", "content": "only"}]}), "messages:"),
        (json!({"tools": [{"type": "custom", "custom": {"name": "x"}}]}), "tools[0]"),
    ] {
        let (kind, message) = refused(asking(fields));
        assert!(kind == ErrorKind::Unsupported && message.contains(part), "{part}: {message}");
    }
    let call = |call: Value| json!({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]}]});
    for (fields, part) in [
        (
            call(json!({"id": "a", "function": {"name": "f", "arguments": "{\"a\""}})),
            "messages[1].tool_calls[0].function.arguments",
        ),
        (call(json!({"id": "a", "function": {"name": "f", "arguments": "[]"}})), "arguments"),
        (call(json!({"function": {"name": "f"}})), "messages[1].tool_calls[0].id"),
        (call(json!({"id": "a", "function": {}})), "function.name"),
        (json!({"messages": [{"role": "tool", "content": "x"}]}), "messages[0].tool_call_id"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc"}}]}]}),
            "image_url.url",
        ),
    ] {
        let (kind, message) = refused(asking(fields));
        assert!(kind == ErrorKind::InvalidInput && message.contains(part), "{part}: {message}");
    }
    assert!(
        sent(asking(json!({"n": 1, "logprobs": false, "modalities": ["text"]}))).get("logprobs").is_none()
    );
}

#[test]
fn an_effort_is_told_as_the_model_knows_it() {
    let asked = |model: &str, fields: Value| {
        let mut request = asking(fields);
        request["model"] = model.into();
        request["temperature"] = 0.7.into();
        let body = sent(request);
        (body["thinking"].clone(), body["output_config"]["effort"].clone(), body["temperature"].clone())
    };
    let high = || json!({"reasoning_effort": "high"});
    let budget = json!({"type": "enabled", "budget_tokens": 3_200});
    assert_eq!(asked("claude-sonnet-4-5", high()), (budget, Value::Null, Value::Null));
    let adaptive = json!({"type": "adaptive"});
    assert_eq!(
        asked("claude-sonnet-4-6", json!({"reasoning_effort": "xhigh"})),
        (adaptive.clone(), json!("high"), Value::Null)
    );
    assert_eq!(
        asked("claude-opus-4-7", json!({"reasoning_effort": "xhigh"})),
        (adaptive, json!("xhigh"), Value::Null)
    );
    let none = (Value::Null, Value::Null, json!(0.7));
    assert_eq!(asked("claude-3-5-haiku-latest", high()), none);
    assert_eq!(asked("claude-sonnet-4-5", json!({"reasoning_effort": "none"})), none);
    // The user's limit leaves no room.
    assert_eq!(asked("claude-sonnet-4-5", json!({"reasoning_effort": "high", "max_tokens": 1_024})), none);
    let forced = json!({"reasoning_effort": "high", "tool_choice": "required", "tools": [{"type": "function", "function": {"name": "f"}}]});
    assert_eq!(asked("claude-sonnet-4-5", forced), none);
    let own = json!({"reasoning_effort": "high", "thinking": {"type": "enabled", "budget_tokens": 2_000}});
    assert_eq!(asked("claude-sonnet-4-5", own).0["budget_tokens"], 2_000);
    assert_eq!(asked("claude-opus-4-7", json!({"top_p": 0.5})), (Value::Null, Value::Null, Value::Null));
}

#[test]
fn an_assistant_at_the_end_is_continued_where_the_model_can() {
    let request = |model: &str| {
        json!({"model": model, "messages": [
            {"role": "user", "content": "Count."}, {"role": "assistant", "content": "One, two, \n"}
        ]})
    };
    let request_45: ChatRequest = serde_json::from_value(request("claude-haiku-4-5")).unwrap();
    let out = outgoing(&request_45, "", true).unwrap();
    let body: Value = serde_json::from_slice(&out.body).unwrap();
    assert_eq!(body["messages"][1]["content"][0]["text"], "One, two,");
    assert_eq!(body["stream"], true);
    let answer = json!({"content": [{"type": "text", "text": " three"}], "stop_reason": "end_turn"});
    let whole = response(answer.to_string().as_bytes(), None, out.prefill.clone()).unwrap();
    assert_eq!(whole.first_text(), "three");
    assert_eq!(refused(request("claude-opus-4-6")).0, ErrorKind::Unsupported);
    // A paused turn is another thing: every model goes on with it.
    let paused = json!([{"type": "text", "text": "I look."}, {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}]);
    let mut again = request("claude-opus-4-6");
    again["messages"][1] = json!({"role": "assistant", "content": "I look.", CONTENT: paused});
    assert_eq!(sent(again)["messages"][1]["content"], paused);
}

#[test]
fn every_stop_reason_has_a_finish() {
    for (reason, finish, outcome) in [
        ("end_turn", FinishReason::Stop, Outcome::Complete),
        ("stop_sequence", FinishReason::Stop, Outcome::Complete),
        ("tool_use", FinishReason::ToolCalls, Outcome::Complete),
        ("max_tokens", FinishReason::Length, Outcome::Truncated),
        ("model_context_window_exceeded", FinishReason::Length, Outcome::Truncated),
        ("refusal", FinishReason::ContentFilter, Outcome::Truncated),
        ("pause_turn", FinishReason::Other("pause_turn".into()), Outcome::Truncated),
        ("of_the_future", FinishReason::Other("of_the_future".into()), Outcome::Complete),
    ] {
        let answer = json!({"id": "m", "model": "c", "content": [{"type": "text", "text": "x"}], "stop_reason": reason});
        for response in [read(&answer), streamed(&answer)] {
            assert_eq!((response.finish(), response.outcome), (Some(&finish), outcome), "{reason}");
        }
        assert_eq!(read(&answer).choices[0].extra["stop_reason"], reason);
    }
    let open = json!({"content": [{"type": "text", "text": "x"}], "stop_reason": null});
    assert_eq!((read(&open).finish(), read(&open).outcome), (None, Outcome::Truncated));
}

#[test]
fn blocks_without_a_place_come_back_untouched_in_the_next_turn() {
    let answer = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [
            {"type": "thinking", "thinking": "Hmm, é😀.", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "b3BhcXVl"},
            {"type": "text", "text": "I look."},
            {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "x"}},
            {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"type": "web_search_result", "url": "u"}]},
            {"type": "text", "text": " It is so.", "citations": [{"type": "char_location", "cited_text": "so"}]},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": [1, 2]}},
            {"type": "tool_use", "id": "t2", "name": "g", "input": {}}
        ],
        "stop_reason": "tool_use", "usage": {"input_tokens": 9, "output_tokens": 8}
    });
    for response in [read(&answer), streamed(&answer)] {
        let message = &response.choices[0].message;
        assert_eq!(response.first_text(), "I look. It is so.");
        assert_eq!(message.extra["reasoning_content"], "Hmm, é😀.");
        assert_eq!(message.extra[CONTENT], answer["content"]);
        assert_eq!(message.tool_calls[0]["function"], json!({"name": "f", "arguments": "{\"a\":[1,2]}"}));
        assert_eq!(message.tool_calls[1]["function"]["arguments"], "{}");
        assert_eq!(response.usage.as_ref().unwrap().total(), 17);
        let mut next = json!({"messages": [
            {"role": "user", "content": "Hi"}, message,
            {"role": "tool", "tool_call_id": "t1", "content": "1"}, {"role": "tool", "tool_call_id": "t2", "content": "2"}
        ]});
        let body = sent(next.clone());
        assert_eq!(body["messages"][1], json!({"role": "assistant", "content": answer["content"]}));
        assert_eq!(body["messages"][2]["content"].as_array().unwrap().len(), 2);
        // Whoever changes what was said loses the blocks that no longer belong to it.
        next["messages"][1]["content"] = "Another text.".into();
        let changed = sent(next);
        assert_eq!(changed["messages"][1]["content"][0], json!({"type": "text", "text": "Another text."}));
        assert_eq!(changed["messages"][1]["content"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn plain_answers_carry_nothing_twice() {
    let answer = json!({"id": "m", "model": "c", "stop_reason": "tool_use", "content": [
        {"type": "text", "text": "So:"}, {"type": "tool_use", "id": "t", "name": "f", "input": {"b": 1}, "caller": {"type": "direct"}}
    ]});
    for response in [read(&answer), streamed(&answer)] {
        assert!(response.choices[0].message.extra.is_empty(), "{response:?}");
    }
}

#[test]
fn arguments_are_those_that_were_written() {
    let body = br#"{"content":[{"type":"text","text":"x"},{"type":"tool_use","id":"t","name":"f","input":{"z": 1, "a": 12345678901234567890123, "e":1.10}}]}"#;
    let response = response(body, None, Prefill::default()).unwrap();
    let arguments = &response.choices[0].message.tool_calls[0]["function"]["arguments"];
    assert_eq!(arguments, r#"{"z": 1, "a": 12345678901234567890123, "e":1.10}"#);
}

#[test]
fn a_call_that_broke_off_is_not_kept_to_be_sent_back() {
    let mut reader = StreamReader::default();
    let mut seen = Assembler::default();
    for event in [
        json!({"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 5}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "a", "signature": ""}}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{\"a"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 6}}),
    ] {
        if let StreamEvent::Chunk(chunk) = reader.read(event.to_string().as_bytes(), None).unwrap() {
            seen.push(&chunk);
        }
    }
    let response = seen.response();
    assert_eq!(response.outcome, Outcome::Truncated);
    assert_eq!(response.usage.as_ref().unwrap().total(), 11);
    let message = &response.choices[0].message;
    assert!(!message.extra.contains_key(CONTENT) && message.extra["reasoning_content"] == "a");
}

#[test]
fn what_is_no_answer_is_an_error() {
    for bad in [
        "",
        "<html>502</html>",
        "[]",
        "{}",
        "5",
        "{\"content\": 5}",
        "{\"type\": \"error\", \"error\": {\"type\": \"api_error\"}}",
    ] {
        let error = response(bad.as_bytes(), None, Prefill::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{bad}");
    }
    let mut reader = StreamReader::default();
    for odd in [
        "{}",
        "[]",
        "5",
        "{\"type\": 5}",
        "{\"type\": \"ping\"}",
        "{\"type\": \"of_the_future\", \"index\": -1}",
    ] {
        assert!(matches!(reader.read(odd.as_bytes(), None), Ok(StreamEvent::Nothing)), "{odd}");
    }
    for bad in [
        "<html>",
        "",
        "{\"type\": \"content_block_delta\", \"index\": 3, \"delta\": {\"type\": \"text_delta\", \"text\": \"x\"}}",
    ] {
        assert_eq!(reader.read(bad.as_bytes(), None).unwrap_err().kind(), ErrorKind::Unavailable, "{bad}");
    }
    let overloaded = br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert_eq!(reader.read(overloaded, None).unwrap_err().message(), "Overloaded");
}

#[test]
fn beta_features_are_named_in_a_header() {
    let betas = |betas: Value| {
        let request: ChatRequest = serde_json::from_value(asking(json!({"betas": betas}))).unwrap();
        let out = outgoing(&request, "claude-haiku-4-5", false).unwrap();
        assert!(!String::from_utf8_lossy(&out.body).contains("betas"));
        out.betas
    };
    assert_eq!(betas(json!(["a-1", "b-2"])).as_deref(), Some("a-1,b-2"));
    assert_eq!((betas(json!([])), betas(Value::Null)), (None, None));
}
