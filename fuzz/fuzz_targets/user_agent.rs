#![no_main]
//! Any text as a user agent, as a client hint, as an address and as `X-Forwarded-For`.

use libfuzzer_sys::fuzz_target;
use xynergy_attribution::click::{Agent, AddressRange, ClientHints, client_address};

fuzz_target!(|texts: (&str, &str)| {
    let (agent, hint) = texts;
    let names = ["sec-ch-ua", "sec-ch-ua-platform", "sec-ch-ua-platform-version", "sec-ch-ua-model"];
    let hints: ClientHints = names.map(|name| (name.to_owned(), hint.to_owned())).into();
    let _ = (Agent::of(agent, &hints), Agent::of(agent, &ClientHints::new()));
    let proxies: Vec<AddressRange> = hint.parse().into_iter().collect();
    let _ = client_address(agent, Some(hint), &proxies);
});
