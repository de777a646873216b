use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::provider::Usage;

#[allow(clippy::needless_pass_by_value)] // Written at the call.
fn listed(fields: serde_json::Value) -> Price {
    let map = PriceMap::parse(&json!({ "m": fields }).to_string()).unwrap();
    assert!(map.report().skipped.is_empty(), "{:?}", map.report());
    map.get("m").unwrap().price.clone()
}

#[allow(clippy::needless_pass_by_value)] // Written at the call.
fn usage(prompt: u64, answer: u64, extra: serde_json::Value) -> Usage {
    let mut usage = Usage::new(prompt, answer);
    usage.extra = extra.as_object().unwrap().clone();
    usage
}

#[test]
fn cached_tokens_are_cheaper_and_cost_rounds_up() {
    let (price, longest) = known_model("gpt-4o-mini-2024-07-18").unwrap();
    assert_eq!(longest, 16_384);
    assert_eq!(price.cost(&Usage::new(1_000, 100)), 1_000 * 150 + 100 * 600);
    let cached = usage(1_000, 100, json!({"prompt_tokens_details": {"cached_tokens": 400}}));
    assert_eq!(price.cost(&cached), 600 * 150 + 400 * 75 + 100 * 600);
    assert_eq!(Price::per_million(1, 0, 0).cost(&Usage::new(1, 0)), 1);
    assert_eq!(Price::per_million(1, 0, 0).cost(&Usage::new(0, 7)), 0);
    // Less than a billionth of a dollar for a token is not lost.
    let cheap = listed(json!({"input_cost_per_token": 6.1e-10, "output_cost_per_token": 0}));
    assert_eq!(cheap.cost(&Usage::new(1_000_000, 0)), 610_000);
}

