//! HubSpot's CRM read of deals and contacts, as pure functions of the CRM file.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Map, Value, json};
use xynergy_core::Timestamp;
use xynergy_core::config::Secret;

use super::crm_file::CrmFile;
use super::incoming::Incoming;
use super::reply::Reply;

/// HubSpot's limit of objects in one batch read.
const MAX_OBJECTS: usize = 100;
/// HubSpot's limit of objects in one batch read of associations.
const MAX_ASSOCIATED: usize = 1_000;

#[derive(Clone, Copy)]
enum Kind {
    Deal,
    Contact,
}

impl Kind {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "deals" | "deal" | "0-3" => Some(Self::Deal),
            "contacts" | "contact" | "0-1" => Some(Self::Contact),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Deal => "deal",
            Self::Contact => "contact",
        }
    }

    fn properties<'a>(self, crm: &'a CrmFile, id: &str) -> Option<&'a Map<String, Value>> {
        match self {
            Self::Deal => crm.deals.get(id).map(|deal| &deal.properties),
            Self::Contact => crm.contacts.get(id).map(|contact| &contact.properties),
        }
    }

    /// What HubSpot answers when no properties are named.
    fn default_properties(self) -> &'static [&'static str] {
        match self {
            Self::Deal => &[
                "amount",
                "closedate",
                "createdate",
                "dealname",
                "dealstage",
                "hs_lastmodifieddate",
                "hs_object_id",
                "pipeline",
            ],
            Self::Contact => {
                &["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"]
            }
        }
    }
}

pub(super) fn handle(crm: &CrmFile, request: &Incoming, now: Timestamp) -> Reply {
    match request.bearer.as_ref().map(Secret::expose) {
        None => {
            return error(
                401,
                "INVALID_AUTHENTICATION",
                "Authentication credentials not found. This API supports OAuth 2.0 and private app tokens: send Authorization: Bearer TOKEN",
            );
        }
        Some("expired") => {
            return error(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired");
        }
        Some(_) => {}
    }
    match (&request.method, request.segments().as_slice()) {
        (&Method::GET, ["crm", "v3", "objects", kind, id]) => match Kind::parse(kind) {
            Some(kind) => read_one(crm, request, kind, id),
            None => unserved(request),
        },
        (&Method::POST, ["crm", "v3", "objects", kind, "batch", "read"]) => match Kind::parse(kind) {
            Some(kind) => batch(request, MAX_OBJECTS, |ids, body| read_many(crm, kind, ids, body, now)),
            None => unserved(request),
        },
        (&Method::POST, ["crm", "v4", "associations", from, to, "batch", "read"]) => {
            match (Kind::parse(from), Kind::parse(to)) {
                (Some(Kind::Deal), Some(Kind::Contact)) => {
                    batch(request, MAX_ASSOCIATED, |ids, _| read_contacts(crm, ids, now))
                }
                _ => unserved(request),
            }
        }
        _ => unserved(request),
    }
}

/// An error in HubSpot's shape.
pub(super) fn error(status: u16, category: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({
            "status": "error", "message": message, "category": category,
            "correlationId": "00000000-0000-4000-8000-000000000000",
        }),
    )
}

fn unserved(request: &Incoming) -> Reply {
    let message =
        format!("nothing is served at {} {}; GET /_sandbox/ says what is", request.method, request.path);
    error(404, "OBJECT_NOT_FOUND", &message)
}

fn read_one(crm: &CrmFile, request: &Incoming, kind: Kind, id: &str) -> Reply {
    let named: Vec<String> = request
        .query
        .iter()
        .filter(|(name, _)| name == "properties")
        .flat_map(|(_, value)| value.split(','))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let Some(mut object) = object(crm, kind, id, &named) else {
        return error(
            404,
            "OBJECT_NOT_FOUND",
            &format!("Object not found.  objectId are usually numeric: no {} {id}", kind.name()),
        );
    };
    let associated = request.query("associations").unwrap_or("");
    if let (Kind::Deal, Some(deal)) = (kind, crm.deals.get(id))
        && associated.split(',').any(|to| matches!(Kind::parse(to.trim()), Some(Kind::Contact)))
        && !deal.contacts.is_empty()
    {
        let results: Vec<Value> =
            deal.contacts.iter().map(|id| json!({"id": id, "type": "deal_to_contact"})).collect();
        object["associations"] = json!({"contacts": {"results": results}});
    }
    Reply::json(200, &object)
}

