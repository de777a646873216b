//! OpenAI's encodings against known ids, against another implementation, and on text that is meant to hurt.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value;
use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton};
use xynergy_core::tokens::Encoding;

const BOTH: [Encoding; 2] = [Encoding::Cl100k, Encoding::O200k];

fn peer(encoding: Encoding) -> &'static CoreBPE {
    match encoding {
        Encoding::Cl100k => cl100k_base_singleton(),
        Encoding::O200k => o200k_base_singleton(),
    }
}

#[track_caller]
fn agrees(text: &str) {
    for encoding in BOTH {
        let ids = encoding.encode(text);
        assert_eq!(ids, peer(encoding).encode_ordinary(text), "{encoding}: {text:?}");
        assert_eq!(encoding.count(text), ids.len() as u64, "{encoding}: {text:?}");
        assert_eq!(encoding.decode(&ids).unwrap(), text.as_bytes(), "{encoding}: {text:?}");
    }
}

#[test]
fn golden_ids_and_counts() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/tokens/golden.jsonl");
    let Ok(lines) = std::fs::read_to_string(&path) else {
        println!("skipped: ../shared/data/tokens is absent");
        return;
    };
    let mut seen = 0;
    for row in lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let text = row["text"].as_str().unwrap();
        for (encoding, ids) in [(Encoding::Cl100k, "cl100k_ids"), (Encoding::O200k, "o200k_ids")] {
            assert_eq!(
                encoding.count(text),
                row[encoding.as_str()].as_u64().unwrap(),
                "{} {encoding}",
                row["id"]
            );
            if let Some(ids) = row[ids].as_array() {
                let ids: Vec<u32> =
                    ids.iter().map(|id| u32::try_from(id.as_u64().unwrap()).unwrap()).collect();
                assert_eq!(encoding.encode(text), ids, "{} {encoding}", row["id"]);
            }
        }
        seen += 1;
    }
    assert!(seen > 100, "too few texts: {seen}");
}

#[test]
fn special_tokens_in_a_text_are_text() {
    for encoding in BOTH {
        assert!(encoding.count("<|endoftext|>") > 1);
        assert!(encoding.count("<|im_start|>system") > 3);
    }
    agrees("<|endoftext|> <|im_start|>user<|im_sep|> <|fim_prefix|>");
}

#[test]
fn every_piece_of_the_patterns() {
    for text in [
        "",
        " ",
        "\n",
        "\n  ",
        " \n ",
        "\r\n\r\n  x",
        "a\n  b",
        "  a",
        "\t\ta",
        "a  ",
        "\u{A0}\u{A0}b",
        "\u{3000}!",
        "!\n/\n/a",
        " !!é",
        "I'm we'LL don'T it'ſ 'sa ''s x're's HELLO'S",
        "CamelCaseXMLHttp",
        "ªBC",
        "ªBCd",
        "\u{301}ABC",
        "\u{301}\u{301}",
        " \u{301}x",
        "!\u{301}A",
        "日本語テキスト",
        "ǅungla ǅ",
        "12345 ٣٤٥٦ ⅫⅣ½",
        "👩\u{200D}👩\u{200D}👧",
        "\u{0}\u{1F}",
        "/\n//\r\n",
    ] {
        agrees(text);
    }
}

/// Text from characters that the patterns tell apart, so that short strings meet many of their edges.
fn edgy() -> impl Strategy<Value = String> {
    let alphabet = [
        "a", "b", "Z", "Q", "the", " hello", "'", "'s", "'RE", "'ll", "\u{17F}", "ª", "ʰ", "中", "の",
        "\u{301}", "\u{903}", "ǅ", "é", "Ω", "ß", "1", "23", "٣", "½", " ", "  ", "\t", "\n", "\r\n",
        "\u{A0}", "\u{2028}", "\u{85}", "!", "/", "//", "_", "<|", "|>", "😀", "\u{200D}", "ا", "ש", "ก",
        "한",
    ];
    proptest::collection::vec(proptest::sample::select(alphabet.to_vec()), 0..40)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn as_the_other_implementation_counts(text in edgy()) {
        agrees(&text);
    }

    #[test]
    fn as_the_other_implementation_counts_any_text(text in "\\PC{0,300}") {
        agrees(&text);
    }

    /// Longer than what is merged by search, and of letters that merge badly.
    #[test]
    fn long_pieces_agree(text in "[a-z]{60,700}", other in "[ab=\\-]{60,700}") {
        agrees(&text);
        agrees(&other);
    }

    /// A cut adds at most what a piece can have grown by: never fewer tokens in the whole than its parts would allow.
    #[test]
    fn joining_two_texts_at_a_line_saves_at_most_one_token(a in "[a-z ,.]{0,80}[a-z.]", b in "[a-z][a-z ,.]{0,80}") {
        for encoding in BOTH {
            let (parts, whole) = (
                encoding.count(&a) + encoding.count("\n") + encoding.count(&b),
                encoding.count(&format!("{a}\n{b}")),
            );
            prop_assert!(whole <= parts && parts <= whole + 1, "{encoding}: {whole} of {parts}");
        }
    }

    #[test]
    fn never_more_tokens_than_bytes(text in "\\PC{0,200}") {
        for encoding in BOTH {
            prop_assert!(encoding.count(&text) <= text.len() as u64);
        }
    }
}

#[test]
fn pieces_beyond_the_limit_of_merging_agree() {
    let mut seed = 1_u32;
    let mut letters = |n: usize| -> String {
        let letter = |_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + u8::try_from(seed >> 24).unwrap() % 26)
        };
        (0..n).map(letter).collect()
    };
    agrees(&letters(65_000));
    agrees(&letters(66_000));
    agrees(&"ab".repeat(33_000));
}

#[test]
fn hostile_text_is_counted_in_linear_time() {
    // A build without optimisation takes ten times as long for a byte.
    const SIZE: usize = if cfg!(debug_assertions) { 1_000_000 } else { 10_000_000 };
    let texts = [
        "a".repeat(SIZE),
        " ".repeat(SIZE),
        "\n".repeat(SIZE),
        " \n".repeat(SIZE / 2),
        "😀".repeat(SIZE / 4),
        "=".repeat(SIZE),
        "中".repeat(SIZE / 3),
        "ªA".repeat(SIZE / 3),
        // Just below what is left to the linear algorithm.
        format!("{} ", "qz".repeat(32_000)).repeat(SIZE / 64_001),
    ];
    for encoding in BOTH {
        for text in &texts {
            let before = Instant::now();
            let tokens = encoding.count(text);
            let took = before.elapsed();
            let start: String = text.chars().take(3).collect();
            println!("{encoding} {start:?}: {tokens} tokens in {took:?}");
            assert!(tokens > 0 && tokens <= text.len() as u64);
            // Quadratic time would be hours; a debug build on a busy machine gets half a minute.
            assert!(took < Duration::from_secs(30), "{encoding} {start:?}: {took:?}");
        }
    }
}
