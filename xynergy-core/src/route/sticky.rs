//! Keeping a conversation at the model that has its prompt cached, unless another one is worth the price of switching.

use std::time::Duration;

use moka::sync::Cache;

use super::ModelChoice;
use crate::env::Timestamp;

/// How many conversations are kept; the least used go first.
const CONVERSATIONS: u64 = 65_536;
/// A conversation is forgotten after so many lifetimes of a provider's cache.
const KEPT: u32 = 12;
/// Half as many turns more are expected as there were, and never more than half of this.
const MOST_TURNS: u32 = 12;
/// Shorter prompts are cached by hardly any provider.
pub(super) const LEAST_CACHED: u64 = 1_024;

/// Where the conversations of this process are.
#[derive(Debug)]
pub(super) struct Affinities(Cache<u128, Conversation>);

impl Default for Affinities {
    fn default() -> Self {
        Self(Cache::new(CONVERSATIONS))
    }
}

/// What is known of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conversation {
    /// The model that answered last.
    pub(super) model: ModelChoice,
    /// How often it was answered.
    pub(super) turns: u32,
    /// The tokens that its answers were expected to have, together.
    pub(super) answers: u64,
    /// The tokens of its latest prompt.
    pub(super) prompt: u64,
    cached: Vec<Cached>,
    at: Timestamp,
}

/// A prompt that a model has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cached {
    model: ModelChoice,
    tokens: u64,
    at: Timestamp,
}

/// A turn that was answered.
#[derive(Clone, Debug)]
pub(super) struct Turn<'a> {
    pub(super) model: &'a ModelChoice,
    pub(super) prompt: u64,
    pub(super) answer: u64,
    pub(super) now: Timestamp,
    /// How long a provider keeps a prompt cached.
    pub(super) lifetime: Duration,
}

impl Affinities {
    /// The conversation, where it is known and not too old.
    pub(super) fn get(&self, key: u128, now: Timestamp, lifetime: Duration) -> Option<Conversation> {
        self.0.get(&key).filter(|known| now.since(known.at) <= lifetime.saturating_mul(KEPT))
    }

    /// Takes note of a turn. Of two turns at once one may be lost: the next one tells again.
    pub(super) fn put(&self, key: u128, turn: &Turn<'_>) {
        let before = self.get(key, turn.now, turn.lifetime);
        self.0.insert(key, Conversation::after(before, turn));
    }
}

impl Conversation {
    fn after(before: Option<Self>, turn: &Turn<'_>) -> Self {
        let (turns, answers, mut cached) =
            before.map(|known| (known.turns, known.answers, known.cached)).unwrap_or_default();
        cached.retain(|known| known.model != *turn.model && turn.now.since(known.at) <= turn.lifetime);
        if turn.prompt >= LEAST_CACHED {
            cached.push(Cached { model: turn.model.clone(), tokens: turn.prompt, at: turn.now });
        }
        Self {
            model: turn.model.clone(),
            turns: turns.saturating_add(1),
            answers: answers.saturating_add(turn.answer),
            prompt: turn.prompt,
            cached,
            at: turn.now,
        }
    }

    /// The tokens of its prompt that a model is taken to have cached.
    pub(super) fn cached(&self, model: &ModelChoice, now: Timestamp, lifetime: Duration) -> u64 {
        let known = self.cached.iter().find(|known| known.model == *model && now.since(known.at) <= lifetime);
        known.map_or(0, |known| known.tokens)
    }

    /// The tokens that would be cached wherever it had been.
    pub(super) fn prefix(&self) -> u64 {
        if self.prompt >= LEAST_CACHED { self.prompt } else { 0 }
    }
}

/// What a model is expected to cost, in billionths of a dollar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quote {
    /// This turn, by what is cached there now.
    pub(super) now: u64,
    /// This turn, if the conversation had been there all the time.
    pub(super) warm: u64,
    /// A turn like those so far, if the conversation is there.
    pub(super) later: u64,
}

/// Where the conversation goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The place of the model.
    pub(super) place: usize,
    /// What it was weighed against: staying against the best other model, or leaving against staying. `None` where there was
    /// nothing to weigh.
    pub(super) against: Option<Weighed>,
}

/// The figures of a switch, in billionths of a dollar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weighed {
    /// The model that the switch goes to.
    pub(super) to: usize,
    /// What it costs: the prefix that is paid for once more, because the other model has not cached it.
    pub(super) price: i128,
    /// What it saves, over this turn and those that are expected.
    pub(super) saving: i128,
}

/// Stays at the model `held`, unless a switch to another is expected to save more than it costs. Half as many turns more are expected
/// as there were, 6 at most. A conversation that is nowhere yet begins where its first turn costs the least.
pub(super) fn choose(quotes: &[Option<Quote>], held: Option<usize>, turns: u32) -> Verdict {
    let nothing = |place| Verdict { place, against: None };
    let Some(here) = held else {
        let cheapest =
            (0..quotes.len()).min_by_key(|place| quotes[*place].map_or(u64::MAX, |quote| quote.now));
        return nothing(cheapest.unwrap_or(0));
    };
    // What is not known cannot be weighed.
    let Some(Some(stay)) = quotes.get(here) else { return nothing(here) };
    let switch = |(to, quote): (usize, &Option<Quote>)| {
        let quote = quote.as_ref().filter(|_| to != here)?;
        let price = lost(quote) - lost(stay);
        let later = i128::from(stay.later) - i128::from(quote.later);
        let expected = i128::from(turns.min(MOST_TURNS));
        let saving = i128::from(stay.warm) - i128::from(quote.warm) + later * expected / 2;
        Some(Weighed { to, price, saving })
    };
    let best = quotes.iter().enumerate().filter_map(switch).max_by_key(|switch| switch.saving - switch.price);
    match best {
        Some(switch) if switch.saving > switch.price => Verdict { place: switch.to, against: best },
        _ => Verdict { place: here, against: best },
    }
}

/// What this turn costs more because the prefix is not cached.
fn lost(quote: &Quote) -> i128 {
    i128::from(quote.now) - i128::from(quote.warm)
}

#[cfg(test)]
mod tests;
