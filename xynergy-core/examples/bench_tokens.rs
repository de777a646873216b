//! Counts what a driver asks for, and says how long it took: the part of `benches/peers/tokens.py` that is ours.
//!
//! A line on standard input is `text ENCODING ROUNDS PATH` or `turn TURNS ROUNDS`; the answer is a line of JSON with the best round.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::io::BufRead;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xynergy_core::TenantId;
use xynergy_core::provider::{ChatRequest, Message, Role};
use xynergy_core::tokens::{Encoding, TokenCounter};

fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words.as_slice() {
            ["text", encoding, rounds, path] => text(encoding, rounds.parse().unwrap(), path),
            ["turn", turns, rounds] => turn(turns.parse().unwrap(), rounds.parse().unwrap()),
            _ => panic!("no such request: {line}"),
        };
        println!("{answer}");
    }
}

fn text(encoding: &str, rounds: u32, path: &str) -> Value {
    let encoding = if encoding == "o200k_base" { Encoding::O200k } else { Encoding::Cl100k };
    let text = std::fs::read_to_string(path).unwrap();
    let before = Instant::now();
    encoding.prepare();
    let first_use = before.elapsed();
    let (best, tokens) = best(rounds, || encoding.count(&text));
    json!({"seconds": best.as_secs_f64(), "tokens": tokens, "first_use_seconds": first_use.as_secs_f64()})
}

/// Counting a conversation that has one more turn than was counted before, and counting all of it by a counter that knows none.
fn turn(turns: usize, rounds: u32) -> Value {
    Encoding::O200k.prepare();
    let words = "The budget of the spring campaign was raised because two deals from last week closed above their expected value, \
        and the ads that brought them were shown to people who had asked for a demonstration before. ";
    let message = |n: usize| Message::text(Role::User, format!("{n}: {}", words.repeat(2)));
    let mut request = ChatRequest { messages: (0..turns).map(message).collect(), ..ChatRequest::prompt("") };
    let tenant = TenantId::default();
    let whole = best(rounds, || TokenCounter::new().count(&tenant, &request, "gpt-4o").tokens).0;
    let empty =
        best(rounds, || TokenCounter::new().count(&tenant, &ChatRequest::prompt(""), "gpt-4o").tokens).0;
    let counter = TokenCounter::new();
    counter.count(&tenant, &request, "gpt-4o");
    let mut more = Duration::MAX;
    for round in 0..rounds as usize {
        request.messages.push(message(1_000 + round));
        let before = Instant::now();
        black_box(counter.count(&tenant, &request, "gpt-4o"));
        more = more.min(before.elapsed());
        request.messages.pop();
    }
    // A counter's own memory is made at its first use: that is no part of counting all.
    json!({"whole_seconds": whole.saturating_sub(empty).as_secs_f64(), "one_more_seconds": more.as_secs_f64()})
}

fn best<T>(rounds: u32, mut work: impl FnMut() -> T) -> (Duration, T) {
    let mut best = Duration::MAX;
    let mut result = work();
    for _ in 0..rounds {
        let before = Instant::now();
        result = black_box(work());
        best = best.min(before.elapsed());
    }
    (best, result)
}
