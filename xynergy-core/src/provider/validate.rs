use super::ChatRequest;
use crate::error::{Error, Result};

impl ChatRequest {
    /// Refuses what no provider could answer, before anything is reserved or sent.
    ///
    /// `max_prompt_bytes` bounds the text of all messages together.
    pub fn validate(&self, operation: &'static str, max_prompt_bytes: usize) -> Result<()> {
        let wrong = |message: String| Err(Error::invalid(operation, message));
        if self.messages.is_empty() {
            return wrong("messages: empty; give at least one message".to_owned());
        }
        for (number, message) in self.messages.iter().enumerate() {
            if message.content.is_none() && message.tool_calls.is_empty() && message.refusal.is_none() {
                return wrong(format!("messages[{number}]: has no content; give a text or parts"));
            }
        }
        if self.messages.iter().all(|message| {
            message.texts().all(|text| text.trim().is_empty())
                && !message.has_image()
                && message.tool_calls.is_empty()
                && !matches!(&message.content, Some(super::Content::Parts(parts)) if parts.iter().any(|p| p.text.is_none()))
        }) {
            return wrong("messages: nothing but white space; give a prompt".to_owned());
        }
        let bytes: usize = self.messages.iter().flat_map(super::Message::texts).map(str::len).sum();
        if bytes > max_prompt_bytes {
            return wrong(format!(
                "messages: {bytes} bytes of text are more than max_prompt_bytes = {max_prompt_bytes}; shorten them or raise it"
            ));
        }
        if let Some(temperature) = self.temperature
            && !(0.0..=2.0).contains(&temperature)
        {
            return wrong(format!("temperature: {temperature} is not between 0 and 2"));
        }
        if self.max_tokens == Some(0) || self.max_completion_tokens == Some(0) {
            return wrong("max_tokens: 0 allows no answer; give at least 1 or leave it away".to_owned());
        }
        if self.n == Some(0) {
            return wrong("n: 0 asks for no answer; give at least 1 or leave it away".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Message, Role};

    #[test]
    fn each_refusal_names_its_field() {
        let valid = ChatRequest::prompt("hi");
        assert!(valid.validate("ai.chat", 10).is_ok());
        let cases = [
            (ChatRequest { messages: vec![], ..valid.clone() }, "messages: empty"),
            (
                ChatRequest {
                    messages: vec![Message { content: None, ..Message::text(Role::User, "") }],
                    ..valid.clone()
                },
                "messages[0]",
            ),
            (ChatRequest::prompt(" \n"), "white space"),
            (ChatRequest::prompt("12345678901"), "max_prompt_bytes = 10"),
            (ChatRequest { temperature: Some(f64::NAN), ..valid.clone() }, "temperature: NaN"),
            (ChatRequest { temperature: Some(2.1), ..valid.clone() }, "temperature: 2.1"),
            (ChatRequest { max_tokens: Some(0), ..valid.clone() }, "max_tokens: 0"),
            (ChatRequest { n: Some(0), ..valid }, "n: 0"),
        ];
        for (request, part) in cases {
            let error = request.validate("ai.chat", 10).unwrap_err();
            assert!(error.message().contains(part), "{error}");
        }
    }
}
