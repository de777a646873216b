//! Every fault, whole and streamed, of a primary beside a healthy fallback. Each cell says what the caller sees, how often each
//! provider is asked, and that nothing stays reserved.

use std::time::Duration;

use serde_json::json;
use xynergy_core::provider::{AttemptStatus, ChatRequest, ChatResponse, Outcome};
use xynergy_core::{ErrorKind, Retry};

use crate::support::{
    PRICE, Player, Script, Step, World, chunk, fails, now, says, stop, streams, text, usage, world,
};

/// What a cell must come to.
#[derive(Clone, Copy, Debug)]
enum Expect {
    /// The fallback answers whole, after so many calls of the primary.
    Fallback(u32),
    /// The primary answers, after so many calls, with this outcome; the fallback is not asked.
    Primary(u32, Outcome),
    /// The error reaches the caller unchanged, after one call and nothing else.
    Refused(ErrorKind),
    /// The answer breaks off after its first token: the fallback goes on with it.
    Spliced,
    /// The same where it cannot go on: an error, and an outcome that says so.
    Errored(ErrorKind),
}

use Expect::{Errored, Fallback, Primary, Refused, Spliced};

/// Faults before a provider accepts, the same for whole and streamed calls.
fn refusals() -> Vec<(&'static str, Script, Expect)> {
    let after = |seconds| Retry::After(Duration::from_secs(seconds));
    let hang = Script { before: vec![Step::Hang], ..says("never") };
    let slow = Script { before: vec![Step::Wait(Duration::from_secs(25))], ..says("late") };
    let late_failure = Script {
        before: vec![Step::Wait(Duration::from_secs(5)), Step::Fail(ErrorKind::Unavailable, Retry::Never)],
        ..says("never")
    };
    vec![
        ("a dead key", fails(ErrorKind::Unauthorized, Retry::Never), Fallback(1)),
        ("a dead key that asks to wait", fails(ErrorKind::Unauthorized, after(1)), Fallback(1)),
        ("throttled for a second", fails(ErrorKind::Throttled, after(1)), Fallback(1)),
        ("throttled for a minute", fails(ErrorKind::Throttled, after(60)), Fallback(1)),
        ("throttled for a day", fails(ErrorKind::Throttled, after(86_400)), Fallback(1)),
        ("throttled without a time", fails(ErrorKind::Throttled, now()), Fallback(1)),
        ("no quota", fails(ErrorKind::Throttled, Retry::Never), Fallback(1)),
        ("away for good", fails(ErrorKind::Unavailable, Retry::Never), Fallback(1)),
        ("away for now", fails(ErrorKind::Unavailable, now()), Fallback(4)),
        ("away for a second", fails(ErrorKind::Unavailable, after(1)), Fallback(4)),
        ("away for a minute", fails(ErrorKind::Unavailable, after(60)), Fallback(1)),
        ("retries spent within", fails(ErrorKind::Unavailable, Retry::Exhausted), Fallback(1)),
        ("a late failure", late_failure, Fallback(1)),
        ("a timeout", fails(ErrorKind::Timeout, now()), Fallback(1)),
        ("a timeout, not to be repeated", fails(ErrorKind::Timeout, Retry::Never), Fallback(1)),
        ("a hang", hang, Fallback(1)),
        ("an answer that comes too late", slow, Fallback(1)),
        ("no such model", fails(ErrorKind::NotFound, Retry::Never), Fallback(1)),
        ("no such ability", fails(ErrorKind::Unsupported, Retry::Never), Fallback(1)),
        ("an unreadable answer", fails(ErrorKind::Corrupt, Retry::Never), Fallback(1)),
        ("a defect", fails(ErrorKind::Unexpected, Retry::Never), Fallback(1)),
        ("a bad request", fails(ErrorKind::Rejected, Retry::Never), Refused(ErrorKind::Rejected)),
        (
            "a bad request that may be repeated",
            fails(ErrorKind::Rejected, now()),
            Refused(ErrorKind::Rejected),
        ),
        ("bad input", fails(ErrorKind::InvalidInput, Retry::Never), Refused(ErrorKind::InvalidInput)),
        (
            "a long context",
            fails(ErrorKind::ContextTooLong, Retry::Never),
            Refused(ErrorKind::ContextTooLong),
        ),
        ("a filter", fails(ErrorKind::ContentFiltered, Retry::Never), Refused(ErrorKind::ContentFiltered)),
        ("a conflict", fails(ErrorKind::Conflict, Retry::Never), Refused(ErrorKind::Conflict)),
        ("cancelled", fails(ErrorKind::Cancelled, Retry::Never), Refused(ErrorKind::Cancelled)),
        (
            "a limit of the user's",
            fails(ErrorKind::LimitExceeded, Retry::Never),
            Refused(ErrorKind::LimitExceeded),
        ),
        (
            "a wrong configuration",
            fails(ErrorKind::ConfigInvalid, Retry::Never),
            Refused(ErrorKind::ConfigInvalid),
        ),
    ]
}

