use proptest::prelude::*;

use super::*;
use crate::env::SeededEntropy;
use crate::provider::Usage;
use crate::route::weighted::below;
use crate::spend::{Price, Rate, Rates, Tiers, TokenPrice};

fn quote(now: u64, warm: u64, later: u64) -> Option<Quote> {
    Some(Quote { now, warm, later })
}

fn model(name: &str) -> ModelChoice {
    ModelChoice { provider: name.into(), model: "m".into() }
}

#[test]
fn it_begins_where_the_first_turn_is_cheapest() {
    assert_eq!(choose(&[None, quote(9, 9, 9), quote(7, 7, 7)], None, 0).place, 2);
    assert_eq!(choose(&[None, None], None, 0).place, 0);
}

#[test]
fn it_switches_for_what_saves_more_than_it_costs() {
    // The other would save 10 now and 10 on each later turn, and its first prompt costs 25 more.
    let quotes = [quote(50, 50, 50), quote(65, 40, 40)];
    for (turns, place) in [(0, 0), (2, 0), (3, 0), (4, 1), (100, 1)] {
        let verdict = choose(&quotes, Some(0), turns);
        let saving = 10 + 10 * i128::from(turns.min(12)) / 2;
        assert_eq!(
            verdict,
            Verdict { place, against: Some(Weighed { to: 1, price: 25, saving }) },
            "{turns}"
        );
    }
    // What it had here is gone as well: nothing is lost by leaving.
    assert_eq!(choose(&[quote(75, 50, 50), quote(65, 40, 40)], Some(0), 0).place, 1);
}

#[test]
fn what_is_not_known_cannot_be_weighed() {
    assert_eq!(choose(&[None, quote(1, 1, 1)], Some(0), 9), Verdict { place: 0, against: None });
    assert_eq!(choose(&[quote(1, 1, 1), None], Some(0), 9), Verdict { place: 0, against: None });
}

#[test]
fn conversations_are_remembered_for_a_time() {
    let affinities = Affinities::default();
    let lifetime = Duration::from_secs(300);
    let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
    let (a, b) = (model("a"), model("b"));
    let turn = |model, prompt, seconds| Turn { model, prompt, answer: 10, now: at(seconds), lifetime };
    affinities.put(1, &turn(&a, 2_000, 0));
    affinities.put(1, &turn(&b, 3_000, 100));
    affinities.put(2, &turn(&a, 500, 100));
    let known = affinities.get(1, at(200), lifetime).unwrap();
    assert_eq!((known.model.clone(), known.turns, known.answers, known.prefix()), (b.clone(), 2, 20, 3_000));
    assert_eq!((known.cached(&a, at(200), lifetime), known.cached(&b, at(200), lifetime)), (2_000, 3_000));
    assert_eq!((known.cached(&a, at(301), lifetime), known.cached(&b, at(401), lifetime)), (0, 0));
    let short = affinities.get(2, at(200), lifetime).unwrap();
    assert_eq!((short.cached(&a, at(200), lifetime), short.prefix()), (0, 0), "too short to be cached");
    assert!(affinities.get(1, at(100 + 12 * 300 + 1), lifetime).is_none());
    assert!(affinities.get(3, at(0), lifetime).is_none());
}

proptest! {
    /// Whatever the figures: nobody is left for what costs at least as much, and nobody unknown is gone to.
    #[test]
    fn a_switch_always_pays_by_its_own_figures(
        quotes in proptest::collection::vec(proptest::option::of((0_u64..1_000, 0_u64..1_000, 0_u64..1_000)), 1..5),
        held in proptest::option::of(0_usize..4),
        turns in 0_u32..50,
    ) {
        let quotes: Vec<Option<Quote>> =
            quotes.into_iter().map(|q| q.and_then(|(now, warm, later)| quote(now, warm, later))).collect();
        let held = held.filter(|place| *place < quotes.len());
        let verdict = choose(&quotes, held, turns);
        if let Some(here) = held
            && verdict.place != here
        {
            let weighed = verdict.against.unwrap();
            prop_assert!(weighed.saving > weighed.price && weighed.to == verdict.place);
            let total = |place: usize| {
                let quote = quotes[place].unwrap();
                2 * i128::from(quote.now) + i128::from(turns.min(12)) * i128::from(quote.later)
            };
            prop_assert!(total(verdict.place) <= total(here));
        }
    }
}

/// One turn of a simulated conversation.
struct Said {
    prompt: u64,
    answer: u64,
    at: Timestamp,
}

/// Dollars for a million tokens: of the prompt, cached, written to the cache, and of the answer, in thousandths.
fn price([input, cached, write, output]: [u64; 4]) -> Price {
    let rate = |milli: u64| Rate::per_million(milli * 1_000_000);
    let base = Rates {
        cached_input: rate(cached),
        cache_write: rate(write),
        cache_write_1h: rate(write),
        ..Rates::plain(rate(input), rate(output))
    };
    let standard = Tiers { base, above: Vec::new() };
    Price::PerToken(std::sync::Arc::new(TokenPrice { standard, ..TokenPrice::default() }))
}

