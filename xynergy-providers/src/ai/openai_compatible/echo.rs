//! Some answers begin with the message that they continue. It was said already, so it is taken out.

use std::collections::BTreeMap;

use xynergy_core::provider::{ChatChunk, ChatResponse, Content, Message};

/// Takes the words of the continued message out of an answer, however they are cut.
#[derive(Debug)]
pub(super) struct Echo {
    said: String,
    choices: BTreeMap<u32, Heard>,
}

#[derive(Debug)]
enum Heard {
    /// So much of it, in bytes.
    Part(usize),
    Everything,
}

impl Echo {
    /// For an answer that goes on with `message`; `None` when there is nothing that could be repeated.
    pub(super) fn of(message: &Message) -> Option<Self> {
        let said: String = message.texts().collect();
        (!said.is_empty()).then(|| Self { said, choices: BTreeMap::new() })
    }

    pub(super) fn clean_response(&mut self, response: &mut ChatResponse) {
        for choice in &mut response.choices {
            if let Some(Content::Text(text)) = &mut choice.message.content {
                *text = self.rest(choice.index, text);
            }
        }
    }

    pub(super) fn clean_chunk(&mut self, chunk: &mut ChatChunk) {
        for choice in &mut chunk.choices {
            if let Some(Content::Text(text)) = &mut choice.delta.content {
                *text = self.rest(choice.index, text);
            }
        }
    }

    fn rest(&mut self, choice: u32, text: &str) -> String {
        let heard = self.choices.entry(choice).or_insert(Heard::Part(0));
        let Heard::Part(length) = *heard else { return text.to_owned() };
        let open = &self.said[length..];
        if let Some(rest) = text.strip_prefix(open) {
            *heard = Heard::Everything;
            return rest.to_owned();
        }
        if open.starts_with(text) {
            *heard = Heard::Part(length + text.len());
            return String::new();
        }
        // It said something else: what looked like a repetition was the answer.
        *heard = Heard::Everything;
        format!("{}{text}", &self.said[..length])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xynergy_core::provider::Role;

    use super::*;

    fn cleaned(said: &str, pieces: &[&str]) -> String {
        let mut echo = Echo::of(&Message::text(Role::Assistant, said)).unwrap();
        let mut clean = |piece: &&str| {
            let mut chunk = ChatChunk::text(*piece);
            echo.clean_chunk(&mut chunk);
            chunk.added_text()
        };
        pieces.iter().map(&mut clean).collect()
    }

    #[test]
    fn only_a_repetition_at_the_start_is_taken_out() {
        assert_eq!(cleaned("ha ", &["ha ha ", "ha "]), "ha ha ");
        assert_eq!(cleaned("Once upon", &["Once", " more"]), "Once more");
        assert_eq!(cleaned("Once", &["", "upon"]), "upon");
    }

    #[test]
    fn nothing_said_is_nothing_repeated() {
        assert!(Echo::of(&Message::text(Role::Assistant, "")).is_none());
    }

    proptest! {
        #[test]
        fn where_it_is_cut_changes_nothing(said in "[aé]{1,6}", rest in "[aéb]{0,6}", cuts in proptest::collection::vec(0_usize..12, 0..4)) {
            let whole: Vec<char> = format!("{said}{rest}").chars().collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| (*cut).min(whole.len())).collect();
            cuts.extend([0, whole.len()]);
            cuts.sort_unstable();
            let pieces: Vec<String> = cuts.windows(2).map(|pair| whole[pair[0]..pair[1]].iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(cleaned(&said, &pieces), rest);
        }
    }
}
