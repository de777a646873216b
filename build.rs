//! Packs the example's data for the command line, which carries it: 4 MB of text, a tenth of that packed.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "cli")]
    pack::all();
}

#[cfg(feature = "cli")]
mod pack {
    use std::fs::File;
    use std::io::{BufReader, copy};
    use std::path::{Path, PathBuf};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    pub(crate) fn all() {
        println!("cargo::rerun-if-changed=examples/data");
        let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
        let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
        for name in ["ads.json", "clicks.ndjson", "crm.json", "faults.json", "webhooks.ndjson"] {
            let from = root.join("examples/data").join(name);
            if let Err(e) = one(&from, &out.join(format!("{name}.gz"))) {
                println!("cargo::error={} cannot be packed ({e})", from.display());
            }
        }
    }

    fn one(from: &Path, to: &Path) -> std::io::Result<()> {
        let mut packed = GzEncoder::new(File::create(to)?, Compression::best());
        copy(&mut BufReader::new(File::open(from)?), &mut packed)?;
        packed.finish().map(drop)
    }
}
