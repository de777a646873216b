use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_util::{Stream, StreamExt};

use crate::ctx::Ctx;
use crate::error::Result;
use crate::layer::Layer;
use crate::provider::{
    Attempt, AttemptStatus, Call, Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream, Provider,
};
use crate::route::{Decided, Memo, Router};

/// Decides which models are asked, leaves the decision for the layers within, and tells the router what became of it.
#[derive(Clone, Debug)]
pub struct RouteLayer {
    router: Arc<Router>,
}

impl RouteLayer {
    /// A layer that decides by `router`.
    pub fn new(router: Arc<Router>) -> Self {
        Self { router }
    }
}

impl Layer for RouteLayer {
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Routed { inner, router: Arc::clone(&self.router) })
    }
}

#[derive(Debug)]
struct Routed {
    inner: Arc<dyn Provider>,
    router: Arc<Router>,
}

impl Routed {
    /// Decides, and gives what is to be told when the call ends; `None` where the router learns nothing from it.
    fn decide(&self, ctx: &Ctx, request: &ChatRequest, stream: bool) -> Result<Option<Lesson>> {
        let Decided { decision, memo } = self.router.decide(ctx, request, stream)?;
        request.call.decide(Arc::new(decision));
        Ok((memo.is_some() || self.router.measures()).then(|| Lesson {
            router: Arc::clone(&self.router),
            ctx: ctx.clone(),
            call: request.call.clone(),
            memo,
            told: 0,
            opened: None,
        }))
    }
}

#[async_trait]
impl Provider for Routed {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn chat(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let _lesson = self.decide(ctx, request, false)?;
        self.inner.chat(ctx, request).await
    }

    async fn stream(&self, ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let lesson = self.decide(ctx, request, true)?;
        let stream = self.inner.stream(ctx, request).await?;
        let Some(mut lesson) = lesson else { return Ok(stream) };
        // How long it took until here need not wait until the end of the stream.
        lesson.tell();
        Ok(Watched { stream, _lesson: lesson }.boxed())
    }
}

/// What a call teaches. It is told when it is dropped, so also when the call fails or is dropped.
struct Lesson {
    router: Arc<Router>,
    ctx: Ctx,
    call: Call,
    memo: Option<Memo>,
    /// Attempts that were told before.
    told: usize,
    /// The one of them that a stream came from, which may still break off.
    opened: Option<usize>,
}

impl Lesson {
    fn tell(&mut self) {
        let attempts = self.call.attempts();
        self.router.learn(&self.ctx, attempts.iter().skip(self.told));
        self.told = attempts.len();
        self.opened = attempts.iter().rposition(|attempt| attempt.status == AttemptStatus::Answered);
    }
}

impl Drop for Lesson {
    fn drop(&mut self) {
        if let Some(opened) = self.opened {
            let attempts = self.call.attempts();
            let broken = |attempt: &&Attempt| attempt.status == AttemptStatus::Failed;
            self.router.learn(&self.ctx, attempts.get(opened).filter(broken));
        }
        self.tell();
        if let Some(memo) = &self.memo {
            self.router.conclude(&self.ctx, memo, &self.call.attempts());
        }
    }
}

/// A stream whose end is told.
struct Watched {
    // Dropped first: what it notes at its end is part of the lesson.
    stream: ChatStream,
    _lesson: Lesson,
}

impl Stream for Watched {
    type Item = Result<ChatChunk>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.as_mut().poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}
