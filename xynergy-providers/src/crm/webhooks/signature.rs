use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use xynergy_core::config::Secret;
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

/// How far the time of a delivery may lie from ours, in either direction, in microseconds.
const SKEW_MICROS: u64 = 300 * 1_000_000;
/// How many signatures of one delivery are looked at.
const MOST_SIGNATURES: usize = 16;
/// The longest id of a delivery.
const LONGEST_ID: usize = 256;
/// A shorter key can be guessed.
const SHORTEST_KEY: usize = 16;

/// A webhook as it arrived. Method and address are no part of what is signed.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
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
            .field("body_bytes", &self.body.len())
            .field("received_at", &self.received_at)
            .finish_non_exhaustive()
    }
}

/// Checks that who has one of the secrets sent this delivery, within the last 300 seconds (or, by its clock, the next), and returns
/// the delivery's id. The scheme is Standard Webhooks': `webhook-signature` holds base64 HMAC-SHA256 over
/// `{webhook-id}.{webhook-timestamp}.{body}`, behind `v1,`, and several of them by spaces; other versions are not looked at.
///
/// # Errors
/// [`Unauthorized`](ErrorKind::Unauthorized), with the failed check in the context: `header`, `timestamp`, `skew`, `secret` or
/// `signature`. Nothing of a secret or of an expected signature is in it.
pub fn verify<'a>(delivery: &Delivery<'a>, secrets: &[Secret]) -> Result<&'a str> {
    let id = delivery.required("webhook-id", "there is no webhook-id header")?;
    if id.is_empty() || id.len() > LONGEST_ID || id.chars().any(char::is_control) {
        return Err(refused("header", "webhook-id is not 1 to 256 printable characters"));
    }
    let stamp = delivery.required("webhook-timestamp", "there is no webhook-timestamp header")?;
    let given = delivery.required("webhook-signature", "there is no webhook-signature header")?;
    let sent_at =
        seconds(stamp).ok_or_else(|| refused("timestamp", "webhook-timestamp is not a number of seconds"))?;
    if delivery.received_at.micros().abs_diff(sent_at.micros()) > SKEW_MICROS {
        return Err(refused(
            "skew",
            "the delivery's time is more than 300 seconds from ours: check the clock",
        ));
    }
    let signatures = given.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    let signatures: Vec<Vec<u8>> = signatures.take(MOST_SIGNATURES).collect();
    for secret in secrets {
        let mac = keyed(secret)?
            .chain_update(id)
            .chain_update(".")
            .chain_update(stamp)
            .chain_update(".")
            .chain_update(delivery.body);
        if signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok()) {
            return Ok(id);
        }
    }
    Err(refused(
        "signature",
        "no signature matches: check the secret, and that the body is the bytes as they came",
    ))
}

impl<'a> Delivery<'a> {
    /// A header's value; one that is there twice could be read differently by whoever else looks at it.
    fn required(&self, name: &str, missing: &'static str) -> Result<&'a str> {
        let mut found = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.trim());
        match found.next() {
            None => value.ok_or_else(|| refused("header", missing)),
            Some(_) => Err(refused("header", "a signature header is there twice")),
        }
    }
}

fn keyed(secret: &Secret) -> Result<Hmac<Sha256>> {
    let wrong =
        || refused("secret", "a secret of webhooks.secrets is not whsec_ and base64 of 24 to 64 bytes");
    let text = secret.expose().trim();
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).map_err(|_| wrong())?;
    if key.len() < SHORTEST_KEY {
        return Err(wrong());
    }
    Hmac::new_from_slice(&key).map_err(|_| wrong())
}

fn seconds(digits: &str) -> Option<Timestamp> {
    let plain = (1..=12).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    plain
        .then(|| digits.parse::<i64>().ok())
        .flatten()
        .map(|s| Timestamp::from_millis(s.saturating_mul(1_000)))
}

