use xynergy_core::spend::known_model;

/// The limit of an answer where the request has none and the model is not in the table: what every model can write.
const DEFAULT_MAX_TOKENS: u64 = 4_096;

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    /// It cannot.
    No,
    /// With a budget of tokens.
    Budget,
    /// With an effort, up to `high` or `max`.
    Effort,
    /// With an effort, `xhigh` among them.
    MoreEffort,
}

/// What the models of one generation take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Abilities {
    /// Whether it continues the assistant's last message; `None` when nothing is known.
    pub(super) prefill: Option<bool>,
    /// Whether a temperature and its like may be sent.
    pub(super) sampling: bool,
    pub(super) thinking: Thinking,
}

impl Abilities {
    /// By the generation in the model's name. What Claude 4.6 and 4.7 no longer take is taken by no later one.
    pub(super) fn of(model: &str) -> Self {
        let Some(generation) = generation(model) else {
            return Self { prefill: None, sampling: true, thinking: Thinking::No };
        };
        let thinking = if generation < (3, 7) {
            Thinking::No
        } else if generation < (4, 6) {
            Thinking::Budget
        } else if generation < (4, 7) {
            Thinking::Effort
        } else {
            Thinking::MoreEffort
        };
        Self { prefill: Some(generation < (4, 6)), sampling: generation < (4, 7), thinking }
    }
}

/// The limit that is sent when the request has none: the longest answer, where it is known. Spend limits reserve as much.
pub(super) fn longest_answer(model: &str) -> u64 {
    known_model(model).map_or(DEFAULT_MAX_TOKENS, |(_, longest)| longest)
}

/// `(3, 5)` of `claude-3-5-sonnet-20241022`, `(4, 0)` of `claude-opus-4-20250514`; the newest of a Claude without a number;
/// `None` of what is no Claude.
fn generation(model: &str) -> Option<(u32, u32)> {
    let (_, name) = model.split_once("claude")?;
    let number = |part: &str| part.parse::<u32>().ok().filter(|_| part.len() <= 2);
    let mut parts = name.split(['-', '.', '@', ':']).skip_while(|part| number(part).is_none());
    let Some(major) = parts.next().and_then(number) else { return Some((u32::MAX, 0)) };
    Some((major, parts.next().and_then(number).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_read_from_names() {
        for (name, expected) in [
            ("claude-2.1", Some((2, 1))),
            ("claude-instant-1.2", Some((1, 2))),
            ("claude-3-opus-latest", Some((3, 0))),
            ("claude-3-5-sonnet-20241022", Some((3, 5))),
            ("claude-3-7-sonnet-20250219", Some((3, 7))),
            ("claude-sonnet-4-20250514", Some((4, 0))),
            ("claude-opus-4-1@20250805", Some((4, 1))),
            ("us.anthropic.claude-haiku-4-5-20251001-v1:0", Some((4, 5))),
            ("claude-opus-4-6", Some((4, 6))),
            ("claude-sonnet-5", Some((5, 0))),
            ("claude-newest", Some((u32::MAX, 0))),
            ("MiniMax-M2", None),
        ] {
            assert_eq!(generation(name), expected, "{name}");
        }
    }

    #[test]
    fn abilities_follow_the_generation() {
        let of = |name| {
            let Abilities { prefill, sampling, thinking } = Abilities::of(name);
            (prefill, sampling, thinking)
        };
        assert_eq!(of("claude-3-haiku-20240307"), (Some(true), true, Thinking::No));
        assert_eq!(of("claude-haiku-4-5"), (Some(true), true, Thinking::Budget));
        assert_eq!(of("claude-sonnet-4-6"), (Some(false), true, Thinking::Effort));
        assert_eq!(of("claude-opus-4-7"), (Some(false), false, Thinking::MoreEffort));
        assert_eq!(of("other"), (None, true, Thinking::No));
        assert_eq!((longest_answer("claude-haiku-4-5"), longest_answer("claude-2.1")), (64_000, 4_096));
    }
}
