//! How many tokens a text has, and how many an answer may have.

mod calibrate;
mod count;
mod counter;
mod exact;
mod frame;
mod image;
mod limit;
mod model;
mod remember;
mod tools;

pub use calibrate::Calibration;
pub(crate) use count::count_beside_text;
pub use count::{count_request, count_text};
pub(crate) use counter::usage;
pub use counter::{Countable, TokenCount, TokenCounter, Tokenizer};
pub use exact::Encoding;
pub use limit::{DEFAULT_LIMIT, SIMPLE_LIMIT, TokenOptimization, optimize, optimize_prompt};
pub use model::Frame;