#[test]
fn cache_writes_cost_as_their_provider_says() {
    let price = known_model("claude-sonnet-4-5").unwrap().0;
    // As the Messages API tells it: 3 new tokens, 100 written for five minutes, 400 for an hour, 1,217 read.
    let told = json!({
        "prompt_tokens_details": {"cached_tokens": 1_217, "cache_write_tokens": 500},
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 400},
    });
    let expected = 3 * 3_000 + 100 * 3_750 + 400 * 6_000 + 1_217 * 300 + 90 * 15_000;
    assert_eq!(price.cost(&usage(1_720, 90, told)), expected);
    let plain =
        json!({"cache_creation_input_tokens": 500, "prompt_tokens_details": {"cached_tokens": 1_217}});
    assert_eq!(price.cost(&usage(1_720, 90, plain)), 3 * 3_000 + 500 * 3_750 + 1_217 * 300 + 90 * 15_000);
    let deepseek = known_model("deepseek-chat").unwrap().0;
    let hits = usage(100, 0, json!({"prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40}));
    assert_eq!(deepseek.cost(&hits), 40 * 280 + 60 * 28);
}

#[test]
fn a_long_prompt_is_paid_at_its_tier_altogether() {
    let price = known_model("gemini-2.5-pro").unwrap().0;
    assert_eq!(price.cost(&Usage::new(200_000, 10)), 200_000 * 1_250 + 10 * 10_000);
    assert_eq!(price.cost(&Usage::new(200_001, 10)), 200_001 * 2_500 + 10 * 15_000);
    assert_eq!(price.at_most(200_000, 10), 200_000 * 1_250 + 10 * 10_000);
    assert_eq!(price.at_most(200_001, 10), 200_001 * 2_500 + 10 * 15_000);
    let ranges = listed(json!({"tiered_pricing": [
        {"range": [0, 256000.0], "input_cost_per_token": 5e-8, "output_cost_per_token": 4e-7},
        {"range": [256000.0, 1e6], "input_cost_per_token": 2.5e-7, "output_cost_per_token": 2e-6},
    ]}));
    assert_eq!(ranges.cost(&Usage::new(256_000, 1)), 256_000 * 50 + 400);
    assert_eq!(ranges.cost(&Usage::new(256_001, 1)), 256_001 * 250 + 2_000);
    let small = listed(json!({
        "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "input_cost_per_token_above_128k_tokens": 3e-6,
    }));
    assert_eq!(small.cost(&Usage::new(128_001, 1)), 128_001 * 3_000 + 2_000, "the rest is as below");
}

#[test]
fn services_images_requests_and_reasoning_have_prices_of_their_own() {
    let price = listed(json!({
        "input_cost_per_token": 2e-6, "output_cost_per_token": 8e-6, "output_cost_per_reasoning_token": 4e-6,
        "input_cost_per_token_batches": 1e-6, "output_cost_per_token_batches": 4e-6,
        "input_cost_per_token_priority": 5e-6, "output_cost_per_token_priority": 9e-6,
        "input_cost_per_request": 0.015, "input_cost_per_image": 0.0001,
    }));
    let reasoned = usage(10, 5, json!({"completion_tokens_details": {"reasoning_tokens": 3}}));
    assert_eq!(price.cost(&reasoned), 15_000_000 + 10 * 2_000 + 2 * 8_000 + 3 * 4_000);
    let batch = usage(10, 5, json!({"service_tier": "batch"}));
    assert_eq!(price.cost(&batch), 15_000_000 + 10 * 1_000 + 5 * 4_000);
    let tier = Service::of(Some(&json!("priority")));
    assert_eq!(price.cost_as(&Usage::new(10, 5), tier, 2), 15_200_000 + 10 * 5_000 + 5 * 9_000);
    assert_eq!(price.at_most_as(10, 5, tier, 2), 15_200_000 + 10 * 5_000 + 5 * 9_000);
    assert_eq!(price.cost_as(&Usage::new(10, 5), Service::Flex, 0), price.cost(&Usage::new(10, 5)));
}

#[test]
fn names_are_exact_but_for_dates() {
    assert!(known_model("claude-haiku-4-5-20251001").is_some());
    assert!(known_model("gpt-4o-mini-audio").is_none());
    for (name, _) in PriceMap::parse(include_str!("models.json")).unwrap().models() {
        assert!(known_model(name).is_some_and(|(_, longest)| longest > 1_000), "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_told_and_never_guessed() {
    let map = PriceMap::parse(
        r#"{"a": 5, "b": {"mode": "image_generation"}, "c": {"input_cost_per_token": "1e-6", "output_cost_per_token": 1},
            "d": {"input_cost_per_token": -1e-6}, "e": {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-30},
            "f": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "max_tokens": "many"}}"#,
    );
    let map = map.unwrap();
    let reasons: Vec<_> = map.report().skipped.into_iter().map(|s| (s.model, s.reason)).collect();
    for (place, (model, part)) in [
        ("a", "no object"),
        ("b", "image_generation"),
        ("c", "not a number"),
        ("d", "negative"),
        ("e", "24 decimal"),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(reasons[place].0 == model && reasons[place].1.contains(part), "{:?}", reasons[place]);
    }
    assert_eq!((map.report().models, map.get("f").unwrap().longest_answer), (1, None));
    assert!(PriceMap::parse("[]").unwrap_err().message().contains("no JSON object"));
}

#[test]
fn the_users_price_comes_first_and_a_list_can_be_exchanged() {
    let own = Price::per_million(1, 1, 1);
    let pricing = ProviderPricing {
        own: Some(own.clone()),
        default_model: "gpt-4o".into(),
        list_prices: true,
        otherwise: None,
    };
    let abacus =
        ProviderPricing { otherwise: Some(Price::PerRequest(15_000_000)), ..ProviderPricing::default() };
    let book =
        PriceBook::new(BTreeMap::from([("openai".to_owned(), pricing), ("abacus".to_owned(), abacus)]));
    assert_eq!(book.price("openai", "gpt-4o"), Some(own.clone()));
    assert_eq!(book.price("openai", "o3"), known_model("o3").map(|(price, _)| price));
    assert_eq!(book.price("openai", "unheard-of"), None);
    assert_eq!(book.price("other", "gpt-4o"), None);
    assert_eq!(book.price("abacus", "o3"), Some(Price::PerRequest(15_000_000)));
    let list = r#"{"o3": {"input_cost_per_token": 1e-3, "output_cost_per_token": 1e-3, "max_output_tokens": 7, "max_input_tokens": 9},
                   "unheard-of": {"input_cost_per_token": 2e-3, "output_cost_per_token": 0},
                   "abacus/o3": {"input_cost_per_token": 3e-3, "output_cost_per_token": 0}}"#;
    book.replace(PriceMap::parse(list).unwrap());
    let one = |provider: &str, model: &str| book.price(provider, model).unwrap().cost(&Usage::new(1, 0));
    assert_eq!(
        (one("openai", "o3"), one("openai", "unheard-of"), one("abacus", "o3")),
        (1_000_000, 2_000_000, 3_000_000)
    );
    assert_eq!(book.price("openai", "gpt-4o"), Some(own), "the user's own stays");
    assert_eq!(
        (book.longest_answer("openai", "o3"), book.longest_answer("openai", "x")),
        (7, UNKNOWN_MAX_OUTPUT)
    );
    assert_eq!(
        ["o3", "gpt-4o", "x"].map(|model| book.longest_prompt("openai", model)),
        [Some(9), Some(128_000), None]
    );
    book.replace(PriceMap::default());
    assert_eq!(book.price("openai", "unheard-of"), None);
}

/// The whole price map as LiteLLM has it.
fn whole_map() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/prices/model_prices.json.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: ../shared/data/prices is not here");
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    Some(text)
}

