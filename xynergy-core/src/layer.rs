//! Middleware around providers.

use std::fmt::Debug;
use std::sync::Arc;

use crate::provider::Provider;

/// Wraps a provider in another one that adds one ability.
///
/// State lives in the layer, so that all providers that one layer wraps share it; what it returns is a cheap projection.
pub trait Layer: Send + Sync + Debug + 'static {
    /// The provider with this layer around it.
    fn wrap(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider>;
}

/// The provider within all `layers`, the first one outermost.
pub fn stack(provider: Arc<dyn Provider>, layers: &[Arc<dyn Layer>]) -> Arc<dyn Provider> {
    layers.iter().rev().fold(provider, |inner, layer| layer.wrap(inner))
}
