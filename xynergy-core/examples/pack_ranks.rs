//! Packs OpenAI's published rank files into those that the library embeds:
//! `cargo run --release -p xynergy-core --example pack_ranks -- o200k_base.tiktoken cl100k_base.tiktoken FOLDER`.
//!
//! A token is written as the two earlier tokens that it joins, which deflate to half of what their base64 does; most tokens of
//! `cl100k_base` are tokens of `o200k_base` too and are written as that one's number.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

type Ranks = HashMap<Vec<u8>, u32>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [o200k, cl100k, folder] = arguments.as_slice() else {
        panic!("give o200k_base.tiktoken, cl100k_base.tiktoken and a folder");
    };
    let o200k = read(o200k);
    let cl100k = read(cl100k);
    let known = ranks(&o200k);
    write(&Path::new(folder).join("o200k_base.gz"), &packed(&o200k, &Ranks::new()));
    write(&Path::new(folder).join("cl100k_base.gz"), &packed(&cl100k, &known));
}

fn read(path: &str) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(path).unwrap();
    let line = |line: &str| STANDARD.decode(line.split(' ').next().unwrap()).unwrap();
    text.lines().filter(|l| !l.is_empty()).map(line).collect()
}

fn ranks(tokens: &[Vec<u8>]) -> Ranks {
    tokens.iter().cloned().zip(0..).collect()
}

/// The count of tokens, the first 256 (single bytes), which of the others are `known`, the numbers of those, and the halves of
/// the rest; numbers as three planes of bytes.
fn packed(tokens: &[Vec<u8>], known: &Ranks) -> Vec<u8> {
    let own = ranks(tokens);
    let (mut tags, mut shared, mut left, mut right) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (token, rank) in tokens.iter().zip(0..).skip(256) {
        if let Some(number) = known.get(token) {
            tags.push(1);
            shared.push(*number);
        } else {
            let cut = halves(token, rank, &own);
            tags.push(0);
            left.push(own[&token[..cut]]);
            right.push(own[&token[cut..]]);
        }
    }
    let mut out = u32::try_from(tokens.len()).unwrap().to_le_bytes().to_vec();
    for token in &tokens[..256] {
        assert_eq!(token.len(), 1);
        out.push(token[0]);
    }
    out.extend(tags);
    for numbers in [shared, left, right] {
        for plane in 0..3 {
            out.extend(numbers.iter().map(|number| number.to_le_bytes()[plane]));
        }
    }
    out
}

/// Where the last merge joined a token: the merges of lower rank, until two parts are left.
fn halves(token: &[u8], rank: u32, ranks: &Ranks) -> usize {
    let mut cuts: Vec<usize> = (0..=token.len()).collect();
    while cuts.len() > 3 {
        let merged =
            |window: &[usize]| ranks.get(&token[window[0]..window[2]]).copied().filter(|r| *r < rank);
        let best = (1..cuts.len() - 1)
            .filter_map(|at| merged(&cuts[at - 1..=at + 1]).map(|rank| (rank, at)))
            .min()
            .unwrap();
        cuts.remove(best.1);
    }
    cuts[1]
}

fn write(path: &Path, bytes: &[u8]) {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    std::fs::write(path, gzip.finish().unwrap()).unwrap();
}
