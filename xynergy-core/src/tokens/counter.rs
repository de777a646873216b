use std::fmt::Debug;
use std::sync::Arc;

use moka::sync::Cache;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Encoding;
use super::calibrate::Calibration;
use super::frame::{Rules, Tally};
use super::model::{Frame, Known, Vision, base_name};
use super::remember::Remembered;
use crate::ctx::TenantId;
use crate::provider::{ChatRequest, ChatResponse, Usage};

/// A number of tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenCount {
    /// How many.
    pub tokens: u64,
    /// Whether the provider counts the same. False for models whose encoding is not public, and for tools, formats, unknown
    /// images and other things whose price is not published.
    pub exact: bool,
    /// How the texts were counted: `cl100k_base`, `o200k_base`, or the name of a tokenizer that the host gave. None for an
    /// estimate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// By how much, in percent, it may be off; 0 when exact. Most counts are within it.
    pub error_percent: u32,
}

/// Counts the tokens of a model that the library has no encoding for. A host gives one for the models whose names begin with a
/// prefix: see [`TokenCounter::with_tokenizer`].
pub trait Tokenizer: Debug + Send + Sync + 'static {
    /// Its name, as results say it.
    fn name(&self) -> &str;

    /// How many tokens a text has.
    fn count(&self, text: &str) -> u64;

    /// What frames the messages of a chat. `None` where that is not known: requests are then counted with the frame of OpenAI's
    /// models and not said to be exact.
    fn frame(&self) -> Option<Frame> {
        None
    }
}

/// What is to be counted.
#[derive(Clone, Copy, Debug)]
pub enum Countable<'a> {
    /// A text, as it is.
    Text(&'a str),
    /// A request's prompt: its messages with what frames them, tools, images and format.
    Request(&'a ChatRequest),
}

impl<'a> From<&'a str> for Countable<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a ChatRequest> for Countable<'a> {
    fn from(request: &'a ChatRequest) -> Self {
        Self::Request(request)
    }
}

/// The models whose calibration is kept; the least used go first.
const MODELS: u64 = 256;
/// The error that is stated where a host's tokenizer does not say what frames the messages.
const UNFRAMED_PERCENT: u64 = 10;
/// After so many reports of a model only each eighth is learnt from.
const EAGER: u32 = 64;

/// Counts tokens: exactly for OpenAI's models and for those that the host has a tokenizer for, by an estimate with a stated error
/// for the others, which learns from the usage that their providers report.
///
/// It remembers what messages cost, so that one more turn of a conversation takes the time of that turn. Its memory is bounded.
#[derive(Debug)]
pub struct TokenCounter {
    remembered: Remembered,
    tokenizers: Vec<(String, Arc<dyn Tokenizer>)>,
    learnt: Cache<String, Learnt>,
}