/// Faults of a whole answer.
fn answers() -> Vec<(&'static str, Script, Expect)> {
    let answer = |choices: serde_json::Value| {
        let answer: ChatResponse = serde_json::from_value(json!({"choices": choices})).unwrap();
        Script { answer: Some(answer), ..says("unused") }
    };
    let ends = |finish: serde_json::Value| {
        answer(
            json!([{"index": 0, "message": {"role": "assistant", "content": "half"}, "finish_reason": finish}]),
        )
    };
    vec![
        ("no choices", answer(json!([])), Fallback(4)),
        ("a choice that failed", ends(json!("error")), Fallback(4)),
        ("no finish reason", ends(json!(null)), Primary(1, Outcome::Truncated)),
        ("an empty finish reason", ends(json!("")), Primary(1, Outcome::Truncated)),
        ("cut by a limit", ends(json!("length")), Primary(1, Outcome::Truncated)),
        ("cut by a filter", ends(json!("content_filter")), Primary(1, Outcome::Truncated)),
        ("an unknown end", ends(json!("eos_token")), Primary(1, Outcome::Complete)),
        (
            "one of two cut",
            answer(json!([
                {"index": 0, "message": {"content": "whole"}, "finish_reason": "stop"},
                {"index": 1, "message": {"content": "half"}, "finish_reason": "length"}
            ])),
            Primary(1, Outcome::Truncated),
        ),
    ]
}

fn delta(delta: &serde_json::Value) -> Step {
    chunk(json!({"choices": [{"index": 0, "delta": delta}]}))
}

fn ends(finish: &str) -> Step {
    chunk(json!({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}))
}

