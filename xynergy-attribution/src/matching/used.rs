use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use xynergy_core::store::{Click, Layer};

/// Which layers are used. Layers 2 and 3 recognise a device by its address and user agent, which the rules of a platform or a law may
/// forbid: what is not used is neither computed, stored nor matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Layers(BTreeSet<Layer>);

impl Layers {
    /// Whether it is used.
    pub fn contains(&self, layer: Layer) -> bool {
        self.0.contains(&layer)
    }

    /// Takes out of a click what only unused layers need.
    pub fn strip(&self, click: &mut Click) {
        if let Some(personal) = &mut click.personal {
            personal.fingerprint = personal.fingerprint.filter(|_| self.contains(Layer::Layer2));
            personal.address = personal.address.filter(|_| self.contains(Layer::Layer3));
            // The model recognises by the address as well.
            personal.device = personal.device.take().filter(|_| self.contains(Layer::Layer3));
        }
    }
}

/// All three.
impl Default for Layers {
    fn default() -> Self {
        Self([Layer::Layer1, Layer::Layer2, Layer::Layer3].into())
    }
}

impl TryFrom<Vec<u8>> for Layers {
    type Error = String;

    fn try_from(numbers: Vec<u8>) -> Result<Self, String> {
        let layers: Option<BTreeSet<Layer>> = numbers.iter().copied().map(Layer::from_number).collect();
        layers
            .filter(|layers| !layers.is_empty())
            .map(Self)
            .ok_or_else(|| format!("{numbers:?}: give at least one of the layers 1, 2 and 3"))
    }
}

impl From<Layers> for Vec<u8> {
    fn from(layers: Layers) -> Self {
        layers.0.into_iter().map(Layer::number).collect()
    }
}

impl JsonSchema for Layers {
    fn schema_name() -> Cow<'static, str> {
        "Layers".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Which layers are used.",
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": 3, "format": "uint8"},
            "minItems": 1,
            "uniqueItems": true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_the_layers_and_nothing_else() {
        let some: Layers = serde_json::from_str("[3, 1, 1]").unwrap();
        assert!(
            some.contains(Layer::Layer1) && !some.contains(Layer::Layer2) && some.contains(Layer::Layer3)
        );
        assert_eq!(serde_json::to_string(&some).unwrap(), "[1,3]");
        assert_eq!(serde_json::to_string(&Layers::default()).unwrap(), "[1,2,3]");
        for wrong in ["[]", "[0]", "[1, 4]"] {
            let error = serde_json::from_str::<Layers>(wrong).unwrap_err();
            assert!(error.to_string().contains("at least one of the layers 1, 2 and 3"), "{error}");
        }
    }
}