impl Default for TokenCounter {
    fn default() -> Self {
        Self { remembered: Remembered::default(), tokenizers: Vec::new(), learnt: Cache::new(MODELS) }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Learnt {
    calibration: Calibration,
    reports: u32,
}

/// How a model is counted.
enum Way<'a> {
    Known(Known),
    Given(&'a dyn Tokenizer, u64),
    Estimated,
}

impl TokenCounter {
    /// A counter that knows OpenAI's encodings.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a tokenizer for the models whose names begin with `prefix`, in small letters and without who serves them. The
    /// longest prefix wins, and a host's tokenizer wins over an encoding of the library.
    #[must_use]
    pub fn with_tokenizer(mut self, prefix: &str, tokenizer: Arc<dyn Tokenizer>) -> Self {
        self.tokenizers.push((prefix.trim().to_ascii_lowercase(), tokenizer));
        self.tokenizers.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        self
    }

    /// How many tokens `what` has for a model.
    pub fn count<'a>(&self, tenant: &TenantId, what: impl Into<Countable<'a>>, model: &str) -> TokenCount {
        let what = what.into();
        let way = self.way(model);
        let (rules, encoding) = match &way {
            Way::Known(known) => (*known, Some(known.encoding.as_str())),
            Way::Given(tokenizer, _) => (ASSUMED, Some(tokenizer.name())),
            Way::Estimated => (ASSUMED, None),
        };
        let count = |text: &str| match &way {
            Way::Given(tokenizer, _) => tokenizer.count(text),
            _ => rules.encoding.count(text),
        };
        let frame = match &way {
            Way::Given(tokenizer, _) => tokenizer.frame().unwrap_or(Frame::CHAT),
            _ => rules.frame,
        };
        let tally = match what {
            Countable::Text(text) => Tally { tokens: count(text), off: 0 },
            Countable::Request(request) => {
                let mut tally =
                    self.tally(tenant, request, &way, Rules { count: &count, frame, vision: rules.vision });
                if matches!(&way, Way::Given(tokenizer, _) if tokenizer.frame().is_none()) {
                    tally.off += (tally.tokens * UNFRAMED_PERCENT).div_ceil(100);
                }
                tally
            }
        };
        let Way::Estimated = way else {
            let encoding = encoding.map(str::to_owned);
            return TokenCount {
                tokens: tally.tokens,
                exact: tally.off == 0,
                encoding,
                error_percent: percent(tally),
            };
        };
        let calibration = self.calibration(model);
        TokenCount {
            tokens: calibration.calibrated(tally.tokens),
            exact: false,
            encoding: None,
            error_percent: calibration.error_percent().saturating_add(percent(tally)).min(100),
        }
    }

    /// What is known of the estimates for a model.
    pub fn calibration(&self, model: &str) -> Calibration {
        self.learnt.get(&base_name(model)).unwrap_or_default().calibration
    }

    /// Learns from the prompt tokens that a provider reports for a request, where this model's are estimated.
    pub fn learn(&self, tenant: &TenantId, request: &ChatRequest, model: &str, reported: u64) {
        let Way::Estimated = self.way(model) else { return };
        let name = base_name(model);
        let before = self.learnt.get(&name).unwrap_or_default();
        let reports = before.reports.wrapping_add(1);
        let calibration = if before.reports < EAGER || reports.is_multiple_of(8) {
            let count = |text: &str| ASSUMED.encoding.count(text);
            let rules = Rules { count: &count, frame: ASSUMED.frame, vision: ASSUMED.vision };
            let estimated = self.tally(tenant, request, &Way::Estimated, rules).tokens;
            before.calibration.observe(estimated, reported)
        } else {
            before.calibration
        };
        // Of two reports at once one may be lost: it is an average.
        self.learnt.insert(name, Learnt { calibration, reports: reports.max(before.reports) });
    }

    fn way(&self, model: &str) -> Way<'_> {
        let name = base_name(model);
        let given =
            self.tokenizers.iter().zip(0..).find(|((prefix, _), _)| name.starts_with(prefix.as_str()));
        match (given, Known::of_base(&name)) {
            (Some(((_, tokenizer), index)), _) => Way::Given(tokenizer.as_ref(), index),
            (None, Some(known)) => Way::Known(known),
            (None, None) => Way::Estimated,
        }
    }

    fn tally(&self, tenant: &TenantId, request: &ChatRequest, way: &Way<'_>, rules: Rules<'_>) -> Tally {
        let kind = match way {
            Way::Known(known) => known.kind(),
            Way::Given(_, index) => 1 << 32 | index,
            Way::Estimated => ASSUMED.kind(),
        };
        let mut whole = rules.around(request);
        for message in &request.messages {
            let tally = self.remembered.get(tenant, kind, message, || rules.message(message));
            whole.tokens += tally.tokens;
            whole.off += tally.off;
        }
        whole
    }
}

/// The usage of a call whose provider reports none: exactly for texts of a known model, else by the estimate.
pub(crate) fn usage(request: &ChatRequest, response: &ChatResponse, model: &str) -> Usage {
    let known = Known::of(if model.is_empty() { &request.model } else { model }).unwrap_or(ASSUMED);
    let count = |text: &str| known.encoding.count(text);
    let rules = Rules { count: &count, frame: known.frame, vision: known.vision };
    let prompt: u64 = request.messages.iter().map(|message| rules.message(message).tokens).sum();
    let answers = response.choices.iter().map(|choice| rules.answer(&choice.message));
    Usage::new(prompt + rules.around(request).tokens, answers.sum())
}

fn percent(tally: Tally) -> u32 {
    let percent = tally.off.saturating_mul(100).div_ceil(tally.tokens.max(1));
    u32::try_from(percent).unwrap_or(u32::MAX).min(100)
}

/// What is taken for a model that nothing is known of, before it is calibrated.
const ASSUMED: Known =
    Known { encoding: Encoding::O200k, frame: Frame::CHAT, vision: Vision::Tiles { base: 85, tile: 170 } };
