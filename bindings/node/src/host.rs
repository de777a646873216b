use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use xynergy_bindings::current_call;
use xynergy_bindings::host::{Host, HostFailure, HostStream};

use crate::json::mark_great_integers;
use crate::mailbox::{Mailbox, Question, Reply};

/// An object of JavaScript's, by the number under which the JavaScript side keeps it.
#[derive(Debug)]
pub(crate) struct JsObject {
    number: u32,
    mailbox: Arc<Mailbox>,
}

impl JsObject {
    pub(crate) fn host(number: u32, mailbox: Arc<Mailbox>) -> Arc<dyn Host> {
        Arc::new(Self { number, mailbox })
    }

    /// `[3, question, object, method, arguments, whether they have marked integers, whether it is a stream, call]`
    fn ask(&self, method: &'static str, arguments: &str, stream: bool) -> Question {
        self.mailbox.ask(|question| {
            let marked = mark_great_integers(arguments);
            let great = u8::from(matches!(marked, std::borrow::Cow::Owned(_)));
            let (number, stream) = (self.number, u8::from(stream));
            let mut entry = String::with_capacity(marked.len() + 64);
            let call = current_call().unwrap_or(0);
            // Writing to a string cannot fail.
            let _ = write!(entry, r#"[3,{question},{number},"{method}",{marked},{great},{stream},{call}]"#);
            entry
        })
    }
}

impl Drop for JsObject {
    fn drop(&mut self) {
        self.mailbox.push(&format!("[7,{}]", self.number));
    }
}

#[async_trait]
impl Host for JsObject {
    async fn call(&self, method: &'static str, arguments: String) -> Result<String, HostFailure> {
        value(self.ask(method, &arguments, false).answer().await)
    }

    async fn stream(&self, method: &'static str, arguments: String) -> Result<HostStream, HostFailure> {
        let question = self.ask(method, &arguments, true);
        let open = Open { mailbox: self.mailbox.clone(), stream: question.id };
        value(question.answer().await)?;
        let pieces = futures_util::stream::unfold(Some(open), |open| async move {
            let open = open?;
            let question = open.mailbox.ask(|question| format!("[8,{question},{}]", open.stream));
            match question.answer().await {
                Reply::Value(piece) => Some((Ok(piece), Some(open))),
                Reply::Done => None,
                Reply::Failure(failure) => Some((Err(failure), None)),
            }
        });
        Ok(pieces.boxed())
    }
}

/// A stream of JavaScript's; one that is dropped is told to end.
struct Open {
    mailbox: Arc<Mailbox>,
    stream: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.mailbox.push(&format!("[9,{}]", self.stream));
    }
}

fn value(reply: Reply) -> Result<String, HostFailure> {
    match reply {
        Reply::Value(json) => Ok(json),
        Reply::Done => Ok("null".to_owned()),
        Reply::Failure(failure) => Err(failure),
    }
}
