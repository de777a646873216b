use super::class::{Class, class_at};

/// Cuts a text into the pieces that its encoding never joins, as the pattern of that encoding does, in linear time.
///
/// Written by hand because the patterns need a look-ahead: a general engine that has one takes longer for the pieces than for
/// their tokens, and backtracks. The tests hold it against such an engine.
pub(super) trait Split {
    /// Where the piece that begins at `at` ends; `at` is not the end of the text.
    fn piece_end(text: &str, at: usize) -> usize;
}

/// ```text
/// '(?i:[sdmt]|ll|ve|re) | [^\r\n\p{L}\p{N}]?+\p{L}++ | \p{N}{1,3}+ |  ?[^\s\p{L}\p{N}]++[\r\n]*+ | \s++$ | \s*[\r\n] |
/// \s+(?!\S) | \s
/// ```
pub(super) struct Cl100k;

/// ```text
/// [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)? |
/// [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)? |
/// \p{N}{1,3} |  ?[^\s\p{L}\p{N}]+[\r\n/]* | \s*[\r\n]+ | \s+(?!\S) | \s+
/// ```
pub(super) struct O200k;

impl Split for Cl100k {
    #[inline]
    fn piece_end(text: &str, at: usize) -> usize {
        let (class, length) = class_at(text, at);
        let next = at + length;
        match class {
            Class::Upper | Class::Lower | Class::Letter => run(text, next, Class::is_letter),
            Class::Number => numbers(text, next),
            Class::Break => spaces_cl100k(text, at),
            Class::Other if contraction(text, at) > at => contraction(text, at),
            Class::Other | Class::Mark => match class_at(text, next) {
                (after, _) if after.is_letter() => run(text, next, Class::is_letter),
                _ => breaks(text, run(text, next, Class::is_symbol)),
            },
            Class::Space => match class_at(text, next).0 {
                after if after.is_letter() => run(text, next, Class::is_letter),
                after if after.is_symbol() && text.as_bytes()[at] == b' ' => {
                    breaks(text, run(text, next, Class::is_symbol))
                }
                _ => spaces_cl100k(text, at),
            },
            Class::End => at,
        }
    }
}

impl Split for O200k {
    #[inline]
    fn piece_end(text: &str, at: usize) -> usize {
        let (class, length) = class_at(text, at);
        let next = at + length;
        match class {
            Class::Upper | Class::Lower | Class::Letter => word(text, at),
            Class::Number => numbers(text, next),
            Class::Break => spaces_o200k(text, at),
            // A mark is read as the sign before a word, and where no word with a small letter follows, as a letter.
            Class::Mark => cased(text, next).or_else(|| cased(text, at)).unwrap_or(next),
            Class::Other => match class_at(text, next).0 {
                after if after.is_letter() || after == Class::Mark => word(text, next),
                _ => breaks_and_slashes(text, run(text, next, Class::is_symbol)),
            },
            Class::Space => match class_at(text, next).0 {
                after if after.is_letter() || after == Class::Mark => word(text, next),
                Class::Other if text.as_bytes()[at] == b' ' => {
                    breaks_and_slashes(text, run(text, next, Class::is_symbol))
                }
                _ => spaces_o200k(text, at),
            },
            Class::End => at,
        }
    }
}

/// A word of capitals and then small letters, or else of capitals alone.
#[inline]
fn word(text: &str, at: usize) -> usize {
    cased(text, at).unwrap_or_else(|| contraction(text, run(text, at, is_capital)))
}

fn is_capital(class: Class) -> bool {
    matches!(class, Class::Upper | Class::Letter | Class::Mark)
}

fn is_small(class: Class) -> bool {
    matches!(class, Class::Lower | Class::Letter | Class::Mark)
}

/// Capitals and then at least one small letter. Letters without case and marks are both: where no small one follows, the last of
/// those is it, and what stands after it is left.
#[inline]
fn cased(text: &str, at: usize) -> Option<usize> {
    let mut end = at;
    let mut last_of_both = None;
    loop {
        let (class, length) = class_at(text, end);
        match class {
            Class::Upper => end += length,
            Class::Letter | Class::Mark => {
                end += length;
                last_of_both = Some(end);
            }
            Class::Lower => return Some(contraction(text, run(text, end + length, is_small))),
            _ => return last_of_both.map(|end| contraction(text, end)),
        }
    }
}

#[inline]
fn run(text: &str, at: usize, belongs: fn(Class) -> bool) -> usize {
    let mut end = at;
    loop {
        let (class, length) = class_at(text, end);
        if !belongs(class) {
            return end;
        }
        end += length;
    }
}

/// Up to three numbers, of which the first ends at `at`.
fn numbers(text: &str, at: usize) -> usize {
    let mut end = at;
    for _ in 0..2 {
        match class_at(text, end) {
            (Class::Number, length) => end += length,
            _ => break,
        }
    }
    end
}

/// The end of a contraction that begins at `at`, or `at`. The long s is an s to a pattern that ignores case.
#[inline]
fn contraction(text: &str, at: usize) -> usize {
    let Some((b'\'', after)) = text.as_bytes()[at..].split_first() else { return at };
    let lower = |index: usize| after.get(index).map(u8::to_ascii_lowercase);
    let length = match (lower(0), lower(1)) {
        (Some(b's' | b't' | b'm' | b'd'), _) => 1,
        (Some(b'r' | b'v'), Some(b'e')) | (Some(b'l'), Some(b'l')) => 2,
        _ if after.starts_with("\u{17F}".as_bytes()) => 2,
        _ => return at,
    };
    at + 1 + length
}

fn breaks(text: &str, at: usize) -> usize {
    at + text.as_bytes()[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

fn breaks_and_slashes(text: &str, at: usize) -> usize {
    at + text.as_bytes()[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | b'/')).count()
}

/// A run of white space: where it ends, where its last line break does, and where its last character begins.
struct Spaces {
    end: usize,
    last_break: Option<usize>,
    last: usize,
}

impl Spaces {
    fn at(text: &str, at: usize) -> Self {
        let mut found = Self { end: at, last_break: None, last: at };
        loop {
            let (class, length) = class_at(text, found.end);
            if !class.is_space() {
                return found;
            }
            found.last = found.end;
            found.end += length;
            if class == Class::Break {
                found.last_break = Some(found.end);
            }
        }
    }

    /// All but the last, which belongs to what follows; all of it where nothing does, or it is the only one.
    fn before_next(&self, text: &str, at: usize) -> usize {
        if self.end == text.len() || self.last == at { self.end } else { self.last }
    }
}

fn spaces_cl100k(text: &str, at: usize) -> usize {
    let run = Spaces::at(text, at);
    match run.last_break {
        Some(end) if run.end < text.len() => end,
        _ => run.before_next(text, at),
    }
}

fn spaces_o200k(text: &str, at: usize) -> usize {
    let run = Spaces::at(text, at);
    run.last_break.unwrap_or_else(|| run.before_next(text, at))
}
