//! From a method's name and arguments by name to the typed method of the public API.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use xynergy::ads::{AdObjectQuery, AdObjectSpec, AdObjectUpdate};
use xynergy::ai::SpendLimit;
use xynergy::allocation::{DEFAULT_DRAWS, probability_best};
use xynergy::embed::EmbedRequest;
use xynergy::execution::{AccountLimits, ChangeFilter, HistoryFilter, RunOptions, propose};
use xynergy::hubspot::Delivery;
use xynergy::provider::{CallOptions, ChatRequest};
use xynergy::webhooks::SignedDelivery;
use xynergy::winners::MetadataFilter;
use xynergy::{Client, Error, Result, Scope, Timestamp};

/// The arguments of a call, each read as the type that the method takes. A case whose arguments no Rust program could write is one
/// that must not be run here.
struct Args(Map<String, Value>);

impl Args {
    fn take<T: DeserializeOwned>(&mut self, name: &str) -> T {
        self.optional(name).unwrap_or_else(|| panic!("{name} is missing: add `not_in`"))
    }

    fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.0.remove(name).filter(|value| !value.is_null())?;
        Some(
            serde_json::from_value(value)
                .unwrap_or_else(|e| panic!("{name} is no such value ({e}): add `not_in`")),
        )
    }

    /// What is left, as one value.
    fn whole<T: DeserializeOwned>(&mut self) -> T {
        serde_json::from_value(Value::Object(std::mem::take(&mut self.0)))
            .unwrap_or_else(|e| panic!("the arguments are no such value ({e}): add `not_in`"))
    }

    fn chat(&mut self) -> ChatRequest {
        match self.0.remove("request") {
            Some(Value::String(prompt)) => ChatRequest::prompt(prompt),
            request => serde_json::from_value(request.unwrap_or_default()).expect("a chat request"),
        }
    }
}

fn json<T: Serialize>(outcome: Result<T>) -> Result<Value> {
    outcome.map(|value| serde_json::to_value(value).unwrap())
}

pub(crate) async fn call(client: &Client, scope: &Scope, method: &str, args: Value) -> Result<Value> {
    let Value::Object(args) = args else { panic!("arguments are by name") };
    let mut a = Args(args);
    let outcome = match method.split_once('.') {
        Some(("ai", name)) => ai(scope, name, &mut a).await,
        Some(("attribution", name)) => attribution(scope, name, &mut a).await,
        Some(("hubspot", name)) => hubspot(scope, name, &mut a).await,
        Some(("webhooks", name)) => webhooks(scope, name, &mut a).await,
        Some(("allocation", name)) => allocation(scope, name, &mut a).await,
        Some(("experiments", name)) => experiments(scope, name, &mut a).await,
        Some(("winners", name)) => winners(scope, name, &mut a).await,
        Some(("closed_loop", name)) => closed_loop(scope, name, &mut a).await,
        Some(("execution", name)) => execution(scope, name, &mut a).await,
        Some(("ads", name)) => ads(scope, name, &mut a).await,
        Some(("insights", name)) => insights(scope, name, &mut a).await,
        _ if method == "health" => Ok(serde_json::to_value(scope.health().await).unwrap()),
        _ if method == "metrics" => json(client.metrics().await),
        _ if method == "tick" => json(client.tick().await),
        _ if method == "migrate" => json(client.migrate(a.optional("print_sql").unwrap_or_default()).await),
        _ => panic!("{method} is no method of the Rust library"),
    };
    assert!(a.0.is_empty(), "{method}: nothing takes {:?}: add `not_in`", a.0);
    outcome
}

