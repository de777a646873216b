//! CRMs.

pub mod hubspot;
