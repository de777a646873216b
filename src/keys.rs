//! Keys that are made once for a tenant and kept in its store.

use xynergy_core::{Ctx, ErrorKind, Result};
#[cfg(feature = "attribution")]
use xynergy_core::{Error, Timestamp};

use crate::stores::Stores;

const COLLECTION: &str = "keys";

/// The tenant's key of this name: 32 bytes as hex digits, made at the first use. Of two workers that make one at once,
/// the first one's is the key.
#[cfg(feature = "execution")]
pub(crate) async fn stored(stores: &Stores, ctx: &Ctx, name: &str) -> Result<String> {
    first(stores, ctx, COLLECTION, name).await
}

/// The document of this name, which becomes 32 random bytes as hex digits unless somebody was first.
pub(crate) async fn first(stores: &Stores, ctx: &Ctx, collection: &str, name: &str) -> Result<String> {
    let mut fresh = [0; 32];
    ctx.env.entropy.fill(&mut fresh);
    let hex: String = fresh.iter().map(|byte| format!("{byte:02x}")).collect();
    match stores.state.put(&ctx.tenant, collection, name, Some(0), &hex).await {
        Ok(_) => Ok(hex),
        Err(error) if error.kind() == ErrorKind::Conflict => {
            let stored = stores.state.get(&ctx.tenant, collection, name).await?;
            stored.map(|document| document.value).ok_or_else(|| error.in_operation("keys"))
        }
        Err(error) => Err(error),
    }
}

/// The one key that versions had under which keys were of no span of time.
#[cfg(feature = "attribution")]
const UNDIVIDED: &str = "identity";

/// When such a key was seen first by a version that has spans: clicks under it are no younger. Microseconds.
#[cfg(feature = "attribution")]
const UNDIVIDED_UNTIL: &str = "identity_until";

/// That key, where the store has it.
#[cfg(feature = "attribution")]
pub(crate) async fn undivided(stores: &Stores, ctx: &Ctx) -> Result<Option<[u8; 32]>> {
    let stored = stores.state.get(&ctx.tenant, COLLECTION, UNDIVIDED).await?;
    let Some(document) = stored.filter(|document| !document.value.is_empty()) else { return Ok(None) };
    let now = ctx.env.clock.now().micros().to_string();
    match stores.state.put(&ctx.tenant, COLLECTION, UNDIVIDED_UNTIL, Some(0), &now).await {
        Err(error) if error.kind() != ErrorKind::Conflict => return Err(error),
        _ => {}
    }
    decode(&document.value).map(Some)
}

/// Throws it away once all its clicks are older than `before`; whether it did.
#[cfg(feature = "attribution")]
pub(crate) async fn destroy_undivided(stores: &Stores, ctx: &Ctx, before: Timestamp) -> Result<bool> {
    let until = stores.state.get(&ctx.tenant, COLLECTION, UNDIVIDED_UNTIL).await?;
    let until = until.and_then(|document| document.value.parse().ok()).map(Timestamp::from_micros);
    if until.is_none_or(|until| until > before) {
        return Ok(false);
    }
    match stores.state.get(&ctx.tenant, COLLECTION, UNDIVIDED).await? {
        Some(document) if !document.value.is_empty() => {
            match stores.state.put(&ctx.tenant, COLLECTION, UNDIVIDED, Some(document.version), "").await {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
                Err(error) => Err(error),
            }
        }
        _ => Ok(false),
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
