use xynergy_core::{Error, ErrorKind, Result};

/// Server-sent events from bytes that are cut anywhere: comments, `event:` and `id:` are passed over, lines end with LF, CR or
/// CRLF, and an event is bounded.
#[derive(Debug)]
pub(crate) struct SseParser {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    after_cr: bool,
    at_start: bool,
    max_event_bytes: usize,
}

impl SseParser {
    pub(crate) fn new(max_event_bytes: usize) -> Self {
        Self {
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            after_cr: false,
            at_start: true,
            max_event_bytes,
        }
    }

    /// Takes bytes; hands over the data of each event that they complete.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut event: impl FnMut(&[u8])) -> Result<()> {
        while let Some(first) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = match end {
                Some(at) => {
                    self.after_cr = bytes[at] == b'\r';
                    (&bytes[..at], &bytes[at + 1..])
                }
                None => (bytes, &[][..]),
            };
            if self.line.len() + self.data.len() + part.len() > self.max_event_bytes {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    "ai.stream",
                    format!("an event of the stream is larger than {} bytes", self.max_event_bytes),
                ));
            }
            self.line.extend_from_slice(part);
            if end.is_some() {
                self.end_line(&mut event);
            }
            bytes = rest;
        }
        Ok(())
    }

    /// The end of the bytes: some servers leave the last blank line away.
    pub(crate) fn finish(&mut self, mut event: impl FnMut(&[u8])) {
        self.end_line(&mut event);
        self.end_event(&mut event);
    }

    fn end_line(&mut self, event: &mut impl FnMut(&[u8])) {
        let mut line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.at_start) && line.starts_with(b"\xEF\xBB\xBF") {
            line.drain(..3);
        }
        if line.is_empty() {
            self.end_event(event);
        } else if let Some(value) = line.strip_prefix(b"data") {
            let value = match value {
                [] => Some(value),
                [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
                _ => None,
            };
            if let Some(value) = value {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                self.has_data = true;
            }
        }
        line.clear();
        self.line = line;
    }

    fn end_event(&mut self, event: &mut impl FnMut(&[u8])) {
        if std::mem::take(&mut self.has_data) {
            event(&self.data);
            self.data.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Vec::new();
        let mut parser = SseParser::new(1 << 20);
        let mut keep = |data: &[u8]| events.push(String::from_utf8_lossy(data).into_owned());
        for piece in pieces {
            parser.push(piece, &mut keep).unwrap();
        }
        parser.finish(&mut keep);
        events
    }

    #[test]
    fn reads_what_servers_send() {
        let text = "\u{FEFF}: OPENROUTER PROCESSING\r\n\r\nevent: x\ndata: a\ndata:b\n\ndata: c\r\rid: 1\n\ndatabase: no\n\ndata: last";
        assert_eq!(parse(&[text.as_bytes()]), ["a\nb", "c", "last"]);
    }

    #[test]
    fn an_endless_event_is_an_error() {
        let mut parser = SseParser::new(10);
        let error = (0..).find_map(|_| parser.push(b"xxxx", |_| ()).err()).unwrap();
        assert!(error.message().contains("10 bytes"));
        let mut parser = SseParser::new(10);
        assert!((0..4).any(|_| parser.push(b"data: xx\n", |_| ()).is_err()));
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_changes_nothing(
            lines in proptest::collection::vec("(data: ?|: |event: |)[a-zé😀]{0,6}", 0..20),
            ends in proptest::collection::vec(0_usize..3, 20),
            cuts in proptest::collection::vec(0_usize..400, 0..12),
        ) {
            let text: String = lines.iter().zip(&ends).map(|(line, end)| format!("{line}{}", ["\n", "\r\n", "\r"][*end])).collect();
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(parse(&pieces), parse(&[bytes]));
        }
    }
}
