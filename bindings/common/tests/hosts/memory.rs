//! Objects of a host that keep what they are given in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use xynergy_bindings::ManualClock;
use xynergy_bindings::host::HostFailure;

/// The state of one object: a cache's answers, a store's documents, a CRM's objects, an ad platform's owners.
#[derive(Debug)]
pub(super) struct Memory {
    clock: Option<Arc<ManualClock>>,
    given: Map<String, Value>,
    kept: Mutex<BTreeMap<String, Value>>,
}

impl Memory {
    pub(super) fn new(given: &Map<String, Value>, clock: Option<Arc<ManualClock>>) -> Self {
        let mut kept = BTreeMap::new();
        for owner in given.get("owners").and_then(Value::as_array).into_iter().flatten() {
            kept.insert(owner_key(&owner["owner"]), owner.clone());
        }
        Self { clock, given: given.clone(), kept: Mutex::new(kept) }
    }

    pub(super) fn call(&self, method: &str, arguments: &Value) -> Result<Value, HostFailure> {
        if method == "get" && arguments.get("reference").is_some() {
            let name = arguments["reference"]["env"].as_str().unwrap_or_default();
            return Ok(self.given["values"].get(name).cloned().unwrap_or_default());
        }
        if matches!(method, "deals" | "contacts") {
            return Ok(self.asked(method, arguments));
        }
        if arguments.get("collection").is_some() {
            return self.document(method, arguments);
        }
        match method {
            "get" | "put" | "invalidate" => Ok(self.answer(method, arguments)),
            _ => self.ads(method, arguments),
        }
    }

    fn asked(&self, kind: &str, arguments: &Value) -> Value {
        let ids: Vec<&str> = arguments["ids"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let all = self.given[kind].as_object().unwrap();
        all.iter()
            .filter(|(id, _)| ids.contains(&id.as_str()))
            .map(|(id, v)| (id.clone(), v.clone()))
            .collect()
    }

    fn answer(&self, method: &str, arguments: &Value) -> Value {
        let mut kept = self.kept.lock().unwrap();
        let key = format!(
            "{} {}",
            arguments["tenant"].as_str().unwrap(),
            arguments["key"].as_str().unwrap_or_default()
        );
        match method {
            "get" => {
                let fresh = |entry: &&Value| entry["expires_at"].as_str() > arguments["now"].as_str();
                kept.get(&key).filter(fresh).map(|entry| entry["response"].clone()).unwrap_or_default()
            }
            "put" => {
                kept.insert(key, arguments.clone());
                Value::Null
            }
            _ => {
                let before = kept.len();
                let (tenant, pattern) =
                    (&arguments["tenant"], arguments["pattern"].as_str().unwrap().to_owned());
                kept.retain(|_, entry| entry["tenant"] != *tenant || !is_meant(entry, &pattern));
                json!(before - kept.len())
            }
        }
    }

    fn document(&self, method: &str, arguments: &Value) -> Result<Value, HostFailure> {
        let mut kept = self.kept.lock().unwrap();
        let collection = format!(
            "{} {} ",
            arguments["tenant"].as_str().unwrap(),
            arguments["collection"].as_str().unwrap()
        );
        let key = format!("{collection}{}", arguments["key"].as_str().unwrap_or_default());
        match method {
            "get" => Ok(kept.get(&key).cloned().unwrap_or_default()),
            "put" => {
                let stored = kept.get(&key).map_or(0, |document| document["version"].as_u64().unwrap());
                if arguments["expected"].as_u64().is_some_and(|expected| expected != stored) {
                    let message = format!("version {stored} is stored");
                    return Err(HostFailure {
                        kind: Some("conflict".into()),
                        message,
                        ..HostFailure::default()
                    });
                }
                kept.insert(key, json!({"version": stored + 1, "value": arguments["value"]}));
                Ok(json!(stored + 1))
            }
            _ => {
                let of_collection = kept
                    .iter()
                    .filter_map(|(key, document)| Some(json!([key.strip_prefix(&collection)?, document])));
                Ok(of_collection.collect())
            }
        }
    }

    fn ads(&self, method: &str, arguments: &Value) -> Result<Value, HostFailure> {
        let mut kept = self.kept.lock().unwrap();
        let now = self.clock.as_ref().map(|clock| {
            use xynergy::Clock;
            clock.now()
        });
        let read = |owner: &Value| {
            let mut read = owner.clone();
            read["read_at"] = json!(now);
            read
        };
        match method {
            "account" => Ok(json!({
                "account_id": arguments["account_id"], "currency": "USD", "minimum_daily_minor": null
            })),
            "owners" => Ok(kept.values().map(read).collect()),
            "owner" => kept.get(&owner_key(&arguments["owner"])).map(read).ok_or_else(|| HostFailure {
                kind: Some("not_found".into()),
                message: "there is no such object".into(),
                ..HostFailure::default()
            }),
            "set" => {
                let write = &arguments["write"];
                let owner = kept.get_mut(&owner_key(&write["owner"])).unwrap();
                owner["daily_budget_minor"] = write["value"].clone();
                match self.given.get("set").and_then(Value::as_str) {
                    // It took effect, and nobody was told.
                    Some("lost") => {
                        Err(HostFailure { message: "the answer is lost".into(), ..HostFailure::default() })
                    }
                    _ => Ok(Value::Null),
                }
            }
            "validate" => Ok(Value::Null),
            "insights" => Ok(json!([])),
            _ => Err(HostFailure {
                kind: Some("unsupported".into()),
                message: "there is no log".into(),
                ..HostFailure::default()
            }),
        }
    }
}

fn owner_key(owner: &Value) -> String {
    format!("{} {}", owner["level"].as_str().unwrap(), owner["id"].as_str().unwrap())
}

/// Whether a pattern, in which `*` stands for anything, means the entry by its key or by who answered.
fn is_meant(entry: &Value, pattern: &str) -> bool {
    let report = &entry["response"]["xynergy"];
    let answered = format!(
        "{}/{}",
        report["provider"].as_str().unwrap_or_default(),
        report["model"].as_str().unwrap_or_default()
    );
    [answered.as_str(), entry["key"].as_str().unwrap()].iter().any(|text| glob(pattern, text))
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|rest| glob(tail, rest)))
        }),
    }
}
