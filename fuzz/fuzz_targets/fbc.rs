#![no_main]
//! Any text as Meta's cookie.

use libfuzzer_sys::fuzz_target;
use xynergy_attribution::click::{FacebookCookie, facebook_click_id, subdomain_index};

fuzz_target!(|text: &str| {
    if let Some(cookie) = FacebookCookie::parse(text) {
        assert_eq!(FacebookCookie::parse(&cookie.to_string()).as_ref(), Some(&cookie));
        assert_eq!(facebook_click_id(text), cookie.id);
    }
    let _ = (facebook_click_id(text), subdomain_index(text));
});
