use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xynergy_core::crm::Properties;
use xynergy_core::{Error, ErrorKind, Result};

/// The most inputs of one batch read.
pub(super) const BATCH: usize = 100;

/// One object to ask for, and where to go on when the last answer was one page of more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Input {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<String>,
}

#[derive(Serialize)]
struct ReadRequest<'a> {
    inputs: &'a [Input],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    properties: &'a [String],
}

#[derive(Deserialize)]
struct BatchResponse<T> {
    results: Vec<T>,
    #[serde(default)]
    errors: Vec<BatchError>,
}

#[derive(Deserialize)]
struct BatchError {
    #[serde(default)]
    category: String,
}

#[derive(Deserialize)]
struct Object {
    id: Id,
    #[serde(default)]
    properties: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Association {
    from: From,
    #[serde(default)]
    to: Vec<To>,
    #[serde(default)]
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct From {
    id: Id,
}

#[derive(Deserialize)]
struct To {
    #[serde(rename = "toObjectId")]
    id: Id,
}

#[derive(Deserialize)]
struct Paging {
    next: Option<Next>,
}

#[derive(Deserialize)]
struct Next {
    after: String,
}

/// HubSpot writes the same id as a text in one answer and as a number in another.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(u64),
}

impl Id {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

/// The body of a batch read; associations have no properties.
pub(super) fn read_request(inputs: &[Input], properties: &[String]) -> Result<Bytes> {
    let body = serde_json::to_vec(&ReadRequest { inputs, properties });
    body.map(Bytes::from).map_err(|e| {
        Error::new(ErrorKind::Unexpected, "hubspot.read", "the request cannot be written as JSON")
            .with_source(e)
    })
}

/// The objects of a batch read; those that HubSpot lacks are absent.
pub(super) fn objects(body: &[u8]) -> Result<BTreeMap<String, Properties>> {
    let results: Vec<Object> = results(body)?;
    Ok(results.into_iter().map(|object| (object.id.into_text(), properties(object.properties))).collect())
}

/// One page of the associations of some objects.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The ids of the associated objects by object.
    pub(super) associated: BTreeMap<String, Vec<String>>,
    /// What to ask for next.
    pub(super) next: Vec<Input>,
}

/// A page of a batch read of associations.
pub(super) fn associations(body: &[u8]) -> Result<Page> {
    let results: Vec<Association> = results(body)?;
    let mut page = Page::default();
    for association in results {
        let id = association.from.id.into_text();
        page.associated
            .entry(id.clone())
            .or_default()
            .extend(association.to.into_iter().map(|to| to.id.into_text()));
        if let Some(next) = association.paging.and_then(|paging| paging.next) {
            page.next.push(Input { id, after: Some(next.after) });
        }
    }
    Ok(page)
}

fn results<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<Vec<T>> {
    let response: BatchResponse<T> = serde_json::from_slice(body).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "hubspot.read", "the answer is not what HubSpot's API describes")
            .with_source(error)
    })?;
    // An object that is there but was not given must not pass for one that is absent.
    match response.errors.into_iter().find(|error| error.category != "OBJECT_NOT_FOUND") {
        None => Ok(response.results),
        Some(error) => {
            let category: String = error.category.chars().take(80).collect();
            // Of some of the objects, not of HubSpot: whoever asks for fewer gets the others.
            let kind =
                if category == "MISSING_SCOPES" { ErrorKind::Unauthorized } else { ErrorKind::Rejected };
            Err(Error::new(kind, "hubspot.read", "a part of the objects could not be read")
                .with_context("category", category))
        }
    }
}

fn properties(values: BTreeMap<String, Value>) -> Properties {
    values
        .into_iter()
        .map(|(name, value)| {
            let text = match value {
                Value::Null => None,
                Value::String(text) => Some(text),
                other => Some(other.to_string()),
            };
            (name, text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(id: &str) -> Input {
        Input { id: id.into(), after: None }
    }

    #[test]
    fn asks_for_listed_properties() {
        let body = read_request(&[input("1"), input("2")], &["createdate".into()]).unwrap();
        assert_eq!(&body[..], br#"{"inputs":[{"id":"1"},{"id":"2"}],"properties":["createdate"]}"#);
        let next = Input { id: "1".into(), after: Some("NTA=".into()) };
        assert_eq!(&read_request(&[next], &[]).unwrap()[..], br#"{"inputs":[{"id":"1","after":"NTA="}]}"#);
    }

    #[test]
    fn absent_objects_are_no_error_and_others_are() {
        let partly = br#"{"status":"COMPLETE","results":[{"id":"1","properties":{"a":"x","b":null,"c":true}}],
            "numErrors":1,"errors":[{"status":"error","category":"OBJECT_NOT_FOUND","context":{"ids":["2"]}}]}"#;
        let found = objects(partly).unwrap();
        let expected: Properties =
            [("a".into(), Some("x".into())), ("b".into(), None), ("c".into(), Some("true".into()))].into();
        assert_eq!(found, [("1".to_owned(), expected)].into());
        let denied = objects(br#"{"results":[],"errors":[{"category":"MISSING_SCOPES"}]}"#).unwrap_err();
        assert_eq!(denied.kind(), ErrorKind::Unauthorized);
        let broken = objects(br#"{"results":[],"errors":[{"category":"INTERNAL"}]}"#).unwrap_err();
        assert_eq!(broken.kind(), ErrorKind::Rejected);
    }

    #[test]
    fn associations_have_numbers_and_pages() {
        let body =
            br#"{"results":[{"from":{"id":"1"},"to":[{"toObjectId":9007199254740993},{"toObjectId":"7"}],
            "paging":{"next":{"after":"NTA=","link":"x"}}},{"from":{"id":"2"},"to":[]}]}"#;
        let page = associations(body).unwrap();
        assert_eq!(page.associated["1"], ["9007199254740993", "7"]);
        assert!(page.associated["2"].is_empty());
        assert_eq!(page.next, [Input { id: "1".into(), after: Some("NTA=".into()) }]);
    }

    #[test]
    fn other_answers_are_refused() {
        assert_eq!(objects(b"<html>").unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(objects(br#"{"status":"PENDING"}"#).unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(associations(br#"{"results":[{"to":[]}]}"#).unwrap_err().kind(), ErrorKind::Unavailable);
    }
}
