use super::Encoding;

/// How a model of OpenAI's counts: its encoding, and what frames the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) encoding: Encoding,
    pub(super) frame: Frame,
    pub(super) vision: Vision,
}

/// What a model counts beside the texts of the messages, in tokens.
///
/// A message is its frame, its role, its name if it has one, and its text; at the end the answer is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Of every message.
    pub message: u64,
    /// Of a name, beside its text.
    pub name: u64,
    /// What opens the answer.
    pub answer: u64,
}

impl Frame {
    /// Of OpenAI's chat models.
    pub const CHAT: Self = Self { message: 3, name: 1, answer: 3 };
    /// Of OpenAI's reasoning models, whose answer is opened by one token fewer.
    pub const REASONING: Self = Self { answer: 2, ..Self::CHAT };
}

/// How a model counts images, by OpenAI's published rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vision {
    /// Once `base`, and `tile` for each 512 x 512 pixels of the image scaled to fit 2048 x 2048 and a short side of 768.
    Tiles { base: u64, tile: u64 },
    /// Patches of 32 x 32 pixels, at most 1536, times `percent` hundredths.
    Patches { percent: u64 },
}

impl Known {
    /// What is known of a model by its name, whoever serves it: `openai/gpt-4o` and `ft:gpt-4o:acme::id` are `gpt-4o`.
    pub(super) fn of(model: &str) -> Option<Self> {
        Self::of_base(&base_name(model))
    }

    /// The same of a name as [`base_name`] gives it.
    pub(super) fn of_base(name: &str) -> Option<Self> {
        let is = |family: &str| {
            let rest = name.strip_prefix(family);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '@']))
        };
        let any = |families: &[&str]| families.iter().any(|family| is(family));
        // The longer names first: `gpt-4` begins `gpt-4o` no more than `gpt-4.1`, but `gpt-4.1` is followed by a point.
        let (encoding, frame) = if any(&["gpt-4o", "chatgpt-4o", "gpt-4.1", "gpt-4.5"]) {
            (Encoding::O200k, Frame::CHAT)
        } else if any(&["gpt-5", "o1", "o3", "o4", "gpt-oss", "codex-mini"]) {
            (Encoding::O200k, Frame::REASONING)
        } else if any(&["gpt-4", "gpt-3.5", "gpt-35", "text-embedding-3", "text-embedding-ada-002"])
            || any(&["davinci-002", "babbage-002"])
        {
            (Encoding::Cl100k, Frame::CHAT)
        } else {
            return None;
        };
        Some(Self { encoding, frame, vision: vision(name, &is) })
    }

    /// A number for these rules, no other's.
    pub(super) fn kind(&self) -> u64 {
        let (base, tile) = match self.vision {
            Vision::Tiles { base, tile } => (base, tile),
            Vision::Patches { percent } => (0, percent),
        };
        u64::from(self.encoding == Encoding::O200k) | self.frame.answer << 1 | base << 4 | tile << 17
    }
}

/// The name without who serves it and what was tuned on it, in small letters.
pub(super) fn base_name(model: &str) -> String {
    let name = model.trim().to_ascii_lowercase();
    let name = name.rsplit('/').next().unwrap_or_default();
    let name = name.strip_prefix("ft:").unwrap_or(name);
    name.split(':').next().unwrap_or_default().to_owned()
}

fn vision(name: &str, is: &dyn Fn(&str) -> bool) -> Vision {
    match name {
        _ if is("gpt-4o-mini") => Vision::Tiles { base: 2_833, tile: 5_667 },
        _ if is("gpt-4.1-mini") || is("gpt-5-mini") => Vision::Patches { percent: 162 },
        _ if is("gpt-4.1-nano") || is("gpt-5-nano") => Vision::Patches { percent: 246 },
        _ if is("o4-mini") => Vision::Patches { percent: 172 },
        _ if is("gpt-5") => Vision::Tiles { base: 70, tile: 140 },
        _ if is("o1") || is("o3") => Vision::Tiles { base: 75, tile: 150 },
        _ => Vision::Tiles { base: 85, tile: 170 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_model_is_that_model() {
        let encoding = |model: &str| Known::of(model).map(|known| known.encoding.as_str());
        for model in [
            "gpt-4o",
            "gpt-4o-mini-2024-07-18",
            "openai/gpt-4o",
            "openrouter/openai/gpt-4.1-mini",
            "ft:gpt-4o-mini-2024-07-18:acme::Ab1",
            "chatgpt-4o-latest",
            "gpt-4.5-preview",
            "o1",
            "o1-preview",
            "o3-mini",
            "o4-mini-2025-04-16",
            "gpt-5",
            "gpt-5.1",
            "GPT-5-nano",
            "openai/gpt-oss-120b",
            "gpt-4o:extended",
        ] {
            assert_eq!(encoding(model), Some("o200k_base"), "{model}");
        }
        for model in [
            "gpt-4",
            "gpt-4-0613",
            "gpt-4-turbo",
            "gpt-4-vision-preview",
            "gpt-3.5-turbo",
            "gpt-3.5-turbo-0125",
            "gpt-35-turbo",
            "ft:gpt-3.5-turbo:org::id",
            "text-embedding-3-small",
            "text-embedding-ada-002",
            "azure/gpt-4",
        ] {
            assert_eq!(encoding(model), Some("cl100k_base"), "{model}");
        }
        for model in [
            "",
            "auto",
            "claude-sonnet-4-5",
            "o11y",
            "gpt-4ox",
            "llama-3.1-8b-instruct",
            "gpt-2",
            "ollama/o1x",
        ] {
            assert_eq!(encoding(model), None, "{model}");
        }
    }
}
