//! The sandbox's own control: watching it and steering it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use xynergy_core::Timestamp;

use super::engine::{Core, Engine, unwritten};
use super::fault::{FaultRule, HumanEdit, parse_faults};
use super::incoming::Incoming;
use super::record::{ControlLine, Entry};
use super::reply::Reply;
use super::state::SandboxState;

const HELP: &str = include_str!("help.txt");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockMove {
    now: Option<Timestamp>,
    advance_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToSign {
    #[serde(default = "post")]
    method: String,
    url: String,
    body: String,
    timestamp_ms: Option<i64>,
}

fn post() -> String {
    "POST".to_owned()
}

/// What a control call answers and, for the log, what it changes.
struct Controlled {
    reply: Reply,
    rules: Option<Vec<FaultRule>>,
    reset: bool,
}

impl From<Reply> for Controlled {
    fn from(reply: Reply) -> Self {
        Self { reply, rules: None, reset: false }
    }
}

impl Engine {
    /// Takes one control call through: its line is in the log before it is answered.
    pub(super) async fn control(&self, request: Incoming) -> Reply {
        let mut core = self.lock().await;
        let path: Vec<&str> = request.segments();
        let controlled = match (&request.method, path.as_slice()) {
            (&Method::POST, ["clock"]) => self.move_clock(&mut core, &request).into(),
            (&Method::POST, ["edit"]) => self.edit(&mut core, &request).into(),
            (&Method::POST, ["faults"]) => replace_faults(&request),
            (&Method::POST, ["sign"]) => self.sign(&core, &request).into(),
            (&Method::POST, ["reset"]) => {
                Controlled { reply: Reply::json(200, &json!({"reset": true})), rules: None, reset: true }
            }
            (&Method::GET, [] | ["log" | "state" | "faults"]) => Reply::json(200, &Value::Null).into(),
            _ => refused(404, "nothing is here; GET /_sandbox/ says what is").into(),
        };
        let now = self.now(&core);
        core.push(
            now,
            Entry::Control(ControlLine {
                method: request.method.to_string(),
                path: request.path.clone(),
                query: request.shown_query.clone(),
                status: controlled.reply.status,
                request_id: request.ids.request_id.clone(),
                rules: controlled.rules,
                reset: controlled.reset,
            }),
        );
        if let Err(error) = core.commit().await {
            return unwritten(&error);
        }
        if request.method == Method::GET && controlled.reply.status == 200 {
            return self.watch(&core, &request, path.first().copied().unwrap_or("")).await;
        }
        controlled.reply
    }

    /// The answer to a look, with the look itself already in the log.
    async fn watch(&self, core: &Core, request: &Incoming, what: &str) -> Reply {
        let state = || SandboxState::of(&core.world, self.now(core));
        match what {
            "log" => match core.log_text().await {
                Ok(text) => Reply::whole(200, "application/x-ndjson", after(text, request.query("since"))),
                Err(error) => unwritten(&error),
            },
            "state" => Reply::json(200, &json!(state())),
            "faults" => Reply::json(200, &json!({"rules": state().faults})),
            _ => Reply::whole(200, "text/plain; charset=utf-8", HELP.as_bytes().to_vec()),
        }
    }

    fn move_clock(&self, core: &mut Core, request: &Incoming) -> Reply {
        let now = self.now(core);
        let target = match parse::<ClockMove>(request) {
            Err(reply) => return reply,
            Ok(ClockMove { now: Some(target), advance_ms: None }) => target,
            Ok(ClockMove { now: None, advance_ms: Some(ms) }) => {
                now.plus(std::time::Duration::from_millis(ms))
            }
            Ok(_) => return refused(400, "give now or advance_ms"),
        };
        if target < now {
            return refused(400, &format!("now: the clock stands at {now} and only moves forward"));
        }
        // A later time could be written into the log, but not read back.
        if target.to_string().parse::<Timestamp>().is_err() {
            return refused(400, "the clock ends with the year 9999");
        }
        self.clock.forward_to(target);
        let now = self.now(core);
        let landed = core.land_due(now);
        Reply::json(200, &json!({"now": now, "landed": landed}))
    }

    fn edit(&self, core: &mut Core, request: &Incoming) -> Reply {
        let edit = match parse::<HumanEdit>(request) {
            Ok(edit) => edit,
            Err(reply) => return reply,
        };
        let now = self.now(core);
        match core.edit(edit, request.ids.request_id.clone(), now) {
            Ok(changes) => Reply::json(200, &json!({"changes": changes})),
            Err(message) => refused(400, &message),
        }
    }

    /// The headers with which HubSpot would send a webhook: signature v3.
    fn sign(&self, core: &Core, request: &Incoming) -> Reply {
        let sign = match parse::<ToSign>(request) {
            Ok(sign) => sign,
            Err(reply) => return reply,
        };
        let timestamp = sign.timestamp_ms.unwrap_or_else(|| self.now(core).millis());
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.hubspot_secret.expose().as_bytes()) else {
            return refused(500, "the HubSpot secret is no key");
        };
        let timestamp = timestamp.to_string();
        for part in [&sign.method, &sign.url, &sign.body, &timestamp] {
            mac.update(part.as_bytes());
        }
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        Reply::json(
            200,
            &json!({"headers": {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": timestamp}}),
        )
    }
}

fn replace_faults(request: &Incoming) -> Controlled {
    let text = String::from_utf8_lossy(request.bytes());
    match parse_faults(&text) {
        Err(error) => refused(400, error.message()).into(),
        Ok(rules) => Controlled {
            reply: Reply::json(200, &json!({"rules": rules.len()})),
            rules: Some(rules),
            reset: false,
        },
    }
}

fn parse<T: serde::de::DeserializeOwned>(request: &Incoming) -> Result<T, Reply> {
    let value = request.json().map_err(|message| refused(400, &message))?;
    serde_json::from_value(value).map_err(|e| refused(400, &e.to_string()))
}

fn refused(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({"error": message}))
}

/// The lines after the one of number `since`. Numbers have no gap, so that it is as many lines that are left out.
fn after(text: Vec<u8>, since: Option<&str>) -> Vec<u8> {
    match since.and_then(|n| n.parse().ok()) {
        None | Some(0) => text,
        Some(lines) => text.split_inclusive(|b| *b == b'\n').skip(lines).flatten().copied().collect(),
    }
}
