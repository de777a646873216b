//! The model's worlds.

use crate::card::{Card, World};
use crate::model::{self, Expected};
use crate::{Size, suite};

/// Explores every world of the size.
pub(crate) fn explore(card: &mut Card, size: Size) {
    let scope = if size == Size::Full { model::Size::Large } else { model::Size::Small };
    let reports = model::run(scope, |report| suite::progress(&report.to_string()));
    for report in reports {
        if !report.as_expected() {
            card.violations.push(format!("model: {report}"));
        }
        let flawed = matches!(report.expected, Expected::Breaks(_));
        card.worlds.push(World {
            name: report.name.to_owned(),
            verdict: match (report.as_expected(), flawed) {
                (true, true) => "caught",
                (true, false) => "holds",
                (false, _) => "WRONG",
            },
            states: report.states,
            generated: report.generated,
            broken: report.found.iter().map(|name| (*name).to_owned()).collect(),
            flawed,
        });
    }
}
