//! CRMs.

#[cfg(feature = "hubspot")]
pub mod hubspot;
