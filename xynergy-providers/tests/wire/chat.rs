use serde_json::{Value, json};

use crate::replay::{Case, data, judge_answers, judge_damage, judge_streams};

/// A stream of one dialect and what it says.
fn stream(name: &'static str, dialect: &'static str, body: impl Into<String>, said: Value) -> Case {
    Case { name, dialect, body: body.into(), said }
}

fn tools() -> Vec<Case> {
    let done = json!("tool_calls");
    vec![
        stream(
            "OpenAI: two calls at once, interleaved, with obfuscation",
            "openai",
            data(&[
                r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-5","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":null,"refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"aB3"}"#,
                r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"weather","arguments":""}}]},"finish_reason":null}],"usage":null,"obfuscation":"x"}"#,
                r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"ci"}}]},"finish_reason":null}],"usage":null,"obfuscation":""}"#,
                r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"weather","arguments":""}}]},"finish_reason":null}],"usage":null,"obfuscation":"zzzz"}"#,
                r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{\"city\":\"Zürich\"}"}}]},"finish_reason":null}],"usage":null}"#,
                r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"ty\":\"東京\"}"}}]},"finish_reason":null}],"usage":null}"#,
                r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}],"usage":null}"#,
                r#"{"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":80,"completion_tokens":44,"total_tokens":124,"prompt_tokens_details":{"cached_tokens":64,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":12,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}"#,
                "[DONE]",
            ]),
            json!({"outcome": "complete", "finish": done, "usage": [80, 44, 64, 12],
                "tools": [["call_a", "weather", "{\"city\":\"東京\"}"], ["call_b", "weather", "{\"city\":\"Zürich\"}"]]}),
        ),
        stream(
            "vLLM: an id of its own in every piece of a call, the name in the first",
            "vllm",
            data(&[
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"chatcmpl-tool-1","type":"function","function":{"name":"f","arguments":""}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"chatcmpl-tool-2","type":"function","function":{"arguments":"{\"a\": "}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"chatcmpl-tool-3","type":"function","function":{"arguments":"1}"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"tool_calls","stop_reason":null}]}"#,
                "[DONE]",
            ]),
            json!({"outcome": "complete", "finish": done, "tools": [["chatcmpl-tool-1", "f", "{\"a\": 1}"]]}),
        ),
        stream(
            "vLLM, a named tool: id and name anew in every piece",
            "vllm",
            data(&[
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"chatcmpl-tool-1","type":"function","function":{"name":"f","arguments":"{\""}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"chatcmpl-tool-2","type":"function","function":{"name":"f","arguments":"a\": {"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"chatcmpl-tool-3","type":"function","function":{"name":"f","arguments":"}}"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
                "[DONE]",
            ]),
            json!({"outcome": "complete", "finish": "stop", "tools": [["chatcmpl-tool-1", "f", "{\"a\": {}}"]]}),
        ),
        stream(
            "Ollama: whole calls, all at index 0, one without arguments, one with an object",
            "ollama",
            data(&[
                r#"{"id":"chatcmpl-9","object":"chat.completion.chunk","created":1,"model":"qwen3","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"id":"call_1","index":0,"type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]},"finish_reason":null}]}"#,
                r#"{"id":"chatcmpl-9","choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"id":"call_2","index":0,"type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":null}]}"#,
                r#"{"id":"chatcmpl-9","choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"id":"call_3","index":0,"type":"function","function":{"name":"g","arguments":{"y":[2]}}}]},"finish_reason":null}]}"#,
                r#"{"id":"chatcmpl-9","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"tool_calls"}]}"#,
            ]),
            json!({"outcome": "complete", "finish": done,
                "tools": [["call_1", "f", "{\"x\":1}"], ["call_2", "f", "{}"], ["call_3", "g", "{\"y\":[2]}"]]}),
        ),
        stream(
            "Mistral: calls as a whole in the last chunk, id null at first",
            "mistral",
            data(&[
                r#"{"id":"cmpl-1","object":"chat.completion.chunk","created":1,"model":"mistral-large","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
                r#"{"id":"cmpl-1","choices":[{"index":0,"delta":{"content":"","tool_calls":[{"id":"aB3xK9mP2","function":{"name":"f","arguments":"{\"q\": \"naïve\"}"},"index":0},{"id":"zZ9xK9mP2","function":{"name":"g","arguments":"{}"},"index":1}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":91,"total_tokens":120,"completion_tokens":29}}"#,
                "[DONE]",
            ]),
            json!({"outcome": "complete", "finish": done, "usage": [91, 29, 0, 0],
                "tools": [["aB3xK9mP2", "f", "{\"q\": \"naïve\"}"], ["zZ9xK9mP2", "g", "{}"]]}),
        ),
        stream(
            "llama.cpp: a call without an id, and timings",
            "llama_cpp",
            data(&[
                r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"created":1,"id":"chatcmpl-z","model":"gpt-3.5-turbo","system_fingerprint":"b5000","object":"chat.completion.chunk"}"#,
                r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"tool_calls":[{"index":0,"id":"","type":"function","function":{"name":"f","arguments":"{"}}]}}]}"#,
                r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"a\":\"b\"}"}}]}}]}"#,
                r#"{"choices":[{"finish_reason":"tool_calls","index":0,"delta":{}}],"timings":{"prompt_n":10,"prompt_ms":1.5,"predicted_n":4,"predicted_per_second":99.9}}"#,
                r#"{"choices":[],"usage":{"completion_tokens":4,"prompt_tokens":10,"total_tokens":14},"timings":{"prompt_n":10}}"#,
                "[DONE]",
            ]),
            json!({"outcome": "complete", "finish": done, "usage": [10, 4, 0, 0], "tools": [["", "f", "{\"a\":\"b\"}"]]}),
        ),
        stream(
            "cut in the arguments",
            "abacus",
            data(&[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":"}}]}}]}"#,
                "[DONE]",
            ]),
            json!({"outcome": "truncated", "error": "unavailable", "tools": [["a", "f", "{\"x\":"]]}),
        ),
    ]
}

