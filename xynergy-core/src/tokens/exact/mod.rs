//! OpenAI's encodings, exactly.

mod class;
mod merge;
mod ranks;
mod split;
mod table;

use std::fmt;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ranks::Ranks;
use split::{Cl100k, O200k};
use table::Table;

/// An encoding of OpenAI's, of which the library has the ranks.
///
/// Text is text: `<|endoftext|>` in it is counted as the characters that it has, as OpenAI counts what users send. The first use
/// of an encoding in a process unpacks its table, which takes some 20 ms of a
/// processor; a text with a run of more than 64 KiB without a break between words takes 1.5 s more, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Encoding {
    /// Of GPT-3.5, GPT-4 and the embedding models.
    #[serde(rename = "cl100k_base")]
    Cl100k,
    /// Of GPT-4o and everything since.
    #[serde(rename = "o200k_base")]
    O200k,
}

// Constant data, the same for everybody; unpacked once because it is embedded packed.
static CL100K: OnceLock<Table> = OnceLock::new();
static O200K: OnceLock<Table> = OnceLock::new();

impl Encoding {
    /// Its name, as OpenAI writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cl100k => "cl100k_base",
            Self::O200k => "o200k_base",
        }
    }

    /// How many tokens a text has. Linear in its length, whatever it is.
    pub fn count(self, text: &str) -> u64 {
        match self {
            Self::Cl100k => self.table().count::<Cl100k>(text),
            Self::O200k => self.table().count::<O200k>(text),
        }
    }

    /// The ids of a text's tokens.
    pub fn encode(self, text: &str) -> Vec<u32> {
        match self {
            Self::Cl100k => self.table().encode::<Cl100k>(text),
            Self::O200k => self.table().encode::<O200k>(text),
        }
    }

    /// The bytes of these tokens, which need not be whole characters; `None` when an id is of no text.
    pub fn decode(self, ids: &[u32]) -> Option<Vec<u8>> {
        self.table().decode(ids)
    }

    /// Unpacks the table now, for a host that does not want its first request to wait for that.
    pub fn prepare(self) {
        self.table();
    }

    fn table(self) -> &'static Table {
        match self {
            Self::Cl100k => CL100K.get_or_init(|| Table::new(Ranks::cl100k())),
            Self::O200k => O200K.get_or_init(|| Table::new(Ranks::o200k())),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
