//! Reads and writes index files of FAISS's, for `tests/python/faiss_files.py`: `copy IN OUT`, and `search IN QUERIES K`, which prints
//! the ids and similarities of the nearest of each query as JSON. What cannot be read is told with exit code 3.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use xynergy_core::vector::files::{IndexFile, read_index, write_index};
use xynergy_core::vector::{Collection, MetadataFilter, VectorLimits};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args[..] {
        ["copy", from, to] => copy(from, to),
        ["search", index, queries, k] => search(index, queries, k),
        _ => Err("copy IN OUT | search IN QUERIES K".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(3)
        }
    }
}

fn read(path: &str) -> Result<IndexFile, Box<dyn Error>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok(read_index(file, length)?)
}

fn copy(from: &str, to: &str) -> Result<(), Box<dyn Error>> {
    let file = read(from)?;
    let mut out = BufWriter::new(File::create(to)?);
    write_index(&mut out, file.dimensions, &file.vectors, file.ids.as_deref())?;
    Ok(out.flush()?)
}

fn search(index: &str, queries: &str, k: &str) -> Result<(), Box<dyn Error>> {
    let (file, queries) = (read(index)?, read(queries)?);
    let dimensions = u32::try_from(file.dimensions)?;
    let mut collection = Collection::new(VectorLimits { dimensions, ..VectorLimits::default() });
    collection.add("example", Collection::entries_of(&file))?;
    let queries: Vec<Vec<f32>> = queries.vectors.chunks(queries.dimensions).map(<[f32]>::to_vec).collect();
    let found = collection.search("example", &queries, k.parse()?, &MetadataFilter::default())?;
    let found: Vec<Vec<(String, f32)>> = found
        .into_iter()
        .map(|found| found.into_iter().map(|one| (one.id, one.similarity)).collect())
        .collect();
    println!("{}", serde_json::to_string(&found)?);
    Ok(())
}
