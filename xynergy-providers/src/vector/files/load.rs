use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use xynergy_core::vector::files::read_index;
use xynergy_core::vector::{Collection, VectorLimits};
use xynergy_core::{Error, ErrorKind, Result};

use super::failed;
use super::manifest::{Manifest, Part};

const OPERATION: &str = "winners.load";
/// How often it is begun again when another process writes meanwhile.
const TRIES: usize = 5;

/// What the folder has, and its generation; an empty collection and 0 where nothing was written.
pub(super) fn load(folder: &Path, limits: VectorLimits) -> Result<(Collection, u64)> {
    for left in (0..TRIES).rev() {
        let Some(manifest) = Manifest::read(OPERATION, folder)? else {
            return Ok((Collection::new(limits), 0));
        };
        match load_generation(folder, limits, &manifest) {
            Ok(collection) => return Ok((collection, manifest.generation)),
            // Whoever wrote the next generation has swept the files of this one.
            Err(_) if left > 0 && Manifest::read(OPERATION, folder)?.as_ref() != Some(&manifest) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::new(ErrorKind::Unavailable, OPERATION, "another process writes the index again and again"))
}

fn load_generation(folder: &Path, limits: VectorLimits, manifest: &Manifest) -> Result<Collection> {
    let vectors = part(folder, &manifest.vectors, |from| read_index(from, manifest.vectors.bytes))?;
    let mut collection = part(folder, &manifest.metadata, |from| {
        Collection::read(limits, vectors, BufReader::with_capacity(1 << 16, from))
    })?;
    if let Some(graph) = &manifest.graph {
        part(folder, graph, |from| collection.read_graph(from, graph.bytes))?;
    }
    Ok(collection)
}

/// Reads one file, and holds its size and checksum against what it should be.
fn part<T>(folder: &Path, part: &Part, read: impl FnOnce(&mut Summed<File>) -> Result<T>) -> Result<T> {
    let path = folder.join(&part.file);
    let file = File::open(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => corrupt(&path, "it is missing"),
        _ => failed(OPERATION, &path, error),
    })?;
    let bytes = file.metadata().map_err(|error| failed(OPERATION, &path, error))?.len();
    if bytes != part.bytes {
        return Err(corrupt(&path, &format!("it has {bytes} bytes instead of {}", part.bytes)));
    }
    let mut file = Summed { from: file, sum: crc32fast::Hasher::new() };
    let outcome = read(&mut file);
    // What could not be read to its end is summed up as well: a wrong sum says more than what followed from it.
    let rest = io::copy(&mut file, &mut io::sink());
    rest.map_err(|error| failed(OPERATION, &path, error))?;
    if file.sum.finalize() != part.crc32 {
        return Err(corrupt(&path, "its checksum is another one than was written"));
    }
    outcome.map_err(|error| error.with_context("file", path.display().to_string()))
}

fn corrupt(path: &Path, problem: &str) -> Error {
    let message = format!("{}: {problem}; restore the folder from a backup, or remove it", path.display());
    Error::new(ErrorKind::Corrupt, OPERATION, message)
}

/// A reader that sums up what it reads.
struct Summed<R> {
    from: R,
    sum: crc32fast::Hasher,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        self.sum.update(&into[..count]);
        Ok(count)
    }
}
