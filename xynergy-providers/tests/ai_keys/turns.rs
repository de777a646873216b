use std::time::Duration;

use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::AiConfig;
use xynergy_core::registry::ProviderParts;
use xynergy_core::{Ctx, ErrorKind, Retry, TenantId};
use xynergy_providers::registry::providers;

use crate::support::{Says, config, says, short, world};

fn trace(tries: &[(&str, &str)]) -> Vec<(String, String)> {
    tries.iter().map(|(reason, fate)| ((*reason).to_owned(), (*fate).to_owned())).collect()
}

#[tokio::test]
async fn keys_take_turns() {
    let world = world(&["A", "B", "C"]);
    let mut used = Vec::new();
    for _ in 0..6 {
        let (outcome, attempts) = world.ask().await;
        outcome.unwrap();
        used.extend(world.wire.used());
        assert_eq!(
            short(&attempts),
            trace(&[(&format!("key {} of 3", (used.len() - 1) % 3 + 1), "answered")])
        );
    }
    assert_eq!(used, ["A", "B", "C", "A", "B", "C"]);
}

#[tokio::test]
async fn a_refused_key_rests_and_the_next_one_answers_the_same_request() {
    for status in [401, 402, 403] {
        let world = world(&["A", "B", "C"]);
        world.wire.tell("A", says(status));
        for stream in [false, true] {
            let (outcome, attempts) = if stream { world.stream().await } else { world.ask().await };
            outcome.unwrap();
            let expected: &[(&str, &str)] = if stream {
                &[("key 3 of 3", "answered")]
            } else {
                &[("key 1 of 3", "unauthorized"), ("key 2 of 3", "answered")]
            };
            assert_eq!(short(&attempts), trace(expected), "{status}");
        }
        assert_eq!(world.wire.used(), ["A", "B", "C"]);
        world.wire.heal("A");
        world.pass(299);
        assert_eq!([world.used().await, world.used().await], [["B"], ["C"]], "{status}");
        world.pass(1);
        assert_eq!(world.used().await, ["A"], "{status}");
    }
}

#[tokio::test]
async fn embeddings_take_turns_with_the_same_keys() {
    let world = world(&["A", "B"]);
    world.wire.tell("A", says(401));
    let parts = ProviderParts { http: world.wire.clone(), secrets: world.vault.clone() };
    let settings = config(&["A", "B"]);
    let provider = providers().build("somebody", &settings, &parts).unwrap();
    let config = AiConfig { providers: [("somebody".to_owned(), settings)].into(), ..AiConfig::default() };
    let client = AiClient::new(config, AiParts::new(vec![provider])).unwrap();
    let mut request: xynergy_core::embed::EmbedRequest = ["hi"].into();
    request.model = "small".to_owned();
    let told = client.embed(&world.ctx, request.clone()).await.unwrap();
    assert_eq!(told.vectors, [[0.5, 1.0]]);
    assert_eq!(short(&told.attempts), trace(&[("key 1 of 2", "unauthorized"), ("key 2 of 2", "answered")]));
    // A chat finds the key resting.
    let told = client.chat(&world.ctx, "hi".into()).await.unwrap();
    assert_eq!(short(&told.report.attempts), trace(&[("key 2 of 2", "answered")]));
    assert_eq!(world.wire.used(), ["A", "B", "B"]);
    world.wire.tell("B", says(401));
    let error = client.embed(&world.ctx, request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn a_streamed_request_goes_to_the_next_key_too() {
    let world = world(&["A", "B"]);
    world.wire.tell("A", says(401));
    let (outcome, attempts) = world.stream().await;
    outcome.unwrap();
    assert_eq!(short(&attempts), trace(&[("key 1 of 2", "unauthorized"), ("key 2 of 2", "answered")]));
}

#[tokio::test]
async fn a_throttled_key_rests_as_long_as_it_is_told() {
    let world = world(&["A", "B"]);
    world.wire.tell("A", Says { retry_after: Some("30"), ..says(429) });
    assert_eq!(world.used().await, ["A", "B"]);
    world.wire.heal("A");
    world.pass(29);
    assert_eq!([world.used().await, world.used().await], [["B"], ["B"]]);
    world.pass(1);
    assert_eq!(world.used().await, ["A"]);
    // A wait that is too long for a caller is one for a key all the same.
    world.wire.tell("B", Says { retry_after: Some("600"), ..says(429) });
    assert_eq!(world.used().await, ["B", "A"]);
    world.pass(599);
    world.wire.heal("B");
    assert_eq!([world.used().await, world.used().await], [["A"], ["A"]]);
    world.pass(1);
    assert_eq!(world.used().await, ["B"]);
}

#[tokio::test]
async fn a_key_without_quota_rests_longer() {
    let world = world(&["A", "B"]);
    world.wire.tell("A", Says { code: "insufficient_quota", ..says(429) });
    assert_eq!(world.used().await, ["A", "B"]);
    world.wire.heal("A");
    world.pass(29 * 60);
    assert_eq!([world.used().await, world.used().await], [["B"], ["B"]]);
    world.pass(60);
    assert_eq!(world.used().await, ["A"]);
}

#[tokio::test]
async fn when_all_are_out_the_error_is_the_provider_s() {
    let world = world(&["A", "B", "C"]);
    world.wire.tell("A", Says { retry_after: Some("20"), ..says(429) });
    world.wire.tell("B", says(401));
    world.wire.tell("C", Says { retry_after: Some("60"), ..says(429) });
    let (outcome, attempts) = world.ask().await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Throttled, Retry::After(Duration::from_secs(20))));
    let throttled = |key| (key, "throttled");
    assert_eq!(
        short(&attempts),
        trace(&[throttled("key 1 of 3"), ("key 2 of 3", "unauthorized"), throttled("key 3 of 3")])
    );
    assert_eq!(world.wire.used(), ["A", "B", "C"], "each key once");
    // All rest: one is asked all the same, and its answer counts.
    world.wire.heal("A");
    assert_eq!(world.used().await, ["A"]);

    let refused = self::world(&["A", "B"]);
    for key in ["A", "B"] {
        refused.wire.tell(key, says(401));
    }
    for expected in [2, 1, 1] {
        let (outcome, attempts) = refused.ask().await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unauthorized);
        assert_eq!((refused.wire.used().len(), attempts.len()), (expected, expected));
    }
}

