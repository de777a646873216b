//! Any headers, address and body: none is taken for one that was signed. The input is one header a line, `name: value`; what follows
//! an empty line is the body.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use xynergy_core::Timestamp;
use xynergy_core::config::Secret;
use xynergy_providers::crm::hubspot::{self, Signatures};
use xynergy_providers::crm::webhooks;

fuzz_target!(|input: &[u8]| {
    let cut = input.windows(2).position(|pair| pair == b"\n\n").unwrap_or(input.len());
    let (head, body) = (&input[..cut], input.get(cut + 2..).unwrap_or_default());
    let head = String::from_utf8_lossy(head);
    let headers: BTreeMap<String, String> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let url = headers.get("url").map_or("https://www.example.com/webhook_uri", String::as_str);
    let received_at = Timestamp::from_millis(1_772_366_400_000);
    let delivery = hubspot::Delivery { method: "POST", url, headers: &headers, body, received_at };
    for accepted in [Signatures::V3, Signatures::V1V2V3] {
        assert!(hubspot::verify(&delivery, &Secret::new("a secret that nobody knows"), accepted).is_err());
    }
    let _ = hubspot::configured_address(url, &["https://www.example.com/webhook_uri?a=%3A".to_owned()]);
    let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert!(webhooks::verify(&webhooks::Delivery { headers: &headers, body, received_at }, &[secret]).is_err());
});