/// Faults of a stream that was accepted.
fn breaks() -> Vec<(&'static str, Script, Expect)> {
    let fault = || Step::Fail(ErrorKind::Unavailable, Retry::Never);
    let role = || delta(&json!({"role": "assistant", "content": ""}));
    let filters = || chunk(json!({"choices": [], "prompt_filter_results": []}));
    let thinks = || delta(&json!({"reasoning_content": "hm"}));
    let tool = || {
        delta(&json!({"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": "{"}}]}))
    };
    let second = || chunk(json!({"choices": [{"index": 1, "delta": {"content": "other"}}]}));
    let hang = || Step::Hang;
    let kind = |kind| Step::Fail(kind, Retry::Never);
    vec![
        // Before the first token.
        ("nothing", streams(vec![]), Fallback(4)),
        ("only a role", streams(vec![role()]), Fallback(4)),
        ("only usage", streams(vec![usage(3, 0)]), Fallback(4)),
        ("an error first", streams(vec![fault()]), Fallback(1)),
        ("an error after the role", streams(vec![role(), fault()]), Fallback(1)),
        ("an error after annotations", streams(vec![filters(), role(), filters(), fault()]), Fallback(1)),
        ("throttled in the stream", streams(vec![role(), kind(ErrorKind::Throttled)]), Fallback(1)),
        ("the key dies in the stream", streams(vec![role(), kind(ErrorKind::Unauthorized)]), Fallback(1)),
        ("silence first", streams(vec![hang()]), Fallback(1)),
        ("silence after the role", streams(vec![role(), hang()]), Fallback(1)),
        ("fails first", streams(vec![ends("error")]), Fallback(4)),
        (
            "a bad request in the stream",
            streams(vec![role(), kind(ErrorKind::Rejected)]),
            Refused(ErrorKind::Rejected),
        ),
        (
            "a filter in the stream",
            streams(vec![role(), kind(ErrorKind::ContentFiltered)]),
            Refused(ErrorKind::ContentFiltered),
        ),
        // After it.
        ("an error on the way", streams(vec![text("half "), fault()]), Spliced),
        ("an end without a reason", streams(vec![text("half ")]), Spliced),
        ("usage without a reason", streams(vec![text("half "), usage(3, 1)]), Spliced),
        ("fails on the way", streams(vec![text("half "), ends("error")]), Spliced),
        ("throttled on the way", streams(vec![text("half "), kind(ErrorKind::Throttled)]), Spliced),
        ("silence on the way", streams(vec![text("half "), hang()]), Spliced),
        ("breaks after thinking aloud and text", streams(vec![thinks(), text("half "), fault()]), Spliced),
        ("breaks while it thinks", streams(vec![thinks(), fault()]), Errored(ErrorKind::Unavailable)),
        ("breaks in a tool call", streams(vec![tool(), fault()]), Errored(ErrorKind::Unavailable)),
        (
            "breaks in a refusal",
            streams(vec![delta(&json!({"refusal": "I"})), fault()]),
            Errored(ErrorKind::Unavailable),
        ),
        (
            "breaks in one of two",
            streams(vec![text("one"), second(), stop()]),
            Errored(ErrorKind::Unavailable),
        ),
        (
            "rejected on the way",
            streams(vec![text("half "), kind(ErrorKind::Rejected)]),
            Errored(ErrorKind::Rejected),
        ),
        // At the end.
        ("cut by a limit", streams(vec![text("half"), ends("length")]), Primary(1, Outcome::Truncated)),
        (
            "cut by a filter",
            streams(vec![text("half"), ends("content_filter")]),
            Primary(1, Outcome::Truncated),
        ),
        ("an empty answer", streams(vec![role(), stop()]), Primary(1, Outcome::Complete)),
        (
            "an error after the end",
            streams(vec![text("whole"), stop(), fault()]),
            Primary(1, Outcome::Complete),
        ),
        (
            "silence after the end",
            streams(vec![text("whole"), stop(), hang()]),
            Primary(1, Outcome::Complete),
        ),
        (
            "usage after the end",
            streams(vec![text("whole"), stop(), usage(3, 1)]),
            Primary(1, Outcome::Complete),
        ),
    ]
}

fn beside_a_healthy_one(script: Script) -> World {
    world(vec![Player::new("primary", vec![script]), Player::new("fallback", vec![says("healthy")])], |_| {})
}

/// The trace has every call, and the account one settlement an answer and nothing reserved.
async fn accounted(world: &World, name: &str, answers: u64) {
    assert_eq!(world.settled_and_reserved().await, (answers * PRICE, 0), "{name}");
    let events = world.events.drain();
    assert_eq!(events.len(), 1, "{name}");
    let traced = events[0].payload["attempts"].as_array().unwrap().len();
    let asked: u32 = world.players.iter().map(|player| player.calls()).sum();
    assert_eq!(traced, usize::try_from(asked).unwrap(), "{name}");
}

fn calls(world: &World) -> (u32, u32) {
    (world.players[0].calls(), world.players[1].calls())
}

