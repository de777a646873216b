//! The provider types that come with the library.

use std::sync::Arc;

use xynergy_core::config::{ANTHROPIC, OPENAI_COMPATIBLE, OPENAI_RESPONSES};
use xynergy_core::registry::ProviderRegistry;

use crate::ai::anthropic::Anthropic;
use crate::ai::openai_compatible::OpenAiCompatible;
use crate::ai::openai_responses::OpenAiResponses;

/// A registry of all types here; a host adds its own to it.
pub fn providers() -> ProviderRegistry {
    let mut registry = ProviderRegistry::default();
    registry.register(
        OPENAI_COMPATIBLE,
        Arc::new(|name, config, parts| Ok(Arc::new(OpenAiCompatible::new(name, config, parts.clone())?))),
    );
    registry.register(
        OPENAI_RESPONSES,
        Arc::new(|name, config, parts| Ok(Arc::new(OpenAiResponses::new(name, config, parts.clone())?))),
    );
    registry.register(
        ANTHROPIC,
        Arc::new(|name, config, parts| Ok(Arc::new(Anthropic::new(name, config, parts.clone())?))),
    );
    registry
}
