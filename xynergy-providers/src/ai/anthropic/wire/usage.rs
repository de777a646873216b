use serde_json::{Map, Value, json};
use xynergy_core::provider::Usage;

/// Anthropic's usage as OpenAI counts. Its `input_tokens` leave out what was read from the cache and written to it; the
/// prompt's tokens include both. What has no place in OpenAI's shape stays under its own name.
pub(super) fn usage(told: &Map<String, Value>) -> Option<Usage> {
    let count = |name: &str| told.get(name).and_then(Value::as_u64);
    let (input, output) = (count("input_tokens"), count("output_tokens"));
    let read = count("cache_read_input_tokens").unwrap_or(0);
    let written = count("cache_creation_input_tokens").unwrap_or(0);
    let prompt = input.unwrap_or(0).saturating_add(read).saturating_add(written);
    let mut usage = Usage::new(prompt, output.unwrap_or(0));
    usage.extra = told
        .iter()
        .filter(|(name, value)| {
            !value.is_null() && !matches!(name.as_str(), "input_tokens" | "output_tokens")
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    usage.extra.insert(
        "prompt_tokens_details".to_owned(),
        json!({"cached_tokens": read, "cache_write_tokens": written}),
    );
    if let Some(thinking) =
        told.get("output_tokens_details").and_then(|details| details.get("thinking_tokens"))
    {
        usage.extra.insert("completion_tokens_details".to_owned(), json!({"reasoning_tokens": thinking}));
    }
    (input.is_some() || output.is_some()).then_some(usage).filter(Usage::is_known)
}

/// A later report takes the place of an earlier one, figure by figure: they are totals, and what is left away stands.
pub(super) fn assign(told: &mut Map<String, Value>, later: &Value) {
    for (name, value) in later.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        told.insert(name.clone(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &Value) -> Usage {
        usage(value.as_object().unwrap()).unwrap()
    }

    #[test]
    fn the_cache_is_part_of_the_prompt() {
        let told = json!({
            "input_tokens": 3, "cache_creation_input_tokens": 500, "cache_read_input_tokens": 1217, "output_tokens": 90,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 400},
            "output_tokens_details": {"thinking_tokens": 40}, "service_tier": "standard", "server_tool_use": null
        });
        let usage = read(&told);
        assert_eq!((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (1_720, 90, 1_810));
        assert_eq!((usage.cached_tokens(), usage.reasoning_tokens()), (1_217, 40));
        assert_eq!(usage.extra["prompt_tokens_details"]["cache_write_tokens"], 500);
        assert_eq!(usage.extra["cache_creation"], told["cache_creation"]);
        assert_eq!(usage.extra["service_tier"], "standard");
        assert!(!usage.extra.contains_key("server_tool_use") && !usage.extra.contains_key("input_tokens"));
    }

    #[test]
    fn nothing_told_is_no_usage() {
        assert!(usage(&Map::new()).is_none());
        assert!(usage(json!({"input_tokens": null, "output_tokens": null}).as_object().unwrap()).is_none());
        assert_eq!(
            read(&json!({"input_tokens": u64::MAX, "cache_read_input_tokens": 9})).prompt_tokens,
            u64::MAX
        );
    }

    proptest! {
        #[test]
        fn the_last_report_counts_however_often_it_comes(reports in proptest::collection::vec((0_u64..1_000, 1_u64..1_000), 1..9)) {
            let mut told = Map::new();
            assign(&mut told, &json!({"input_tokens": 7, "cache_read_input_tokens": 5, "output_tokens": 1}));
            for (read, output) in &reports {
                assign(&mut told, &json!({"cache_read_input_tokens": read, "output_tokens": output, "input_tokens": null}));
            }
            let (read, output) = reports[reports.len() - 1];
            let usage = usage(&told).unwrap();
            prop_assert_eq!((usage.prompt_tokens, usage.cached_tokens(), usage.completion_tokens), (7 + read, read, output));
        }
    }
}