#[tokio::test]
async fn what_is_not_the_key_s_fault_is_not_tried_with_another() {
    for status in [400, 404, 413, 500, 503] {
        let world = world(&["A", "B"]);
        world.wire.tell("A", Says { code: "rate_limit_exceeded", ..says(status) });
        let (outcome, attempts) = world.ask().await;
        outcome.unwrap_err();
        assert_eq!((world.wire.used(), attempts.len()), (vec!["A".to_owned()], 1), "{status}");
        assert_eq!(attempts[0].reason.as_deref(), Some("key 1 of 2"));
        world.wire.heal("A");
        assert_eq!([world.used().await, world.used().await], [["B"], ["A"]], "{status}: A rests");
    }
}

#[tokio::test]
async fn a_rotated_key_is_used_in_the_same_request() {
    let world = world(&["A"]);
    world.ask().await.0.unwrap();
    world.wire.tell("A", says(401));
    let (outcome, attempts) = world.ask().await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unauthorized, "nothing changed");
    assert_eq!(short(&attempts), trace(&[("", "unauthorized")]));

    // What is kept is the old one, until it is refused.
    let kept = xynergy_core::config::CachedSecrets::new(
        world.vault.clone(),
        Duration::from_secs(300),
        world.clock.clone(),
    );
    let parts = xynergy_core::registry::ProviderParts {
        http: world.wire.clone(),
        secrets: std::sync::Arc::new(kept),
    };
    let built = xynergy_providers::registry::providers()
        .build("somebody", &crate::support::config(&["A"]), &parts)
        .unwrap();
    let provider = xynergy_core::layer::Layer::wrap(&xynergy_core::layers::AttemptLayer, built);
    let cached = crate::support::World { provider, ..world };
    cached.wire.heal("A");
    cached.ask().await.0.unwrap();
    cached.wire.tell("A", says(401));
    cached.vault.set("A", Some("A2"));
    cached.wire.used();
    let (outcome, attempts) = cached.ask().await;
    outcome.unwrap();
    assert_eq!(cached.wire.used(), ["A", "A2"]);
    assert_eq!(short(&attempts), trace(&[("", "unauthorized"), ("the key, read anew", "answered")]));
    assert_eq!(cached.used().await, ["A2"]);
}

#[tokio::test]
async fn a_resting_key_is_used_again_when_its_value_changes() {
    let world = world(&["A", "B"]);
    world.wire.tell("A", says(401));
    assert_eq!(world.used().await, ["A", "B"]);
    assert_eq!(world.used().await, ["B"]);
    world.vault.set("A", Some("A2"));
    let mut used = [world.used().await, world.used().await];
    used.sort();
    assert_eq!(used, [["A2"], ["B"]]);
}

#[tokio::test]
async fn a_key_that_is_missing_is_passed_over() {
    let world = world(&["A", "B"]);
    world.vault.set("A", None);
    let (outcome, attempts) = world.ask().await;
    outcome.unwrap();
    let missing = ("key 1 of 2: none was found", "unauthorized");
    assert_eq!(short(&attempts), trace(&[missing, ("key 2 of 2", "answered")]));
    world.vault.set("B", None);
    assert_eq!(world.ask().await.0.unwrap_err().message(), "there is none");
}

#[tokio::test]
async fn tenants_keys_rest_by_themselves() {
    let world = world(&["A", "B"]);
    world.wire.tell("A", says(401));
    assert_eq!(world.used().await, ["A", "B"]);
    let other =
        crate::support::World { ctx: Ctx::new(&world.ctx.env, TenantId::new("other").unwrap()), ..world };
    assert_eq!(other.used().await, ["A-other"]);
}
