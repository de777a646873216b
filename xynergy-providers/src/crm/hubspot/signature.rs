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
    /// the sender chooses. Where [`addresses`](super::HubspotConfig::webhook_urls) are configured, path and query alone
    /// choose among them.
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

/// The address that a delivery must be signed for: of the `configured` ones the one with its path and query, whatever scheme and
/// host stand before them, for those the sender chooses; the delivery's own where none is configured.
///
/// # Errors
/// [`Unauthorized`](ErrorKind::Unauthorized), with `url` as the failed check, when no configured address has this path and query.
pub fn configured_address<'a>(url: &'a str, configured: &'a [String]) -> Result<&'a str> {
    if configured.is_empty() {
        return Ok(url);
    }
    let asked = decode_listed(path_and_query(url));
    let found = configured.iter().find(|address| decode_listed(path_and_query(address)) == asked);
    found.map(String::as_str).ok_or_else(|| {
        refused(
            "url",
            "no address of webhook_urls has this path and query: give the address that HubSpot calls",
        )
    })
}

/// What stands behind scheme and host.
fn path_and_query(url: &str) -> &str {
    let Some((_, behind)) = url.split_once("://") else { return url };
    behind.find(['/', '?']).map_or("/", |start| &behind[start..])
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
    const URL: &str = "https://www.example.com/webhook_uri";
    const BODY: &[u8] = b"{'example_field':'example_value'}";
    const SENT_MILLIS: i64 = 1_693_657_560_000;
    /// HubSpot's own example of a version 3 signature.
    const V3: &str = "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=";

    fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn v3_headers() -> BTreeMap<String, String> {
        headers(&[("X-HubSpot-Signature-v3", V3), ("X-HubSpot-Request-Timestamp", "1693657560000")])
    }

    fn delivery(headers: &BTreeMap<String, String>) -> Delivery<'_> {
        Delivery {
            method: "POST",
            url: URL,
            headers,
            body: BODY,
            received_at: Timestamp::from_millis(SENT_MILLIS),
        }
    }

    /// The failed check, or `ok`.
    fn check(delivery: &Delivery<'_>, accepted: Signatures) -> String {
        match verify(delivery, &Secret::new(SECRET), accepted) {
            Ok(()) => "ok".to_owned(),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unauthorized);
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains(SECRET) && !shown.contains("K36dawei"), "{shown}");
                error.context()[0].1.clone()
            }
        }
    }

    fn sign(method: &str, url: &str, body: &[u8], stamp: &str) -> String {
        let mac = keyed(&Secret::new(SECRET)).unwrap();
        let parts = [method.as_bytes(), url.as_bytes(), body, stamp.as_bytes()].concat();
        STANDARD.encode(mac.chain_update(parts).finalize().into_bytes())
    }

    #[test]
    fn hubspots_own_example_is_accepted() {
        assert_eq!(check(&delivery(&v3_headers()), Signatures::V3), "ok");
        let lower =
            headers(&[("x-hubspot-signature-v3", V3), ("x-hubspot-request-timestamp", "1693657560000")]);
        assert_eq!(
            check(&delivery(&lower), Signatures::V3),
            "ok",
            "the case of a header's name does not matter"
        );
    }

    #[test]
    fn every_known_vector_is_accepted() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/hubspot/signature_vectors.json");
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: HubSpot's signature vectors are absent");
            return;
        };
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        assert!(vectors.len() >= 7, "{}", vectors.len());
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap_or_default();
            let (version, secret, signature) = (text("version"), text("secret"), text("signature"));
            let stamp = if text("timestamp").is_empty() { "1693657560000" } else { text("timestamp") };
            let signed = headers(&match version {
                "v3" => [("X-HubSpot-Signature-v3", signature), ("X-HubSpot-Request-Timestamp", stamp)],
                _ => [("X-HubSpot-Signature", signature), ("X-HubSpot-Signature-Version", version)],
            });
            let given = Delivery {
                method: text("method"),
                url: text("url"),
                headers: &signed,
                body: text("body").as_bytes(),
                received_at: milliseconds(stamp).unwrap(),
            };
            verify(&given, &Secret::new(secret), Signatures::V1V2V3).unwrap();
            let by_default = verify(&given, &Secret::new(secret), Signatures::V3);
            assert_eq!(by_default.is_ok(), version == "v3", "{vector}");
            let changed = [given.body, b" "].concat();
            let changed = Delivery { body: &changed, ..given };
            assert!(verify(&changed, &Secret::new(secret), Signatures::V1V2V3).is_err(), "{vector}");
        }
    }

    #[test]
    fn configured_addresses_stand_for_what_the_sender_wrote() {
        let configured = ["https://hooks.example/a".to_owned(), "https://hooks.example/b?t=1%2C2".to_owned()];
        let chosen = |url| configured_address(url, &configured).map_err(|e| e.context()[0].1.clone());
        for url in ["https://hooks.example/a", "http://10.0.0.7:8080/a", "/a", "https://evil.example/a"] {
            assert_eq!(chosen(url), Ok("https://hooks.example/a"), "{url}");
        }
        assert_eq!(
            chosen("http://x/b?t=1,2"),
            Ok("https://hooks.example/b?t=1%2C2"),
            "escapes that are decoded"
        );
        for url in ["https://hooks.example/c", "/a/", "/a?x", "", "https://hooks.example", "/b"] {
            assert_eq!(chosen(url), Err("url".to_owned()), "{url}");
        }
        assert_eq!(configured_address("anything", &[]).unwrap(), "anything");
        assert_eq!(configured_address("http://x?a", &["https://h/?a".into()]).map_err(|_| ()), Err(()));
    }

    #[test]
    fn any_other_byte_is_refused() {
        let headers = v3_headers();
        let good = delivery(&headers);
        for bad in [
            Delivery { method: "GET", ..good },
            Delivery { url: "https://www.example.com/webhook_uri/", ..good },
            Delivery { body: b"{'example_field':'example_value' }", ..good },
        ] {
            assert_eq!(check(&bad, Signatures::V3), "signature");
        }
        let other = verify(&good, &Secret::new("another"), Signatures::V3).unwrap_err();
        assert_eq!(other.context()[0].1, "signature");
        assert_eq!(verify(&good, &Secret::new(""), Signatures::V3).unwrap_err().context()[0].1, "secret");
        for wrong in
            ["", "not base64!", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y", "AAAA", &V3.to_lowercase()]
        {
            let mut headers = v3_headers();
            headers.insert("X-HubSpot-Signature-v3".into(), wrong.into());
            assert_eq!(check(&delivery(&headers), Signatures::V3), "signature", "{wrong:?}");
        }
    }

    #[test]
    fn times_up_to_300_seconds_away_are_accepted() {
        let headers = v3_headers();
        let at = |micros: i64| {
            let received_at = Timestamp::from_micros(SENT_MILLIS * 1_000 + micros);
            check(&Delivery { received_at, ..delivery(&headers) }, Signatures::V3)
        };
        assert_eq!((at(300_000_000), at(-300_000_000)), ("ok".to_owned(), "ok".to_owned()));
        assert_eq!((at(300_000_001), at(-300_000_001)), ("skew".to_owned(), "skew".to_owned()));
        assert_eq!(at(i64::MAX - SENT_MILLIS * 1_000), "skew");
    }

    #[test]
    fn a_time_that_is_no_number_never_skips_the_check() {
        let minus = format!("-{SENT_MILLIS}");
        for stamp in [
            "",
            "now",
            "1693657560000.0",
            "+1693657560000",
            &minus,
            "1e12",
            "١٦٩٣٦٥٧٥٦٠٠٠٠",
            "9999999999999999999",
        ] {
            let signature = sign("POST", URL, BODY, stamp);
            let headers =
                headers(&[("X-HubSpot-Signature-v3", &signature), ("X-HubSpot-Request-Timestamp", stamp)]);
            assert_eq!(check(&delivery(&headers), Signatures::V3), "timestamp", "{stamp:?}");
        }
        let headers = headers(&[("X-HubSpot-Signature-v3", V3)]);
        assert_eq!(check(&delivery(&headers), Signatures::V3), "header");
    }

    #[test]
    fn a_header_that_is_there_twice_is_refused() {
        let mut headers = v3_headers();
        headers.insert("x-hubspot-signature-V3".into(), V3.into());
        assert_eq!(check(&delivery(&headers), Signatures::V3), "header");
    }

    #[test]
    fn the_address_may_be_signed_with_its_escapes_decoded() {
        let url = "https://www.example.com/hook%3Fa%3A%20%2f?b=%2C%25";
        assert_eq!(decode_listed(url), "https://www.example.com/hook?a:%20/?b=,%25");
        assert_eq!(decode_listed("%é%3"), "%é%3");
        for signed in [url.to_owned(), decode_listed(url)] {
            let signature = sign("POST", &signed, BODY, "1693657560000");
            let headers = headers(&[
                ("X-HubSpot-Signature-v3", &signature),
                ("X-HubSpot-Request-Timestamp", "1693657560000"),
            ]);
            assert_eq!(check(&Delivery { url, ..delivery(&headers) }, Signatures::V3), "ok", "{signed}");
        }
    }

    #[test]
    fn older_signatures_need_the_users_word() {
        let v1 = ("v1", "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750");
        let v2 = ("v2", "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383");
        let with = |version, signature| {
            headers(&[("X-HubSpot-Signature", signature), ("X-HubSpot-Signature-Version", version)])
        };
        for (version, signature) in [v1, v2] {
            let headers = with(version, signature);
            assert_eq!(check(&delivery(&headers), Signatures::V3), "header", "{version}");
            assert_eq!(check(&delivery(&headers), Signatures::V1V2V3), "ok", "{version}");
            let other = Delivery { body: b"{}", ..delivery(&headers) };
            assert_eq!(check(&other, Signatures::V1V2V3), "signature", "{version}");
        }
        assert_eq!(check(&delivery(&with("v1", v2.1)), Signatures::V1V2V3), "signature");
        assert_eq!(check(&delivery(&with("v3", v2.1)), Signatures::V1V2V3), "header");
        let get = with("v2", "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e");
        let empty = Delivery { method: "GET", body: b"", ..delivery(&get) };
        assert_eq!(check(&empty, Signatures::V1V2V3), "ok");
    }

    #[test]
    fn an_older_signature_does_not_help_a_wrong_one_of_version_3() {
        let mut headers = v3_headers();
        headers.insert("X-HubSpot-Signature-v3".into(), "AAAA".into());
        headers.insert("X-HubSpot-Signature-Version".into(), "v1".into());
        let v1 = "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750";
        headers.insert("X-HubSpot-Signature".into(), v1.into());
        assert_eq!(check(&delivery(&headers), Signatures::V1V2V3), "signature");
    }

    proptest! {
        #[test]
        fn any_headers_are_refused_or_accepted(
            signature in "\\PC{0,60}", stamp in "\\PC{0,20}", version in "v?[0-9]", old in "\\PC{0,70}", url in "\\PC{0,60}",
            body in proptest::collection::vec(any::<u8>(), 0..50), received_at in any::<i64>(),
        ) {
            for with_v3 in [true, false] {
                let mut headers = headers(&[
                    ("X-HubSpot-Request-Timestamp", &stamp),
                    ("X-HubSpot-Signature", &old),
                    ("X-HubSpot-Signature-Version", &version),
                ]);
                if with_v3 {
                    headers.insert("X-HubSpot-Signature-v3".into(), signature.clone());
                }
                let received_at = Timestamp::from_micros(received_at);
                let delivery = Delivery { method: "POST", url: &url, headers: &headers, body: &body, received_at };
                prop_assert_ne!(check(&delivery, Signatures::V1V2V3), "ok");
            }
        }

        #[test]
        fn what_is_signed_is_accepted(url in "\\PC{0,60}", body in proptest::collection::vec(any::<u8>(), 0..50)) {
            let signature = sign("POST", &url, &body, "1693657560000");
            let headers =
                headers(&[("X-HubSpot-Signature-v3", &signature), ("X-HubSpot-Request-Timestamp", "1693657560000")]);
            let delivery = Delivery { url: &url, body: &body, ..delivery(&headers) };
            prop_assert_eq!(check(&delivery, Signatures::V3), "ok");
        }
    }
}
