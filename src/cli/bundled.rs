//! The example's data inside the program: an installed command has no examples folder.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

macro_rules! packed {
    ($($name:literal),*) => {
        &[$(($name, include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")))),*]
    };
}

static FILES: &[(&str, &[u8])] =
    packed!["ads.json", "clicks.ndjson", "crm.json", "faults.json", "webhooks.ndjson"];

/// A file of examples/data, unpacked.
pub(super) fn bundled(file: &str) -> Result<(PathBuf, Vec<u8>), String> {
    let (_, packed) = FILES
        .iter()
        .find(|(name, _)| *name == file)
        .ok_or_else(|| format!("{file} is not in this program: give the path of a file"))?;
    let mut bytes = Vec::new();
    GzDecoder::new(*packed)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("the bundled {file} cannot be unpacked ({e}): install the program again"))?;
    Ok((Path::new("bundled").join(file), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_carries_the_examples_data_as_it_is() {
        for (name, packed) in FILES {
            let on_disk = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name);
            let expected = std::fs::read(on_disk).unwrap();
            assert!(bundled(name).unwrap().1 == expected, "{name}");
            assert!(packed.len() < 400_000, "{name}: {} bytes", packed.len());
        }
        assert!(bundled("generate.py").is_err());
    }
}
