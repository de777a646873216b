use std::cell::Cell;
use std::fs;
use std::io;
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;
use xynergy_core::conformance::vector_index;

use super::write::{Step, Undisturbed, Watch};
use super::*;

const LIMITS: VectorLimits = VectorLimits { dimensions: 3, exact_up_to: 50_000 };

fn entry(id: &str, embedding: [f32; 3], generation: u64) -> VectorEntry {
    let serde_json::Value::Object(metadata) = json!({"generation": generation}) else { unreachable!() };
    VectorEntry { id: id.to_owned(), embedding: embedding.to_vec(), metadata }
}

fn tenant() -> TenantId {
    TenantId::new("Acme").unwrap()
}

/// A collection all of whose entries say to which generation it belongs.
fn of_generation(generation: u64, count: u16) -> Collection {
    let mut collection = Collection::new(VectorLimits { exact_up_to: 20, ..LIMITS });
    let entries =
        (0..count).map(|i| entry(&i.to_string(), [f32::from(i), 1.0, generation as f32], generation));
    collection.add("t", entries.collect()).unwrap();
    collection
}

/// The generation that a folder has, where it has a whole one.
fn whole_generation(folder: &Path) -> u64 {
    let limits = VectorLimits { exact_up_to: 20, ..LIMITS };
    let (found, generation) = load::load(folder, limits).unwrap();
    if generation > 0 {
        let count = found.len() as u64;
        assert_eq!(count, 40 + generation);
        for i in 0..count {
            assert_eq!(found.get(&i.to_string()).unwrap().metadata["generation"], generation);
        }
    }
    generation
}

fn count_of(generation: u64) -> u16 {
    u16::try_from(40 + generation).unwrap()
}

#[tokio::test]
async fn it_behaves_like_an_index() {
    let folder = TempDir::new().unwrap();
    vector_index(&FileIndex::new(folder.path().join("new"), LIMITS)).await;
}

#[tokio::test]
async fn what_is_persisted_is_there_in_the_next_process() {
    let folder = TempDir::new().unwrap();
    let (index, tenant) = (FileIndex::new(folder.path(), LIMITS), tenant());
    index
        .add(&tenant, vec![entry("120210000000000001", [1.0, 0.0, 0.0], 1), entry("b", [0.0, 3.0, 4.0], 1)])
        .await
        .unwrap();
    let before = index.stats(&tenant).await.unwrap();
    assert!(before.unsaved && before.generation_seq == 0);
    assert_eq!(FileIndex::new(folder.path(), LIMITS).stats(&tenant).await.unwrap().vector_count, 0);

    let written = index.persist(&tenant).await.unwrap();
    assert_eq!((written.generation_seq, written.vector_count), (1, 2));
    assert!(!index.stats(&tenant).await.unwrap().unsaved);
    let read = FileIndex::new(folder.path(), LIMITS);
    assert_eq!(read.get(&tenant, "b").await.unwrap(), Some(entry("b", [0.0, 0.6, 0.8], 1)));
    assert_eq!(read.stats(&tenant).await.unwrap().generation_seq, 1);
    let other = TenantId::new("acme").unwrap();
    assert_eq!(read.stats(&other).await.unwrap().vector_count, 0, "tenants never see each other");

    // A name that is a number is its own id for FAISS.
    let file = fs::read(&written.vectors_file).unwrap();
    let file = xynergy_core::vector::files::read_index(&*file, file.len() as u64).unwrap();
    assert_eq!(file.ids.unwrap(), [120_210_000_000_000_001, 1 << 62]);

    // Who has not read what another wrote does not write over it.
    read.remove(&tenant, "b").await.unwrap();
    assert_eq!(read.persist(&tenant).await.unwrap().generation_seq, 2);
    let error = index.persist(&tenant).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Conflict && error.message().contains("generation 2"), "{error}");
    assert_eq!(FileIndex::new(folder.path(), LIMITS).stats(&tenant).await.unwrap().vector_count, 1);
    let names: Vec<_> =
        fs::read_dir(folder::of(folder.path(), &tenant)).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert!(
        !names.iter().any(|name| name.to_string_lossy().contains("-1.")),
        "old files are swept: {names:?}"
    );
}

#[tokio::test]
async fn many_at_once_persist_and_add() {
    let folder = TempDir::new().unwrap();
    let (index, tenant) = (Arc::new(FileIndex::new(folder.path(), LIMITS)), tenant());
    let work = (0..8_u16).map(|i| {
        let (index, tenant) = (index.clone(), tenant.clone());
        tokio::spawn(async move {
            index.add(&tenant, vec![entry(&i.to_string(), [1.0, f32::from(i), 0.0], 0)]).await.unwrap();
            index.persist(&tenant).await.unwrap();
        })
    });
    for task in work.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert!(!index.stats(&tenant).await.unwrap().unsaved);
    let read = FileIndex::new(folder.path(), LIMITS).stats(&tenant).await.unwrap();
    assert_eq!((read.vector_count, read.generation_seq), (8, 8));
}

