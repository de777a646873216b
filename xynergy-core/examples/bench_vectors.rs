//! Times searches for `benches/peers/vectors.py`: reads an index file and a file of queries, adds the vectors, and answers each line of its
//! input with JSON. `single ROUNDS` is the best time of one query after the other, `batch ROUNDS` of all at once, `found` what is found.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::File;
use std::io::BufRead;
use std::time::Instant;

use xynergy_core::vector::files::{IndexFile, read_index};
use xynergy_core::vector::{Collection, MetadataFilter, VectorLimits};

const K: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, index, queries, exact_up_to] = &args[..] else { return Err("INDEX QUERIES EXACT_UP_TO".into()) };
    let (file, queries) = (read(index)?, read(queries)?);
    let dimensions = u32::try_from(file.dimensions)?;
    let mut collection = Collection::new(VectorLimits { dimensions, exact_up_to: exact_up_to.parse()? });
    let began = Instant::now();
    collection.add("bench", Collection::entries_of(&file))?;
    drop(file);
    println!(
        "{}",
        serde_json::json!({"built_seconds": began.elapsed().as_secs_f64(), "stats": collection.stats()})
    );
    let queries: Vec<Vec<f32>> = queries.vectors.chunks(queries.dimensions).map(<[f32]>::to_vec).collect();
    let all = MetadataFilter::default();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (what, rounds) = line.split_once(' ').unwrap_or((&line, "1"));
        let mut best = f64::INFINITY;
        for _ in 0..rounds.parse()? {
            let began = Instant::now();
            match what {
                "single" => {
                    for query in &queries {
                        std::hint::black_box(collection.search(
                            "bench",
                            std::slice::from_ref(query),
                            K,
                            &all,
                        )?);
                    }
                }
                _ => {
                    std::hint::black_box(collection.search("bench", &queries, K, &all)?);
                }
            }
            best = best.min(began.elapsed().as_secs_f64());
        }
        if what == "found" {
            let found = collection.search("bench", &queries, K, &all)?;
            let ids: Vec<Vec<String>> =
                found.into_iter().map(|found| found.into_iter().map(|one| one.id).collect()).collect();
            println!("{}", serde_json::to_string(&ids)?);
        } else {
            println!("{}", serde_json::json!({"seconds": best}));
        }
    }
    Ok(())
}

fn read(path: &str) -> Result<IndexFile, Box<dyn Error>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok(read_index(file, length)?)
}
