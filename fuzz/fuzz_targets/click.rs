#![no_main]
//! Any bytes as a line of a click log.

use libfuzzer_sys::fuzz_target;
use xynergy_attribution::click::{IdentityKey, parse_line};
use xynergy_core::TenantId;

fuzz_target!(|line: &[u8]| {
    let key = IdentityKey::new(&TenantId::default(), &[1; 32]);
    let consent = serde_json::from_slice::<serde_json::Value>(line).ok().and_then(|v| v["consent"].as_bool());
    if let Ok(click) = parse_line(line, &key) {
        assert_eq!(click.personal.is_some(), consent == Some(true));
    }
});
