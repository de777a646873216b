/// The white space at the end of the assistant's last message, which the API does not take: the answer mostly begins with it
/// again, and it must not stand there twice.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Prefill {
    cut: String,
    done: bool,
}

impl Prefill {
    /// Cuts the white space off `text`.
    pub(super) fn cut(text: &mut String) -> Self {
        let kept = text.trim_end().len();
        let cut = text.split_off(kept);
        Self { done: cut.is_empty(), cut }
    }

    /// The next piece of the answer, without what was cut.
    pub(super) fn continued<'a>(&mut self, piece: &'a str) -> &'a str {
        let mut rest = piece;
        while !self.done {
            let Some(next) = rest.chars().next() else { break };
            match self.cut.strip_prefix(next) {
                Some(left) => {
                    rest = &rest[next.len_utf8()..];
                    self.cut = left.to_owned();
                    self.done = self.cut.is_empty();
                }
                None => self.done = true,
            }
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_does_not_stand_twice() {
        for (pieces, expected) in [
            (&[" world"][..], "world"),
            (&["world"], "world"),
            (&["", " ", "\n", " x"], " x"),
            (&[" \n\n"], "\n"),
            (&["\n y"], "\n y"),
        ] {
            let mut said = "Hello \n".to_owned();
            let mut prefill = Prefill::cut(&mut said);
            let rest: String = pieces.iter().map(|piece| prefill.continued(piece)).collect();
            assert_eq!((said.as_str(), rest.as_str()), ("Hello", expected), "{pieces:?}");
        }
        assert_eq!(Prefill::default().continued(" x"), " x");
    }
}
