use proptest::prelude::*;

use super::*;
use crate::ctx::TenantId;
use crate::env::{Env, SeededEntropy};
use crate::provider::CallOptions;
use crate::spend::Price;
use crate::spend::ProviderPricing;

fn ctx(seed: u64) -> Ctx {
    let env = Env { entropy: Arc::new(SeededEntropy::new(seed)), ..Env::default() };
    Ctx::new(&env, TenantId::default())
}

fn decide(router: &Router, request: &ChatRequest) -> Result<RouteDecision> {
    router.decide(&ctx(1), request, false).map(|decided| decided.decision)
}

fn candidate(name: &str, capability: Capability) -> Candidate {
    Candidate { name: name.to_owned(), capability, windows: BTreeMap::new() }
}

fn candidates(names: &[&str]) -> Vec<Candidate> {
    names.iter().map(|name| candidate(name, Capability::all(format!("{name}-model")))).collect()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The orders that the configuration has by default, and what else `text` says.
fn table(text: &str) -> RoutingTable {
    let config: crate::config::AiConfig = toml::from_str(text).unwrap();
    RoutingTable {
        complex: strings(&["abacus", "openai", "internal"]),
        simple: strings(&["internal", "abacus", "openai"]),
        ..config.routing()
    }
}

fn router(names: &[&str]) -> Router {
    Router::new(candidates(names), table("routes.cheap = ['internal', 'openai/gpt/4']")).unwrap()
}

/// Three providers whose requests cost 1, 2 and 3 thousandths of a dollar, and one whose price nobody knows.
fn priced(text: &str) -> Router {
    let price = |milli: u64| ProviderPricing {
        own: Some(Price::PerRequest(milli * 1_000_000)),
        ..ProviderPricing::default()
    };
    let book =
        [("abacus", 3), ("openai", 2), ("internal", 1)].map(|(name, milli)| (name.to_owned(), price(milli)));
    let unknown = ("zeta".to_owned(), ProviderPricing::default());
    let prices = Arc::new(PriceBook::new(book.into_iter().chain([unknown]).collect()));
    let figures = Figures { prices, counter: Arc::default() };
    let names = ["abacus", "internal", "openai", "zeta"];
    Router::new(candidates(&names), table(text)).unwrap().with_figures(figures)
}

fn named(model: &str) -> ChatRequest {
    ChatRequest { model: model.to_owned(), ..ChatRequest::prompt("Hi") }
}

fn providers(decision: &RouteDecision) -> Vec<&str> {
    decision.models.iter().map(|choice| choice.provider.as_str()).collect()
}

#[test]
fn complexity_orders_the_configured_providers() {
    let router = router(&["internal", "openai", "abacus", "zeta"]);
    let simple = decide(&router, &"Hi there".into()).unwrap();
    assert_eq!(providers(&simple), ["internal", "abacus", "openai", "zeta"]);
    let complex = decide(&router, &"Prove it step by step".into()).unwrap();
    assert_eq!(providers(&complex), ["abacus", "openai", "internal", "zeta"]);
    assert_eq!((complex.policy.as_str(), complex.propensity), ("complexity", 1.0));
    assert!(complex.reason.contains("several steps +150"), "{}", complex.reason);
}

#[test]
fn names_are_routes_providers_or_models() {
    let router = router(&["internal", "openai"]);
    let ask = |model: &str| decide(&router, &named(model));
    assert_eq!(ask("cheap").unwrap().models[1].model, "gpt/4");
    assert_eq!(
        ask("openai/o3").unwrap().models,
        [ModelChoice { provider: "openai".into(), model: "o3".into() }]
    );
    assert_eq!(providers(&ask("openai-model").unwrap()), ["openai"]);
    // Code that was written for OpenAI names its models, and changes one line.
    for model in ["gpt-4o", "chatgpt-4o-latest", "o3-mini"] {
        let expected = [ModelChoice { provider: "openai".into(), model: model.into() }];
        assert_eq!(ask(model).unwrap().models, expected);
    }
    let error = ask("opus-9").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("internal, openai") && error.message().contains("cheap"), "{error}");
}

