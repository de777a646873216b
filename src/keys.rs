//! Keys that are made once for a tenant and kept in its store.

#[cfg(feature = "attribution")]
use xynergy_core::Error;
use xynergy_core::{Ctx, ErrorKind, Result};

use crate::stores::Stores;

const COLLECTION: &str = "keys";

/// The tenant's key of this name: 32 bytes as hex digits, made at the first use. Of two workers that make one at once,
/// the first one's is the key.
pub(crate) async fn stored(stores: &Stores, ctx: &Ctx, name: &'static str) -> Result<String> {
    let mut fresh = [0; 32];
    ctx.env.entropy.fill(&mut fresh);
    let hex: String = fresh.iter().map(|byte| format!("{byte:02x}")).collect();
    match stores.state.put(&ctx.tenant, COLLECTION, name, Some(0), &hex).await {
        Ok(_) => Ok(hex),
        Err(error) if error.kind() == ErrorKind::Conflict => {
            let stored = stores.state.get(&ctx.tenant, COLLECTION, name).await?;
            stored.map(|document| document.value).ok_or_else(|| error.in_operation("keys"))
        }
        Err(error) => Err(error),
    }
}

/// 64 hex digits as bytes.
#[cfg(feature = "attribution")]
pub(crate) fn decode(hex: &str) -> Result<[u8; 32]> {
    let digits = hex.trim().as_bytes();
    let wrong = || {
        Error::new(
            ErrorKind::ConfigInvalid,
            "keys",
            "a key is 64 hex digits; `openssl rand -hex 32` makes one",
        )
    };
    let (pairs, rest) = digits.as_chunks::<2>();
    let mut key = [0; 32];
    if pairs.len() != key.len() || !rest.is_empty() {
        return Err(wrong());
    }
    for (byte, pair) in key.iter_mut().zip(pairs) {
        let text = std::str::from_utf8(pair).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        *byte = text.and_then(|text| u8::from_str_radix(text, 16).ok()).ok_or_else(wrong)?;
    }
    Ok(key)
}

#[cfg(all(test, feature = "attribution"))]
mod tests {
    use super::*;

    #[test]
    fn keys_are_64_hex_digits() {
        assert_eq!(decode(&format!(" {}\n", "0f".repeat(32))).unwrap(), [15; 32]);
        for bad in ["", "0f", &"0g".repeat(32), &"+1".repeat(32), &"é".repeat(32), &"0f".repeat(33)] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }
}
