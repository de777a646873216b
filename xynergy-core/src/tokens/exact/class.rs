use unicode_general_category::{GeneralCategory, get_general_category};

/// What the patterns that cut a text into pieces tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    /// `\p{Lu}`, `\p{Lt}`.
    Upper,
    /// `\p{Ll}`.
    Lower,
    /// Letters that are neither: `\p{Lm}`, `\p{Lo}`.
    Letter,
    /// `\p{M}`.
    Mark,
    /// `\p{N}`.
    Number,
    /// A carriage return or a line feed.
    Break,
    /// Every other `\s`.
    Space,
    /// All else, and the end of the text.
    Other,
    /// Beyond the last character.
    End,
}

impl Class {
    pub(super) fn is_letter(self) -> bool {
        matches!(self, Self::Upper | Self::Lower | Self::Letter)
    }

    pub(super) fn is_space(self) -> bool {
        matches!(self, Self::Break | Self::Space)
    }

    /// `[^\s\p{L}\p{N}]`.
    pub(super) fn is_symbol(self) -> bool {
        matches!(self, Self::Other | Self::Mark)
    }

    fn of(c: char) -> Self {
        use GeneralCategory as G;
        match get_general_category(c) {
            G::UppercaseLetter | G::TitlecaseLetter => Self::Upper,
            G::LowercaseLetter => Self::Lower,
            G::ModifierLetter | G::OtherLetter => Self::Letter,
            G::NonspacingMark | G::SpacingMark | G::EnclosingMark => Self::Mark,
            G::DecimalNumber | G::LetterNumber | G::OtherNumber => Self::Number,
            _ if c.is_whitespace() => Self::Space,
            _ => Self::Other,
        }
    }

    const fn of_ascii(byte: u8) -> Self {
        match byte {
            b'A'..=b'Z' => Self::Upper,
            b'a'..=b'z' => Self::Lower,
            b'0'..=b'9' => Self::Number,
            b'\r' | b'\n' => Self::Break,
            b' ' | b'\t' | 0x0B | 0x0C => Self::Space,
            _ => Self::Other,
        }
    }
}

const ASCII: [Class; 128] = {
    let mut table = [Class::Other; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte as usize] = Class::of_ascii(byte);
        byte += 1;
    }
    table
};

/// The class of the character at `at` and how many bytes it has.
#[inline]
pub(super) fn class_at(text: &str, at: usize) -> (Class, usize) {
    match text.as_bytes().get(at) {
        None => (Class::End, 0),
        Some(byte) if byte.is_ascii() => (ASCII[*byte as usize], 1),
        Some(_) => match text[at..].chars().next() {
            Some(c) => (Class::of(c), c.len_utf8()),
            None => (Class::End, 0),
        },
    }
}
