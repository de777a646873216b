use super::{Complexity, Features};

/// From this many points of a thousand a request is complex.
pub const COMPLEX_FROM: u32 = 250;

/// How complex a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// 0 to 1000.
    pub points: u32,
    /// What the points came from, the greatest first.
    pub reasons: Vec<(&'static str, u32)>,
}

impl Score {
    /// Which side of [`COMPLEX_FROM`] it is on.
    pub fn complexity(&self) -> Complexity {
        if self.points >= COMPLEX_FROM { Complexity::Complex } else { Complexity::Simple }
    }

    /// The rule and what fired, for a person.
    pub fn explain(&self) -> String {
        if self.reasons.is_empty() {
            return format!("0 of 1000 points; complex from {COMPLEX_FROM}");
        }
        let fired: Vec<String> =
            self.reasons.iter().map(|(what, points)| format!("{what} +{points}")).collect();
        format!("{} of 1000 points ({}); complex from {COMPLEX_FROM}", self.points, fired.join(", "))
    }
}

/// Adds up the points: length 100, 250 or 400 from 300, 800 or 2,000 characters; code and mathematics 250 each; words for
/// several steps and for reasoning 150 each, up to 300; more than one question 100; a conversation of more than six messages
/// 100; tools 300; a response format 100; images 300.
pub fn score(features: &Features) -> Score {
    let length = match features.characters {
        2_000.. => 400,
        800.. => 250,
        300.. => 100,
        _ => 0,
    };
    let words = |count: usize| match count {
        0 => 0,
        1 => 150,
        _ => 300,
    };
    let flag = |set: bool, points: u32| if set { points } else { 0 };
    let mut reasons = vec![
        ("length", length),
        ("code", flag(features.code, 250)),
        ("mathematics", flag(features.mathematics, 250)),
        ("several steps", words(features.steps)),
        ("reasoning", words(features.reasoning)),
        ("several questions", flag(features.questions > 1, 100)),
        ("long conversation", flag(features.messages > 6, 100)),
        ("tools", flag(features.tools, 300)),
        ("response format", flag(features.format, 100)),
        ("images", flag(features.images, 300)),
    ];
    reasons.retain(|(_, points)| *points > 0);
    reasons.sort_by_key(|(_, points)| std::cmp::Reverse(*points));
    let points = reasons.iter().map(|(_, points)| points).sum::<u32>().min(1_000);
    Score { points, reasons }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::ChatRequest;

    fn complexity(prompt: &str) -> Complexity {
        score(&Features::of(&ChatRequest::prompt(prompt))).complexity()
    }

    #[test]
    fn plain_questions_are_simple() {
        for prompt in [
            "Hello!",
            "What is the capital of France?",
            "Translate 'good morning' to Spanish",
            "Say in one plain sentence why the budget of ad set 12 was raised by 10 percent.",
        ] {
            assert_eq!(complexity(prompt), Complexity::Simple, "{prompt}");
        }
    }

    #[test]
    fn work_is_complex() {
        for prompt in [
            "Explain step by step how to design a distributed rate limiter.",
            "Write a regex that matches IPv6 addresses.",
            "Calculate the probability of three heads in five throws.",
            "Compare PostgreSQL and MySQL and evaluate which suits a ledger.",
        ] {
            assert_eq!(complexity(prompt), Complexity::Complex, "{prompt}");
        }
        assert_eq!(complexity(&"word ".repeat(200)), Complexity::Complex);
    }

    #[test]
    fn the_reason_states_rule_and_points() {
        let features = Features { code: true, characters: 400, ..Features::default() };
        assert_eq!(
            score(&features).explain(),
            "350 of 1000 points (code +250, length +100); complex from 250"
        );
    }
}
