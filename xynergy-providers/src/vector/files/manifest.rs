use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use xynergy_core::{Error, ErrorKind, Result};

use super::failed;

/// The file that names the others.
pub(super) const CURRENT: &str = "current.json";
const FORMAT: &str = "xynergy-winners";
const VERSION: u32 = 1;

/// What belongs to a generation.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: String,
    version: u32,
    pub(super) generation: u64,
    pub(super) vectors: Part,
    pub(super) metadata: Part,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) graph: Option<Part>,
}

/// One file, as it has to be.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub(super) file: String,
    pub(super) bytes: u64,
    pub(super) crc32: u32,
}

impl Manifest {
    pub(super) fn new(generation: u64, vectors: Part, metadata: Part, graph: Option<Part>) -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION, generation, vectors, metadata, graph }
    }

    /// That of a folder; none where nothing was written.
    pub(super) fn read(operation: &'static str, folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(CURRENT);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(operation, &path, error)),
        };
        let corrupt = |problem: &str| {
            Error::new(ErrorKind::Corrupt, operation, format!("{}: {problem}", path.display()))
        };
        /// Read first, so that a newer version is told so.
        #[derive(Deserialize)]
        struct Kind {
            format: String,
            version: u32,
        }
        let kind: Kind =
            serde_json::from_slice(&text).map_err(|e| corrupt("it is damaged").with_source(e))?;
        if kind.format != FORMAT {
            return Err(corrupt("it is of another program"));
        }
        if kind.version != VERSION {
            let message = format!(
                "{}: version {} is newer than this library knows ({VERSION})",
                path.display(),
                kind.version
            );
            return Err(Error::new(ErrorKind::Conflict, operation, message));
        }
        let manifest: Self =
            serde_json::from_slice(&text).map_err(|e| corrupt("it is damaged").with_source(e))?;
        let parts = [Some(&manifest.vectors), Some(&manifest.metadata), manifest.graph.as_ref()];
        // A name leads to nowhere but this folder.
        if parts
            .into_iter()
            .flatten()
            .any(|part| part.file.contains(['/', '\\']) || part.file.starts_with('.'))
        {
            return Err(corrupt("it names files elsewhere"));
        }
        Ok(Some(manifest))
    }
}
