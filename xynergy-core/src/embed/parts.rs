use std::ops::Range;

/// The texts in runs of at most `max_inputs` texts and `max_bytes` bytes each; a text that is longer is a run by itself.
pub(crate) fn parts(texts: &[String], max_inputs: usize, max_bytes: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut bytes) = (0, 0_usize);
    for (number, text) in texts.iter().enumerate() {
        let full = number - start >= max_inputs.max(1) || bytes.saturating_add(text.len()) > max_bytes;
        if number > start && full {
            parts.push(start..number);
            (start, bytes) = (number, 0);
        }
        bytes = bytes.saturating_add(text.len());
    }
    if start < texts.len() {
        parts.push(start..texts.len());
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_are_whole_bounded_and_no_more_than_needed(
            lengths in proptest::collection::vec(1_usize..40, 0..60), max_inputs in 1_usize..9, max_bytes in 1_usize..90,
        ) {
            let texts: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            let parts = parts(&texts, max_inputs, max_bytes);
            let together: Vec<usize> = parts.iter().cloned().flatten().collect();
            prop_assert_eq!(together, (0..texts.len()).collect::<Vec<_>>());
            let bytes = |part: &Range<usize>| lengths[part.clone()].iter().sum::<usize>();
            for part in &parts {
                prop_assert!(part.len() <= max_inputs && (bytes(part) <= max_bytes || part.len() == 1));
            }
            for pair in parts.windows(2) {
                let more = pair[0].start..pair[0].end + 1;
                prop_assert!(more.len() > max_inputs || bytes(&more) > max_bytes, "{pair:?} could be longer");
            }
        }
    }
}
