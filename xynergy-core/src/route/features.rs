use crate::provider::{ChatRequest, Message, Role};

/// What the score is computed from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Characters of everything the user says.
    pub characters: usize,
    /// Whether it holds code.
    pub code: bool,
    /// Whether it holds mathematics.
    pub mathematics: bool,
    /// How many different words or phrases ask for several steps.
    pub steps: usize,
    /// How many different words ask for reasoning rather than recall.
    pub reasoning: usize,
    /// How many questions it asks.
    pub questions: usize,
    /// Messages of the conversation.
    pub messages: usize,
    /// Whether tools may be called.
    pub tools: bool,
    /// Whether the answer must have a format.
    pub format: bool,
    /// Whether images are to be read.
    pub images: bool,
}

/// More text than this changes no decision, and reading it would make the decision slow.
const READ_BYTES: usize = 16 * 1024;

const CODE: [&str; 14] = [
    "```",
    "fn ",
    "def ",
    "class ",
    "import ",
    "#include",
    "select ",
    "function ",
    "();",
    "=> {",
    "stack trace",
    "traceback",
    "refactor",
    "regex",
];
const MATHEMATICS: [&str; 14] = [
    "equation",
    "integral",
    "derivative",
    "theorem",
    "probability",
    "matrix",
    "polynomial",
    "solve for",
    "calculate",
    "\\frac",
    "\\sum",
    "eigen",
    "modulo",
    "how many",
];
const STEPS: [&str; 10] = [
    "step by step",
    "step-by-step",
    "first,",
    "then ",
    "finally",
    "followed by",
    "for each",
    "afterwards",
    "multi-step",
    "one by one",
];
const REASONING: [&str; 20] = [
    "analyse",
    "analyze",
    "compare",
    "contrast",
    "evaluate",
    "explain why",
    "prove",
    "derive",
    "design",
    "optimise",
    "optimize",
    "trade-off",
    "tradeoff",
    "strategy",
    "implications",
    "architecture",
    "critique",
    "diagnose",
    "debug",
    "in depth",
];

impl Features {
    /// Reads them off a request. Only what system and user say counts, at most its first 16 KiB.
    pub fn of(request: &ChatRequest) -> Self {
        let mut text = String::new();
        let mut characters = 0;
        for message in request.messages.iter().filter(|m| !matches!(m.role, Role::Assistant | Role::Tool)) {
            for part in message.texts() {
                if message.role == Role::User {
                    characters += part.chars().count();
                }
                push_within(&mut text, part);
            }
        }
        text.make_ascii_lowercase();
        let distinct = |words: &[&str]| words.iter().filter(|word| text.contains(*word)).count();
        Self {
            characters,
            code: distinct(&CODE) > 0,
            mathematics: distinct(&MATHEMATICS) > 0 || has_arithmetic(&text),
            steps: distinct(&STEPS),
            reasoning: distinct(&REASONING),
            questions: text.matches('?').count(),
            messages: request.messages.len(),
            tools: !request.tools.is_empty(),
            format: request.response_format.is_some(),
            images: request.messages.iter().any(Message::has_image),
        }
    }
}

fn push_within(text: &mut String, part: &str) {
    let mut end = part.len().min(READ_BYTES.saturating_sub(text.len()));
    while !part.is_char_boundary(end) {
        end -= 1;
    }
    text.push_str(&part[..end]);
    text.push('\n');
}

/// A digit, an operator and a digit, with at most one space between: `3 * 4`, `x^2` is not.
fn has_arithmetic(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        let digit_at = |place: Option<&u8>, next: Option<&u8>| match place {
            Some(b' ') => next.is_some_and(u8::is_ascii_digit),
            other => other.is_some_and(u8::is_ascii_digit),
        };
        matches!(byte, b'*' | b'^' | b'=')
            && at > 0
            && digit_at(bytes.get(at - 1), at.checked_sub(2).and_then(|at| bytes.get(at)))
            && digit_at(bytes.get(at + 1), bytes.get(at + 2))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_structure_and_words() {
        let features = Features::of(&ChatRequest::prompt(
            "Analyse this step by step: ```fn main() {}``` is 3 * 4 = 12?",
        ));
        assert!(features.code && features.mathematics);
        assert_eq!((features.steps, features.reasoning, features.questions), (1, 1, 1));
    }

    #[test]
    fn a_cut_inside_a_character_is_no_panic() {
        let text = "é".repeat(READ_BYTES);
        assert_eq!(Features::of(&ChatRequest::prompt(text)).characters, READ_BYTES);
    }
}
