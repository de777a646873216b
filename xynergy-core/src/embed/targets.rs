use std::collections::{BTreeMap, BTreeSet};

use super::EmbedCapability;
use crate::config::EmbeddingsConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::route::ModelChoice;

/// Who embeds, and by which model. Pure: the same embedders and configuration give the same answer.
///
/// Only embedders of the same model stand in for one another: vectors of two models cannot be compared.
#[derive(Clone, Debug, Default)]
pub struct EmbedTable {
    embedders: BTreeMap<String, EmbedCapability>,
    /// Providers that do not embed, for the error that says so.
    others: BTreeSet<String>,
    model: Option<String>,
    providers: Vec<String>,
}

impl EmbedTable {
    /// The table of these embedders, and of `providers` that may not embed.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) when the configuration names one that does not embed.
    pub fn new(
        embedders: BTreeMap<String, EmbedCapability>,
        providers: impl IntoIterator<Item = String>,
        settings: &EmbeddingsConfig,
    ) -> Result<Self> {
        let others = providers.into_iter().filter(|name| !embedders.contains_key(name)).collect();
        let table =
            Self { embedders, others, model: settings.model.clone(), providers: settings.providers.clone() };
        for target in &table.providers {
            if table.split(target).is_none() {
                return Err(config(format!(
                    "ai.embeddings.providers: {target:?} does not embed; name one of: {}, or leave it away",
                    table.names()
                )));
            }
        }
        Ok(table)
    }

    /// The models to ask for `model` (the configured one when empty), in their order.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) when nobody embeds or it is not clear by which model,
    /// [`Unsupported`](ErrorKind::Unsupported) for a provider that does not embed, [`NotFound`](ErrorKind::NotFound) for a model that
    /// nobody is known for.
    pub fn choose(&self, model: &str) -> Result<Vec<ModelChoice>> {
        if self.embedders.is_empty() {
            return Err(config(
                "ai.providers: none that is configured embeds texts; add openai, azure, mistral, openrouter, ollama, vllm, llama_cpp or internal, or give the client an embedder of your own"
                    .to_owned(),
            ));
        }
        let model = match (model, &self.model) {
            ("" | "auto", Some(own)) => own.clone(),
            ("" | "auto", None) => self.only_model()?,
            (named, _) => named.to_owned(),
        };
        if self.model.as_deref() == Some(model.as_str()) && !self.providers.is_empty() {
            return Ok(self.providers.iter().filter_map(|target| self.chosen(target, &model)).collect());
        }
        if let Some(choice) = self.split(&model) {
            if choice.model.is_empty() {
                return Err(no_default(&choice.provider));
            }
            return Ok(vec![choice]);
        }
        let first = model.split('/').next().unwrap_or_default();
        if self.others.contains(first) {
            let message = format!("model: {first:?} does not embed texts; name one of: {}", self.names());
            return Err(Error::new(ErrorKind::Unsupported, "ai.embed", message));
        }
        let serving = self.embedders.iter().filter(|(_, capability)| capability.default_model == model);
        let mut choices: Vec<ModelChoice> = serving.map(|(name, _)| choice_of(name, &model)).collect();
        if let (true, Some((only, _))) = (self.embedders.len() == 1, self.embedders.first_key_value())
            && choices.is_empty()
        {
            choices.push(choice_of(only, &model));
        }
        if choices.is_empty() {
            let message = format!(
                "model: no embedder is known for {model:?}; say whose it is as PROVIDER/{model} (with one of: {}), or list them in ai.embeddings.providers",
                self.names()
            );
            return Err(Error::new(ErrorKind::NotFound, "ai.embed", message));
        }
        Ok(choices)
    }

    /// The one model that all embedders with a default have.
    fn only_model(&self) -> Result<String> {
        let models: BTreeSet<&str> =
            self.embedders.values().map(|capability| capability.default_model.as_str()).collect();
        let mut named = models.into_iter().filter(|model| !model.is_empty());
        match (named.next(), named.next()) {
            (Some(only), None) => Ok(only.to_owned()),
            (None, _) => Err(no_default(&self.names())),
            (Some(one), Some(other)) => Err(config(format!(
                "ai.embeddings.model: missing, and the embedders have different ones ({one}, {other}), whose vectors cannot be compared; set it"
            ))),
        }
    }

    /// An entry of `ai.embeddings.providers`: a provider asked for the configured model, or for its own name of that model.
    fn chosen(&self, target: &str, model: &str) -> Option<ModelChoice> {
        if self.embedders.contains_key(target) {
            // The configured model may be written with its provider.
            let bare =
                model.split_once('/').filter(|(name, _)| *name == target).map_or(model, |(_, rest)| rest);
            return Some(choice_of(target, bare));
        }
        self.split(target)
    }