fn refused(check: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Unauthorized, "webhooks.accept", message).with_context("check", check)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of the Standard Webhooks libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const STAMP: &str = "1614265330";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn headers(id: &str, stamp: &str, signature: &str) -> BTreeMap<String, String> {
        [("webhook-id", id), ("Webhook-Timestamp", stamp), ("webhook-signature", signature)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn check(headers: &BTreeMap<String, String>, body: &[u8], received_at: Timestamp) -> String {
        check_with(&[SECRET], headers, body, received_at)
    }

    fn check_with(
        secrets: &[&str],
        headers: &BTreeMap<String, String>,
        body: &[u8],
        received_at: Timestamp,
    ) -> String {
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        match verify(&Delivery { headers, body, received_at }, &secrets) {
            Ok(id) => format!("ok {id}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unauthorized);
                assert!(!format!("{error} {error:?}").contains("MfKQ9r8"), "{error}");
                error.context()[0].1.clone()
            }
        }
    }

    fn sent() -> Timestamp {
        Timestamp::from_millis(1_614_265_330_000)
    }

    fn good() -> String {
        format!("ok {ID}")
    }

    #[test]
    fn the_scheme_s_own_example_is_accepted() {
        assert_eq!(check(&headers(ID, STAMP, SIGNATURE), BODY, sent()), good());
        let several = format!(
            "v1,AAAA v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== {SIGNATURE}"
        );
        assert_eq!(check(&headers(ID, STAMP, &several), BODY, sent()), good(), "any of several");
        let rotated = ["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", SECRET];
        assert_eq!(check_with(&rotated, &headers(ID, STAMP, SIGNATURE), BODY, sent()), good(), "any secret");
        assert_eq!(check_with(&rotated[..1], &headers(ID, STAMP, SIGNATURE), BODY, sent()), "signature");
        assert_eq!(check_with(&[], &headers(ID, STAMP, SIGNATURE), BODY, sent()), "signature");
    }

    #[test]
    fn anything_else_is_refused() {
        for (id, stamp, signature, expected) in [
            ("msg_other", STAMP, SIGNATURE, "signature"),
            (ID, "1614265331", SIGNATURE, "signature"),
            (ID, STAMP, &SIGNATURE[3..], "signature"),
            (ID, STAMP, "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "signature"),
            (ID, STAMP, "", "signature"),
            ("", STAMP, SIGNATURE, "header"),
            (ID, "1614265330.0", SIGNATURE, "timestamp"),
            (ID, "-1614265330", SIGNATURE, "timestamp"),
            (ID, "", SIGNATURE, "timestamp"),
            (ID, "99999999999999", SIGNATURE, "timestamp"),
        ] {
            assert_eq!(
                check(&headers(id, stamp, signature), BODY, sent()),
                expected,
                "{id} {stamp} {signature}"
            );
        }
        assert_eq!(check(&headers(ID, STAMP, SIGNATURE), b"{}", sent()), "signature");
        assert_eq!(check_with(&["whsec_AAAA"], &headers(ID, STAMP, SIGNATURE), BODY, sent()), "secret");
        assert_eq!(check_with(&["whsec_$$"], &headers(ID, STAMP, SIGNATURE), BODY, sent()), "secret");
        for missing in ["webhook-id", "Webhook-Timestamp", "webhook-signature"] {
            let mut headers = headers(ID, STAMP, SIGNATURE);
            let value = headers.remove(missing).unwrap();
            assert_eq!(check(&headers, BODY, sent()), "header", "{missing}");
            headers.insert(missing.to_owned(), value.clone());
            headers.insert(missing.to_uppercase(), value);
            assert_eq!(check(&headers, BODY, sent()), "header", "{missing} twice");
        }
    }

    #[test]
    fn times_up_to_300_seconds_away_are_accepted() {
        let headers = headers(ID, STAMP, SIGNATURE);
        let at = |micros: i64| check(&headers, BODY, Timestamp::from_micros(sent().micros() + micros));
        assert_eq!((at(300_000_000), at(-300_000_000)), (good(), good()));
        assert_eq!((at(300_000_001), at(-300_000_001)), ("skew".to_owned(), "skew".to_owned()));
    }

    proptest! {
        #[test]
        fn any_headers_are_refused(
            id in "\\PC{0,40}", stamp in "\\PC{0,16}", signature in "(v1,)?\\PC{0,60}",
            body in proptest::collection::vec(any::<u8>(), 0..60), received_at in any::<i64>(),
        ) {
            let outcome = check(&headers(&id, &stamp, &signature), &body, Timestamp::from_micros(received_at));
            prop_assert!(!outcome.starts_with("ok"), "{}", outcome);
        }
    }
}
