//! The example's data as files.

use std::path::{Path, PathBuf};

/// A file of examples/data.
pub(crate) fn bundled(file: &str) -> Result<(PathBuf, Vec<u8>), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(file);
    let bytes = std::fs::read(&path).map_err(|e| format!("{} cannot be read ({e})", path.display()))?;
    Ok((path, bytes))
}