    /// `PROVIDER` or `PROVIDER/MODEL` where the provider embeds.
    fn split(&self, target: &str) -> Option<ModelChoice> {
        if let Some(capability) = self.embedders.get(target) {
            return Some(choice_of(target, &capability.default_model));
        }
        let (name, model) = target.split_once('/')?;
        let known = self.embedders.contains_key(name) && !model.is_empty();
        known.then(|| choice_of(name, model))
    }

    fn names(&self) -> String {
        self.embedders.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

fn choice_of(provider: &str, model: &str) -> ModelChoice {
    ModelChoice { provider: provider.to_owned(), model: model.to_owned() }
}

fn no_default(who: &str) -> Error {
    config(format!("ai.embeddings.model: missing, and {who} has no default model for embeddings; set it"))
}

fn config(message: String) -> Error {
    Error::new(ErrorKind::ConfigInvalid, "ai.embed", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(embedders: &[(&str, &str)], model: Option<&str>, providers: &[&str]) -> Result<EmbedTable> {
        let embedders =
            embedders.iter().map(|(name, model)| ((*name).to_owned(), EmbedCapability::new(*model)));
        let settings = EmbeddingsConfig {
            model: model.map(str::to_owned),
            providers: providers.iter().map(|&name| name.to_owned()).collect(),
            ..EmbeddingsConfig::default()
        };
        EmbedTable::new(embedders.collect(), ["groq".to_owned()], &settings)
    }

    fn chosen(table: &Result<EmbedTable>, model: &str) -> std::result::Result<String, (ErrorKind, String)> {
        let choices = table.as_ref().unwrap().choose(model);
        let told = |choice: &ModelChoice| format!("{}:{}", choice.provider, choice.model);
        choices
            .map(|choices| choices.iter().map(told).collect::<Vec<_>>().join(" "))
            .map_err(|error| (error.kind(), error.message().to_owned()))
    }

    #[test]
    fn only_embedders_of_the_same_model_stand_in_for_one_another() {
        let two =
            table(&[("openai", "small"), ("mistral", "embed"), ("own", "small"), ("ollama", "")], None, &[]);
        assert_eq!(chosen(&two, "small").unwrap(), "openai:small own:small");
        assert_eq!(chosen(&two, "mistral").unwrap(), "mistral:embed");
        assert_eq!(chosen(&two, "openai/large").unwrap(), "openai:large");
        assert_eq!(chosen(&two, "ollama/nomic").unwrap(), "ollama:nomic");
        let error = |model| chosen(&two, model).unwrap_err();
        assert!(error("").1.contains("different ones (embed, small)"), "{:?}", error(""));
        assert!(error("ollama").1.contains("ollama has no default model"));
        assert_eq!((error("groq/x").0, error("nomic").0), (ErrorKind::Unsupported, ErrorKind::NotFound));
        assert!(error("nomic").1.contains("PROVIDER/nomic"));
    }

    #[test]
    fn the_configuration_says_who_serves_its_model() {
        let providers = ["azure/my-deployment", "openai"];
        let own =
            table(&[("openai", "small"), ("azure", ""), ("mistral", "embed")], Some("large"), &providers);
        assert_eq!(chosen(&own, "").unwrap(), "azure:my-deployment openai:large");
        assert_eq!(chosen(&own, "large").unwrap(), "azure:my-deployment openai:large");
        assert_eq!(chosen(&own, "small").unwrap(), "openai:small");
        let prefixed = table(&[("openai", "small"), ("mistral", "embed")], Some("mistral/embed"), &[]);
        assert_eq!(chosen(&prefixed, "").unwrap(), "mistral:embed");
        let unknown = table(&[("openai", "small")], None, &["groq"]).unwrap_err();
        assert!(unknown.message().contains("\"groq\" does not embed"), "{unknown}");
    }

    #[test]
    fn one_embedder_is_asked_for_whatever_is_named() {
        let one = table(&[("ollama", "")], None, &[]);
        assert_eq!(chosen(&one, "nomic-embed-text").unwrap(), "ollama:nomic-embed-text");
        assert_eq!(chosen(&one, "org/model").unwrap(), "ollama:org/model");
        assert_eq!(chosen(&one, "").unwrap_err().0, ErrorKind::ConfigInvalid);
        assert!(chosen(&table(&[], None, &[]), "x").unwrap_err().1.contains("ai.providers"));
    }
}