async fn ai(scope: &Scope, name: &str, a: &mut Args) -> Result<Value> {
    let ai = scope.ai();
    match name {
        "generate" => json(ai.generate(a.whole()).await),
        "embed" => {
            let options = CallOptions {
                tags: a.optional("tags").unwrap_or_default(),
                key: a.optional("key"),
                ..CallOptions::default()
            };
            let request = EmbedRequest {
                input: a.take("input"),
                model: a.optional("model").unwrap_or_default(),
                dimensions: a.optional("dimensions"),
                options,
                ..EmbedRequest::default()
            };
            json(ai.embed(request).await)
        }
        "chat" => json(ai.chat(a.chat()).await),
        "route" => json(ai.route(&a.chat())),
        "count_tokens" => {
            let model = a.optional::<String>("model");
            if a.0.get("request").is_some_and(Value::is_string) {
                return json(ai.count_tokens(a.take::<String>("request").as_str(), model.as_deref()));
            }
            json(ai.count_tokens(&a.chat(), model.as_deref()))
        }
        "optimize_tokens" => json(ai.optimize_tokens(
            &a.take::<String>("prompt"),
            a.optional("default_limit"),
            a.optional("user_limit"),
        )),
        "spend" => json(ai.spend(a.optional("since")).await),
        "set_limit" => json(ai.set_limit(a.whole::<SpendLimit>()).await),
        "remove_limit" => json(ai.remove_limit(&a.take("scope"), a.take("window")).await),
        "reload_prices" => json(ai.reload_prices().await),
        "cache_stats" => json(ai.cache_stats()),
        "cache_invalidate" => json(ai.cache_invalidate(a.optional::<String>("pattern").as_deref()).await),
        _ => panic!("ai.{name} is no method of the Rust library"),
    }
}

async fn attribution(scope: &Scope, name: &str, a: &mut Args) -> Result<Value> {
    let attribution = scope.attribution();
    match name {
        "track_click" => json(attribution.track_click(a.take::<Value>("click").to_string().as_bytes()).await),
        "track_clicks" => {
            let (mut clicks, mut bots, mut rejected) = (Vec::new(), 0, Vec::new());
            for (index, click) in a.take::<Vec<Value>>("clicks").into_iter().enumerate() {
                let line = match &click {
                    Value::Object(_) => click.to_string(),
                    Value::String(line) => line.clone(),
                    // A Rust program has bytes, and nothing else.
                    _ => {
                        rejected.push(
                            json!({"index": index, "problem": "a click is an object, or a line of JSON"}),
                        );
                        continue;
                    }
                };
                match attribution.parse_click(line.as_bytes()).await? {
                    Ok(click) => clicks.push(click),
                    Err(problem) if problem.bot_click.is_some() => bots += 1,
                    Err(problem) => {
                        rejected.push(json!({"index": index, "problem": problem.to_string()}));
                    }
                }
            }
            let source = a.optional::<String>("source").unwrap_or_default();
            let tracked = attribution.track_clicks(&clicks, &source).await?;
            let (inserted, duplicates) = (tracked.inserted, tracked.duplicates);
            Ok(json!({"inserted": inserted, "duplicates": duplicates, "bots": bots, "rejected": rejected}))
        }
        "count_clicks" => json(attribution.count_clicks(a.optional::<String>("source").as_deref()).await),
        "clicks_by_ad" => json(attribution.clicks_by_ad(a.optional("since"), a.optional("until")).await),
        "erase" => json(attribution.erase(&a.take("subject")).await),
        "prune" => json(attribution.prune().await),
        "totals" => json(attribution.totals().await),
        "deals" => match a.optional::<Timestamp>("as_of") {
            Some(as_of) => json(attribution.deals_as_of(as_of).await),
            None => json(attribution.deals().await),
        },
        "synthetic_revenue" => {
            let to: String = a.take("stage_to");
            let [from, pipeline, amount, currency] =
                ["stage_from", "pipeline", "amount", "currency"].map(|name| a.optional::<String>(name));
            let (from, pipeline) = (from.as_deref(), pipeline.as_deref());
            json(
                attribution
                    .synthetic_revenue(&to, from, pipeline, amount.as_deref(), currency.as_deref())
                    .await,
            )
        }
        "revalue" => json(attribution.revalue(a.take("cut")).await),
        "stage_values" => json(attribution.stage_values(a.optional("cut")).await),
        "show_values" => json(attribution.show_values(a.optional("cut")).await),
        "roas" => {
            let (by, spend) = (a.take("by"), a.optional::<Vec<_>>("spend").unwrap_or_default());
            json(attribution.roas(by, &spend, a.optional("since"), a.optional("until")).await)
        }
        "stages" => json(Ok(attribution.stages())),
        "credit" => {
            let (paths, model): (Vec<_>, _) = (a.take("paths"), a.take("model"));
            json(attribution.credit(&paths, model, &a.whole()))
        }
        "paths" => {
            let journeys: Vec<_> = a.take("journeys");
            json(attribution.paths(&journeys, a.optional("after_conversion").unwrap_or_default()))
        }
        "train" => json(attribution.train(a.optional::<usize>("least_masked")).await),
        "explain" => json(attribution.explain(&a.take::<String>("deal_id")).await),
        "verify_receipt" => json(Ok(attribution.verify_receipt(&a.take::<String>("receipt")))),
        _ => panic!("attribution.{name} is no method of the Rust library"),
    }
}

