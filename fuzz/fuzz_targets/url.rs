#![no_main]
//! Any text as the URL of a landing page.

use libfuzzer_sys::fuzz_target;
use xynergy_attribution::click::{Fragment, Landing};

fuzz_target!(|text: &str| {
    let query = Landing::of_text(text, Fragment::Ignored);
    let all = Landing::of_text(text, Fragment::Read);
    assert!(query.click_ids.iter().all(|id| all.click_ids.contains(id)), "the query wins");
    assert!(all.click_ids.iter().all(|(_, id)| !id.is_empty()));
});
