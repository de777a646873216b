use std::sync::Arc;

use futures_util::StreamExt;

use crate::provider::{ChatChunk, ChatResponse, ChatStream, ChunkChoice, Delta};

/// A kept answer as it is served: it cost nothing, and nobody was asked.
pub(super) fn served(kept: &ChatResponse) -> ChatResponse {
    let mut response = kept.clone();
    response.report.cache_hit = true;
    response.report.set_cost(Some(0));
    response.report.attempts.clear();
    response
}

/// A kept answer as a stream: each choice in one piece, then the last chunk.
pub(super) fn replayed(kept: &Arc<ChatResponse>) -> ChatStream {
    let response = served(kept);
    let choices = response.choices.iter().map(|choice| ChunkChoice {
        index: choice.index,
        delta: Delta {
            role: Some(choice.message.role.clone()),
            content: choice.message.content.clone(),
            refusal: choice.message.refusal.clone(),
            tool_calls: choice.message.tool_calls.clone(),
            extra: choice.message.extra.clone(),
        },
        finish_reason: choice.finish_reason.clone(),
        extra: choice.extra.clone(),
    });
    let piece = |choices: Vec<ChunkChoice>| ChatChunk {
        id: response.id.clone(),
        model: response.model.clone(),
        choices,
        ..ChatChunk::default()
    };
    let mut chunks: Vec<ChatChunk> = choices.map(|choice| piece(vec![choice])).collect();
    chunks.push(ChatChunk {
        usage: response.usage.clone(),
        outcome: Some(response.outcome),
        report: Some(Box::new(response.report.clone())),
        ..piece(Vec::new())
    });
    futures_util::stream::iter(chunks.into_iter().map(Ok)).boxed()
}
