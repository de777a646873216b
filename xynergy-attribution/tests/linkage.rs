//! The estimate without labels on a labelled set of people: the pairs it calls sure are pairs.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use xynergy_attribution::matching::linkage::{Fixed, Levels, Linkage, Patterns, Until};

/// The rows of a file of comma-separated values without quotes, by their header.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        header.iter().zip(line.split(',')).map(|(k, v)| ((*k).to_owned(), v.to_owned())).collect()
    };
    lines.map(row).collect()
}

/// Equal, both there and not equal, or one missing.
fn exact(a: &str, b: &str) -> Option<u8> {
    (!a.is_empty() && !b.is_empty()).then(|| u8::from(a == b))
}

#[test]
fn people_are_found_again_without_labels() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/linkage");
    if !folder.join("fake_1000.csv").exists() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let people = rows(&folder.join("fake_1000.csv"));
    let fields = ["first_name", "surname", "dob", "city", "email"];
    let pairs: Vec<(usize, usize)> =
        (0..people.len()).flat_map(|a| (a + 1..people.len()).map(move |b| (a, b))).collect();
    let compare = |(a, b): &(usize, usize)| -> Levels {
        fields.iter().map(|field| exact(&people[*a][*field], &people[*b][*field])).collect()
    };
    let patterns: Patterns = pairs.iter().map(compare).collect();
    // u is measured on all pairs, of which hardly any match.
    let mut start = Linkage::start(0.001, &[2; 5]);
    for (field, comparison) in fields.iter().zip(&mut start.comparisons) {
        let (mut equal, mut both) = (0.0, 0.0);
        for (n, a) in people.iter().enumerate() {
            for level in people[n + 1..].iter().filter_map(|b| exact(&a[*field], &b[*field])) {
                both += 1.0;
                equal += f64::from(level);
            }
        }
        comparison.u = vec![1.0 - equal / both, equal / both];
    }
    let fixed = Fixed { u: true, ..Fixed::default() };
    let fit = start.fit(&patterns, fixed, Until::default()).unwrap();
    assert!(fit.converged, "after {} steps", fit.steps);
    let (mut sure, mut right, mut matches, mut found) = (0, 0, 0, 0);
    for pair in &pairs {
        let same = people[pair.0]["cluster"] == people[pair.1]["cluster"];
        let probability = fit.linkage.probability(&compare(pair));
        matches += u32::from(same);
        if probability > 0.9 {
            sure += 1;
            right += u32::from(same);
        }
        found += u32::from(same && probability > 0.5);
    }
    println!(
        "{} pairs, {matches} matches; above 0.9: {sure}, right {right}; above 0.5: {found}",
        pairs.len()
    );
    assert!(f64::from(right) / f64::from(sure) > 0.95, "{right} of {sure}");
    assert!(f64::from(found) / f64::from(matches) > 0.5, "{found} of {matches}");
    for (field, comparison) in fields.iter().zip(&fit.linkage.comparisons) {
        assert!(comparison.m[1] > comparison.u[1], "{field}: {comparison:?}");
    }

    // The clerical labels are another judge: of the pairs that it calls sure.
    let by_id: BTreeMap<&str, usize> =
        people.iter().enumerate().map(|(at, person)| (person["unique_id"].as_str(), at)).collect();
    let (mut labelled, mut agree) = (0, 0);
    for label in rows(&folder.join("fake_1000_labels.csv")) {
        let (Some(a), Some(b)) =
            (by_id.get(label["unique_id_l"].as_str()), by_id.get(label["unique_id_r"].as_str()))
        else {
            continue;
        };
        if fit.linkage.probability(&compare(&(*a, *b))) > 0.9 {
            labelled += 1;
            agree += u32::from(label["clerical_match_score"].parse::<f64>().unwrap() > 0.5);
        }
    }
    println!("{agree} of {labelled} labels agree");
    assert!(labelled > 500 && f64::from(agree) / f64::from(labelled) > 0.9, "{agree} of {labelled}");
}
