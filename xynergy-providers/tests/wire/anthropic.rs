use serde_json::{Value, json};

use crate::replay::{Case, judge_answers, judge_damage, judge_streams, named};

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":0,"cache_read_input_tokens":100,"output_tokens":1,"service_tier":"standard"}}}"#;
const PING: &str = r#"{"type":"ping"}"#;
const TEXT: &str = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

fn case(name: &'static str, events: &[&str], said: Value) -> Case {
    Case { name, dialect: "anthropic", body: named(events), said }
}

fn says(index: usize, text: &str) -> String {
    json!({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}})
        .to_string()
}

fn closed(index: usize) -> String {
    json!({"type": "content_block_stop", "index": index}).to_string()
}

fn end(reason: &str, output: u64) -> String {
    json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": {"output_tokens": output}})
        .to_string()
}

fn written() -> Vec<Case> {
    let (hello, close) = (says(0, "Grüezi 🏔"), closed(0));
    let ended = |reason: &str, outcome: &str, finish: &str| {
        (
            end(reason, 7),
            json!({"outcome": outcome, "finish": finish, "text": "Grüezi 🏔", "usage": [125, 7, 100, 0]}),
        )
    };
    let mut cases = Vec::new();
    for (name, reason, outcome, finish) in [
        ("done", "end_turn", "complete", "stop"),
        ("a stop sequence", "stop_sequence", "complete", "stop"),
        ("a limit", "max_tokens", "truncated", "length"),
        ("a refusal", "refusal", "truncated", "content_filter"),
        ("a pause", "pause_turn", "truncated", "pause_turn"),
        ("the window is full", "model_context_window_exceeded", "truncated", "length"),
    ] {
        let (end, said) = ended(reason, outcome, finish);
        cases.push(case(name, &[START, TEXT, PING, &hello, &close, PING, &end, STOP], said));
    }
    let overloaded = r#"{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#;
    cases.push(case(
        "overloaded after the first words",
        &[START, PING, TEXT, &hello, overloaded],
        json!({"outcome": "truncated", "error": "unavailable", "text": "Grüezi 🏔"}),
    ));
    cases.push(case(
        "overloaded before",
        &[START, PING, overloaded],
        json!({"outcome": "errored", "error": "unavailable"}),
    ));
    let thinks = |kind: &str, text: &str| {
        let field = if kind == "signature_delta" { "signature" } else { "thinking" };
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": kind, field: text}}).to_string()
    };
    cases.push(case(
        "thinking, sealed thinking, text and two calls",
        &[
            START,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            &thinks("thinking_delta", "soll ich "),
            PING,
            &thinks("thinking_delta", "prüfen?"),
            &thinks("signature_delta", "EqQB+/="),
            &closed(0),
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"EmwKAhgB"}}"#,
            &closed(1),
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
            &says(2, "Ja"),
            &closed(2),
            r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"ort\": \"Z\\u00fc"}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"rich\"}"}}"#,
            &closed(3),
            r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_2","name":"g","input":{}}}"#,
            r#"{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            &closed(4),
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":30,"cache_read_input_tokens":100,"output_tokens":90,"output_tokens_details":{"thinking_tokens":40}}}"#,
            STOP,
        ],
        json!({"outcome": "complete", "finish": "tool_calls", "text": "Ja", "reasoning": "soll ich prüfen?",
            "tools": [["toolu_1", "f", "{\"ort\": \"Z\\u00fcrich\"}"], ["toolu_2", "g", "{}"]], "usage": [130, 90, 100, 40]}),
    ));
    cases.push(case(
        "cut before the reason",
        &[START, TEXT, &hello, &close, STOP],
        json!({"outcome": "truncated", "error": "unavailable", "text": "Grüezi 🏔"}),
    ));
    cases
}

#[test]
fn streams_say_what_stands_in_them() {
    judge_streams(written());
}

#[test]
fn nothing_that_is_cut_or_damaged_is_called_whole() {
    judge_damage(written());
}

#[test]
fn whole_answers_say_what_stands_in_them() {
    let whole = |name, body: &str, said| Case { name, dialect: "anthropic", body: body.into(), said };
    judge_answers(vec![
        whole(
            "a refusal without a word",
            r#"{"id":"msg","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":"refusal","stop_sequence":null,"usage":{"input_tokens":4,"output_tokens":1}}"#,
            json!({"outcome": "truncated", "finish": "content_filter", "usage": [4, 1, 0, 0]}),
        ),
        whole(
            "an error under status 200",
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            json!({"error": "unavailable"}),
        ),
        whole(
            "sealed thinking and a call without arguments",
            r#"{"id":"msg","model":"claude","content":[{"type":"redacted_thinking","data":"x"},{"type":"tool_use","id":"t","name":"f","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":4,"output_tokens":9}}"#,
            json!({"outcome": "complete", "finish": "tool_calls", "tools": [["t", "f", "{}"]], "usage": [4, 9, 0, 0]}),
        ),
        whole(
            "no reason",
            r#"{"id":"msg","content":[{"type":"text","text":"ha"}],"stop_reason":null,"usage":{"input_tokens":4,"output_tokens":9}}"#,
            json!({"outcome": "truncated", "text": "ha", "usage": [4, 9, 0, 0]}),
        ),
    ]);
}
