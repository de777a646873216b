use std::io::Read;

use flate2::read::GzDecoder;

/// The tokens of an encoding, in the order of their ranks, which are their ids.
///
/// The files in `ranks/` are OpenAI's `o200k_base.tiktoken` and `cl100k_base.tiktoken` (MIT), packed by the example `pack_ranks`;
/// a test holds them against the digests that OpenAI publishes.
pub(super) struct Ranks {
    bytes: Vec<u8>,
    starts: Vec<u32>,
}

const O200K: &[u8] = include_bytes!("ranks/o200k_base.gz");
const CL100K: &[u8] = include_bytes!("ranks/cl100k_base.gz");
const SINGLE: usize = 256;

impl Ranks {
    pub(super) fn o200k() -> Self {
        Self::unpack(O200K, None)
    }

    pub(super) fn cl100k() -> Self {
        Self::unpack(CL100K, Some(&Self::o200k()))
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn token(&self, rank: u32) -> &[u8] {
        let rank = rank as usize;
        &self.bytes[self.starts[rank] as usize..self.starts[rank + 1] as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let spans = self.starts.windows(2).map(|pair| &self.bytes[pair[0] as usize..pair[1] as usize]);
        (0..).zip(spans)
    }

    /// What was packed: see `pack_ranks`.
    #[allow(clippy::expect_used, reason = "the file is embedded, and every build's tests read it")]
    fn unpack(packed: &[u8], known: Option<&Self>) -> Self {
        let mut raw = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut raw).expect("the embedded rank file is whole");
        let (count, rest) = raw.split_first_chunk::<4>().expect("it begins with its length");
        let count = u32::from_le_bytes(*count) as usize;
        let (singles, rest) = rest.split_at(SINGLE);
        let (tags, rest) = rest.split_at(count - SINGLE);
        let shared = tags.iter().filter(|tag| **tag == 1).count();
        let (numbers, rest) = rest.split_at(3 * shared);
        let (left, right) = rest.split_at(rest.len() / 2);

        let mut ranks = Self { bytes: Vec::with_capacity(7 * count), starts: Vec::with_capacity(count + 1) };
        ranks.starts.push(0);
        for byte in singles {
            ranks.bytes.push(*byte);
            ranks.close();
        }
        let (mut numbers, mut left, mut right) = (planes(numbers), planes(left), planes(right));
        for tag in tags {
            if *tag == 1 {
                let number = numbers.next().expect("one a tag");
                ranks.bytes.extend_from_slice(known.expect("given with such a file").token(number));
            } else {
                for half in [left.next().expect("one a token"), right.next().expect("one a token")] {
                    let half = half as usize;
                    let span = ranks.starts[half] as usize..ranks.starts[half + 1] as usize;
                    ranks.bytes.extend_from_within(span);
                }
            }
            ranks.close();
        }
        ranks
    }

    #[allow(clippy::cast_possible_truncation, reason = "all tokens together are 1.4 MB")]
    fn close(&mut self) {
        self.starts.push(self.bytes.len() as u32);
    }
}

/// Numbers of three bytes, written as a plane of all lowest bytes, one of the middle ones and one of the highest.
fn planes(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let (low, rest) = bytes.split_at(bytes.len() / 3);
    let (middle, high) = rest.split_at(low.len());
    low.iter()
        .zip(middle)
        .zip(high)
        .map(|((low, middle), high)| u32::from_le_bytes([*low, *middle, *high, 0]))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    /// The digest of the file as OpenAI publishes it: a line a token, in base64, with its rank.
    fn digest(ranks: &Ranks) -> String {
        let mut file = String::new();
        for (rank, token) in ranks.iter() {
            file += &format!("{} {rank}\n", STANDARD.encode(token));
        }
        Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_files_are_those_that_openai_publishes() {
        // As in tiktoken's openai_public.py.
        let published = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d";
        assert_eq!(digest(&Ranks::o200k()), published);
        let published = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7";
        assert_eq!(digest(&Ranks::cl100k()), published);
    }
}
