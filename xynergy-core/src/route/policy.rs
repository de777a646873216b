use std::collections::BTreeMap;

use super::{Complexity, Features, ModelChoice, RouteDecision, score};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{Capability, ChatRequest};

/// The provider that OpenAI's own models go to when a request names one by itself, as code that was written for OpenAI does.
const OPENAI: &str = "openai";

/// `gpt-4o`, `chatgpt-4o-latest`, `o3-mini`.
fn is_openais(model: &str) -> bool {
    let reasoning = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    ["gpt-", "chatgpt-"].iter().any(|family| model.starts_with(family))
        || model.strip_prefix('o').is_some_and(reasoning)
}

/// A provider that requests can go to.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its configured name.
    pub name: String,
    /// What it can do.
    pub capability: Capability,
}

/// The order of the providers and the named routes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutingTable {
    /// Providers for complex requests, the best first. Those that are not configured are passed over.
    pub complex: Vec<String>,
    /// Providers for simple requests, the cheapest first.
    pub simple: Vec<String>,
    /// Named routes: each a list of `provider` or `provider/model`.
    pub routes: BTreeMap<String, Vec<String>>,
}

/// Decides which models are asked, in which order.
#[derive(Clone, Debug)]
pub struct Router {
    candidates: BTreeMap<String, Capability>,
    table: RoutingTable,
}

impl Router {
    /// A router over these providers. A route that names an unknown provider is an error.
    pub fn new(candidates: Vec<Candidate>, table: RoutingTable) -> Result<Self> {
        let candidates: BTreeMap<String, Capability> =
            candidates.into_iter().map(|candidate| (candidate.name, candidate.capability)).collect();
        let router = Self { candidates, table };
        for (route, targets) in &router.table.routes {
            if targets.is_empty() {
                return Err(config(format!("routes.{route}: empty; name at least one provider")));
            }
            if let Some(unknown) = targets.iter().find(|target| router.target(target).is_none()) {
                let names = router.names();
                return Err(config(format!(
                    "routes.{route}: {unknown:?} is no provider; use NAME or NAME/MODEL with one of: {names}"
                )));
            }
        }
        Ok(router)
    }

