use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use xynergy_core::config::Secret;
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

use super::config::Signatures;

/// How far the time of a delivery may lie from ours, in either direction, in microseconds.
const SKEW_MICROS: u64 = 300 * 1_000_000;

/// The escapes that HubSpot decodes in the address before it signs it, and no others.
const DECODED: [(&str, char); 12] = [
    ("%3A", ':'),
    ("%2F", '/'),
    ("%3F", '?'),
    ("%40", '@'),
    ("%21", '!'),
    ("%24", '$'),
    ("%27", '\''),
    ("%28", '('),
    ("%29", ')'),
    ("%2A", '*'),
    ("%2C", ','),
    ("%3B", ';'),
];

/// A webhook as it arrived.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The whole address as HubSpot has it configured, query included; not put together from `Host` headers, which
    /// the sender chooses.
    pub url: &'a str,
    /// The headers; the case of their names does not matter.
    pub headers: &'a BTreeMap<String, String>,
    /// The body's bytes as they came.
    pub body: &'a [u8],
    /// When it arrived, by our clock.
    pub received_at: Timestamp,
}

impl fmt::Debug for Delivery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("method", &self.method)
            .field("body_bytes", &self.body.len())
            .field("received_at", &self.received_at)
            .finish_non_exhaustive()
    }
}

/// Checks that HubSpot sent this delivery, within the last 300 seconds (or, by its clock, the next).
///
/// A delivery with a signature of version 3 is judged by that alone; `accepted` says whether one without may have an
/// older one.
///
/// # Errors
/// [`Unauthorized`](ErrorKind::Unauthorized), with the failed check in the context: `header`, `timestamp`, `skew` or
/// `signature`. Nothing of the secret or of the expected signature is in it.
pub fn verify(delivery: &Delivery<'_>, secret: &Secret, accepted: Signatures) -> Result<()> {
    if let Some(signature) = delivery.header("x-hubspot-signature-v3")? {
        return verify_v3(delivery, signature, secret);
    }
    if accepted == Signatures::V3 {
        return Err(refused("header", "there is no X-HubSpot-Signature-v3 header"));
    }
    let signature = delivery.header("x-hubspot-signature")?;
    let signature = signature.ok_or_else(|| refused("header", "there is no X-HubSpot-Signature header"))?;
    match delivery.header("x-hubspot-signature-version")? {
        Some("v1") => verify_digest(delivery, signature, secret, None),
        Some("v2") => verify_digest(delivery, signature, secret, Some(delivery.url)),
        _ => Err(refused("header", "X-HubSpot-Signature-Version is neither v1 nor v2")),
    }
}

fn verify_v3(delivery: &Delivery<'_>, signature: &str, secret: &Secret) -> Result<()> {
    let stamp = delivery.header("x-hubspot-request-timestamp")?;
    let stamp = stamp.ok_or_else(|| refused("header", "there is no X-HubSpot-Request-Timestamp header"))?;
    let sent_at = milliseconds(stamp)
        .ok_or_else(|| refused("timestamp", "X-HubSpot-Request-Timestamp is not a number of milliseconds"))?;
    if delivery.received_at.micros().abs_diff(sent_at.micros()) > SKEW_MICROS {
        return Err(refused(
            "skew",
            "the delivery's time is more than 300 seconds from ours: check the clock",
        ));
    }
    let mismatch =
        || refused("signature", "the signature does not match: check the client secret and the address");
    let signature = STANDARD.decode(signature).map_err(|_| mismatch())?;
    let decoded = decode_listed(delivery.url);
    for url in [delivery.url, decoded.as_str()] {
        let mut mac = keyed(secret)?;
        for part in [delivery.method.as_bytes(), url.as_bytes(), delivery.body, stamp.as_bytes()] {
            mac.update(part);
        }
        if mac.verify_slice(&signature).is_ok() {
            return Ok(());
        }
    }
    Err(mismatch())
}

/// Version 1 is a plain hash of secret and body, version 2 also of method and address between them.
fn verify_digest(delivery: &Delivery<'_>, signature: &str, secret: &Secret, url: Option<&str>) -> Result<()> {
    let mut hash = Sha256::new();
    hash.update(secret.expose());
    if let Some(url) = url {
        hash.update(delivery.method);
        hash.update(url);
    }
    hash.update(delivery.body);
    let expected = hex(&hash.finalize());
    // Both sides go through a MAC, whose comparison takes the same time wherever they differ.
    let given = keyed(secret)?.chain_update(signature.to_ascii_lowercase()).finalize().into_bytes();
    keyed(secret)?.chain_update(expected).verify(&given).map_err(|_| {
        refused("signature", "the signature does not match: check the client secret and the address")
    })
}

impl<'a> Delivery<'a> {
    /// A header's value; one that is there twice could be read differently by whoever else looks at it.
    fn header(&self, name: &str) -> Result<Option<&'a str>> {
        let mut found = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.trim());
        match found.next() {
            None => Ok(value),
            Some(_) => Err(refused("header", "a signature header is there twice")),
        }
    }
}

fn keyed(secret: &Secret) -> Result<Hmac<Sha256>> {
    if secret.expose().is_empty() {
        return Err(refused("secret", "the client secret is empty: configure client_secret"));
    }
    Hmac::new_from_slice(secret.expose().as_bytes())
        .map_err(|_| refused("secret", "the client secret is no key: configure client_secret"))
}

fn milliseconds(digits: &str) -> Option<Timestamp> {
    let plain = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten().map(Timestamp::from_millis)
}

fn decode_listed(url: &str) -> String {
    let mut decoded = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(start) = rest.find('%') {
        let (before, escape) = rest.split_at(start);
        decoded.push_str(before);
        let listed =
            escape.get(..3).and_then(|e| DECODED.iter().find(|(listed, _)| listed.eq_ignore_ascii_case(e)));
        let (taken, character) = listed.map_or((1, '%'), |(escape, character)| (escape.len(), *character));
        decoded.push(character);
        rest = &escape[taken..];
    }
    decoded.push_str(rest);
    decoded
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refused(check: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Unauthorized, "hubspot.accept", message).with_context("check", check)
}