/// The bytes of a body, as text or base64.
fn body(a: &mut Args) -> Vec<u8> {
    match a.take::<Value>("body") {
        Value::String(text) => text.into_bytes(),
        other => STANDARD.decode(other["base64"].as_str().unwrap()).unwrap(),
    }
}

async fn webhooks(scope: &Scope, name: &str, a: &mut Args) -> Result<Value> {
    let webhooks = scope.webhooks();
    match name {
        "accept" => {
            let (body, headers): (_, BTreeMap<String, String>) = (body(a), a.take("headers"));
            let source: Option<String> = a.optional("source");
            let delivery = SignedDelivery {
                headers: &headers,
                body: &body,
                received_at: a.optional("received_at"),
                source: source.as_deref().unwrap_or(""),
            };
            json(webhooks.accept(&delivery).await)
        }
        "process" => {
            let ads = a.optional("ads").unwrap_or_default();
            json(webhooks.process(&ads, limit(a)).await)
        }
        _ => panic!("webhooks.{name} is no method of the Rust library"),
    }
}

async fn hubspot(scope: &Scope, name: &str, a: &mut Args) -> Result<Value> {
    let hubspot = scope.hubspot();
    match name {
        "accept" => {
            let body = body(a);
            let (method, url): (String, String) = (a.take("method"), a.take("url"));
            let headers: BTreeMap<String, String> = a.take("headers");
            let source: Option<String> = a.optional("source");
            let delivery = Delivery {
                method: &method,
                url: &url,
                headers: &headers,
                body: &body,
                received_at: a.optional("received_at"),
                source: source.as_deref().unwrap_or(""),
            };
            json(hubspot.accept(&delivery).await)
        }
        "process" => {
            let ads = a.optional("ads").unwrap_or_default();
            json(hubspot.process(&ads, limit(a)).await)
        }
        "count_events" => json(hubspot.count_events(a.optional::<String>("source").as_deref()).await),
        _ => panic!("hubspot.{name} is no method of the Rust library"),
    }
}

