use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TokenConfig;
use crate::route::{Complexity, Features, score};

/// The limit of an answer, in tokens, where nothing else is known.
pub const DEFAULT_LIMIT: u32 = 512;
/// The limit of an answer to a simple prompt, in tokens.
pub const SIMPLE_LIMIT: u32 = 256;

/// How the limit of an answer was sized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenOptimization {
    /// The limit before: the user's own, or the default.
    pub original_limit: u32,
    /// The limit after; never greater.
    pub optimized_limit: u32,
    /// What the prompt was judged to be.
    pub complexity: Complexity,
    /// What was saved of the limit, in whole percent, rounded down.
    pub savings_percent: u32,
}

impl TokenOptimization {
    /// A limit that is left as it is.
    pub fn unchanged(limit: u32, complexity: Complexity) -> Self {
        Self { original_limit: limit, optimized_limit: limit, complexity, savings_percent: 0 }
    }
}

/// Sizes the limit of an answer: a simple prompt gets at most `simple_limit`, and nobody more than the user's own limit.
pub fn optimize(
    complexity: Complexity,
    default_limit: u32,
    simple_limit: u32,
    user_limit: Option<u32>,
) -> TokenOptimization {
    let original = user_limit.unwrap_or(default_limit);
    let optimized = match complexity {
        Complexity::Simple => original.min(simple_limit),
        Complexity::Complex => original,
    };
    let saved = u64::from(original - optimized) * 100;
    let percent = saved.checked_div(u64::from(original)).unwrap_or(0);
    TokenOptimization {
        original_limit: original,
        optimized_limit: optimized,
        complexity,
        savings_percent: u32::try_from(percent).unwrap_or(100),
    }
}

/// How the limit of an answer to `prompt` would be sized: `default_limit` (the configured one when `None`), or the user's
/// own, at most lowered to the limit for simple prompts.
pub fn optimize_prompt(
    prompt: &str,
    settings: &TokenConfig,
    default_limit: Option<u32>,
    user_limit: Option<u32>,
) -> TokenOptimization {
    let complexity = score(&Features::of(&prompt.into())).complexity();
    let default_limit = default_limit.unwrap_or(settings.default_limit);
    optimize(complexity, default_limit, settings.simple_limit, user_limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_simple_prompt_saves_half_of_the_default() {
        assert_eq!(
            optimize(Complexity::Simple, DEFAULT_LIMIT, SIMPLE_LIMIT, None),
            TokenOptimization {
                original_limit: 512,
                optimized_limit: 256,
                complexity: Complexity::Simple,
                savings_percent: 50
            }
        );
        assert_eq!(optimize(Complexity::Complex, DEFAULT_LIMIT, SIMPLE_LIMIT, None).savings_percent, 0);
    }

    proptest! {
        #[test]
        fn never_above_the_users_limit(user in 0_u32.., default in 0_u32.., simple in 0_u32.., complex: bool) {
            let complexity = if complex { Complexity::Complex } else { Complexity::Simple };
            let sized = optimize(complexity, default, simple, Some(user));
            prop_assert!(sized.optimized_limit <= user);
            prop_assert!(sized.savings_percent <= 100);
        }
    }
}
