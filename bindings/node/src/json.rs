//! JSON on its way to `JSON.parse`, which keeps only 53 bits of an integer.

use std::borrow::Cow;

/// The greatest integer that a JavaScript number holds exactly.
const SAFE: u128 = (1 << 53) - 1;

/// What is put before the digits of a greater one, in a string. JavaScript turns such a string into a BigInt.
const MARK: &str = "\\u0000n";

/// Writes integers that a number would not hold as marked strings; tells by a borrowed text that there was none.
pub(crate) fn mark_great_integers(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut marked: Option<String> = None;
    let (mut at, mut copied) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let end = end_of_number(bytes, at);
                let number = &text[at..end];
                if is_great(number) {
                    let out = marked.get_or_insert_with(|| String::with_capacity(text.len() + 32));
                    out.push_str(&text[copied..at]);
                    out.push('"');
                    out.push_str(MARK);
                    out.push_str(number);
                    out.push('"');
                    copied = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    match marked {
        None => Cow::Borrowed(text),
        Some(mut out) => {
            out.push_str(&text[copied..]);
            Cow::Owned(out)
        }
    }
}

/// The position behind the string that starts at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    loop {
        match bytes.get(at) {
            None | Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

fn end_of_number(bytes: &[u8], at: usize) -> usize {
    let more = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    at + bytes[at..].iter().take_while(more).count()
}

fn is_great(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits.len() > 15
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.parse::<u128>().map_or(true, |value| value > SAFE)
}