fn limit(a: &mut Args) -> usize {
    a.optional::<u64>("limit").map_or(100, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

async fn allocation(scope: &Scope, name: &str, a: &mut Args) -> Result<Value> {
    let allocation = scope.allocation();
    match name {
        "pipeline" => json(allocation.pipeline().await),
        "select" => json(allocation.select(&a.take::<String>("allocation_id"), &a.take("request")).await),
        "get" => json(allocation.get(&a.take::<String>("allocation_id")).await),
        "observe" => json(allocation.observe(&a.take("observation")).await),
        "feedback" => json(allocation.feedback(&a.take("feedback")).await),
        "learn" => {
            let observations: Vec<_> = a.optional("observations").unwrap_or_default();
            json(allocation.learn(&observations, &a.optional::<Vec<_>>("feedback").unwrap_or_default()).await)
        }
        "state" => json(allocation.state().await),
        "merge" => json(allocation.merge(&a.take("state")).await),
        "posteriors" => json(allocation.posteriors(&a.optional("sampler").unwrap_or_default()).await),
        "probability_best" => json(probability_best(
            &a.take::<Vec<_>>("ads"),
            a.optional("method").unwrap_or_default(),
            a.optional("seed").unwrap_or_default(),
            a.optional("draws").unwrap_or(DEFAULT_DRAWS),
        )),
        "log" => json(allocation.log(a.optional("since")).await),
        "propose" => {
            let (id, account): (String, String) = (a.take("allocation_id"), a.take("account_id"));
            json(propose(&id, &account, a.take("currency"), &a.take("allocation"), &a.take("campaigns")))
        }
        "evaluate" => {
            let (log, policy): (Vec<_>, _) = (a.take("log"), a.take("policy"));
            json(allocation.evaluate(&log, &policy, &a.optional("options").unwrap_or_default()))
        }
        "gate" => {
            let (log, proposed, current): (Vec<_>, _, Option<_>) =
                (a.take("log"), a.take("proposed"), a.optional("current"));
            let options = a.optional("options").unwrap_or_default();
            json(allocation.gate(&log, &proposed, current.as_ref(), &options))
        }
        "holdout" => {
            let (units, key): (Vec<String>, String) = (a.take("unit_ids"), a.take("key"));
            json(allocation.holdout(&units, &key, a.take("holdout_ppm")))
        }
        "incrementality" => {
            let (treated, holdout) = (a.take("treated"), a.take("holdout"));
            let confidence = a.optional("confidence").unwrap_or(0.95);
            json(allocation.incrementality(&treated, &holdout, a.optional("attributed"), confidence))
        }
        "log_predictions" => json(allocation.log_predictions(&a.take::<Vec<_>>("predictions")).await),
        "score_predictions" => json(allocation.score_predictions(&a.take::<Vec<_>>("truths")).await),
        "prediction_scores" => {
            json(allocation.prediction_scores(a.optional::<String>("model").as_deref()).await)
        }
        "train_ctr" => {
            let (rows, options): (Vec<_>, _) = (a.take("rows"), a.optional("options").unwrap_or_default());
            json(allocation.train_ctr(&rows, &options, a.optional("from_version")).await)
        }
        "ctr_models" => json(allocation.ctr_models().await),
        "activate_ctr" => json(allocation.activate_ctr(a.optional("version")).await),
        "predict_ctr" => {
            let ads: Vec<_> = a.take("ads");
            json(allocation.predict_ctr(&ads, a.optional("version")).await)
        }
        _ => panic!("allocation.{name} is no method of the Rust library"),
    }
}

async fn experiments(scope: &Scope, name: &str, a: &mut Args) -> Result<Value> {
    let experiments = scope.experiments();
    if name == "start" {
        return json(experiments.start(a.take("spec")).await);
    }
    let id: String = a.take("experiment_id");
    match name {
        "assign" => json(experiments.assign(&id, &a.take::<Vec<_>>("unit_ids")).await),
        "record" => json(experiments.record(&id, &a.take::<Vec<_>>("events")).await),
        "status" => json(experiments.status(&id).await),
        "stop" => json(experiments.stop(&id, a.optional::<String>("promote").as_deref()).await),
        _ => panic!("experiments.{name} is no method of the Rust library"),
    }
}

async fn winners(scope: &Scope, name: &str, a: &mut Args) -> Result<Value> {
    let winners = scope.winners();
    let filter = |a: &mut Args| {
        let filter: Map<String, Value> = a.optional("filter").unwrap_or_default();
        MetadataFilter::parse("winners.find_similar", &filter)
    };
    match name {
        "add" => json(winners.add(vec![a.whole()]).await),
        "add_many" => json(winners.add(a.take("winners")).await),
        "find_similar" => {
            let (embedding, k, filter): (Vec<f32>, _, _) = (a.take("embedding"), a.take("k"), filter(a)?);
            json(winners.find_similar(&embedding, k, &filter).await)
        }
        "find_similar_many" => {
            let (embeddings, k, filter): (Vec<_>, _, _) = (a.take("embeddings"), a.take("k"), filter(a)?);
            json(winners.find_similar_many(&embeddings, k, &filter).await)
        }
        "get" => json(winners.get(&a.take::<String>("ad_id")).await),
        "remove" => json(winners.remove(&a.take::<String>("ad_id")).await),
        "stats" => json(winners.stats().await),
        "persist" => json(winners.persist().await),
        "import_file" => json(winners.import_file(&a.take::<std::path::PathBuf>("path")).await),
        _ => panic!("winners.{name} is no method of the Rust library"),
    }
}

async fn closed_loop(scope: &Scope, name: &str, a: &mut Args) -> Result<Value> {
    let account = a.take("account");
    let closed_loop = scope.closed_loop(&account);
    if name == "process" {
        return json(closed_loop.process(limit(a)).await);
    }
    let id: String = a.take("allocation_id");
    match name {
        "tick" => json(closed_loop.tick(&id, a.take("seed")).await),
        "allocate" => json(closed_loop.allocate(&id, a.take("seed")).await),
        "changes" => json(closed_loop.changes(&id, &a.take("allocation")).await),
        _ => panic!("closed_loop.{name} is no method of the Rust library"),
    }
}

async fn execution(scope: &Scope, name: &str, a: &mut Args) -> Result<Value> {
    let execution = scope.execution();
    match name {
        "owners" => json(execution.owners(&a.take::<String>("account_id")).await),
        "plan" => {
            let changes: Vec<_> = a.take("changes");
            let ask_platform = a.optional("ask_platform").unwrap_or_default();
            if a.optional("ramp").unwrap_or_default() {
                let steps = execution.ramped(&changes).await?;
                return json(execution.plan(&steps, ask_platform).await);
            }
            json(execution.plan(&changes, ask_platform).await)
        }
        "queue" if a.optional("ramp").unwrap_or_default() => {
            json(execution.queue_ramped(a.take("changes")).await)
        }
        "queue" => json(execution.queue(a.take("changes")).await),
        "run" => {
            let limit: Option<u64> = a.optional("for_ms");
            let until = async move {
                match limit {
                    Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                    None => std::future::pending().await,
                }
            };
            json(execution.run(a.whole::<RunOptions>(), until).await)
        }
        "tick" => json(execution.tick(a.whole::<RunOptions>()).await),
        "reconcile" => json(execution.reconcile().await),
        "retry" => json(execution.retry(a.take("id")).await),
        "resolve" => {
            let (id, verdict, note): (_, _, String) = (a.take("id"), a.take("verdict"), a.take("note"));
            json(execution.resolve(id, verdict, &note).await)
        }
        "backlog" => json(execution.backlog().await),
        "approve" => json(execution.approve(&a.take::<String>("plan_digest")).await),
        "kills" => json(execution.kills().await),
        "run_once" => json(execution.run_once().await),
        "drain" => json(execution.drain().await),
        "next_due" => json(execution.next_due().await),
        "get" => json(execution.get(a.take("id")).await),
        "list" => json(execution.list(&a.whole::<ChangeFilter>()).await),
        "history" => {
            let all = HistoryFilter::default();
            let filter = HistoryFilter {
                change_id: a.optional("change_id"),
                after_seq: a.optional("after_seq").unwrap_or(all.after_seq),
                limit: a.optional("limit").unwrap_or(all.limit),
            };
            json(execution.history(&a.take::<String>("account_id"), &filter).await)
        }
        "cancel" => json(execution.cancel(a.take("id")).await),
        "set_limits" => {
            let account_id: String = a.take("account_id");
            json(execution.set_limits(&account_id, &a.whole::<AccountLimits>()).await)
        }
        "kill" => json(execution.kill(&a.take("scope"), a.take("on")).await),
        "verify_audit" => json(execution.verify_audit().await),
        _ => panic!("execution.{name} is no method of the Rust library"),
    }
}

async fn ads(scope: &Scope, name: &str, a: &mut Args) -> Result<Value> {
    let ads = scope.ads();
    match name {
        "create" => {
            let key: Option<String> = a.optional("key");
            json(ads.create(&a.whole::<AdObjectSpec>(), key.as_deref()).await)
        }
        "get" => {
            let fields: Vec<String> = a.optional("fields").unwrap_or_default();
            json(ads.get(a.take("kind"), &a.take::<String>("id"), &fields).await)
        }
        "update" => json(ads.update(&a.whole::<AdObjectUpdate>()).await),
        "list" => json(ads.list(&a.whole::<AdObjectQuery>()).await),
        _ => panic!("ads.{name} is no method of the Rust library"),
    }
}

async fn insights(scope: &Scope, name: &str, a: &mut Args) -> Result<Value> {
    let insights = scope.insights();
    let (account, since): (String, _) = (a.take("account_id"), a.take("since"));
    match name {
        "sync" => json(insights.sync(&account, since).await),
        "totals" => json(insights.totals(&account, since, a.take("until")).await),
        _ => panic!("insights.{name} is no method of the Rust library"),
    }
}

/// What a scripted object throws, as a Rust host writes it.
pub(crate) fn boom() -> Error {
    Error::new(xynergy::ErrorKind::Unavailable, "host", "boom")
}
