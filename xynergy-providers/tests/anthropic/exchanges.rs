use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use xynergy_core::provider::{ChatResponse, FinishReason, Outcome};
use xynergy_core::{ErrorKind, Retry};

use super::support::{Recorded, Replay, block_on, chat, recorded, stream, streamed};

const API: &str = "api.anthropic.com/v1/messages";

fn streams() -> Vec<Recorded> {
    recorded(API).into_iter().filter(|exchange| exchange.sse && exchange.status == 200).collect()
}

#[test]
fn recorded_answers_are_read_whole() {
    let mut count = 0;
    for exchange in recorded(API).into_iter().filter(|exchange| !exchange.sse && exchange.status == 200) {
        let name = &exchange.name;
        let json: Value = serde_json::from_slice(&exchange.body).unwrap();
        let response = chat(Replay::new(200, "application/json", &exchange.body, &[])).unwrap();
        let said = json["content"].as_array().unwrap();
        let text: String = said.iter().filter_map(|block| block["text"].as_str()).collect();
        assert_eq!(response.first_text(), text, "{name}");
        assert_eq!(
            (response.id.as_str(), response.model.as_str()),
            (json["id"].as_str().unwrap(), json["model"].as_str().unwrap())
        );
        let usage = response.usage.as_ref().unwrap();
        let count_of = |field: &str| json["usage"][field].as_u64().unwrap_or(0);
        let (read, written) = (count_of("cache_read_input_tokens"), count_of("cache_creation_input_tokens"));
        assert_eq!(usage.prompt_tokens, count_of("input_tokens") + read + written, "{name}");
        assert_eq!(
            (usage.cached_tokens(), usage.completion_tokens),
            (read, count_of("output_tokens")),
            "{name}"
        );
        let (finish, outcome) = match json["stop_reason"].as_str().unwrap() {
            "end_turn" => (FinishReason::Stop, Outcome::Complete),
            "tool_use" => (FinishReason::ToolCalls, Outcome::Complete),
            "max_tokens" => (FinishReason::Length, Outcome::Truncated),
            other => panic!("{name}: {other}"),
        };
        assert_eq!((response.finish(), response.outcome), (Some(&finish), outcome), "{name}");
        let calls = said.iter().filter(|block| block["type"] == "tool_use");
        let made = &response.choices[0].message.tool_calls;
        assert_eq!(made.len(), calls.clone().count(), "{name}");
        for (call, made) in calls.zip(made) {
            let arguments: Value =
                serde_json::from_str(made["function"]["arguments"].as_str().unwrap()).unwrap();
            assert_eq!(
                (&arguments, &made["id"], &made["function"]["name"]),
                (&call["input"], &call["id"], &call["name"])
            );
        }
        count += 1;
    }
    assert!(count == 4 || recorded(API).is_empty(), "{count} answers");
}

#[test]
fn recorded_errors_have_their_kinds() {
    for exchange in recorded(API).into_iter().filter(|exchange| exchange.status != 200) {
        let replay = Replay {
            headers: exchange.headers,
            ..Replay::new(exchange.status, "application/json", &exchange.body, &[])
        };
        let error = chat(replay).unwrap_err();
        let expected = match exchange.status {
            401 => ErrorKind::Unauthorized,
            404 => ErrorKind::NotFound,
            _ => ErrorKind::ContextTooLong,
        };
        assert_eq!((error.kind(), error.retry()), (expected, Retry::Never), "{}: {error}", exchange.name);
        let id = error.context().iter().find(|(key, _)| *key == "provider_request_id");
        assert!(id.is_some_and(|(_, id)| id.starts_with("req_011C")), "{}: {error}", exchange.name);
    }
}

