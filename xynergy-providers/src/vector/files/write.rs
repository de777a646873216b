use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use xynergy_core::vector::{Collection, Persisted};
use xynergy_core::{Error, ErrorKind, Result};

use super::failed;
use super::manifest::{CURRENT, Manifest, Part};

const OPERATION: &str = "winners.persist";
/// The next `current.json`, before it counts.
const NEXT: &str = "current.json.next";
/// Bytes that are written at a time.
const BUFFER: usize = 1 << 20;
/// Held by who writes.
const LOCK: &str = "lock";

/// What is done for a new generation, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    MakeFolder,
    Lock,
    OpenPart,
    WritePart,
    SyncPart,
    WriteManifest,
    SyncManifest,
    SyncNames,
    Rename,
    SyncRename,
    Sweep,
}

/// Hears of every step before it is taken. A test fails or ends the process there.
pub(super) trait Watch {
    fn before(&self, step: Step) -> io::Result<()>;
}

/// Nothing disturbs a real write but the world.
pub(super) struct Undisturbed;

impl Watch for Undisturbed {
    fn before(&self, _: Step) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the collection as the generation behind `loaded`, and then makes it the one that counts.
///
/// # Errors
/// [`Conflict`](ErrorKind::Conflict) when another process writes, or has written since `loaded`;
/// [`Unavailable`](ErrorKind::Unavailable) when a file cannot be written. What was there before still counts then, unless
/// the very last steps failed.
pub(super) fn write(
    folder: &Path,
    collection: &Collection,
    loaded: u64,
    watch: &dyn Watch,
) -> Result<Persisted> {
    let on_disk = |error| failed(OPERATION, folder, error);
    watch.before(Step::MakeFolder).and_then(|()| make(folder)).map_err(on_disk)?;
    watch.before(Step::Lock).map_err(on_disk)?;
    let _held = lock(folder)?;
    let current = Manifest::read(OPERATION, folder)?;
    let newest = current.as_ref().map_or(0, |manifest| manifest.generation);
    if newest != loaded {
        let message = format!(
            "another process has written generation {newest} since this one read {loaded}; build a new client, which reads it, and add \
             again what is not in it"
        );
        return Err(Error::new(ErrorKind::Conflict, OPERATION, message));
    }
    let generation = loaded + 1;
    let manifest = parts(folder, collection, generation, watch).map_err(on_disk)?;
    publish(folder, &manifest, watch).map_err(on_disk)?;
    // The new generation counts already: what is left over is swept by the next write otherwise.
    if watch.before(Step::Sweep).is_ok() {
        sweep(folder, &manifest);
    }
    Ok(Persisted {
        generation_seq: generation,
        vector_count: collection.len() as u64,
        vectors_file: folder.join(&manifest.vectors.file).display().to_string(),
    })
}

/// Makes the folder, so that its name outlives a crash as well.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    folder.parent().map_or(Ok(()), sync_folder)
}

/// The lock of a folder.
struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        // Closing would not be enough: a process that was forked meanwhile has the file open as well.
        let _ = self.0.unlock();
    }
}

/// The lock of the folder; the operating system takes it from a process that ends.
fn lock(folder: &Path) -> Result<Held> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| failed(OPERATION, &path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Held(file)),
        Err(TryLockError::WouldBlock) => {
            let message = "another process is writing this index; persist again when it has, in a new client";
            Err(Error::new(ErrorKind::Conflict, OPERATION, message))
        }
        Err(TryLockError::Error(error)) => Err(failed(OPERATION, &path, error)),
    }
}

fn parts(folder: &Path, collection: &Collection, generation: u64, watch: &dyn Watch) -> io::Result<Manifest> {
    let part = |name: String, write: &dyn Fn(&mut BufWriter<Summed<'_>>) -> io::Result<()>| {
        watch.before(Step::OpenPart)?;
        let to = Summed { to: File::create(folder.join(&name))?, bytes: 0, sum: <_>::default(), watch };
        let mut to = BufWriter::with_capacity(BUFFER, to);
        write(&mut to)?;
        let Summed { to, bytes, sum, .. } = to.into_inner().map_err(io::IntoInnerError::into_error)?;
        watch.before(Step::SyncPart)?;
        to.sync_all()?;
        Ok::<_, io::Error>(Part { file: name, bytes, crc32: sum.finalize() })
    };
    let vectors = part(format!("vectors-{generation}.faiss"), &|to| collection.write_vectors(to))?;
    let metadata = part(format!("metadata-{generation}.jsonl"), &|to| collection.write_metadata(to))?;
    let graph = match collection.has_graph() {
        true => Some(part(format!("graph-{generation}.bin"), &|to| collection.write_graph(to))?),
        false => None,
    };
    Ok(Manifest::new(generation, vectors, metadata, graph))
}

/// Makes the manifest the one that counts.
fn publish(folder: &Path, manifest: &Manifest, watch: &dyn Watch) -> io::Result<()> {
    let next = folder.join(NEXT);
    watch.before(Step::WriteManifest)?;
    let mut file = File::create(&next)?;
    file.write_all(&serde_json::to_vec(manifest)?)?;
    watch.before(Step::SyncManifest)?;
    file.sync_all()?;
    watch.before(Step::SyncNames)?;
    // The files that it names are there for good before it is.
    sync_folder(folder)?;
    watch.before(Step::Rename)?;
    fs::rename(&next, folder.join(CURRENT))?;
    watch.before(Step::SyncRename)?;
    sync_folder(folder)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    // A path of one part is relative to here.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes the files of other generations.
fn sweep(folder: &Path, manifest: &Manifest) {
    let parts = [Some(&manifest.vectors), Some(&manifest.metadata), manifest.graph.as_ref()];
    let kept: Vec<&str> = parts.into_iter().flatten().map(|part| part.file.as_str()).collect();
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = file.file_name();
        let Some(name) = name.to_str() else { continue };
        let ours = ["vectors-", "metadata-", "graph-"].iter().any(|start| name.starts_with(start));
        if ours && !kept.contains(&name) {
            // What cannot be removed now is tried again next time.
            let _ = fs::remove_file(file.path());
        }
    }
}

/// A file that counts and sums up what is written.
struct Summed<'a> {
    to: File,
    bytes: u64,
    sum: crc32fast::Hasher,
    watch: &'a dyn Watch,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.watch.before(Step::WritePart)?;
        let count = self.to.write(bytes)?;
        self.sum.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
