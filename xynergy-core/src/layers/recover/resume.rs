use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::StreamExt;
use serde_json::Value;

use super::splice::Splice;
use super::{RecoverLayer, narrowed};
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::layers::fallback::moves_on;
use crate::provider::{
    Assembler, CallReport, ChatChunk, ChatRequest, ChatStream, Content, Message, Outcome, Provider, Role,
    Usage,
};
use crate::tokens;

/// The most of a partial answer that an error carries.
const MAX_PARTIAL: usize = 256 * 1024;
/// The longest text that is sent again to be continued.
const MAX_RESUMED: usize = 1024 * 1024;

/// A stream as the caller sees it, whoever answers.
pub(super) struct Reading {
    stream: ChatStream,
    /// What the caller was given.
    journal: Assembler,
    ready: VecDeque<ChatChunk>,
    seam: Option<Seam>,
    /// The last chunk of the call that just broke.
    broken: Option<ChatChunk>,
    /// The last chunks, added up, of the calls that were continued.
    spent: Option<ChatChunk>,
    failure: Option<Error>,
    ended: bool,
    inner: Arc<dyn Provider>,
    layer: RecoverLayer,
    ctx: Ctx,
    request: ChatRequest,
}

/// The beginning of a resumed answer, until it is known what of it only repeats.
struct Seam {
    splice: Splice,
    held: Vec<ChatChunk>,
}

impl Reading {
    pub(super) fn new(
        stream: ChatStream,
        inner: Arc<dyn Provider>,
        layer: RecoverLayer,
        ctx: &Ctx,
        request: &ChatRequest,
    ) -> Self {
        Self {
            stream,
            journal: Assembler::default(),
            ready: VecDeque::new(),
            seam: None,
            broken: None,
            spent: None,
            failure: None,
            ended: false,
            inner,
            layer,
            ctx: ctx.clone(),
            request: request.clone(),
        }
    }

    pub(super) async fn next(state: Option<Box<Self>>) -> Option<(Result<ChatChunk>, Option<Box<Self>>)> {
        let mut reading = state?;
        loop {
            if let Some(chunk) = reading.ready.pop_front() {
                return Some((Ok(chunk), Some(reading)));
            }
            if let Some(error) = reading.failure.take() {
                return Some((Err(error), None));
            }
            if reading.ended {
                return None;
            }
            match reading.stream.next().await {
                Some(Ok(chunk)) => reading.take(chunk),
                Some(Err(error)) => reading.recover(error).await,
                None => reading.ended = true,
            }
        }
    }

    fn take(&mut self, chunk: ChatChunk) {
        if chunk.report.is_none() {
            match &mut self.seam {
                None => self.give(chunk),
                Some(seam) => {
                    let decided = seam.splice.push(&chunk.added_text());
                    seam.held.push(chunk);
                    if let Some(repeated) = decided {
                        self.close_seam(repeated);
                    }
                }
            }
        } else if chunk.outcome == Some(Outcome::Errored) {
            self.broken = Some(chunk);
        } else {
            self.give_what_is_held();
            let last = self.summed(chunk);
            self.ready.push_back(last);
        }
    }

    fn give(&mut self, mut chunk: ChatChunk) {
        self.journal.push(&chunk);
        if self.spent.is_some() {
            // One stream has one id.
            self.journal.id().clone_into(&mut chunk.id);
        }
        self.ready.push_back(chunk);
    }

    fn give_what_is_held(&mut self) {
        if let Some(seam) = &self.seam {
            self.close_seam(seam.splice.finish());
        }
    }

    fn close_seam(&mut self, repeated: usize) {
        let mut left = repeated;
        for mut chunk in self.seam.take().map(|seam| seam.held).unwrap_or_default() {
            for choice in chunk.choices.iter_mut().filter(|choice| choice.index == 0) {
                if let Some(content) = &mut choice.delta.content {
                    left -= cut_front(content, left);
                }
            }
            self.give(chunk);
        }
    }

    async fn recover(&mut self, error: Error) {
        self.give_what_is_held();
        let broken = self.broken.take().unwrap_or_default();
        let report = broken.report.clone().unwrap_or_default();
        let answers = usize::try_from(self.request.n.unwrap_or(1)).unwrap_or(usize::MAX);
        if self.journal.are_finished(answers) {
            // The model said that it was done; what went wrong after that takes nothing from the answer.
            let last = ChatChunk { outcome: Some(self.journal.response().outcome), ..broken };
            let last = self.summed(last);
            self.ready.push_back(last);
            self.ended = true;
            return;
        }
        self.request.call.note_broken(&report.provider, &report.model, error.kind());
        let last = self.summed(broken);
        if let Some(resumed) = self.resumption(&report, &error)
            && let Ok(stream) = self.inner.stream(&self.ctx, &resumed).await
        {
            let before = self.journal.only_text().unwrap_or_default();
            self.seam = Some(Seam { splice: Splice::new(before), held: Vec::new() });
            self.stream = stream;
            self.spent = Some(last);
            return;
        }
        self.fail(last, error);
    }