#[test]
fn requests_go_only_where_they_can_be_served() {
    let plain = Capability { tools: false, ..Capability::all("small") };
    let both = vec![candidate("internal", plain.clone()), candidate("openai", Capability::all("big"))];
    let table = RoutingTable { simple: vec!["internal".into(), "openai".into()], ..RoutingTable::default() };
    let request = ChatRequest { tools: vec![serde_json::json!({})], ..ChatRequest::prompt("Hi") };
    let decision = decide(&Router::new(both, table).unwrap(), &request).unwrap();
    assert_eq!(providers(&decision), ["openai"]);
    assert!(decision.reason.contains("internal has no tools"));

    let alone = vec![candidate("internal", plain)];
    let error = decide(&Router::new(alone, RoutingTable::default()).unwrap(), &request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn what_a_model_lacks_is_looked_for_at_its_betters() {
    let plain = |name: &str| candidate(name, Capability { images: false, ..Capability::all("m") });
    let full = |name: &str| candidate(name, Capability::all("m"));
    let table = RoutingTable {
        complex: strings(&["strong", "middle", "weak"]),
        simple: strings(&["middle", "weak", "strong"]),
        ..RoutingTable::default()
    };
    let router = Router::new(vec![plain("middle"), full("strong"), full("weak")], table).unwrap();
    let mut left = ["weak", "strong"].map(|name| Entry::from(router.target(name).unwrap()));
    router.upward(&router.target("middle").unwrap(), &mut left);
    assert_eq!(left.map(|entry| entry.choice.provider), ["strong", "weak"]);
    let mut all = ["middle", "weak", "strong"].map(|name| Entry::from(router.target(name).unwrap()));
    router.upward(&router.target("middle").unwrap(), &mut all);
    assert_eq!(all.map(|entry| entry.choice.provider), ["middle", "weak", "strong"], "it can itself");

    let json = serde_json::json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]});
    let request: ChatRequest = serde_json::from_value(json).unwrap();
    assert_eq!(providers(&decide(&router, &request).unwrap()), ["strong", "weak"]);
    let error = decide(&router, &ChatRequest { model: "middle".into(), ..request }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn a_route_to_nowhere_is_a_configuration_error() {
    for (text, part) in [
        ("routes.x = ['nowhere']", "routes.x"),
        ("routes.x = {strategy = 'cheapest', models = ['openai', 'nowhere/m']}", "nowhere/m"),
        ("policies = [{route = 'nowhere'}]", "policies[0].route"),
        (
            "routes.x = {strategy = 'canary', baseline = 'openai', candidate = 'openai/openai-model'}",
            "routes.x.candidate: openai/openai-model",
        ),
    ] {
        let error = Router::new(candidates(&["openai"]), table(text)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        assert!(error.message().contains(part) && error.message().contains("openai"), "{error}");
    }
}

#[test]
fn the_cheapest_is_first_and_says_what_is_expected() {
    let router =
        priced("routes.low = {strategy = 'cheapest', models = ['zeta', 'abacus', 'internal', 'openai']}");
    let decision = decide(&router, &named("low")).unwrap();
    assert_eq!(providers(&decision), ["internal", "openai", "abacus", "zeta"]);
    assert_eq!((decision.policy.as_str(), decision.propensity), ("cheapest", 1.0));
    assert!(decision.reason.contains("internal/internal-model 1000000, openai"), "{}", decision.reason);
    assert!(decision.reason.contains("zeta/zeta-model unknown"), "{}", decision.reason);

    let all = priced("strategy = 'cheapest'");
    let decision = decide(&all, &"Prove it step by step".into()).unwrap();
    assert_eq!(providers(&decision), ["internal", "openai", "abacus", "zeta"]);
    assert_eq!((decision.policy.as_str(), decision.complexity), ("cheapest", Complexity::Complex));
}

/// Which of two is cheaper depends on what the request is: one asks more for the prompt, the other for the answer.
#[test]
fn the_cheapest_depends_on_prompt_and_answer() {
    let by_tokens = |input: u64, output: u64| ProviderPricing {
        own: Some(Price::per_million(input, input, output)),
        default_model: String::new(),
        ..ProviderPricing::default()
    };
    let own = |name: &str, input, output| {
        let default_model = format!("{name}-model");
        (name.to_owned(), ProviderPricing { default_model, ..by_tokens(input, output) })
    };
    let prices = [own("reader", 1_000_000, 10_000_000), own("writer", 10_000_000, 1_000_000)];
    let figures = Figures { prices: Arc::new(PriceBook::new(prices.into())), counter: Arc::default() };
    let text = "routes.low = {strategy = 'cheapest', models = ['reader', 'writer']}";
    let router = Router::new(candidates(&["reader", "writer"]), table(text)).unwrap().with_figures(figures);
    let long_prompt = ChatRequest { max_tokens: Some(5), ..ChatRequest::prompt("word ".repeat(500)) };
    let long_answer = ChatRequest { max_tokens: Some(5_000), ..ChatRequest::prompt("Tell") };
    for (request, expected) in [(long_prompt, "reader"), (long_answer, "writer")] {
        let decision = decide(&router, &ChatRequest { model: "low".into(), ..request }).unwrap();
        assert_eq!(providers(&decision)[0], expected, "{}", decision.reason);
    }
}

#[test]
fn weights_are_drawn_with_their_propensity() {
    let text = "routes.split = {strategy = 'weighted', models = ['openai', 'abacus', 'internal'], weights = [3, 1, 0]}";
    let router = priced(text);
    let ctx = ctx(5);
    let mut first = 0;
    for _ in 0..400 {
        let decision = router.decide(&ctx, &named("split"), false).unwrap().decision;
        let is_first = providers(&decision)[0] == "openai";
        first += u32::from(is_first);
        assert_eq!(decision.propensity, if is_first { 0.75 } else { 0.25 });
        assert_eq!(
            (decision.policy.as_str(), decision.models[2].provider.as_str()),
            ("weighted", "internal")
        );
    }
    // 300 expected, with a standard deviation of 8.7.
    assert!((257..=343).contains(&first), "{first}");
}

#[test]
fn the_first_policy_that_matches_decides() {
    let router = priced(
        "routes.low = {strategy = 'cheapest', models = ['abacus', 'internal']}
         [[policies]]
         when = {tags = ['batch'], longer_than_tokens = 100}
         route = 'zeta'
         [[policies]]
         when = {tags = ['batch']}
         route = 'low'
         [[policies]]
         when = {tenants = ['default'], needs = ['tools']}
         route = 'openai/o3'",
    );
    let tagged = |text: &str| ChatRequest {
        options: CallOptions { tags: ["batch".to_owned()].into(), ..CallOptions::default() },
        ..ChatRequest::prompt(text)
    };
    let of = |request: &ChatRequest| {
        let decision = decide(&router, request).unwrap();
        (decision.models[0].provider.clone(), decision.policy.clone(), decision.reason.clone())
    };
    let (provider, policy, reason) = of(&tagged("Hi"));
    assert_eq!((provider.as_str(), policy.as_str()), ("internal", "cheapest"));
    assert!(reason.starts_with("a policy (tags batch) chose low; "), "{reason}");
    assert_eq!(of(&tagged(&"word ".repeat(200))).0, "zeta");
    let tools = vec![serde_json::json!({"type": "function", "function": {"name": "f"}})];
    let needs_tools = ChatRequest { tools, ..ChatRequest::prompt("Hi") };
    assert_eq!((of(&needs_tools).0.as_str(), of(&needs_tools).1.as_str()), ("openai", "model"));
    assert_eq!(of(&ChatRequest { model: "auto".into(), ..needs_tools.clone() }).0, "openai");
    assert_eq!(of(&"Hi".into()).1, "complexity", "no policy is for it");
    assert_eq!(of(&ChatRequest { model: "abacus".into(), ..tagged("Hi") }).0, "abacus", "a name goes first");
}

fn with_windows(text: &str) -> Router {
    let window = |name: &str, tokens| {
        let windows = BTreeMap::from([(format!("{name}-model"), tokens)]);
        Candidate { windows, ..candidate(name, Capability::all(format!("{name}-model"))) }
    };
    let known =
        vec![window("internal", 100), window("openai", 1_000), candidate("zeta", Capability::all("z"))];
    Router::new(known, table(text)).unwrap()
}

#[test]
fn a_prompt_goes_only_where_it_fits() {
    let router = with_windows("routes.two = ['internal', 'openai']");
    let ask = |tokens: usize, answer: Option<u32>, model: &str| {
        let prompt = ChatRequest::prompt("word ".repeat(tokens));
        decide(&router, &ChatRequest { model: model.into(), max_tokens: answer, ..prompt })
    };
    assert_eq!(providers(&ask(10, None, "two").unwrap()), ["internal", "openai"]);
    let longer = ask(300, None, "two").unwrap();
    assert_eq!(providers(&longer), ["openai"]);
    assert!(
        longer.reason.contains("internal/internal-model takes 100 tokens and the prompt has 3"),
        "{}",
        longer.reason
    );
    assert_eq!(providers(&ask(10, Some(500), "two").unwrap()), ["openai"], "the answer must fit as well");

    let error = ask(3_000, Some(7), "two").unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::ContextTooLong, "ai.route"));
    for part in ["internal/internal-model takes 100", "openai/openai-model takes 1000", "7 are asked"] {
        assert!(error.message().contains(part), "{error}");
    }
    let context: Vec<&str> = error.context().iter().map(|(key, _)| *key).collect();
    assert_eq!(context, ["prompt_tokens", "answer_tokens", "window_tokens"]);
    assert_eq!(providers(&ask(3_000, None, "").unwrap()), ["zeta"], "what nobody knows fits");
}

