//! How many tokens a text has, and how many an answer may have.

mod count;
mod limit;

pub use count::{TokenCount, count_request, count_text, estimate_request};
pub use limit::{DEFAULT_LIMIT, SIMPLE_LIMIT, TokenOptimization, optimize, optimize_prompt};