#[tokio::test(start_paused = true)]
async fn whole_answers() {
    for (name, script, expected) in refusals().into_iter().chain(answers()) {
        let world = beside_a_healthy_one(script);
        let answer = world.ai.chat(&world.ctx, "Hi".into()).await;
        match expected {
            Fallback(asked) => {
                let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(
                    (answer.first_text().as_str(), answer.outcome),
                    ("healthy", Outcome::Complete),
                    "{name}"
                );
                assert_eq!(
                    (answer.report.provider.as_str(), calls(&world)),
                    ("fallback", (asked, 1)),
                    "{name}"
                );
                let attempts = answer.report.attempts;
                let (last, failed) = attempts.split_last().unwrap();
                assert!(
                    failed.iter().all(|a| a.status == AttemptStatus::Failed && a.error.is_some()),
                    "{name}"
                );
                assert_eq!(last.status, AttemptStatus::Answered, "{name}");
                accounted(&world, name, 1).await;
            }
            Primary(asked, outcome) => {
                assert_eq!((answer.unwrap().outcome, calls(&world)), (outcome, (asked, 0)), "{name}");
                accounted(&world, name, 1).await;
            }
            Refused(kind) => {
                let error = answer.unwrap_err();
                assert_eq!((error.kind(), error.message()), (kind, "as scripted"), "{name}");
                assert_eq!(calls(&world), (1, 0), "{name}: a wasted call");
                accounted(&world, name, 0).await;
            }
            Spliced | Errored(_) => panic!("{name}: only streams break off"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn streams_of_answers() {
    for (name, script, expected) in refusals().into_iter().chain(breaks()) {
        let world = beside_a_healthy_one(script);
        let seen = world.stream("Hi").await;
        match expected {
            Fallback(asked) => {
                assert!(seen.error.is_none(), "{name}: {:?}", seen.error);
                assert_eq!(
                    (seen.text.as_str(), seen.outcome),
                    ("healthy", Some(Outcome::Complete)),
                    "{name}"
                );
                assert_eq!(
                    (seen.report.provider.as_str(), calls(&world)),
                    ("fallback", (asked, 1)),
                    "{name}"
                );
                accounted(&world, name, 1).await;
            }
            Primary(asked, outcome) => {
                assert!(seen.error.is_none(), "{name}: {:?}", seen.error);
                assert_eq!((seen.outcome, calls(&world)), (Some(outcome), (asked, 0)), "{name}");
                accounted(&world, name, 1).await;
            }
            Refused(kind) => {
                let error = seen.error.unwrap();
                assert_eq!((error.kind(), error.message()), (kind, "as scripted"), "{name}");
                assert_eq!((seen.outcome, calls(&world)), (None, (1, 0)), "{name}: a wasted call");
                accounted(&world, name, 0).await;
            }
            Spliced => {
                assert!(seen.error.is_none(), "{name}: {:?}", seen.error);
                assert_eq!(
                    (seen.text.as_str(), seen.outcome),
                    ("half healthy", Some(Outcome::Spliced)),
                    "{name}"
                );
                assert_eq!(seen.statuses(), [AttemptStatus::Failed, AttemptStatus::Answered], "{name}");
                accounted(&world, name, 2).await;
            }
            Errored(kind) => {
                let error = seen.error.unwrap();
                assert_eq!((error.kind(), seen.outcome), (kind, Some(Outcome::Errored)), "{name}");
                assert_eq!(error.partial_text(), Some(seen.text.as_str()), "{name}");
                assert_eq!(calls(&world), (1, 0), "{name}");
                accounted(&world, name, 1).await;
            }
        }
    }
}

#[test]
fn the_matrix_is_large_enough() {
    let cells = 2 * refusals().len() + answers().len() + breaks().len();
    assert!(refusals().len() + answers().len() + breaks().len() > 40 && cells > 80, "{cells}");
}

#[tokio::test(start_paused = true)]
async fn temporary_faults_pass_without_a_fallback() {
    for faults in 1..=3 {
        let mut scripts = vec![fails(ErrorKind::Unavailable, now()); faults];
        scripts.push(says("well again"));
        let world = world(
            vec![Player::new("primary", scripts), Player::new("fallback", vec![says("never")])],
            |_| {},
        );
        let seen = world.stream("Hi").await;
        assert_eq!((seen.text.as_str(), seen.statuses().len()), ("well again", faults + 1));
        assert_eq!(world.players[1].calls(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asked_to_wait_is_not_asked_before() {
    let throttled = fails(ErrorKind::Throttled, Retry::After(Duration::from_secs(60)));
    let players = vec![
        Player::new("primary", vec![throttled, says("well again")]),
        Player::new("fallback", vec![says("healthy")]),
    ];
    let world = world(players, |_| {});
    let ask = async || world.ai.chat(&world.ctx, "Hi".into()).await.unwrap().report;
    assert_eq!(ask().await.provider, "fallback");
    let second = ask().await;
    assert_eq!((second.provider.as_str(), world.players[0].calls()), ("fallback", 1));
    assert_eq!(second.attempts[0].status, AttemptStatus::Skipped);
    assert_eq!(second.attempts[0].error.as_deref(), Some("throttled"));
    assert_eq!(second.attempts[0].reason.as_deref(), Some("it asked to wait"));

    let mut other = world.ctx.clone();
    other.tenant = xynergy_core::TenantId::new("other").unwrap();
    world.ai.chat(&other, "Hi".into()).await.unwrap();
    assert_eq!(world.players[0].calls(), 2, "another tenant has keys of its own");

    world.clock.advance(Duration::from_secs(59));
    ask().await;
    assert_eq!(world.players[0].calls(), 2);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(ask().await.provider, "primary");
}

#[tokio::test(start_paused = true)]
async fn where_all_are_throttled_the_error_says_until_when() {
    let wait = |seconds| vec![fails(ErrorKind::Throttled, Retry::After(Duration::from_secs(seconds)))];
    let world = world(vec![Player::new("a", wait(60)), Player::new("b", wait(30))], |_| {});
    for _ in 0..2 {
        let error = world.ai.chat(&world.ctx, "Hi".into()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::Throttled, Retry::After(Duration::from_secs(30)))
        );
    }
    assert_eq!(calls(&world), (1, 1), "neither was asked again");
    assert_eq!(world.settled_and_reserved().await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn classes_of_errors_have_lists_of_their_own() {
    for (kind, key) in [(ErrorKind::ContextTooLong, "large"), (ErrorKind::ContentFiltered, "lenient")] {
        for stream in [false, true] {
            let players = vec![
                Player::new("primary", vec![fails(kind, Retry::Never)]),
                Player::new("fallback", vec![says("never")]),
                Player::new("large", vec![fails(kind, Retry::Never), says("large")]),
                Player::new("lenient", vec![fails(kind, Retry::Never), says("lenient")]),
            ];
            let world = world(players, |config| {
                config.order.simple = vec!["primary".into()];
                config.fallbacks.context_too_long =
                    vec!["primary".into(), "large/big".into(), "large/huge".into()];
                config.fallbacks.content_filtered = vec!["lenient/a".into(), "lenient/b".into()];
            });
            let request = ChatRequest { model: "primary".into(), ..ChatRequest::prompt("Hi") };
            let report = if stream {
                world.stream(request).await.report
            } else {
                world.ai.chat(&world.ctx, request).await.unwrap().report
            };
            assert_eq!(report.provider, key);
            assert_eq!(report.attempts.len(), 3, "the primary, the first of the list, the second of it");
            assert_eq!(world.players[0].calls(), 1, "who was asked already is not asked again");
            assert_eq!(world.players[1].calls(), 0);
            assert_eq!(world.settled_and_reserved().await, (PRICE, 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_leaves_the_first_error() {
    let players = vec![
        Player::new("primary", vec![fails(ErrorKind::ContextTooLong, Retry::Never)]),
        Player::new("large", vec![fails(ErrorKind::Unavailable, Retry::Never)]),
    ];
    let world = world(players, |config| config.fallbacks.context_too_long = vec!["large".into()]);
    let error = world.ai.chat(&world.ctx, "Hi".into()).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::ContextTooLong, "as scripted"));
    assert_eq!((calls(&world), world.settled_and_reserved().await), ((1, 1), (0, 0)));
}

#[test]
fn a_list_to_nowhere_is_a_configuration_error() {
    let mut config = xynergy_core::config::AiConfig::default();
    config.fallbacks.context_too_long = vec!["nowhere/big".into()];
    let parts = xynergy_core::client::AiParts::new(Vec::new());
    let error = xynergy_core::client::AiClient::new(config, parts).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(error.message().contains("ai.fallbacks.context_too_long: \"nowhere/big\""), "{error}");
}
