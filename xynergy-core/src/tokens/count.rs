use crate::provider::{ChatRequest, Message};

/// Tokens that a message costs beside its text, and those that open the answer.
const PER_MESSAGE: u64 = 4;
const PER_REQUEST: u64 = 3;
/// What an image is taken to cost where nobody says: a large one at high detail.
const PER_IMAGE: u64 = 1_105;

/// Estimates the tokens of a text, in linear time, without a vocabulary.
///
/// A word costs a token for each ten letters begun, a number one for each three digits, punctuation one for each two characters, line
/// breaks one a run with the indentation after it, other runs of spaces one, letters of other alphabets one for each three, CJK
/// and symbols one each. For English prose, code and JSON of more than 100 tokens it is within a fifth of o200k; for rare
/// scripts it may be half.
pub fn count_text(text: &str) -> u64 {
    let mut tokens = 0_u64;
    let mut before = Class::Letters;
    let mut run = (Class::Letters, 0_u64);
    for class in text.chars().map(Class::of) {
        if class == run.0 {
            run.1 += 1;
        } else {
            tokens += run.0.tokens(run.1, before);
            before = run.0;
            run = (class, 1);
        }
    }
    tokens + run.0.tokens(run.1, before)
}

/// Estimates the tokens of a request's prompt: texts, tools, images and what frames them.
pub fn count_request(request: &ChatRequest) -> u64 {
    let messages = request.messages.iter();
    let framed = messages.map(|message| PER_MESSAGE + message.texts().map(count_text).sum::<u64>());
    PER_REQUEST + framed.sum::<u64>() + count_beside_text(request)
}

/// Estimates the tokens of what in a request is no text of a message: tools and calls of them, images, the format.
pub(crate) fn count_beside_text(request: &ChatRequest) -> u64 {
    let json = |value: &serde_json::Value| count_text(&value.to_string());
    let of_message = |message: &Message| {
        PER_IMAGE * message.image_parts() as u64 + message.tool_calls.iter().map(json).sum::<u64>()
    };
    request.messages.iter().map(of_message).sum::<u64>()
        + request.tools.iter().map(json).sum::<u64>()
        + request.response_format.as_ref().map_or(0, json)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letters,
    Digits,
    Spaces,
    Breaks,
    Punctuation,
    Alphabet,
    Ideograph,
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            'a'..='z' | 'A'..='Z' => Self::Letters,
            '0'..='9' => Self::Digits,
            ' ' | '\t' => Self::Spaces,
            '\n' | '\r' => Self::Breaks,
            _ if c.is_ascii() => Self::Punctuation,
            _ if u32::from(c) >= 0x2E80 || !c.is_alphabetic() => Self::Ideograph,
            _ => Self::Alphabet,
        }
    }

    fn tokens(self, length: u64, before: Self) -> u64 {
        match self {
            Self::Letters => length.div_ceil(10),
            Self::Digits | Self::Alphabet => length.div_ceil(3),
            // A single space belongs to the word that follows it.
            Self::Spaces => u64::from(length > 1 && before != Self::Breaks),
            Self::Breaks => 1,
            Self::Punctuation => length.div_ceil(2),
            Self::Ideograph => length,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn framing_counts() {
        assert_eq!(count_request(&ChatRequest::prompt("")), 7);
    }

    proptest! {
        #[test]
        fn never_more_than_bytes_and_never_fewer_by_adding(text in "\\PC{0,200}", more in "[a-z ]{0,40}") {
            let count = count_text(&text);
            prop_assert!(count <= text.len() as u64);
            prop_assert!(count_text(&(text + &more)) >= count);
        }
    }
}
