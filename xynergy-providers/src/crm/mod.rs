//! CRMs: where deals come from.

pub mod hubspot;
pub mod webhooks;

use xynergy_core::{Error, ErrorKind, Result};

/// Refuses a body of more than `most` bytes, which the configuration's `field` says.
fn within(body: &[u8], field: &'static str, most: u64) -> Result<()> {
    if u64::try_from(body.len()).is_ok_and(|bytes| bytes <= most) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::LimitExceeded,
        "webhook",
        format!("body: {} bytes are more than {field} lets in ({most})", body.len()),
    )
    .with_context("limit", "max_body_bytes"))
}
