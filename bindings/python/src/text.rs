//! What JSON can say and the library cannot take.

use xynergy_bindings::Error;

/// Refuses integers beyond 64 bits, which a reader of JSON would quietly round.
pub(crate) fn check(json: &str) -> Result<(), Error> {
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let end = end_of_number(bytes, at);
                let number = json.get(at..end).unwrap_or_default();
                let is_integer = number.bytes().all(|b| b.is_ascii_digit() || b == b'-');
                if number.len() >= 19
                    && is_integer
                    && number.parse::<i64>().is_err()
                    && number.parse::<u64>().is_err()
                {
                    return Err(Error::invalid("arguments", "an integer is beyond 64 bits"));
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

/// The place behind the string that begins at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

fn end_of_number(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')).count()
}
