//! The words of an answer, composed from those of the prompt.

/// How many words of a prompt are repeated at most.
const REPEATED_WORDS: usize = 60;

/// The longest answer that is written to order.
const MAX_WORDS: usize = 5_000;

/// Words of an instruction that asks to say what follows its colon.
const RETELLING: [&str; 9] =
    ["sentence", "line", "summar", "explain", "tell", "describe", "rephrase", "rewrite", "say"];

/// The answer to a prompt. With facts behind an instruction and a colon it is a sentence of those facts; asked for so many
/// words it has so many; otherwise it says that no model is behind it.
pub(super) fn compose(prompt: &str) -> String {
    let prompt = shorten(prompt);
    if prompt.is_empty() {
        return "You sent an empty prompt.".to_owned();
    }
    if let Some(words) = words_asked_for(&prompt) {
        return long_text(&prompt, words);
    }
    match facts(&prompt) {
        Some(facts) => sentence(facts),
        None if prompt.ends_with('?') => {
            format!(
                "You asked: {prompt} The sandbox has no model behind it, so it only repeats the question."
            )
        }
        None => format!(
            "You asked: {} The sandbox has no model behind it, so it only repeats the request.",
            ended(&prompt)
        ),
    }
}

/// The prompt on one line, cut after its first words.
fn shorten(prompt: &str) -> String {
    let mut words = prompt.split_whitespace();
    let kept: Vec<&str> = words.by_ref().take(REPEATED_WORDS).collect();
    let mut text = kept.join(" ");
    if words.next().is_some() {
        text.push_str(" ...");
    }
    text
}

fn facts(prompt: &str) -> Option<&str> {
    let (instruction, facts) = prompt.split_once(": ")?;
    let instruction = instruction.to_lowercase();
    let retells = RETELLING.iter().any(|word| instruction.contains(word));
    (retells && !facts.trim().is_empty()).then(|| facts.trim())
}

/// Facts as a sentence: with an article where they begin with a bare noun, a capital, and a full stop.
fn sentence(facts: &str) -> String {
    const OPENERS: [&str; 22] = [
        "the", "a", "an", "your", "our", "this", "that", "these", "it", "its", "we", "you", "they", "there",
        "no", "because", "since", "after", "before", "in", "on", "all",
    ];
    let first = facts.split(' ').next().unwrap_or("");
    let bare = first.chars().next().is_some_and(char::is_lowercase) && !OPENERS.contains(&first);
    if bare {
        return ended(&format!("The {facts}"));
    }
    let mut letters = facts.chars();
    let capital: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    ended(&format!("{capital}{}", letters.as_str()))
}

fn ended(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{}.", text.trim_end_matches([',', ';', ':']))
    }
}

/// The number before the word "words".
fn words_asked_for(prompt: &str) -> Option<usize> {
    let words: Vec<&str> = prompt.split(' ').collect();
    words
        .windows(2)
        .find(|pair| pair[1].trim_end_matches(|c: char| !c.is_alphanumeric()).eq_ignore_ascii_case("words"))
        .and_then(|pair| pair[0].parse().ok())
        .filter(|n| (1..=MAX_WORDS).contains(n))
}

fn long_text(prompt: &str, words: usize) -> String {
    let topic: Vec<&str> = prompt.split(' ').take(8).collect();
    let topic = topic.join(" ").trim_end_matches(['.', '?', '!']).to_owned();
    let mut text: Vec<String> = Vec::with_capacity(words);
    let mut number = 1;
    while text.len() < words {
        let sentence = format!("Sentence {number} of this sandbox answer to \"{topic}\" says nothing new.");
        text.extend(sentence.split(' ').take(words - text.len()).map(str::to_owned));
        number += 1;
    }
    text.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_become_a_sentence() {
        let prompt = "In one plain sentence, tell the advertiser: ad set budget was raised by about 20%, because it brought 3 deals";
        assert_eq!(compose(prompt), "The ad set budget was raised by about 20%, because it brought 3 deals.");
        assert_eq!(compose("Explain in one line: your budget fell."), "Your budget fell.");
        assert_eq!(compose("Say this:\n  Ad set 7 was\n paused "), "Ad set 7 was paused.");
    }

    #[test]
    fn other_prompts_are_repeated_with_the_reason() {
        assert!(compose("What is 2 + 2?").starts_with("You asked: What is 2 + 2? The sandbox has no model"));
        assert!(compose("Note: hi").starts_with("You asked: Note: hi."));
        assert!(compose(&"word ".repeat(500)).len() < 500);
        assert!(!compose("").is_empty());
    }

    #[test]
    fn as_many_words_as_asked_for() {
        for n in [1, 40, 600] {
            assert_eq!(compose(&format!("Write {n} words, about ads")).split(' ').count(), n);
        }
    }
}
