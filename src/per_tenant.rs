use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use xynergy_core::{Result, TenantId};

/// What is made once a tenant, at its first use, and then shared.
pub(crate) struct PerTenant<T>(RwLock<BTreeMap<TenantId, T>>);

impl<T> Default for PerTenant<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T: Clone> PerTenant<T> {
    /// Those that were made.
    #[cfg(feature = "execution")]
    pub(crate) fn all(&self) -> Vec<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The tenant's, if there is one.
    #[cfg(feature = "attribution")]
    pub(crate) fn get(&self, tenant: &TenantId) -> Option<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned()
    }

    /// Replaces the tenant's.
    #[cfg(feature = "attribution")]
    pub(crate) fn set(&self, tenant: &TenantId, value: T) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone(), value);
    }

    /// The tenant's, made by `make` when there is none. Of two that are made at once one is kept.
    pub(crate) async fn get_or_make<F>(&self, tenant: &TenantId, make: impl FnOnce() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let made = make().await?;
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Ok(all.entry(tenant.clone()).or_insert(made).clone())
    }
}