#[tokio::test]
async fn damage_is_named_with_its_file() {
    let folder = TempDir::new().unwrap();
    write::write(folder.path(), &of_generation(1, 41), 0, &Undisturbed).unwrap();
    let limits = VectorLimits { exact_up_to: 20, ..LIMITS };
    let error = load::load(folder.path(), VectorLimits { dimensions: 4, ..limits }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    for name in ["vectors-1.faiss", "metadata-1.jsonl", "graph-1.bin", manifest::CURRENT] {
        let path = folder.path().join(name);
        let good = fs::read(&path).unwrap();
        let mut flipped = good.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        for bad in [&flipped[..], &good[..good.len() - 1], &[], b"{}"] {
            fs::write(&path, bad).unwrap();
            let error = load::load(folder.path(), limits).unwrap_err();
            assert!(
                error.kind() == ErrorKind::Corrupt && error.to_string().contains(name),
                "{name}: {error}"
            );
        }
        if name != manifest::CURRENT {
            fs::remove_file(&path).unwrap();
            let error = load::load(folder.path(), limits).unwrap_err();
            assert!(error.message().contains("missing"), "{error}");
        }
        fs::write(&path, good).unwrap();
    }
    let path = folder.path().join(manifest::CURRENT);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"version\":1", "\"version\":2")).unwrap();
    assert_eq!(load::load(folder.path(), limits).unwrap_err().kind(), ErrorKind::Conflict);
    fs::write(&path, text.replace("vectors-1.faiss", "../vectors-1.faiss")).unwrap();
    assert_eq!(load::load(folder.path(), limits).unwrap_err().kind(), ErrorKind::Corrupt);
}

/// Something at the n-th step.
struct At<F> {
    n: Cell<usize>,
    then: F,
}

impl<F: Fn(Step) -> io::Result<()>> Watch for At<F> {
    fn before(&self, step: Step) -> io::Result<()> {
        match self.n.get() {
            0 => (self.then)(step),
            left => {
                self.n.set(left - 1);
                Ok(())
            }
        }
    }
}

#[test]
fn a_full_disk_at_any_step_leaves_the_old_or_the_new() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t");
    let (mut steps, mut loaded) = (0, 0);
    for n in 0.. {
        let generation = loaded + 1;
        let failing = At { n: Cell::new(n), then: |_| Err(io::Error::from(io::ErrorKind::StorageFull)) };
        let outcome = write::write(&path, &of_generation(generation, count_of(generation)), loaded, &failing);
        let found = whole_generation(&path);
        match outcome {
            Ok(_) => assert_eq!(found, generation),
            // After the rename the new one may count although the call has failed.
            Err(_) => assert!(found == loaded || found == generation, "step {n}: {found}"),
        }
        loaded = found;
        steps = n;
        if failing.n.get() > 0 {
            break;
        }
    }
    assert!(steps >= 15, "only {steps} steps");
}

const CHILD: &str = "XYNERGY_TEST_WINNERS_CHILD";

/// Not a test by itself: what the next one starts as a process, to end it without warning.
#[test]
fn child_that_writes_and_is_ended() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let (folder, n) = told.split_once('|').unwrap();
    let (folder, n) = (Path::new(folder), n.parse().unwrap());
    let ending = At { n: Cell::new(n), then: |_| std::process::abort() };
    loop {
        let loaded = load::load(folder, LIMITS).unwrap().1;
        let collection = of_generation(loaded + 1, count_of(loaded + 1));
        write::write(folder, &collection, loaded, &ending).unwrap();
    }
}

fn child(folder: &Path, n: usize) -> std::process::Child {
    let name = "vector::files::tests::child_that_writes_and_is_ended";
    Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, format!("{}|{n}", folder.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Real processes that end between two steps, at every step, one after the other on the same folder.
#[test]
fn a_process_that_ends_at_any_step_leaves_the_old_or_the_new() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t");
    let steps = Cell::new(0);
    write::write(&path, &of_generation(1, 41), 0, &Count(&steps)).unwrap();
    let mut before = 1;
    for n in 0..steps.get() + 6 {
        let status = child(&path, n).wait().unwrap();
        assert_eq!(status.code(), None, "step {n}: it was not ended");
        let found = whole_generation(&path);
        assert!(found == before || found == before + 1, "step {n}: {before} became {found}");
        before = found;
    }
    assert!(before > 1, "none of them came to its end");
}

struct Count<'a>(&'a Cell<usize>);

impl Watch for Count<'_> {
    fn before(&self, _: Step) -> io::Result<()> {
        self.0.set(self.0.get() + 1);
        Ok(())
    }
}

/// Real processes that are killed at any time.
#[test]
fn a_process_that_is_killed_leaves_a_whole_generation() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t");
    let mut before = 0;
    for round in 0..12_u64 {
        let mut child = child(&path, usize::MAX);
        std::thread::sleep(std::time::Duration::from_millis(30 + 17 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = whole_generation(&path);
        assert!(found >= before, "{before} became {found}");
        before = found;
    }
    assert!(before > 0, "none of them wrote anything");
}
