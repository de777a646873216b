use crate::config::{ConditionConfig, Need};
use crate::ctx::TenantId;
use crate::provider::ChatRequest;
use crate::tokens;

use super::{Complexity, Features};

/// What conditions are held against.
pub(super) struct Facts<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) request: &'a ChatRequest,
    pub(super) features: &'a Features,
    pub(super) complexity: Complexity,
}

impl Facts<'_> {
    /// Whether every condition that is given holds.
    pub(super) fn meet(&self, when: &ConditionConfig) -> bool {
        let needs = |need: &Need| match need {
            Need::Images => self.features.images,
            Need::Tools => self.features.tools,
            Need::ResponseFormat => self.features.format,
        };
        let tags = &self.request.options.tags;
        (when.tags.is_empty() || when.tags.iter().any(|tag| tags.contains(tag)))
            && (when.tenants.is_empty() || when.tenants.contains(self.tenant.as_str()))
            && when.needs.iter().all(needs)
            && when.complexity.is_none_or(|complexity| complexity == self.complexity)
            // Counting is the only one that takes time.
            && when.longer_than_tokens.is_none_or(|most| tokens::count_request(self.request) > most)
    }
}

/// A policy's conditions for a person.
pub(super) fn explain(when: &ConditionConfig) -> String {
    let list =
        |name: &str, items: Vec<&str>| (!items.is_empty()).then(|| format!("{name} {}", items.join(" or ")));
    let needs = |need: &Need| match need {
        Need::Images => "images",
        Need::Tools => "tools",
        Need::ResponseFormat => "response_format",
    };
    let told = [
        list("tags", when.tags.iter().map(String::as_str).collect()),
        list("tenants", when.tenants.iter().map(String::as_str).collect()),
        (!when.needs.is_empty())
            .then(|| format!("needs {}", when.needs.iter().map(needs).collect::<Vec<_>>().join(" and "))),
        when.complexity.map(|complexity| complexity.as_str().to_owned()),
        when.longer_than_tokens.map(|most| format!("longer than {most} tokens")),
    ];
    let told: Vec<String> = told.into_iter().flatten().collect();
    if told.is_empty() { "every request".to_owned() } else { told.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::CallOptions;

    fn when(text: &str) -> ConditionConfig {
        toml::from_str(text).unwrap()
    }

    fn meets(request: &ChatRequest, text: &str) -> bool {
        let tenant = TenantId::new("acme").unwrap();
        let features = Features::of(request);
        let complexity = Complexity::Simple;
        Facts { tenant: &tenant, request, features: &features, complexity }.meet(&when(text))
    }

    #[test]
    fn every_given_condition_must_hold() {
        let options = CallOptions { tags: ["a".to_owned()].into(), ..CallOptions::default() };
        let tools = vec![serde_json::json!({})];
        let request = ChatRequest { options, tools, ..ChatRequest::prompt("one two three") };
        for (text, expected) in [
            ("", true),
            ("tags = ['a', 'b']", true),
            ("tags = ['b']", false),
            ("tenants = ['acme']", true),
            ("tenants = ['other']", false),
            ("needs = ['tools']", true),
            ("needs = ['tools', 'images']", false),
            ("needs = ['response_format']", false),
            ("complexity = 'simple'", true),
            ("complexity = 'complex'", false),
            ("longer_than_tokens = 3", true),
            ("longer_than_tokens = 1000", false),
            ("tags = ['a']\ntenants = ['other']", false),
        ] {
            assert_eq!(meets(&request, text), expected, "{text}");
        }
    }

    #[test]
    fn conditions_are_told() {
        let when = when("tags = ['a', 'b']\nneeds = ['images', 'tools']\nlonger_than_tokens = 9");
        assert_eq!(explain(&when), "tags a or b, needs images and tools, longer than 9 tokens");
        assert_eq!(explain(&ConditionConfig::default()), "every request");
    }
}
