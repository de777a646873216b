//! The file of the CRM: deals and contacts with HubSpot's property names.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xynergy_core::{Error, Result};

use super::file::{self, RowProblem};

/// A CRM as `crm.json` describes it. Unknown fields are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct CrmFile {
    /// Deals by id.
    pub deals: BTreeMap<String, DealRow>,
    /// Contacts by id.
    pub contacts: BTreeMap<String, ContactRow>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A deal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DealRow {
    /// Its properties by HubSpot's names: strings, numbers, booleans or null.
    pub properties: Map<String, Value>,
    /// The ids of its contacts.
    #[serde(default, deserialize_with = "ids")]
    pub contacts: Vec<String>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A contact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContactRow {
    /// Its properties by HubSpot's names: strings, numbers, booleans or null.
    pub properties: Map<String, Value>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with deals and contacts")]
struct Raw {
    deals: BTreeMap<String, Value>,
    contacts: BTreeMap<String, Value>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

#[derive(Deserialize)]
struct AnyId(#[serde(deserialize_with = "file::id")] String);

fn ids<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Vec::<AnyId>::deserialize(deserializer)?.into_iter().map(|id| id.0).collect())
}

impl CrmFile {
    /// Reads the file at `path`, blocking: a host calls it before it serves. See [`CrmFile::parse`].
    pub fn load(path: &Path) -> Result<(Self, Vec<RowProblem>)> {
        Self::parse(&file::read(path, "crm")?).map_err(|e| file::in_file(e, path))
    }

    /// Reads the text of a CRM file. A deal or contact that is wrong is left out and reported with its id and its number,
    /// counted in the order of the ids.
    ///
    /// # Errors
    ///
    /// No JSON, or no `deals` or `contacts`.
    pub fn parse(text: &str) -> Result<(Self, Vec<RowProblem>)> {
        let raw: Raw = serde_json::from_str(file::without_mark(text)).map_err(|e| {
            Error::invalid(file::OPERATION, format!("the CRM file is not as it should be: {e}"))
        })?;
        let mut problems = Vec::new();
        let deals = admit("deals", raw.deals, &mut problems);
        let contacts = admit("contacts", raw.contacts, &mut problems);
        Ok((Self { deals, contacts, other: raw.other }, problems))
    }
}

fn admit<T: serde::de::DeserializeOwned>(
    what: &str,
    rows: BTreeMap<String, Value>,
    problems: &mut Vec<RowProblem>,
) -> BTreeMap<String, T> {
    let mut admitted = BTreeMap::new();
    for (index, (id, value)) in rows.into_iter().enumerate() {
        match serde_json::from_value(value) {
            Ok(row) => {
                admitted.insert(id, row);
            }
            Err(e) => {
                problems.push(RowProblem { row: index + 1, id: Some(id), message: format!("{what}: {e}") });
            }
        }
    }
    admitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_deals_and_reports_those_it_cannot() {
        let (crm, problems) = CrmFile::parse(
            r#"{"deals":{"1":{"properties":{"dealstage":"closedwon"},"contacts":["7",8],"team":"x"},"2":{"contacts":[]},"3":[]},
                "contacts":{"7":{"properties":{"email":null}}},"version":3}"#,
        )
        .unwrap();
        assert_eq!(crm.deals["1"].contacts, ["7", "8"]);
        assert_eq!(crm.deals["1"].other["team"], "x");
        assert_eq!(crm.other["version"], 3);
        assert_eq!(problems.len(), 2);
        assert!(
            problems[0].to_string().starts_with("row 2 (2): deals: missing field `properties`"),
            "{}",
            problems[0]
        );
    }

    #[test]
    fn a_file_of_another_shape_is_an_error() {
        assert!(CrmFile::parse("[]").is_err());
        assert!(CrmFile::parse("{\"deals\":{}}").unwrap_err().message().contains("contacts"));
    }
}
