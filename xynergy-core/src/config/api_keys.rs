use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::SecretRef;
use super::ai::wrong;
use crate::error::Result;

/// Where the API keys of a provider are found: one, or several that take turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ApiKeys {
    /// One key.
    One(SecretRef),
    /// Several keys, at least one.
    Several(Vec<SecretRef>),
}

impl ApiKeys {
    /// Where each of them is found.
    pub fn references(&self) -> &[SecretRef] {
        match self {
            Self::One(reference) => std::slice::from_ref(reference),
            Self::Several(references) => references,
        }
    }

    pub(super) fn validate(&self, key: &str) -> Result<()> {
        let references = self.references();
        if references.is_empty() {
            return Err(wrong(format!(
                "{key}: the list is empty; give at least one key, or leave it away where none is needed"
            )));
        }
        let mut seen = BTreeSet::new();
        match references.iter().find(|reference| !seen.insert(*reference)) {
            Some(twice) => Err(wrong(format!("{key}: the {twice} is in the list twice; remove one"))),
            None => Ok(()),
        }
    }
}

impl From<SecretRef> for ApiKeys {
    fn from(reference: SecretRef) -> Self {
        Self::One(reference)
    }
}

/// By hand, so that an error names the key that is wrong and not that no variant fits.
impl<'de> Deserialize<'de> for ApiKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = ApiKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{ env = \"NAME\" }, { file = \"PATH\" } or a list of these; never the key itself")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ApiKeys, A::Error> {
        SecretRef::deserialize(MapAccessDeserializer::new(map)).map(ApiKeys::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<ApiKeys, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(ApiKeys::Several)
    }

    /// The text may be the key itself, so it is not repeated as it would be otherwise.
    fn visit_str<E: serde::de::Error>(self, _text: &str) -> Result<ApiKeys, E> {
        Err(E::custom("a text is no reference to a key; give { env = \"NAME\" } or { file = \"PATH\" }"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Holder {
        api_key: ApiKeys,
    }

    fn read(toml: &str) -> Result<ApiKeys, String> {
        toml::from_str::<Holder>(toml).map(|holder| holder.api_key).map_err(|error| error.to_string())
    }

    #[test]
    fn one_or_several_are_read_and_written_alike() {
        let env = |name: &str| SecretRef::Env(name.to_owned());
        let one = read("api_key = { env = 'A' }").unwrap();
        assert_eq!(one, ApiKeys::One(env("A")));
        let several = read("api_key = [{ env = 'A' }, { file = '/b' }]").unwrap();
        assert_eq!(several.references(), [env("A"), SecretRef::File("/b".into())]);
        for keys in [one, several] {
            let json = serde_json::to_value(&keys).unwrap();
            assert_eq!(serde_json::from_value::<ApiKeys>(json).unwrap(), keys);
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_a_key_is_not_repeated() {
        for (toml, part) in [
            ("api_key = { value = 'sk-sesame' }", "`env` or `file`"),
            ("api_key = [{ env = 'A' }, { value = 'sk-sesame' }]", "`env` or `file`"),
            ("api_key = 'sk-sesame'", "give { env"),
            ("api_key = 7", "a list of these"),
        ] {
            let error = toml::from_str::<Holder>(toml).unwrap_err();
            assert!(error.message().contains(part), "{error}");
            assert!(!error.message().contains("sesame"), "{error}");
        }
        let refused = |toml: &str| read(toml).unwrap().validate("k").unwrap_err().message().to_owned();
        assert!(refused("api_key = []").contains("k: the list is empty"));
        assert!(refused("api_key = [{ env = 'A' }, { env = 'A' }]").contains("environment variable A"));
    }
}
