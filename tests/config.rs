//! The configuration that the README shows, and the schema that is committed.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use xynergy::{Client, Config};

#[test]
fn the_shown_configuration_builds_a_client() {
    let config = Config::from_toml(include_str!("../examples/xynergy.toml")).unwrap();
    let client = Client::new(config).unwrap();
    assert_eq!(client.tenant().as_str(), "default");
}

/// `XYNERGY_WRITE=1 cargo test --test config` writes it anew.
#[test]
fn the_committed_schema_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.schema.json");
    let generated = format!("{:#}\n", Config::json_schema());
    if std::env::var_os("XYNERGY_WRITE").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/config.schema.json is not the schema of the code: XYNERGY_WRITE=1 writes it"
    );
}

#[test]
fn a_wrong_part_is_named_before_anything_starts() {
    for (part, named) in [
        ("[ai.providers.x]\ntype = \"carrier_pigeon\"", "carrier_pigeon"),
        ("[ai.providers.x]\nbase_url = \"http://example.com/v1\"", "base_url"),
        ("[hubspot]\nbase_url = \"http://example.com\"", "base_url"),
        ("[meta]\nbase_url = \"http://example.com\"", "base_url"),
        ("[execution]\npreset = \"wild\"", "preset"),
        ("[execution.policy]\njitter_min_ms = 9\njitter_max_ms = 1", "jitter_min_ms"),
        ("[attribution.stages]\nlead_minor = -1", "lead_minor"),
        ("[attribution]\nlayers = []", "attribution.layers"),
        ("[attribution]\nlayers = [1, 4]", "at least one of the layers 1, 2 and 3"),
    ] {
        let built = Config::from_toml(&format!("version = 1\n{part}")).and_then(Client::new);
        let error = built.err().unwrap_or_else(|| panic!("accepted: {part}"));
        assert!(error.to_string().contains(named), "{part}: {error}");
    }
}

/// What the pages show is what the library reads.
#[test]
fn every_configuration_in_the_docs_is_one() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut blocks = 0;
    for page in std::fs::read_dir(docs).unwrap() {
        let path = page.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            let whole =
                if block.contains("version =") { block.to_owned() } else { format!("version = 1\n{block}") };
            Config::from_toml(&whole).unwrap_or_else(|error| panic!("{}: {error}\n{block}", path.display()));
            blocks += 1;
        }
    }
    assert!(blocks >= 5, "only {blocks} blocks were found");
}
