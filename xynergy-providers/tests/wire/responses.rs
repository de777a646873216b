use serde_json::{Value, json};

use crate::replay::{Case, judge_answers, judge_damage, judge_streams, named};

const CREATED: &str = r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","model":"gpt-5","error":null,"incomplete_details":null,"output":[],"usage":null}}"#;

fn case(name: &'static str, events: &[&str], said: Value) -> Case {
    Case { name, dialect: "responses", body: named(events), said }
}

fn over(kind: &str, status: &str, more: &Value) -> String {
    let mut response = json!({"id": "resp_1", "status": status, "model": "gpt-5", "error": null, "incomplete_details": null, "output": [],
        "usage": {"input_tokens": 75, "input_tokens_details": {"cached_tokens": 64}, "output_tokens": 30,
            "output_tokens_details": {"reasoning_tokens": 20}, "total_tokens": 105}});
    for (name, value) in more.as_object().unwrap() {
        response[name] = value.clone();
    }
    json!({"type": kind, "sequence_number": 99, "response": response}).to_string()
}

fn failed(code: &str, message: &str) -> String {
    over("response.failed", "failed", &json!({"error": {"code": code, "message": message}, "usage": null}))
}

const WORD: &str = r#"{"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"Gärten","logprobs":[],"obfuscation":"x"}"#;
const ITEM: &str = r#"{"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","content":[],"role":"assistant"}}"#;

fn call(at: u64, id: &str, arguments: &str) -> Value {
    json!({"id": format!("fc_{at}"), "type": "function_call", "status": "completed", "call_id": id, "name": "f", "arguments": arguments})
}

fn added(at: u64, id: &str) -> String {
    json!({"type": "response.output_item.added", "output_index": at, "item": call(at, id, "")}).to_string()
}

fn piece(at: u64, text: &str) -> String {
    json!({"type": "response.function_call_arguments.delta", "output_index": at, "item_id": format!("fc_{at}"), "delta": text})
        .to_string()
}

fn closed(at: u64, id: &str, arguments: &str) -> String {
    json!({"type": "response.output_item.done", "output_index": at, "item": call(at, id, arguments)})
        .to_string()
}

fn written() -> Vec<Case> {
    let usage = json!([75, 30, 64, 20]);
    let done = over("response.completed", "completed", &json!({}));
    let limit = over(
        "response.incomplete",
        "incomplete",
        &json!({"incomplete_details": {"reason": "max_output_tokens"}}),
    );
    let filter = over(
        "response.incomplete",
        "incomplete",
        &json!({"incomplete_details": {"reason": "content_filter"}}),
    );
    let half = |error: &str| json!({"outcome": "truncated", "error": error, "text": "Gärten"});
    let none = |error: &str| json!({"outcome": "errored", "error": error});
    let both = |first: &str, second: &str| json!({"outcome": "complete", "finish": "tool_calls", "tools": [["c1", "f", first], ["c2", "f", second]], "usage": usage});
    vec![
        case(
            "done",
            &[CREATED, ITEM, WORD, &done],
            json!({"outcome": "complete", "finish": "stop", "text": "Gärten", "usage": usage}),
        ),
        case(
            "a limit",
            &[CREATED, ITEM, WORD, &limit],
            json!({"outcome": "truncated", "finish": "length", "text": "Gärten", "usage": usage}),
        ),
        case(
            "a filter",
            &[CREATED, ITEM, WORD, &filter],
            json!({"outcome": "truncated", "finish": "content_filter", "text": "Gärten", "usage": usage}),
        ),
        case("cut", &[CREATED, ITEM, WORD], half("unavailable")),
        case(
            "failed on the way",
            &[CREATED, ITEM, WORD, &failed("server_error", "sorry")],
            half("unavailable"),
        ),
        case("throttled at once", &[CREATED, &failed("rate_limit_exceeded", "slow down")], none("throttled")),
        case(
            "a bad prompt",
            &[CREATED, &failed("invalid_prompt", "The prompt template is broken.")],
            none("rejected"),
        ),
        case(
            "a flagged prompt",
            &[
                CREATED,
                &failed(
                    "invalid_prompt",
                    "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
                ),
            ],
            none("content_filtered"),
        ),
        case(
            "a bad image",
            &[CREATED, &failed("invalid_image_format", "The image is no image.")],
            none("rejected"),
        ),
        case(
            "an image refused",
            &[CREATED, &failed("image_content_policy_violation", "no")],
            none("content_filtered"),
        ),
        case(
            "an error event",
            &[
                CREATED,
                ITEM,
                WORD,
                r#"{"type":"error","code":"server_error","message":"oops","param":null,"sequence_number":5}"#,
            ],
            half("unavailable"),
        ),
        case(
            "an error event as others have it",
            &[
                CREATED,
                r#"{"type":"error","error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"Your input exceeds the context window of this model."}}"#,
            ],
            none("context_too_long"),
        ),
        case(
            "two calls at once",
            &[
                CREATED,
                &added(0, "c1"),
                &piece(0, "{\"ö"),
                &added(1, "c2"),
                &piece(1, "{}"),
                &piece(0, "\":1}"),
                &closed(0, "c1", "{\"ö\":1}"),
                &closed(1, "c2", "{}"),
                &done.replace(r#""output":[]"#, &format!(r#""output":[{}]"#, call(0, "c1", "{\"ö\":1}"))),
            ],
            both("{\"ö\":1}", "{}"),
        ),
        case(
            "arguments that only come at the end of a call",
            &[
                CREATED,
                &added(0, "c1"),
                r#"{"type":"response.function_call_arguments.done","output_index":0,"item_id":"fc_0","arguments":"{\"a\":1}"}"#,
                &closed(0, "c1", "{\"a\":1}"),
                &added(1, "c2"),
                &closed(1, "c2", "{\"b\":2}"),
                &done.replace(r#""output":[]"#, &format!(r#""output":[{}]"#, call(0, "c1", "{\"a\":1}"))),
            ],
            both("{\"a\":1}", "{\"b\":2}"),
        ),
    ]
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
    let whole = |name, body: &Value, said| Case { name, dialect: "responses", body: body.to_string(), said };
    judge_answers(vec![
        whole(
            "sealed reasoning, a refusal and calls",
            &json!({"id": "r", "status": "completed", "model": "gpt-5", "error": null, "output": [
                {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
                {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
                call(2, "c1", "{}"), call(3, "c2", "{\"x\":[]}")],
                "usage": {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}}),
            json!({"outcome": "complete", "finish": "tool_calls", "refusal": "No.",
                "tools": [["c1", "f", "{}"], ["c2", "f", "{\"x\":[]}"]], "usage": [5, 6, 0, 0]}),
        ),
        whole(
            "still under way",
            &json!({"id": "r", "status": "in_progress", "error": null, "output": []}),
            json!({"error": "unavailable"}),
        ),
        whole(
            "failed under status 200",
            &json!({"id": "r", "status": "failed", "output": [], "error": {"code": "invalid_prompt", "message": "x"}}),
            json!({"error": "rejected"}),
        ),
    ]);
}
