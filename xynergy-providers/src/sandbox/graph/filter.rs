//! `filtering`: which rows of a list are wanted.

use serde::Deserialize;
use serde_json::Value;

use super::{GraphError, node};
use crate::sandbox::world::{Object, World};

#[derive(Deserialize)]
pub(super) struct Filter {
    field: String,
    operator: String,
    value: Value,
}

/// Reads `[{"field": "name", "operator": "CONTAIN", "value": "Spring"}]`.
pub(super) fn parse(text: &str) -> Result<Vec<Filter>, GraphError> {
    let filters: Vec<Filter> = serde_json::from_str(text).map_err(|_| {
        GraphError::invalid("(#100) Param filtering must be a list of {field, operator, value}")
    })?;
    for filter in &filters {
        let known = matches!(
            (filter.field(), filter.operator.as_str(), &filter.value),
            ("name", "CONTAIN" | "EQUAL", Value::String(_))
                | ("id" | "effective_status", "IN", Value::Array(_))
        );
        if !known {
            return Err(GraphError::invalid(format!(
                "(#100) Filtering field '{}' with operation '{}' is not supported",
                filter.field.chars().take(40).collect::<String>(),
                filter.operator.chars().take(40).collect::<String>()
            )));
        }
    }
    Ok(filters)
}

impl Filter {
    /// The field without the type that may stand before it, as in `campaign.name`.
    fn field(&self) -> &str {
        self.field.rsplit('.').next().unwrap_or_default()
    }

    pub(super) fn passes(&self, world: &World, id: &str, object: &Object) -> bool {
        let text = match self.field() {
            "id" => id.to_owned(),
            "effective_status" => node::effective_status(world, object),
            _ => object.name.clone(),
        };
        match (&self.value, self.operator.as_str()) {
            (Value::String(wanted), "EQUAL") => text == *wanted,
            // Meta's comparison knows no case.
            (Value::String(wanted), _) => text.to_lowercase().contains(&wanted.to_lowercase()),
            (Value::Array(wanted), _) => wanted.iter().any(|wanted| wanted.as_str() == Some(&text)),
            _ => false,
        }
    }
}