fn texts() -> Vec<Case> {
    vec![
        stream(
            "Azure: filters first, annotations between and after the end",
            "azure",
            data(&[
                r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}"#,
                r#"{"choices":[{"content_filter_results":{},"delta":{"content":"","refusal":null,"role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],"created":1,"id":"chatcmpl-1","model":"gpt-4o-2024-08-06","object":"chat.completion.chunk","system_fingerprint":"fp"}"#,
                r#"{"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"delta":{"content":"Grüß "},"finish_reason":null,"index":0}],"id":"chatcmpl-1"}"#,
                r#"{"choices":[{"content_filter_offsets":{"check_offset":44,"start_offset":44,"end_offset":198},"content_filter_results":{},"finish_reason":null,"index":0}],"id":""}"#,
                r#"{"choices":[{"content_filter_results":{},"delta":{"content":"dich 👋🏽"},"finish_reason":null,"index":0}],"id":"chatcmpl-1"}"#,
                r#"{"choices":[{"content_filter_results":{},"delta":{},"finish_reason":"stop","index":0}],"id":"chatcmpl-1"}"#,
                r#"{"choices":[{"content_filter_offsets":{"check_offset":506,"start_offset":44,"end_offset":571},"content_filter_results":{"hate":{"filtered":false}},"finish_reason":null,"index":0}],"id":""}"#,
                r#"{"choices":[],"id":"chatcmpl-1","usage":{"completion_tokens":5,"prompt_tokens":9,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":0}}}"#,
                "[DONE]",
            ]),
            json!({"outcome": "complete", "finish": "stop", "text": "Grüß dich 👋🏽", "usage": [9, 5, 0, 0]}),
        ),
        stream(
            "Azure: the filter that comes late takes the end back",
            "azure",
            data(&[
                r#"{"choices":[{"delta":{"content":"Well"},"finish_reason":null,"index":0}]}"#,
                r#"{"choices":[{"delta":{},"finish_reason":"content_filter","index":0,"content_filter_results":{"violence":{"filtered":true,"severity":"medium"}}}]}"#,
                "[DONE]",
            ]),
            json!({"outcome": "truncated", "finish": "content_filter", "text": "Well"}),
        ),
        stream(
            "OpenRouter: comments, reasoning with details, usage with its price, CRLF",
            "openrouter",
            format!(
                "\u{feff}: OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n{}",
                data(&[
                    r#"{"id":"gen-1","provider":"Anthropic","model":"anthropic/claude-sonnet-4","object":"chat.completion.chunk","created":1,"choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"Let me ","reasoning_details":[{"type":"reasoning.text","text":"Let me ","format":"anthropic-claude-v1","index":0}]},"finish_reason":null,"native_finish_reason":null,"logprobs":null}]}"#,
                    r#"{"id":"gen-1","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"think…","reasoning_details":[{"type":"reasoning.text","text":"think…","format":"anthropic-claude-v1","index":0}]},"finish_reason":null}]}"#,
                    r#"{"id":"gen-1","choices":[{"index":0,"delta":{"role":"assistant","content":"Ça va"},"finish_reason":null}]}"#,
                    r#"{"id":"gen-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop","native_finish_reason":"end_turn"}]}"#,
                    r#"{"id":"gen-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"native_finish_reason":null}],"usage":{"prompt_tokens":11,"completion_tokens":30,"total_tokens":41,"cost":0.00042,"is_byok":false,"prompt_tokens_details":{"cached_tokens":3},"cost_details":{"upstream_inference_cost":null},"completion_tokens_details":{"reasoning_tokens":22}}}"#,
                    "[DONE]",
                ])
            )
            .replace('\n', "\r\n"),
            json!({"outcome": "complete", "finish": "stop", "text": "Ça va", "reasoning": "Let me think…", "usage": [11, 30, 3, 22]}),
        ),
        stream(
            "OpenRouter: an error after the first words, with a number for a code",
            "openrouter",
            data(&[
                r#"{"id":"gen-2","choices":[{"index":0,"delta":{"role":"assistant","content":"Once"},"finish_reason":null}]}"#,
                r#"{"id":"gen-2","object":"chat.completion.chunk","created":1,"model":"m","provider":"x","error":{"code":502,"message":"Provider disconnected"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
            ]),
            json!({"outcome": "truncated", "error": "unavailable", "text": "Once"}),
        ),
        stream(
            "Groq: usage in a place of its own",
            "groq",
            data(&[
                r#"{"id":"chatcmpl-g","object":"chat.completion.chunk","created":1,"model":"llama","system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"x_groq":{"id":"req_1"}}"#,
                r#"{"id":"chatcmpl-g","choices":[{"index":0,"delta":{"content":"¡Olé!"},"logprobs":null,"finish_reason":null}]}"#,
                r#"{"id":"chatcmpl-g","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"queue_time":0.01,"prompt_tokens":12,"prompt_time":0.001,"completion_tokens":4,"completion_time":0.02,"total_tokens":16,"total_time":0.03}}}"#,
                "[DONE]",
            ]),
            json!({"outcome": "complete", "finish": "stop", "text": "¡Olé!", "usage": [12, 4, 0, 0]}),
        ),
        stream(
            "Groq: an error in its own place",
            "groq",
            data(&[
                r#"{"id":"chatcmpl-g","choices":[{"index":0,"delta":{"role":"assistant","content":"half"},"finish_reason":null}],"x_groq":{"id":"req_1"}}"#,
                r#"{"id":"chatcmpl-g","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_1","error":"over_capacity"}}"#,
                "[DONE]",
            ]),
            json!({"outcome": "truncated", "error": "unavailable", "text": "half"}),
        ),
        stream(
            "Groq: an event that is named error",
            "groq",
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half\"}}]}\n\nevent: error\ndata: {\"error\":{\"message\":\"Failed to call a function.\",\"type\":\"invalid_request_error\",\"code\":\"tool_use_failed\",\"failed_generation\":\"<f>\",\"status_code\":400}}\n\n",
            json!({"outcome": "truncated", "error": "rejected", "text": "half"}),
        ),
        stream(
            "Mistral: text in parts, with thinking and references",
            "mistral",
            data(&[
                r#"{"id":"c","model":"magistral","choices":[{"index":0,"delta":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm "}]}]},"finish_reason":null}]}"#,
                r#"{"id":"c","choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}],"closed":true}]},"finish_reason":null}]}"#,
                r#"{"id":"c","choices":[{"index":0,"delta":{"content":"Der Käse"},"finish_reason":null}]}"#,
                r#"{"id":"c","choices":[{"index":0,"delta":{"content":[{"type":"text","text":" reift"},{"type":"reference","reference_ids":[1,2]}]},"finish_reason":null}]}"#,
                r#"{"id":"c","choices":[{"index":0,"delta":{"content":"."},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"total_tokens":17,"completion_tokens":10,"prompt_audio_seconds":{}},"p":"abcdef"}"#,
                "[DONE]",
            ]),
            json!({"outcome": "complete", "finish": "stop", "text": "Der Käse reift.", "usage": [7, 10, 0, 0]}),
        ),
        stream(
            "Mistral: the model's own limit",
            "mistral",
            data(&[r#"{"choices":[{"index":0,"delta":{"content":"and"},"finish_reason":"model_length"}]}"#, "[DONE]"]),
            json!({"outcome": "truncated", "finish": "model_length", "text": "and"}),
        ),
        stream(
            "DeepSeek: keep-alives, reasoning beside null content, cache hits by their own name",
            "deepseek",
            format!(
                ": keep-alive\n\n: keep-alive\n\n{}",
                data(&[
                    r#"{"id":"d","object":"chat.completion.chunk","created":1,"model":"deepseek-reasoner","system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":""},"logprobs":null,"finish_reason":null}]}"#,
                    r#"{"id":"d","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"想"},"finish_reason":null}]}"#,
                    r#"{"id":"d","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"一想"},"finish_reason":null}]}"#,
                    r#"{"id":"d","choices":[{"index":0,"delta":{"content":"好","reasoning_content":null},"finish_reason":null}]}"#,
                    r#"{"id":"d","choices":[{"index":0,"delta":{"content":"","reasoning_content":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":9,"total_tokens":29,"completion_tokens_details":{"reasoning_tokens":6},"prompt_cache_hit_tokens":16,"prompt_cache_miss_tokens":4}}"#,
                    "[DONE]",
                ])
            ),
            json!({"outcome": "complete", "finish": "stop", "text": "好", "reasoning": "想一想", "usage": [20, 9, 16, 6]}),
        ),
        stream(
            "DeepSeek: out of resources on the way",
            "deepseek",
            data(&[
                r#"{"choices":[{"index":0,"delta":{"content":"half"},"finish_reason":null}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"insufficient_system_resource"}]}"#,
                "[DONE]",
            ]),
            json!({"outcome": "truncated", "error": "unavailable", "text": "half"}),
        ),
        stream(
            "DeepSeek: out of resources before the first word",
            "deepseek",
            data(&[r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"insufficient_system_resource"}]}"#, "[DONE]"]),
            json!({"outcome": "errored", "error": "unavailable"}),
        ),
        stream(
            "vLLM: aborted",
            "vllm",
            data(&[r#"{"choices":[{"index":0,"delta":{"content":"ha"}}]}"#, r#"{"choices":[{"index":0,"delta":{"content":"lf"},"finish_reason":"abort"}]}"#, "[DONE]"]),
            json!({"outcome": "truncated", "error": "unavailable", "text": "half"}),
        ),
        stream(
            "Ollama: reasoning, no DONE, no blank line at the end",
            "ollama",
            data(&[
                r#"{"id":"o","model":"qwen3","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"Okay, "},"finish_reason":null}]}"#,
                r#"{"id":"o","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"so"},"finish_reason":null}]}"#,
                r#"{"id":"o","choices":[{"index":0,"delta":{"role":"assistant","content":"🦙"},"finish_reason":null}]}"#,
                r#"{"id":"o","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}]}"#,
                r#"{"id":"o","choices":[],"usage":{"prompt_tokens":26,"completion_tokens":3,"total_tokens":29}}"#,
            ])
            .trim_end(),
            json!({"outcome": "complete", "finish": "stop", "text": "🦙", "reasoning": "Okay, so", "usage": [26, 3, 0, 0]}),
        ),
        stream(
            "vLLM: usage so far in every chunk, two answers",
            "vllm",
            data(&[
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":{"prompt_tokens":5,"total_tokens":5,"completion_tokens":0}}"#,
                r#"{"choices":[{"index":1,"delta":{"role":"assistant","content":""}}],"usage":{"prompt_tokens":5,"total_tokens":5,"completion_tokens":0}}"#,
                r#"{"choices":[{"index":1,"delta":{"content":"b"}}],"usage":{"prompt_tokens":5,"total_tokens":6,"completion_tokens":1}}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop","stop_reason":128009}],"usage":{"prompt_tokens":5,"total_tokens":7,"completion_tokens":2}}"#,
                r#"{"choices":[{"index":1,"delta":{"content":"c"},"finish_reason":"length"}],"usage":{"prompt_tokens":5,"total_tokens":8,"completion_tokens":3}}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":5,"total_tokens":8,"completion_tokens":3}}"#,
                "[DONE]",
            ]),
            json!({"outcome": "truncated", "usage": [5, 3, 0, 0],
                "choices": [{"text": "a", "finish": "stop"}, {"text": "bc", "finish": "length"}]}),
        ),
        stream(
            "OpenAI: a refusal",
            "openai",
            data(&[
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null,"refusal":"I'm "},"finish_reason":null}]}"#,
                r#"{"choices":[{"index":0,"delta":{"refusal":"sorry"},"finish_reason":null}]}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
                "[DONE]",
            ]),
            json!({"outcome": "complete", "finish": "stop", "refusal": "I'm sorry"}),
        ),
        stream(
            "one event on several lines, with an id, a retry and a name",
            "compatible",
            "retry: 100\nid: 7\nevent: message\ndata: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"a\\nb\"},\ndata:\"finish_reason\":\"stop\"}]}\n\ndata\n\n",
            json!({"outcome": "complete", "finish": "stop", "text": "a\nb"}),
        ),
        stream(
            "an odd end is an end, an empty one is none",
            "compatible",
            data(&[
                r#"{"choices":[{"index":0,"delta":{"role":"","content":"x"},"finish_reason":""}],"usage":{}}"#,
                r#"{"choices":[{"index":0,"delta":{"role":""},"finish_reason":"eos_token"}],"usage":null}"#,
            ]),
            json!({"outcome": "complete", "finish": "eos_token", "text": "x"}),
        ),
        stream(
            "never an end but an empty one",
            "compatible",
            data(&[r#"{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":""}]}"#, "[DONE]"]),
            json!({"outcome": "truncated", "error": "unavailable", "text": "x"}),
        ),
        stream(
            "an error as a list of one",
            "compatible",
            data(&[
                r#"{"choices":[{"index":0,"delta":{"content":"x"}}]}"#,
                r#"[{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}]"#,
            ]),
            json!({"outcome": "truncated", "error": "rejected", "text": "x"}),
        ),
        stream(
            "vLLM: an error object, then DONE",
            "vllm",
            data(&[
                r#"{"choices":[{"index":0,"delta":{"content":"x"}}]}"#,
                r#"{"object":"error","message":"EngineCore encountered an issue.","type":"InternalServerError","param":null,"code":500}"#,
                "[DONE]",
            ]),
            json!({"outcome": "truncated", "error": "unavailable", "text": "x"}),
        ),
        stream(
            "Ollama: an error in one word",
            "ollama",
            data(&[r#"{"choices":[{"index":0,"delta":{"content":"x"}}]}"#, r#"{"error":"an error was encountered while running the model: CUDA error"}"#]),
            json!({"outcome": "truncated", "error": "unavailable", "text": "x"}),
        ),
        stream(
            "Abacus: as OpenAI, with a model of its choice",
            "abacus",
            data(&[
                r#"{"id":"a","model":"gemini-2.5-flash","object":"chat.completion.chunk","created":1,"choices":[{"index":0,"delta":{"role":"assistant","content":"Hé"}}]}"#,
                r#"{"id":"a","model":"gemini-2.5-flash","choices":[{"index":0,"delta":{"content":""},"finish_reason":"STOP"}],"usage":{"prompt_tokens":4.0,"completion_tokens":1,"total_tokens":5}}"#,
            ]),
            json!({"outcome": "complete", "finish": "STOP", "text": "Hé", "usage": [4, 1, 0, 0]}),
        ),
    ]
}

#[test]
fn tool_calls_are_put_together_whatever_the_dialect() {
    judge_streams(tools());
}

#[test]
fn texts_are_read_whatever_the_dialect() {
    judge_streams(texts());
}

#[test]
fn nothing_that_is_cut_or_damaged_is_called_whole() {
    judge_damage(tools().into_iter().chain(texts()).collect());
}

#[test]
fn whole_answers_are_read_whatever_the_dialect() {
    let whole = |name, dialect, body: &str, said| Case { name, dialect, body: body.into(), said };
    judge_answers(vec![
        whole(
            "DeepSeek: out of resources",
            "deepseek",
            r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"ha"},"finish_reason":"insufficient_system_resource"}]}"#,
            json!({"error": "unavailable"}),
        ),
        whole(
            "Mistral: parts",
            "mistral",
            r#"{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"ja"}],"tool_calls":null,"prefix":false},"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}}"#,
            json!({"outcome": "complete", "finish": "stop", "text": "ja", "usage": [2, 3, 0, 0]}),
        ),
        whole(
            "OpenRouter: an error in a choice",
            "openrouter",
            r#"{"id":"gen","choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"error","error":{"code":429,"message":"Rate limited upstream"}}]}"#,
            json!({"error": "throttled"}),
        ),
        whole(
            "Gemini behind a gateway: a list of one error",
            "compatible",
            r#"[{"error":{"code":400,"message":"Invalid value","status":"INVALID_ARGUMENT"}}]"#,
            json!({"error": "rejected"}),
        ),
        whole(
            "llama.cpp: fields beside the message",
            "llama_cpp",
            r#"{"choices":[{"finish_reason":"stop","index":0,"message":{"role":"assistant","content":"da","reasoning_content":"hm"}}],"usage":{"completion_tokens":2,"prompt_tokens":8,"total_tokens":10},"timings":{"prompt_ms":1.0},"__verbose":{}}"#,
            json!({"outcome": "complete", "finish": "stop", "text": "da", "reasoning": "hm", "usage": [8, 2, 0, 0]}),
        ),
        whole(
            "Groq: an error in its own place",
            "groq",
            r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"half"},"finish_reason":"stop"}],"x_groq":{"id":"r","error":"over_capacity"}}"#,
            json!({"error": "unavailable"}),
        ),
        whole(
            "no number is NaN",
            "vllm",
            r#"{"choices":[{"index":0,"message":{"content":"x"},"logprobs":{"content":[{"logprob":-Infinity}]},"finish_reason":"stop"}]}"#,
            json!({"error": "unavailable"}),
        ),
        whole(
            "a field that is said twice",
            "compatible",
            r#"{"choices":[],"choices":[{"index":0,"message":{"content":"x","content":"y"},"finish_reason":"length","finish_reason":"stop"}]}"#,
            json!({"outcome": "complete", "finish": "stop", "text": "y"}),
        ),
    ]);
}
