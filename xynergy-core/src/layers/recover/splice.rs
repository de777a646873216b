/// How much of the end of a text is compared with what follows it.
const WINDOW: usize = 16 * 1024;
/// Characters, white space aside, that a repetition has at least. Fewer may well be what the model means.
const REPEATED: usize = 12;

/// Joins a resumed answer to the text before it: finds how much of its beginning only repeats the end of that text.
///
/// It takes away too little rather than too much: only a long repetition that is not itself made of repetitions, and the white
/// space at the seam, which is not sent to the model that resumes.
#[derive(Debug)]
pub(super) struct Splice {
    before: String,
    space: String,
    /// Where in `before` a repetition may begin that agrees with what has come so far.
    starts: Vec<usize>,
    head: String,
}

impl Splice {
    pub(super) fn new(before: &str) -> Self {
        let said = before.trim_end();
        let space = before[said.len()..].to_owned();
        let mut from = said.len().saturating_sub(WINDOW);
        while !said.is_char_boundary(from) {
            from += 1;
        }
        let before = said[from..].to_owned();
        let starts = before.char_indices().map(|(at, _)| at).collect();
        Self { before, space, starts, head: String::new() }
    }

    /// Takes more of the resumed answer. Returns how many bytes of all that was taken are to be left out, once that is certain.
    pub(super) fn push(&mut self, text: &str) -> Option<usize> {
        self.head.push_str(text);
        let (before, head) = (&self.before, &self.head);
        self.starts.retain(|&start| agree(&before[start..], head));
        if self.starts.iter().any(|&start| before.len() - start > head.len()) {
            return None;
        }
        let repeated = self.repeated();
        let rest = &head[repeated..];
        if rest.len() < self.space.len() && self.space.starts_with(rest) {
            return None;
        }
        Some(repeated + common(&self.space, rest))
    }

    /// The same when nothing more comes.
    pub(super) fn finish(&self) -> usize {
        let repeated = self.repeated();
        repeated + common(&self.space, &self.head[repeated..])
    }

    fn repeated(&self) -> usize {
        let whole = |start: &usize| {
            let repeated = &self.before[*start..];
            self.head.starts_with(repeated) && is_distinct(repeated)
        };
        self.starts.iter().find(|start| whole(start)).map_or(0, |start| self.before.len() - start)
    }
}

fn agree(one: &str, other: &str) -> bool {
    let length = one.len().min(other.len());
    one.len() >= REPEATED && one.as_bytes()[..length] == other.as_bytes()[..length]
}

fn common(space: &str, rest: &str) -> usize {
    let same = space.chars().zip(rest.chars()).take_while(|(a, b)| a == b);
    same.map(|(c, _)| c.len_utf8()).sum()
}

/// Long enough, and no refrain: "ha ha ha" may well go on.
fn is_distinct(text: &str) -> bool {
    if text.chars().filter(|c| !c.is_whitespace()).count() < REPEATED {
        return false;
    }
    // The prefix function of Knuth, Morris and Pratt gives the smallest period.
    let bytes = text.as_bytes();
    let mut borders = vec![0_usize; bytes.len()];
    for at in 1..bytes.len() {
        let mut border = borders[at - 1];
        while border > 0 && bytes[at] != bytes[border] {
            border = borders[border - 1];
        }
        borders[at] = border + usize::from(bytes[at] == bytes[border]);
    }
    let period = bytes.len() - borders.last().copied().unwrap_or(0);
    period * 2 > bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spliced(before: &str, pieces: &[&str]) -> String {
        let mut splice = Splice::new(before);
        let resumed: String = pieces.concat();
        let decided = pieces.iter().find_map(|piece| splice.push(piece));
        format!("{before}{}", &resumed[decided.unwrap_or_else(|| splice.finish())..])
    }

    #[test]
    fn a_plain_continuation_is_left_as_it_is() {
        assert_eq!(spliced("The quick bro", &["wn fox"]), "The quick brown fox");
        assert_eq!(spliced("The quick", &[" brown"]), "The quick brown");
        assert_eq!(spliced("one, two, ", &["two, three"]), "one, two, two, three");
    }

    #[test]
    fn the_white_space_at_the_seam_is_not_doubled() {
        assert_eq!(spliced("one ", &[" two"]), "one two");
        assert_eq!(spliced("one\n", &["\n", "\n- two"]), "one\n\n- two");
        assert_eq!(spliced("one ", &["two"]), "one two");
        assert_eq!(spliced("one ", &[" "]), "one ");
    }

    #[test]
    fn a_repetition_is_left_out_and_a_refrain_is_not() {
        let before = "The capital of France is Paris, ";
        assert_eq!(
            spliced(before, &["The capital of", " France is Paris, a city."]),
            format!("{before}a city.")
        );
        assert_eq!(spliced(before, &["France is Paris, a city."]), format!("{before}a city."));
        let refrain = "la la la la la la la la la la";
        assert_eq!(spliced(refrain, &[refrain]), format!("{refrain}{refrain}"));
    }

    proptest! {
        #[test]
        fn where_it_is_cut_changes_nothing(before in "[ab \n]{0,40}", resumed in "[ab \n]{0,40}", cuts in proptest::collection::vec(0_usize..40, 0..6)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(resumed.len())).collect();
            cuts.extend([0, resumed.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&str> = cuts.windows(2).map(|pair| &resumed[pair[0]..pair[1]]).collect();
            prop_assert_eq!(spliced(&before, &pieces), spliced(&before, &[&resumed]));
        }

        /// What is left out is what stands before the seam already, whatever the texts.
        #[test]
        fn nothing_new_is_lost(before in "[a-cé \n]{0,60}", resumed in "[a-cé \n]{0,60}") {
            let whole = spliced(&before, &[&resumed]);
            let left_out = before.len() + resumed.len() - whole.len();
            let (gone, kept) = resumed.split_at(left_out);
            prop_assert_eq!(whole, [before.as_str(), kept].concat());
            let said = before.trim_end();
            prop_assert!(gone.trim_end().is_empty() || said.ends_with(gone.trim_end()), "{:?}", gone);
        }

        #[test]
        fn a_repeated_end_is_left_out(words in proptest::collection::vec(0_u32..1_000_000, 4..30), back in 3_usize..4, next in "[A-Z]{1,9}") {
            let before: Vec<String> = words.iter().enumerate().map(|(at, word)| format!("{at}w{word}")).collect();
            let repeated = before[before.len() - back..].join(" ");
            prop_assume!(repeated.len() > 14);
            let before = before.join(" ");
            prop_assert_eq!(spliced(&before, &[&repeated, " ", &next]), format!("{before} {next}"));
        }
    }
}