/// What a provider bills that caches prompts of 1,024 tokens and more, and charges for writing where it has a price for it.
fn bill(price: &Price, prompt: u64, cached: u64, answer: u64) -> u64 {
    let (cached, written) =
        if prompt < 1_024 { (0, 0) } else { (cached.min(prompt), prompt - cached.min(prompt)) };
    let mut usage = Usage::new(prompt, answer);
    let details = serde_json::json!({"cached_tokens": cached, "cache_write_tokens": written});
    usage.extra.insert("prompt_tokens_details".to_owned(), details);
    price.cost(&usage)
}

/// Prompts that grow by what was said, mostly a minute apart, now and then longer than caches last.
fn conversation(entropy: &SeededEntropy, kind: usize) -> Vec<Said> {
    let between = |low: u64, high: u64| low + below(entropy, high - low + 1);
    let turns = if kind == 3 { between(1, 3) } else { between(1, 30) };
    let mut prompt = [300, 2_000, 8_000][usize::try_from(between(0, 2)).unwrap()];
    let mut at = Timestamp::default();
    (0..turns)
        .map(|turn| {
            let answer = match kind {
                0 | 3 => between(50, 600),
                1 => [20, 40, 3_000][usize::try_from(between(0, 2)).unwrap()],
                2 => between(1_000, 4_000),
                _ => {
                    if 2 * turn < turns {
                        100
                    } else {
                        2_000
                    }
                }
            };
            at = at.plus(Duration::from_secs(if between(0, 9) == 0 { 1_000 } else { between(5, 60) }));
            let said = Said { prompt, answer, at };
            prompt += answer + between(20, if kind == 1 { 3_000 } else { 400 });
            said
        })
        .collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    AlwaysStick,
    AlwaysCheapest,
    Weighed,
}

/// What a conversation costs altogether.
fn run(prices: &[Price], turns: &[Said], way: Way) -> u64 {
    let lifetime = Duration::from_secs(300);
    let models: Vec<ModelChoice> = (0..prices.len()).map(|n| model(&n.to_string())).collect();
    let mut known: Option<Conversation> = None;
    let mut total = 0;
    for said in turns {
        let cached = |place: usize| known.as_ref().map_or(0, |k| k.cached(&models[place], said.at, lifetime));
        let quotes: Vec<Option<Quote>> = (0..prices.len())
            .map(|place| {
                let cost = |cached, answer| bill(&prices[place], said.prompt, cached, answer);
                let (prefix, mean) =
                    known.as_ref().map_or((0, said.answer), |k| (k.prefix(), k.answers / u64::from(k.turns)));
                quote(cost(cached(place), said.answer), cost(prefix, said.answer), cost(prefix, mean))
            })
            .collect();
        let cheapest =
            (0..prices.len()).min_by_key(|place| bill(&prices[*place], said.prompt, 0, said.answer)).unwrap();
        let held = known.as_ref().and_then(|k| models.iter().position(|model| *model == k.model));
        let place = match way {
            Way::AlwaysStick => held.unwrap_or(cheapest),
            Way::AlwaysCheapest => cheapest,
            Way::Weighed => choose(&quotes, held, known.as_ref().map_or(0, |k| k.turns)).place,
        };
        total += bill(&prices[place], said.prompt, cached(place), said.answer);
        let turn =
            Turn { model: &models[place], prompt: said.prompt, answer: said.answer, now: said.at, lifetime };
        known = Some(Conversation::after(known, &turn));
    }
    total
}

/// The bound of the issue: over workloads and price lists, never dearer than the better of always staying and always taking the
/// cheapest by more than 2 %, and cheaper than both where they differ much.
#[test]
fn never_dearer_than_the_better_of_sticking_and_always_the_cheapest() {
    let lists: [&[[u64; 4]]; 4] = [
        &[[3_000, 300, 3_750, 15_000], [1_000, 100, 1_250, 5_000], [2_500, 1_250, 2_500, 10_000]],
        &[[1_000, 100, 1_250, 20_000], [3_000, 300, 3_750, 4_000]],
        &[[1_000, 500, 1_000, 4_000], [1_100, 110, 1_400, 4_000], [900, 900, 900, 4_000]],
        &[[1_000, 1_000, 1_000, 4_000], [2_000, 200, 2_500, 3_000]],
    ];
    let mut best_ratio = f64::MAX;
    for (number, list) in lists.iter().enumerate() {
        let prices: Vec<Price> = list.iter().map(|rates| price(*rates)).collect();
        for kind in 0..5 {
            let entropy = SeededEntropy::new(kind as u64 * 7 + 1);
            let conversations: Vec<Vec<Said>> = (0..60).map(|_| conversation(&entropy, kind)).collect();
            let total = |way| conversations.iter().map(|turns| run(&prices, turns, way)).sum::<u64>();
            let (stick, cheapest) = (total(Way::AlwaysStick), total(Way::AlwaysCheapest));
            let weighed = total(Way::Weighed);
            #[allow(clippy::cast_precision_loss)]
            let ratio = weighed as f64 / stick.min(cheapest) as f64;
            assert!(
                ratio <= 1.02,
                "prices {number}, workload {kind}: {weighed} against {stick} and {cheapest}"
            );
            best_ratio = best_ratio.min(ratio);
        }
    }
    assert!(best_ratio < 0.9, "it never gained anything: {best_ratio}");
}