    /// The request that lets another model go on where the answer broke off; `None` where that is not safe.
    fn resumption(&self, report: &CallReport, error: &Error) -> Option<ChatRequest> {
        let request = &self.request;
        let late = request.call.deadline.is_some_and(|deadline| deadline <= tokio::time::Instant::now());
        let free = request.response_format.as_ref().is_none_or(|format| format["type"] == "text");
        if !moves_on(error.kind()) || late || !free || request.n.is_some_and(|n| n > 1) {
            return None;
        }
        let said = self.journal.only_text().filter(|text| text.len() <= MAX_RESUMED)?;
        // Some refuse a message that ends in white space.
        let said = Some(said.trim_end()).filter(|text| !text.is_empty())?;

        let models = &request.call.decision()?.models;
        let at = models.iter().position(|m| m.provider == report.provider && m.model == report.model)?;
        let left = models.iter().skip(at + 1);
        let left = left.filter(|model| self.layer.prefills(model) && self.layer.can(model, request, true));
        let left = left.cloned().collect();

        let mut resumed = narrowed(request, left, "to continue what broke off")?;
        if let Some(limit) = request.token_limit() {
            let used = u32::try_from(tokens::count_text(said)).unwrap_or(u32::MAX);
            let rest = limit.checked_sub(used).filter(|rest| *rest > 0)?;
            resumed = resumed.with_token_limit(Some(rest));
        }
        match resumed.messages.last_mut() {
            Some(Message { role: Role::Assistant, content: Some(Content::Text(text)), .. }) => {
                text.push_str(said);
            }
            Some(Message { role: Role::Assistant, .. }) => return None,
            _ => resumed.messages.push(Message::text(Role::Assistant, said)),
        }
        Some(resumed)
    }

    fn fail(&mut self, mut last: ChatChunk, error: Error) {
        let mut text = self.journal.response().first_text();
        text.truncate(text.floor_char_boundary(MAX_PARTIAL));
        last.outcome = Some(Outcome::Errored);
        if let Some(report) = &mut last.report {
            report.partial_text = Some(text.clone());
            self.ready.push_back(last);
        }
        self.failure = Some(error.with_partial_text(text));
    }

    /// The last chunk, with what the calls before it used.
    fn summed(&mut self, mut last: ChatChunk) -> ChatChunk {
        let Some(before) = self.spent.take() else { return last };
        last.id = before.id;
        if last.outcome == Some(Outcome::Complete) {
            last.outcome = Some(Outcome::Spliced);
        }
        last.usage = match (before.usage, last.usage) {
            (Some(one), Some(two)) => Some(both(&one, two)),
            (one, two) => one.or(two),
        };
        if let (Some(one), Some(two)) = (before.report, &mut last.report) {
            let costs = one.cost_nano_usd.zip(two.cost_nano_usd);
            two.set_cost(costs.map(|(a, b)| a.saturating_add(b)));
            two.usage_estimated |= one.usage_estimated;
        }
        last
    }
}

fn both(one: &Usage, two: Usage) -> Usage {
    let total_tokens = one.total().saturating_add(two.total());
    let mut extra = one.extra.clone();
    for (key, value) in two.extra {
        add(extra.entry(key).or_insert(Value::Null), value);
    }
    Usage {
        prompt_tokens: one.prompt_tokens.saturating_add(two.prompt_tokens),
        completion_tokens: one.completion_tokens.saturating_add(two.completion_tokens),
        total_tokens,
        extra,
    }
}

/// Details of usage: counts add up, whatever group they are in; the later of anything else stays.
fn add(sum: &mut Value, more: Value) {
    match (sum, more) {
        (Value::Object(sum), Value::Object(more)) => {
            for (key, value) in more {
                add(sum.entry(key).or_insert(Value::Null), value);
            }
        }
        (sum, more) => {
            *sum = match (sum.as_u64(), more.as_u64()) {
                (Some(one), Some(two)) => Value::from(one.saturating_add(two)),
                _ => more,
            }
        }
    }
}

/// Takes up to `count` bytes from the front of the text; returns how many it took.
fn cut_front(content: &mut Content, count: usize) -> usize {
    let mut taken = 0;
    let mut cut = |text: &mut String| {
        let part = text.floor_char_boundary((count - taken).min(text.len()));
        text.drain(..part);
        taken += part;
    };
    match content {
        Content::Text(text) => cut(text),
        Content::Parts(parts) => parts.iter_mut().filter_map(|part| part.text.as_mut()).for_each(cut),
    }
    taken
}