fn object(crm: &CrmFile, kind: Kind, id: &str, named: &[String]) -> Option<Value> {
    let own = kind.properties(crm, id)?;
    let defaults: Vec<String> = kind.default_properties().iter().map(|name| (*name).to_owned()).collect();
    let names = if named.is_empty() { defaults } else { named.to_vec() };
    let mut properties = Map::new();
    // HubSpot always adds these.
    for name in names.iter().map(String::as_str).chain(["hs_object_id", "createdate"]) {
        let value = match own.get(name) {
            None if name == "hs_object_id" => Value::from(id),
            value => value.map_or(Value::Null, as_text),
        };
        properties.insert(name.to_owned(), value);
    }
    let time = |names: &[&str]| {
        names
            .iter()
            .filter_map(|name| own.get(*name)?.as_str()?.parse::<Timestamp>().ok())
            .next()
            .unwrap_or_default()
    };
    let updated = ["hs_lastmodifieddate", "lastmodifieddate", "createdate"];
    Some(json!({
        "id": id,
        "properties": properties,
        "createdAt": time(&["createdate"]),
        "updatedAt": time(&updated),
        "archived": false,
    }))
}

/// Every property is a string or null on the wire.
fn as_text(value: &Value) -> Value {
    match value {
        Value::Null | Value::String(_) => value.clone(),
        other => other.to_string().into(),
    }
}

/// Reads the inputs of a batch, each once, and answers them.
fn batch(request: &Incoming, limit: usize, answer: impl FnOnce(Vec<String>, &Value) -> Reply) -> Reply {
    let body = match request.json() {
        Ok(body) => body,
        Err(message) => return error(400, "VALIDATION_ERROR", &format!("Invalid input JSON: {message}")),
    };
    let id_of = |input: &Value| match input.get("id")? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    };
    let inputs = body.get("inputs").and_then(Value::as_array);
    let ids: Option<Vec<String>> = inputs.and_then(|list| list.iter().map(id_of).collect());
    match ids {
        Some(ids) if !ids.is_empty() && ids.len() <= limit => {
            let mut seen = BTreeSet::new();
            let unique = ids.into_iter().filter(|id| seen.insert(id.clone())).collect();
            answer(unique, &body)
        }
        Some(ids) if !ids.is_empty() => error(
            400,
            "VALIDATION_ERROR",
            &format!("inputs: {} objects asked for, at most {limit} are read at once", ids.len()),
        ),
        _ => error(400, "VALIDATION_ERROR", "inputs: give a list of {\"id\": ...}"),
    }
}

fn read_many(crm: &CrmFile, kind: Kind, ids: Vec<String>, body: &Value, now: Timestamp) -> Reply {
    let named: Vec<String> = body
        .get("properties")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    let mut results = Vec::new();
    let mut missing = Vec::new();
    for id in ids {
        match object(crm, kind, &id, &named) {
            Some(object) => results.push(object),
            None => missing.push(id),
        }
    }
    let errors = if missing.is_empty() {
        Vec::new()
    } else {
        let upper = kind.name().to_uppercase();
        vec![json!({
            "status": "error", "category": "OBJECT_NOT_FOUND",
            "message": format!("Could not get some {upper} objects, they may be deleted or not exist. Check that ids are valid."),
            "context": {"ids": missing},
        })]
    };
    multi_status(&results, &errors, now)
}

fn read_contacts(crm: &CrmFile, ids: Vec<String>, now: Timestamp) -> Reply {
    let mut results = Vec::new();
    let mut errors = Vec::new();
    for id in ids {
        let contacts = crm.deals.get(&id).map_or(&[][..], |deal| &deal.contacts);
        if contacts.is_empty() {
            errors.push(json!({
                "status": "error", "category": "OBJECT_NOT_FOUND",
                "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                "message": format!("No contact is associated with deal {id}."),
                "context": {"fromObjectId": [id], "fromObjectType": ["deal"], "toObjectType": ["contact"]},
            }));
            continue;
        }
        let to: Vec<Value> = contacts
            .iter()
            .map(|contact| {
                // HubSpot's ids are numbers here and strings everywhere else.
                let number = contact.parse::<i64>().map_or_else(|_| contact.as_str().into(), Value::from);
                json!({
                    "toObjectId": number,
                    "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 3, "label": null}],
                })
            })
            .collect();
        results.push(json!({"from": {"id": id}, "to": to}));
    }
    multi_status(&results, &errors, now)
}

/// 200, or 207 with the errors when some inputs are missing.
fn multi_status(results: &[Value], errors: &[Value], now: Timestamp) -> Reply {
    let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now});
    if errors.is_empty() {
        return Reply::json(200, &body);
    }
    body["numErrors"] = errors.len().into();
    body["errors"] = errors.into();
    Reply::json(207, &body)
}
