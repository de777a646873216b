//! What a stream does when its first provider breaks off.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use serde_json::json;
use xynergy_core::provider::{AttemptStatus, ChatRequest, Message, Outcome, Role};
use xynergy_core::spend::{LimitScope, SpendLimit, Window, Zone};
use xynergy_core::{ErrorKind, Retry};

use crate::support::{PRICE, Player, Script, Step, chunk, fails, says, stop, streams, text, usage, world};

const FAULT: Step = Step::Fail(ErrorKind::Unavailable, Retry::Never);

fn breaks(pieces: &[&str]) -> Script {
    streams(pieces.iter().map(|piece| text(piece)).chain([FAULT]).collect())
}

#[tokio::test(start_paused = true)]
async fn a_broken_stream_is_continued_by_prefill_and_says_so() {
    let players = vec![
        Player::new("a", vec![breaks(&["The quick ", "brown "])]),
        Player::new("b", vec![streams(vec![text(" fox "), text("jumps."), stop(), usage(20, 5)])]),
    ];
    let world = world(players, |_| {});
    let request = ChatRequest { max_tokens: Some(100), ..ChatRequest::prompt("Hi") };
    let seen = world.stream(request).await;
    assert_eq!((seen.text.as_str(), seen.outcome), ("The quick brown fox jumps.", Some(Outcome::Spliced)));
    assert!(seen.error.is_none());

    let resumed = world.players[1].request(0);
    assert_eq!(resumed.messages.last(), Some(&Message::text(Role::Assistant, "The quick brown")));
    assert!(resumed.max_tokens.unwrap() < 100, "the user's limit holds for the whole answer");

    assert_eq!(seen.statuses(), [AttemptStatus::Failed, AttemptStatus::Answered]);
    assert_eq!(seen.report.attempts[0].error.as_deref(), Some("unavailable"));
    assert!(seen.report.attempts[0].reason.as_deref().unwrap().contains("first piece"));
    assert_eq!((seen.report.provider.as_str(), seen.report.cost_nano_usd), ("b", Some(2 * PRICE)));
    assert!(seen.usage.unwrap().total() > 25, "the tokens of both calls");
    assert_eq!(world.settled_and_reserved().await, (2 * PRICE, 0));
    let spend = world.ai.spend(&world.ctx, None).await.unwrap();
    assert_eq!((spend.by_provider["a"].requests, spend.by_provider["b"].requests), (1, 1));
    assert_eq!(world.events.drain()[0].payload["outcome"], "spliced");
}

#[tokio::test(start_paused = true)]
async fn what_the_second_model_repeats_is_given_once() {
    let players = vec![
        Player::new("a", vec![breaks(&["The capital of France ", "is Paris, "])]),
        Player::new("b", vec![says("The capital of France is Paris, a large city.")]),
    ];
    let seen = world(players, |_| {}).stream("Hi").await;
    assert_eq!(seen.text, "The capital of France is Paris, a large city.");
    assert_eq!(seen.outcome, Some(Outcome::Spliced));
}

#[tokio::test(start_paused = true)]
async fn a_second_break_is_continued_by_a_third_model() {
    let players = vec![
        Player::new("a", vec![breaks(&["one "])]),
        Player::new("b", vec![breaks(&["two "])]),
        Player::new("c", vec![says("three")]),
    ];
    let world = world(players, |_| {});
    let seen = world.stream("Hi").await;
    assert_eq!((seen.text.as_str(), seen.outcome), ("one two three", Some(Outcome::Spliced)));
    assert_eq!(seen.statuses(), [AttemptStatus::Failed, AttemptStatus::Failed, AttemptStatus::Answered]);
    assert_eq!(world.settled_and_reserved().await, (3 * PRICE, 0));
}

#[tokio::test(start_paused = true)]
async fn silence_is_continued_and_a_cut_answer_stays_truncated() {
    let players = vec![
        Player::new("a", vec![streams(vec![text("one "), Step::Hang])]),
        Player::new(
            "b",
            vec![streams(vec![
                text("two"),
                chunk(json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]})),
            ])],
        ),
    ];
    let seen = world(players, |_| {}).stream("Hi").await;
    assert_eq!((seen.text.as_str(), seen.outcome), ("one two", Some(Outcome::Truncated)));
}