    /// Decides for one request. `stream` says whether the answer is to be streamed.
    ///
    /// Errors: an unknown model, no provider at all, or none that can do what the request asks.
    pub fn decide(&self, request: &ChatRequest, stream: bool) -> Result<RouteDecision> {
        let score = score(&Features::of(request));
        let complexity = score.complexity();
        let (policy, mut models, mut reason) = match request.model.as_str() {
            "" | "auto" => ("complexity", self.by_complexity(complexity), score.explain()),
            name => {
                let (policy, models) = self.by_name(name)?;
                (policy, models, format!("the request names {name}"))
            }
        };
        if models.is_empty() {
            return Err(Error::new(
                ErrorKind::ConfigInvalid,
                "ai.route",
                "no AI provider is configured; set OPENAI_API_KEY, ABACUS_API_KEY, ANTHROPIC_API_KEY or INTERNAL_AI_URL, or name one in [ai.providers]",
            ));
        }
        let mut lacking = Vec::new();
        models.retain(|choice| {
            let lacks = self.candidates.get(&choice.provider).and_then(|c| c.lacks(request, stream));
            if let Some(what) = lacks {
                lacking.push(format!("{} has no {what}", choice.provider));
            }
            lacks.is_none()
        });
        if models.is_empty() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "ai.route",
                format!("no provider can serve the request: {}", lacking.join(", ")),
            ));
        }
        if !lacking.is_empty() {
            reason = format!("{reason}; {}", lacking.join(", "));
        }
        Ok(RouteDecision {
            complexity,
            score: f64::from(score.points) / 1_000.0,
            models,
            policy: policy.to_owned(),
            reason,
            propensity: 1.0,
        })
    }

    /// The configured order, then every provider that it does not name.
    fn by_complexity(&self, complexity: Complexity) -> Vec<ModelChoice> {
        let order = match complexity {
            Complexity::Complex => &self.table.complex,
            Complexity::Simple => &self.table.simple,
        };
        let listed = order.iter().filter(|name| self.candidates.contains_key(*name));
        let others = self.candidates.keys().filter(|name| !order.contains(name));
        listed.chain(others).filter_map(|name| self.target(name)).collect()
    }

    fn by_name(&self, name: &str) -> Result<(&'static str, Vec<ModelChoice>)> {
        if let Some(targets) = self.table.routes.get(name) {
            return Ok(("route", targets.iter().filter_map(|target| self.target(target)).collect()));
        }
        if let Some(choice) = self.target(name) {
            return Ok(("model", vec![choice]));
        }
        let mut serving: Vec<ModelChoice> = self
            .candidates
            .iter()
            .filter(|(_, capability)| capability.default_model == name)
            .filter_map(|(provider, _)| self.target(provider))
            .collect();
        if serving.is_empty() && is_openais(name) && self.candidates.contains_key(OPENAI) {
            serving.push(ModelChoice { provider: OPENAI.to_owned(), model: name.to_owned() });
        }
        if serving.is_empty() {
            let shown: String = name.chars().take(80).collect();
            let routes: Vec<&str> = self.table.routes.keys().map(String::as_str).collect();
            return Err(Error::invalid(
                "ai.route",
                format!(
                    "model: {shown:?} is unknown; use auto, PROVIDER/MODEL, a provider ({}) or a route ({})",
                    self.names(),
                    routes.join(", ")
                ),
            ));
        }
        Ok(("model", serving))
    }

    /// `provider` or `provider/model`; a model's own name may hold slashes. `None` when no such provider is known.
    pub fn target(&self, target: &str) -> Option<ModelChoice> {
        if let Some(capability) = self.candidates.get(target) {
            return Some(ModelChoice {
                provider: target.to_owned(),
                model: capability.default_model.clone(),
            });
        }
        let (provider, model) = target.split_once('/')?;
        let known = self.candidates.contains_key(provider) && !model.is_empty();
        known.then(|| ModelChoice { provider: provider.to_owned(), model: model.to_owned() })
    }

    fn names(&self) -> String {
        self.candidates.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

fn config(message: String) -> Error {
    Error::new(ErrorKind::ConfigInvalid, "ai.new", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(names: &[&str]) -> Router {
        let candidates = names
            .iter()
            .map(|name| Candidate {
                name: (*name).to_owned(),
                capability: Capability::all(format!("{name}-model")),
            })
            .collect();
        let order = |names: [&str; 3]| names.map(str::to_owned).to_vec();
        let table = RoutingTable {
            complex: order(["abacus", "openai", "internal"]),
            simple: order(["internal", "abacus", "openai"]),
            routes: BTreeMap::from([(
                "cheap".to_owned(),
                vec!["internal".to_owned(), "openai/gpt/4".to_owned()],
            )]),
        };
        Router::new(candidates, table).unwrap()
    }

    fn providers(decision: &RouteDecision) -> Vec<&str> {
        decision.models.iter().map(|choice| choice.provider.as_str()).collect()
    }

    #[test]
    fn complexity_orders_the_configured_providers() {
        let router = router(&["internal", "openai", "abacus", "zeta"]);
        let simple = router.decide(&"Hi there".into(), false).unwrap();
        assert_eq!(providers(&simple), ["internal", "abacus", "openai", "zeta"]);
        let complex = router.decide(&"Prove it step by step".into(), false).unwrap();
        assert_eq!(providers(&complex), ["abacus", "openai", "internal", "zeta"]);
        assert_eq!((complex.policy.as_str(), complex.propensity), ("complexity", 1.0));
        assert!(complex.reason.contains("several steps +150"), "{}", complex.reason);
    }

    #[test]
    fn names_are_routes_providers_or_models() {
        let router = router(&["internal", "openai"]);
        let ask = |model: &str| {
            let request = ChatRequest { model: model.to_owned(), ..ChatRequest::prompt("Hi") };
            router.decide(&request, false)
        };
        assert_eq!(ask("cheap").unwrap().models[1].model, "gpt/4");
        assert_eq!(
            ask("openai/o3").unwrap().models,
            [ModelChoice { provider: "openai".into(), model: "o3".into() }]
        );
        assert_eq!(providers(&ask("openai-model").unwrap()), ["openai"]);
        // Code that was written for OpenAI names its models, and changes one line.
        for model in ["gpt-4o", "chatgpt-4o-latest", "o3-mini"] {
            let expected = [ModelChoice { provider: "openai".into(), model: model.into() }];
            assert_eq!(ask(model).unwrap().models, expected);
        }
        let error = ask("opus-9").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().contains("internal, openai") && error.message().contains("cheap"), "{error}");
    }

    #[test]
    fn requests_go_only_where_they_can_be_served() {
        let plain = Capability { tools: false, ..Capability::all("small") };
        let candidates = vec![
            Candidate { name: "internal".into(), capability: plain.clone() },
            Candidate { name: "openai".into(), capability: Capability::all("big") },
        ];
        let table =
            RoutingTable { simple: vec!["internal".into(), "openai".into()], ..RoutingTable::default() };
        let request = ChatRequest { tools: vec![serde_json::json!({})], ..ChatRequest::prompt("Hi") };
        let decision = Router::new(candidates, table).unwrap().decide(&request, false).unwrap();
        assert_eq!(providers(&decision), ["openai"]);
        assert!(decision.reason.contains("internal has no tools"));

        let alone = vec![Candidate { name: "internal".into(), capability: plain }];
        let error = Router::new(alone, RoutingTable::default()).unwrap().decide(&request, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn a_route_to_nowhere_is_a_configuration_error() {
        let table = RoutingTable {
            routes: BTreeMap::from([("x".to_owned(), vec!["nowhere".to_owned()])]),
            ..RoutingTable::default()
        };
        let error = Router::new(Vec::new(), table).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    }
}