#[test]
fn every_entry_of_the_whole_map_is_read_or_told() {
    let Some(text) = whole_map() else { return };
    let raw: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    let map = PriceMap::parse(&text).unwrap();
    let report = map.report();
    assert_eq!(report.models + report.skipped.len() as u64, raw.len() as u64, "none is lost");
    assert!(report.models > 3_500, "{}", report.models);
    for skipped in &report.skipped {
        let entry = &raw[&skipped.model];
        let priced =
            ["input_cost_per_token", "output_cost_per_token"].iter().any(|name| entry.get(name).is_some());
        assert!(!priced, "{} has a price and was passed over: {}", skipped.model, skipped.reason);
        assert!(!skipped.reason.is_empty());
    }
    // Against the same sum by floating point, which is right to many more digits than one part in a million.
    for (name, model) in map.models() {
        let entry = &raw[name];
        if entry.get("tiered_pricing").is_some() || entry.get("input_cost_per_request").is_some() {
            continue;
        }
        let dollars = |field: &str| entry.get(field).and_then(serde_json::Value::as_f64).unwrap_or(0.0);
        let expected =
            1e9 * (1_000.0 * dollars("input_cost_per_token") + 500.0 * dollars("output_cost_per_token"));
        let cost = model.price.cost(&Usage::new(1_000, 500)) as f64;
        assert!((cost - expected).abs() <= 1.0 + expected * 1e-6, "{name}: {cost} and {expected}");
    }
    // The embedded table says the same.
    let embedded = PriceMap::parse(include_str!("models.json")).unwrap();
    assert!(embedded.report().skipped.is_empty());
    let (mut same, mut all) = (0, 0);
    for (name, model) in embedded.models() {
        if let Some(listed) = map.get(name) {
            all += 1;
            same += u32::from(listed.price == model.price);
        }
    }
    assert!(all > 50 && same == all, "{same} of {all}");
}

fn rates() -> impl Strategy<Value = Rates> {
    let rate = || (0_u64..1 << 40).prop_map(Rate::per_million);
    (rate(), rate(), rate(), rate(), rate(), rate()).prop_map(
        |(input, cached_input, cache_write, cache_write_1h, output, reasoning)| Rates {
            input,
            cached_input,
            cache_write,
            cache_write_1h,
            output,
            reasoning,
        },
    )
}

proptest! {
    #[test]
    fn nothing_costs_more_than_its_bound(
        base in rates(), long in rates(), flex in rates(), above in 0_u64..1 << 20,
        prompt in 0_u64..1 << 21, answer in 0_u64..1 << 21, spare in 0_u64..1 << 10,
        read in 0_u64..1 << 21, written in 0_u64..1 << 21, hour in 0_u64..1 << 21, reasoning in 0_u64..1 << 21,
    ) {
        let standard = Tiers { base, above: vec![(above, long)] };
        let flex = Some(Tiers { base: flex, above: Vec::new() });
        let price = Price::PerToken(TokenPrice { standard, flex, ..TokenPrice::default() }.into());
        let used = usage(prompt, answer, json!({
            "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
            "cache_creation": {"ephemeral_1h_input_tokens": hour},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }));
        for service in [Service::Standard, Service::Flex, Service::Batch] {
            let bound = price.at_most_as(prompt + spare, answer + spare, service, 0);
            prop_assert!(price.cost_as(&used, service, 0) <= bound);
        }
    }
}