/// The reasons not to continue: each ends with an error that carries what had come, and asks nobody else.
#[tokio::test(start_paused = true)]
async fn where_continuing_is_not_safe_the_error_carries_the_partial_text() {
    let half_a_tool = || {
        let call = json!({"index": 0, "id": "t", "function": {"name": "f", "arguments": "{\"a"}});
        streams(vec![
            text("Let me see"),
            chunk(json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})),
            FAULT,
        ])
    };
    let plain = || ChatRequest::prompt("Hi");
    let json_format = ChatRequest { response_format: Some(json!({"type": "json_object"})), ..plain() };
    let two = ChatRequest { n: Some(2), ..plain() };
    let spent = ChatRequest { max_tokens: Some(1), ..plain() };
    let cases: Vec<(&str, Script, ChatRequest, bool)> = vec![
        ("no prefill", breaks(&["Let me see"]), plain(), false),
        ("half a tool call", half_a_tool(), plain(), true),
        ("structured output", breaks(&["Let me see"]), json_format, true),
        ("two answers", breaks(&["Let me see"]), two, true),
        ("the limit is used up", breaks(&["Let me see"]), spent, true),
        (
            "the request was wrong after all",
            streams(vec![text("Let me see"), Step::Fail(ErrorKind::Rejected, Retry::Never)]),
            plain(),
            true,
        ),
    ];
    for (name, script, request, prefill) in cases {
        let players = vec![
            Player::new("a", vec![script]),
            Player::new("b", vec![says("never")]).with(|capability| capability.prefill = prefill),
        ];
        let world = world(players, |_| {});
        let seen = world.stream(request).await;
        let error = seen.error.unwrap();
        assert_eq!((seen.text.as_str(), error.partial_text()), ("Let me see", Some("Let me see")), "{name}");
        assert!(!format!("{error} {error:?}").contains("Let me"), "{name}: the text reaches a log");
        assert_eq!(seen.outcome, Some(Outcome::Errored), "{name}");
        assert_eq!(seen.report.partial_text.as_deref(), Some("Let me see"), "{name}");
        assert_eq!(seen.report.cost_nano_usd, Some(PRICE), "{name}");
        assert_eq!(seen.report.attempts.len(), 1, "{name}");
        assert_eq!(world.players[1].calls(), 0, "{name}");
        assert_eq!(world.settled_and_reserved().await, (PRICE, 0), "{name}");
        let events = world.events.drain();
        assert_eq!((events.len(), &events[0].payload["outcome"]), (1, &json!("errored")), "{name}");
        assert!(!events[0].payload.to_string().contains("Let me"), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_continuation_that_fails_leaves_the_first_error() {
    let players = vec![
        Player::new("a", vec![breaks(&["half"])]),
        Player::new("b", vec![fails(ErrorKind::Rejected, Retry::Never)]),
    ];
    let world = world(players, |_| {});
    let seen = world.stream("Hi").await;
    let error = seen.error.as_ref().unwrap();
    assert_eq!((error.kind(), error.partial_text()), (ErrorKind::Unavailable, Some("half")));
    assert_eq!(seen.statuses(), [AttemptStatus::Failed, AttemptStatus::Failed]);
    assert_eq!(world.settled_and_reserved().await, (PRICE, 0));
}

#[tokio::test(start_paused = true)]
async fn a_hard_limit_also_holds_for_the_continuation() {
    let players = vec![Player::new("a", vec![breaks(&["half"])]), Player::new("b", vec![says("never")])];
    let world = world(players, |_| {});
    let limit = SpendLimit {
        scope: LimitScope::Tenant,
        window: Window::Day,
        zone: Zone::default(),
        amount_nano_usd: PRICE,
        hard: true,
    };
    world.ai.set_limit(&world.ctx, limit).await.unwrap();
    let seen = world.stream("Hi").await;
    assert_eq!((seen.error.unwrap().partial_text(), world.players[1].calls()), (Some("half"), 0));
    assert_eq!(world.settled_and_reserved().await, (PRICE, 0));
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_after_the_end_spoils_nothing() {
    for after in [FAULT, Step::Hang] {
        let players = vec![
            Player::new("a", vec![streams(vec![text("whole"), stop(), after])]),
            Player::new("b", vec![says("never")]),
        ];
        let world = world(players, |_| {});
        let seen = world.stream("Hi").await;
        assert_eq!((seen.text.as_str(), seen.outcome), ("whole", Some(Outcome::Complete)));
        assert!(seen.error.is_none());
        assert_eq!(world.settled_and_reserved().await, (PRICE, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_token_has_a_deadline_of_its_own() {
    let slow = Script { before: vec![Step::Wait(Duration::from_secs(3))], ..says("late") };
    let world = world(vec![Player::new("a", vec![slow]), Player::new("b", vec![says("soon")])], |config| {
        config.timeouts.first_token_ms = 2_000;
    });
    let started = tokio::time::Instant::now();
    let seen = world.stream("Hi").await;
    assert_eq!((seen.text.as_str(), started.elapsed()), ("soon", Duration::from_secs(2)));
    let whole = world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    assert_eq!(whole.first_text(), "late", "it is not the deadline of a whole answer");
}

#[tokio::test(start_paused = true)]
async fn an_endless_stream_ends_in_time() {
    let second = [text("more "), Step::Wait(Duration::from_secs(1))];
    let trickle = second.iter().cycle().take(10_000).cloned().collect();
    let world = world(
        vec![Player::new("a", vec![streams(trickle)]), Player::new("b", vec![says("never")])],
        |config| {
            config.timeouts.stream_total_ms = 60_000;
        },
    );
    let started = tokio::time::Instant::now();
    let seen = world.stream("Hi").await;
    assert_eq!(started.elapsed(), Duration::from_secs(60));
    let error = seen.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("stream_total_ms") && error.partial_text().unwrap().len() >= 295);
    assert_eq!((world.players[1].calls(), world.settled_and_reserved().await), (0, (PRICE, 0)));
}

#[tokio::test(start_paused = true)]
async fn pieces_of_nothing_are_held_back_up_to_a_bound() {
    let role = || chunk(json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}));
    let annotation = || chunk(json!({"choices": [], "prompt_filter_results": [{"x": 1}]}));
    let players = vec![
        Player::new("a", vec![streams(vec![role(), annotation(), role(), FAULT])]),
        Player::new("b", vec![says("healthy")]),
    ];
    let seen = world(players, |config| config.retry.max_retries = 0).stream("Hi").await;
    assert_eq!((seen.text.as_str(), seen.outcome), ("healthy", Some(Outcome::Complete)));

    let chatter = Player::new("a", vec![streams(vec![Step::Chatter, FAULT])]);
    let world =
        world(vec![chatter, Player::new("b", vec![says("healthy")])], |config| config.retry.max_retries = 0);
    let seen = world.stream("Hi").await;
    assert_eq!(
        (seen.text.as_str(), seen.outcome),
        ("healthy", Some(Outcome::Complete)),
        "however many there are"
    );

    let annotations = vec![chunk(json!({"choices": [], "sources": "x".repeat(1 << 10)})); 1_000];
    let players = vec![
        Player::new("a", vec![streams([annotations, vec![FAULT]].concat())]),
        Player::new("b", vec![says("never")]),
    ];
    let world = super::support::world(players, |_| {});
    let mut stream = world.ai.stream(&world.ctx, "Hi".into()).await.unwrap();
    assert!(stream.next().await.unwrap().is_ok(), "what is held is bounded");
}

#[tokio::test(start_paused = true)]
async fn an_early_report_of_usage_does_not_hide_what_came_after() {
    let early = chunk(json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 1}}));
    let long = "word ".repeat(100);
    let players = vec![Player::new("a", vec![streams(vec![early, text(&long), FAULT])])];
    let seen = world(players, |_| {}).stream("Hi").await;
    let usage = seen.usage.unwrap();
    assert_eq!(usage.prompt_tokens, 7);
    assert!(usage.completion_tokens > 50 && seen.report.usage_estimated, "{usage:?}");
}

/// Wherever the reader goes away, during the first call, between the two or during the second: nothing stays reserved, and no call
/// goes on.
#[tokio::test(start_paused = true)]
async fn a_reader_may_go_at_every_point() {
    let paused = |script: Script| {
        let pieces = script.pieces.into_iter().flat_map(|step| [Step::Pause, step]).collect();
        Script { before: vec![Step::Pause, Step::Pause], pieces, ..script }
    };
    let mut finished = false;
    for polls in 0..60 {
        let players = vec![
            Player::new("x", vec![paused(fails(ErrorKind::Unauthorized, Retry::Never))]),
            Player::new("a", vec![paused(breaks(&["one ", "two "]))]),
            Player::new("b", vec![paused(says("three four"))]),
        ];
        let world = world(players, |_| {});
        {
            let mut call = Box::pin(world.stream("Hi"));
            finished = (0..polls).any(|_| (&mut call).now_or_never().is_some());
        }
        assert_eq!(world.settled_and_reserved().await.1, 0, "after {polls} polls");
        for player in &world.players {
            assert_eq!(player.in_flight.load(std::sync::atomic::Ordering::SeqCst), 0, "after {polls} polls");
        }
        assert_eq!(world.events.drain().len(), usize::from(polls > 0), "after {polls} polls");
    }
    assert!(finished, "the last of them came to the end");
}
