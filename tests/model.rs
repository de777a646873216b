//! The model of safe execution: the library's own decisions in every interleaving of a small world.

#[path = "proof/model/mod.rs"]
mod model;

use model::{ModelReport, Size, run};

fn wrong(reports: &[ModelReport]) -> Vec<&'static str> {
    reports.iter().filter(|r| !r.as_expected()).map(|r| r.name).collect()
}

#[test]
fn every_world_shows_what_it_must() {
    let reports = run(Size::Small, |report| println!("{report}"));
    assert_eq!(wrong(&reports), [""; 0]);
}

#[test]
#[ignore = "minutes, in an optimised build"]
fn every_great_world_shows_what_it_must() {
    let reports = run(Size::Large, |report| println!("{report}"));
    assert_eq!(wrong(&reports), [""; 0]);
}