/// The recorded streams as a person reads them.
#[test]
fn recorded_streams_say_what_stands_in_them() {
    let of = |name: &str| -> Option<ChatResponse> {
        let exchange = streams().into_iter().find(|exchange| exchange.name.ends_with(name))?;
        let (response, failed) = stream(&exchange.body, &[]);
        assert_eq!((failed, response.outcome), (None, Outcome::Complete), "{name}");
        Some(response)
    };
    let Some(cached) = of("anthropic_stream") else { return };
    let usage = cached.usage.clone().unwrap();
    assert_eq!((cached.first_text().as_str(), cached.finish()), ("Hello", Some(&FinishReason::Stop)));
    assert_eq!((usage.prompt_tokens, usage.cached_tokens(), usage.completion_tokens), (1_220, 1_217, 4));

    let tools = of("anthropic_stream_tools").unwrap();
    let call = json!({
        "id": "toolu_01Lfr3kUnHMZApePPRWMv1uS", "type": "function",
        "function": {"name": "get_current_temperature", "arguments": "{\"city\": \"San Francisco\"}"}
    });
    assert_eq!(
        (tools.choices[0].message.tool_calls.as_slice(), tools.finish()),
        (&[call][..], Some(&FinishReason::ToolCalls))
    );
    assert!(tools.first_text().ends_with("function to retrieve this information."));
    assert_eq!(tools.usage.unwrap().total(), 351 + 85);

    let thinking = of("anthropic_stream_thinking").unwrap();
    assert_eq!(thinking.first_text(), "The letter 'r' appears 3 times in the word \"strawberry\".");
    let extra = &thinking.choices[0].message.extra;
    let thought = extra["reasoning_content"].as_str().unwrap();
    assert!(thought.starts_with("Let me count") && thought.ends_with("in the word \"strawberry\"."));
    let blocks = &extra["anthropic_content"];
    assert_eq!((&blocks[0]["type"], &blocks[0]["thinking"]), (&json!("thinking"), &json!(thought)));
    assert!(blocks[0]["signature"].as_str().unwrap().starts_with("ErUBCkYIARgC"));
    assert_eq!(blocks[1]["text"], thinking.first_text());
    assert_eq!(thinking.usage.unwrap().total(), 52 + 216);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn recorded_streams_are_the_same_at_every_cut(cuts in proptest::collection::vec(any::<usize>(), 0..80)) {
        for exchange in streams() {
            prop_assert_eq!(stream(&exchange.body, &cuts), stream(&exchange.body, &[]), "{}", exchange.name);
        }
    }
}

#[test]
fn each_single_cut_and_all_of_them_change_nothing() {
    block_on(async {
        for exchange in streams() {
            let whole = streamed(&exchange.body, &[]).await;
            let every: Vec<usize> = (0..exchange.body.len()).collect();
            assert_eq!(streamed(&exchange.body, &every).await, whole, "{}", exchange.name);
            if exchange.body.len() < 2_000 {
                for cut in every {
                    assert_eq!(streamed(&exchange.body, &[cut]).await, whole, "{} at {cut}", exchange.name);
                }
            }
        }
    });
}

/// However much of a stream came: it is complete with the stop reason and not before, and what came is a beginning of the whole.
#[test]
fn a_stream_that_ends_early_is_never_complete() {
    block_on(async {
        for exchange in streams() {
            let (whole, _) = streamed(&exchange.body, &[]).await;
            let text = String::from_utf8(exchange.body.clone()).unwrap();
            let stop = text.find("event: message_delta").unwrap();
            let told = stop + text[stop..].find("\n\n").unwrap();
            for end in (0..text.len()).step_by(7) {
                let (part, failed) = streamed(&exchange.body[..end], &[end / 2]).await;
                assert!(whole.first_text().starts_with(&part.first_text()), "{} at {end}", exchange.name);
                if end < told - 1 {
                    assert_eq!(failed, Some(ErrorKind::Unavailable), "{} at {end}", exchange.name);
                    assert_ne!(part.outcome, Outcome::Complete, "{} at {end}", exchange.name);
                    assert!(part.usage.is_none(), "{} at {end}", exchange.name);
                } else if end > told {
                    // A cut within message_stop may be told as one: nothing is missing then.
                    assert!(
                        matches!(failed, None | Some(ErrorKind::Unavailable)),
                        "{} at {end}",
                        exchange.name
                    );
                    assert_eq!(part, whole, "{} at {end}", exchange.name);
                }
            }
        }
    });
}

const START: &str = r#"{"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":5,"output_tokens":1}}}"#;
const BEGIN: &str = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const TEXT: &str = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"héllo"}}"#;
const OPEN: &str = r#"{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":2}}"#;
const STOP: &str = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4,"input_tokens":9}}"#;
const END: &str = r#"{"type":"message_stop"}"#;

