use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

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

/// All of them in one pass over the text, whatever their letters' case; `None` only by a defect, and then there are no words.
static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words = CODE.iter().chain(&MATHEMATICS).chain(&STEPS).chain(&REASONING);
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()
});

/// Which words were found, each a bit by its place in all the lists.
type Found = u64;
const _: () = assert!(CODE.len() + MATHEMATICS.len() + STEPS.len() + REASONING.len() <= Found::BITS as usize);

impl Features {
    /// Reads them off a request. Only what system and user say counts, at most its first 16 KiB.
    pub fn of(request: &ChatRequest) -> Self {
        let mut found: Found = 0;
        let mut features = Self {
            messages: request.messages.len(),
            tools: !request.tools.is_empty(),
            format: request.response_format.is_some(),
            images: request.messages.iter().any(Message::has_image),
            ..Self::default()
        };
        let mut left = READ_BYTES;
        for message in request.messages.iter().filter(|m| !matches!(m.role, Role::Assistant | Role::Tool)) {
            for part in message.texts() {
                if message.role == Role::User {
                    features.characters += part.chars().count();
                }
                let read = &part[..part.floor_char_boundary(left)];
                left = left.saturating_sub(read.len() + 1);
                if let Some(words) = &*WORDS {
                    let places = words.find_overlapping_iter(read).map(|word| word.pattern().as_usize());
                    found = places.fold(found, |found, place| found | 1 << place);
                }
                features.mathematics |= has_arithmetic(read);
                features.questions += read.bytes().filter(|byte| *byte == b'?').count();
            }
        }
        let mut count = |words: &[&str]| {
            let of_list = found & ((1 << words.len()) - 1);
            found >>= words.len();
            of_list.count_ones() as usize
        };
        features.code = count(&CODE) > 0;
        features.mathematics |= count(&MATHEMATICS) > 0;
        features.steps = count(&STEPS);
        features.reasoning = count(&REASONING);
        features
    }
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
    fn words_within_words_and_in_capitals_are_found_once_each() {
        let features = Features::of(&ChatRequest::prompt(
            "OPTIMISE the tradeoff, compare; COMPARE it. A trade-off step-by-step, Step By Step, THEN finally.",
        ));
        assert_eq!((features.reasoning, features.steps), (4, 4));
        let both = ["debug", "what is this?"].map(|text| Message::text(Role::User, text));
        let features = Features::of(&ChatRequest { messages: both.into(), ..ChatRequest::default() });
        assert_eq!((features.reasoning, features.questions, features.characters), (1, 1, 18));
    }

    #[test]
    fn what_comes_after_the_first_16_kib_changes_nothing_but_the_length() {
        let features = Features::of(&ChatRequest::prompt(format!("{} prove it?", "a".repeat(READ_BYTES))));
        assert_eq!((features.reasoning, features.questions), (0, 0));
        assert_eq!(features.characters, READ_BYTES + 10);
    }

    #[test]
    fn a_cut_inside_a_character_is_no_panic() {
        let text = "é".repeat(READ_BYTES);
        assert_eq!(Features::of(&ChatRequest::prompt(text)).characters, READ_BYTES);
    }
}
