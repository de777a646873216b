use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bpe::byte_pair_encoding::BytePairEncoding;
use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::merge::{Scratch, merge};
use super::ranks::Ranks;
use super::split::Split;

/// Above this many bytes a piece is left to `bpe`, whose time is linear in any piece. Its automata take 1.5 s of a processor and
/// 100 MB to build, so that only a text which has such a piece pays for them: a single run of one kind of characters, which
/// no prose and no code has.
const LONG_PIECE: usize = 1 << 16;
/// No two tokens of either encoding have one hash under this factor of `bpe`'s.
const HASH_FACTOR: u64 = 17_846_336_922_010_275_747;
const NONE: u32 = u32::MAX;

/// The tokens of an encoding by their bytes.
pub(super) struct Table {
    ranks: Ranks,
    index: HashTable<(u32, u32)>,
    /// The ranks of tokens of two bytes: every merge begins with those.
    twos: Vec<u32>,
    longest: usize,
    hash: FixedState,
    long: OnceLock<BytePairEncoding>,
}

impl Table {
    pub(super) fn new(ranks: Ranks) -> Self {
        let hash = FixedState::default();
        let mut index = HashTable::with_capacity(ranks.len());
        let mut twos = vec![NONE; 1 << 16];
        let mut longest = 0;
        for (rank, token) in ranks.iter() {
            let hashed = hash_of(&hash, token);
            // Tokens are all different: nothing is looked for. Growth never happens, so nothing is hashed again.
            index.insert_unique(hashed, (check(hashed), rank), |(check, _)| u64::from(*check));
            if let [first, second] = token {
                twos[pair(*first, *second)] = rank;
            }
            longest = longest.max(token.len());
        }
        Self { ranks, index, twos, longest, hash, long: OnceLock::new() }
    }

    pub(super) fn rank(&self, bytes: &[u8]) -> Option<u32> {
        if bytes.len() > self.longest {
            return None;
        }
        let hashed = hash_of(&self.hash, bytes);
        let is_it = |(sum, rank): &(u32, u32)| *sum == check(hashed) && self.ranks.token(*rank) == bytes;
        self.index.find(hashed, is_it).map(|(_, rank)| *rank)
    }

    pub(super) fn rank_of_two(&self, first: u8, second: u8) -> u32 {
        self.twos[pair(first, second)]
    }

    pub(super) fn count<S: Split>(&self, text: &str) -> u64 {
        let mut scratch = Scratch::default();
        let mut tokens = 0_u64;
        let mut at = 0;
        while at < text.len() {
            let end = S::piece_end(text, at);
            let piece = &text.as_bytes()[at..end];
            at = end;
            if piece.len() == 1 || self.rank(piece).is_some() {
                tokens += 1;
            } else if piece.len() > LONG_PIECE {
                tokens += self.long().count(piece) as u64;
            } else {
                merge(self, piece, &mut scratch, &mut |_, _| tokens += 1);
            }
        }
        tokens
    }

    pub(super) fn encode<S: Split>(&self, text: &str) -> Vec<u32> {
        let mut scratch = Scratch::default();
        let mut ids = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let end = S::piece_end(text, at);
            let piece = &text.as_bytes()[at..end];
            at = end;
            if let Some(rank) = self.rank(piece) {
                ids.push(rank);
            } else if piece.len() > LONG_PIECE {
                ids.extend(self.long().encode_via_backtracking(piece));
            } else {
                merge(self, piece, &mut scratch, &mut |start, end| ids.extend(self.rank(&piece[start..end])));
            }
        }
        ids
    }

    pub(super) fn decode(&self, ids: &[u32]) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for id in ids {
            if *id as usize >= self.ranks.len() {
                return None;
            }
            bytes.extend_from_slice(self.ranks.token(*id));
        }
        Some(bytes)
    }

    #[allow(clippy::expect_used, reason = "what is read was written by the lines before")]
    fn long(&self) -> &BytePairEncoding {
        self.long.get_or_init(|| {
            let mut file = String::with_capacity(12 * self.ranks.len());
            for (_, token) in self.ranks.iter() {
                STANDARD.encode_string(token, &mut file);
                file.push('\n');
            }
            // By its own reader, which is compiled with that crate's optimisation, also in a debug build.
            BytePairEncoding::from_tiktoken(&file, Some(HASH_FACTOR)).expect("base64 that was just written")
        })
    }
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

#[inline]
fn hash_of(state: &FixedState, bytes: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// A part of the hash that the place in the table does not depend on alone.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "a part of the hash is what is wanted")]
fn check(hash: u64) -> u32 {
    (hash >> 16) as u32
}
