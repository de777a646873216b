//! The description of the public surface, from which the types of each language are generated.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use xynergy::ErrorKind;

use crate::host::{self, EmbedderTraits, ProviderTraits};
use crate::methods::{self, Answer};

/// Everything that a generator needs, as JSON: `{version, methods, hosts, types, errors, config}`.
///
/// `methods` are `{name, doc, params: [{name, doc, schema, required}], answer, result}`; `hosts` are the traits that a host can implement;
/// `types` are the named shapes that both refer to, with `required` being what is always there in a result; `config` is the JSON Schema
/// of the configuration.
pub fn describe() -> Value {
    // Results are described as they are written, arguments as they are read.
    let mut results = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut arguments = SchemaSettings::draft2020_12().into_generator();
    let methods: Vec<Value> = methods::all()
        .filter(|method| method.answer != Answer::Internal)
        .map(|method| {
            json!({
                "name": method.name,
                "doc": clean(method.doc),
                "params": params(&mut arguments, method),
                "answer": method.answer,
                "result": (method.result)(&mut results),
            })
        })
        .collect();
    let hosts: Vec<Value> =
        host::traits().iter().map(|described| host_trait(&mut results, described)).collect();
    let provider = arguments.subschema_for::<ProviderTraits>();
    let embedder = arguments.subschema_for::<EmbedderTraits>();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "methods": methods,
        "hosts": hosts,
        "provider_traits": provider,
        "embedder_traits": embedder,
        "types": results.take_definitions(true),
        "argument_types": arguments.take_definitions(true),
        "errors": kinds(),
        "config": xynergy::Config::json_schema(),
    })
}

/// The arguments of a method in their order.
fn params(generator: &mut SchemaGenerator, method: &methods::Method) -> Vec<Value> {
    let schema = (method.arguments)(generator);
    let schema = resolve(generator, &schema);
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let described = method.params.iter().map(|name| {
        let property = properties.get(*name).cloned().unwrap_or_default();
        let doc = property.get("description").and_then(Value::as_str).map(clean).unwrap_or_default();
        json!({"name": name, "doc": doc, "schema": property, "required": required.contains(name)})
    });
    described.collect()
}

fn host_trait(generator: &mut SchemaGenerator, described: &host::HostTrait) -> Value {
    let methods: Vec<Value> = described
        .methods
        .iter()
        .map(|method| {
            let params: Vec<Value> = method
                .params
                .iter()
                .map(|(name, shape)| json!({"name": name, "schema": shape(generator)}))
                .collect();
            json!({
                "name": method.name, "doc": clean(method.doc), "params": params, "result": (method.result)(generator),
                "stream": method.stream, "optional": method.optional,
            })
        })
        .collect();
    json!({"name": described.name, "doc": clean(described.doc), "methods": methods})
}

/// The definition behind a reference.
fn resolve(generator: &SchemaGenerator, schema: &Schema) -> Map<String, Value> {
    let object = schema.as_object().cloned().unwrap_or_default();
    let name = object.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    let definition = name.and_then(|name| generator.definitions().get(name)).and_then(Value::as_object);
    definition.cloned().unwrap_or(object)
}

/// Documentation on one line, without the marks of Rust's.
fn clean(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn kinds() -> Vec<Value> {
    let kinds = [
        (
            ErrorKind::Ambiguous,
            "The outcome of a write is unknown: it was sent, and no answer tells whether it took effect.",
        ),
        (ErrorKind::Cancelled, "The call was cancelled by the caller."),
        (ErrorKind::ConfigInvalid, "The configuration is wrong; nothing was started."),
        (ErrorKind::Conflict, "What is stored contradicts itself or the request."),
        (ErrorKind::ContentFiltered, "A content filter refused the request or the answer."),
        (ErrorKind::ContextTooLong, "The prompt does not fit the model's context window."),
        (ErrorKind::Corrupt, "A stored file or row cannot be read back as what it should be."),
        (ErrorKind::InvalidInput, "An argument is wrong; the message names the field."),
        (ErrorKind::LimitExceeded, "A limit that the user set refuses the call."),
        (ErrorKind::NotFound, "The object does not exist."),
        (ErrorKind::Rejected, "The other side refused the request as it stands."),
        (ErrorKind::Throttled, "The other side asks to slow down."),
        (ErrorKind::Timeout, "No answer came in time."),
        (ErrorKind::Unauthorized, "The credentials are missing, wrong or without the permission."),
        (ErrorKind::Unavailable, "A dependency is away or broken."),
        (ErrorKind::Unexpected, "A defect of this library."),
        (ErrorKind::Unsupported, "The backend has no such ability."),
    ];
    kinds.iter().map(|(kind, doc)| json!({"kind": kind, "doc": doc})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A parameter that is misspelt in the table would be one without a shape.
    #[test]
    fn every_parameter_is_a_field_of_its_arguments_and_the_other_way_round() {
        for method in methods::all() {
            let mut generator = SchemaSettings::draft2020_12().into_generator();
            let schema = (method.arguments)(&mut generator);
            let schema = resolve(&generator, &schema);
            let fields = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
            let mut fields: Vec<&str> = fields.keys().map(String::as_str).collect();
            let mut params = method.params.to_vec();
            fields.sort_unstable();
            params.sort_unstable();
            assert_eq!(params, fields, "{}", method.name);
        }
    }

    #[test]
    fn every_reference_is_defined() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(object) => {
                    found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    object.values().for_each(|value| references(value, found));
                }
                Value::Array(values) => values.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let described = describe();
        for (part, types) in [
            ("methods", "types"),
            ("types", "types"),
            ("hosts", "types"),
            ("argument_types", "argument_types"),
        ] {
            let mut found = Vec::new();
            references(&described[part], &mut found);
            for name in found.iter().filter_map(|path| path.strip_prefix("#/$defs/")) {
                let known = described[types].get(name).or_else(|| described["argument_types"].get(name));
                assert!(known.is_some(), "{part}: {name}");
            }
        }
        assert!(described["methods"].as_array().unwrap().len() > 30);
    }
}