#[test]
fn what_fits_nowhere_goes_to_the_list_for_it() {
    let router =
        with_windows("routes.two = ['internal', 'openai']\nfallbacks.context_too_long = ['openai', 'zeta']");
    let request = ChatRequest { model: "two".into(), ..ChatRequest::prompt("word ".repeat(3_000)) };
    let decision = decide(&router, &request).unwrap();
    assert_eq!(providers(&decision), ["zeta"]);
    assert!(decision.reason.contains("ai.fallbacks.context_too_long"), "{}", decision.reason);
}

proptest! {
    /// Whatever the strategy and whatever is asked: nobody outside the route, nobody who cannot, each once.
    #[test]
    fn a_route_is_never_left_and_ability_never_missed(
        strategy in 0_usize..5,
        members in proptest::sample::subsequence(vec!["a", "b", "c", "d"], 1..=4),
        able in proptest::collection::vec(any::<(bool, bool)>(), 4),
        wants_tools: bool,
        streams: bool,
        seed: u64,
    ) {
        let known = ["a", "b", "c", "d"].iter().zip(&able).map(|(name, (tools, streaming))| {
            candidate(name, Capability { tools: *tools, streaming: *streaming, ..Capability::all("m") })
        });
        let list = format!("{members:?}");
        let text = match strategy {
            0 => format!("routes.r = {list}"),
            1 => format!("routes.r = {{strategy = 'cheapest', models = {list}}}"),
            3 => format!("routes.r = {{strategy = 'sticky', models = {list}}}"),
            2 => format!("routes.r = {{strategy = 'lowest_latency', models = {list}}}"),
            _ => format!("routes.r = {{strategy = 'weighted', models = {list}, weights = {:?}}}", vec![2; members.len()]),
        };
        let router = Router::new(known.collect(), table(&text)).unwrap();
        let tools = if wants_tools { vec![serde_json::json!({})] } else { Vec::new() };
        let request = ChatRequest { model: "r".into(), tools, ..ChatRequest::prompt("Hi") };
        let can = |name: &&&str| {
            let (tools, streaming) = able[usize::from(name.as_bytes()[0] - b'a')];
            (tools || !wants_tools) && (streaming || !streams)
        };
        let expected: std::collections::BTreeSet<&str> = members.iter().filter(can).copied().collect();
        match router.decide(&ctx(seed), &request, streams) {
            Ok(Decided { decision, .. }) => {
                let asked = providers(&decision);
                prop_assert_eq!(asked.len(), expected.len());
                prop_assert_eq!(asked.into_iter().collect::<std::collections::BTreeSet<_>>(), expected);
                prop_assert!(decision.propensity > 0.0 && decision.propensity <= 1.0);
            }
            Err(error) => {
                prop_assert!(expected.is_empty());
                prop_assert_eq!(error.kind(), ErrorKind::Unsupported);
            }
        }
    }
}