fn events(parts: &[&str]) -> String {
    parts.iter().map(|part| format!("event: x\ndata: {part}\n\n")).collect()
}

fn written() -> Vec<(&'static str, String, Outcome, Option<ErrorKind>)> {
    let error = |kind: &str| format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"x"}}}}"#);
    let (overloaded, throttled) = (error("overloaded_error"), error("rate_limit_error"));
    let unknown = r#"{"type":"of_the_future","delta":{"type":"text_delta","text":"no"}}"#;
    let odd = r#"{"type":"content_block_delta","index":0,"delta":{"type":"odd_delta","text":"no"}}"#;
    let broken = Some(ErrorKind::Unavailable);
    vec![
        ("whole", events(&[START, BEGIN, TEXT, STOP, END]), Outcome::Complete, None),
        ("CRLF", events(&[START, BEGIN, TEXT, STOP, END]).replace('\n', "\r\n"), Outcome::Complete, None),
        ("no message_stop", events(&[START, BEGIN, TEXT, STOP]), Outcome::Complete, None),
        (
            "no last line end",
            events(&[START, BEGIN, TEXT, STOP]).trim_end().to_owned(),
            Outcome::Complete,
            None,
        ),
        (
            "usage before the end",
            events(&[START, BEGIN, TEXT, OPEN, OPEN, STOP, END]),
            Outcome::Complete,
            None,
        ),
        (
            "events of the future",
            events(&[START, unknown, BEGIN, odd, TEXT, STOP, END]),
            Outcome::Complete,
            None,
        ),
        (
            "what comes after the end",
            events(&[START, BEGIN, TEXT, STOP, END, "<html>"]),
            Outcome::Complete,
            None,
        ),
        ("no stop reason", events(&[START, BEGIN, TEXT, OPEN, END]), Outcome::Truncated, broken),
        ("only message_stop", events(&[START, BEGIN, TEXT, END]), Outcome::Truncated, broken),
        ("cut between events", events(&[START, BEGIN, TEXT]), Outcome::Truncated, broken),
        ("overloaded on the way", events(&[START, BEGIN, TEXT, &overloaded]), Outcome::Truncated, broken),
        (
            "error, then the end",
            events(&[START, BEGIN, TEXT, &overloaded, STOP, END]),
            Outcome::Truncated,
            broken,
        ),
        (
            "throttled on the way",
            events(&[START, BEGIN, TEXT, &throttled]),
            Outcome::Truncated,
            Some(ErrorKind::Throttled),
        ),
        ("garbage", events(&[START, BEGIN, TEXT, "<html>", STOP]), Outcome::Truncated, broken),
        ("nothing", String::new(), Outcome::Errored, broken),
    ]
}

proptest! {
    #[test]
    fn written_streams_are_judged_by_their_words_at_every_cut(cuts in proptest::collection::vec(any::<usize>(), 0..20)) {
        for (name, body, outcome, failed) in written() {
            let (response, kind) = stream(body.as_bytes(), &cuts);
            prop_assert_eq!((response.outcome, kind), (outcome, failed), "{}", name);
            if !body.is_empty() {
                prop_assert_eq!(response.first_text(), "héllo", "{}", name);
            }
        }
    }
}

#[test]
fn usage_is_assigned_and_never_added() {
    let (response, _) = stream(events(&[START, BEGIN, TEXT, OPEN, OPEN, STOP, END]).as_bytes(), &[]);
    let usage = response.usage.unwrap();
    assert_eq!((usage.prompt_tokens, usage.completion_tokens), (9, 4));
}

#[test]
fn an_error_before_the_first_output_is_an_error_of_the_call() {
    let error =
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_9"}"#;
    let (response, kind) = stream(events(&[START, error]).as_bytes(), &[]);
    assert_eq!((response.outcome, kind), (Outcome::Errored, Some(ErrorKind::Unavailable)));
    let whole = chat(Replay::new(200, "application/json", error.as_bytes(), &[])).unwrap_err();
    assert_eq!((whole.message(), whole.retry()), ("Overloaded", Retry::After(Duration::ZERO)));
}
