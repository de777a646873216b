//! How alike the devices of one network are: an office that buys one kind of laptop makes strangers look the same.

use super::compare::{AGENT_LEVELS, BINARY_LEVELS, Compared};
use super::ppm::{micro, unmicro};

/// How many clicks what is known of all networks counts for, beside the clicks of one.
pub(super) const GENERAL: f64 = 8.0;

/// No pattern is rarer among strangers than one in so many.
const RAREST: f64 = 4_096.0;

/// Of one click: how many clicks of its network compare as it does, itself among them. That it counts itself costs every click a little,
/// which calibration gives back; without it, a second click like a rival's would make the rivals together weigh less, and so raise
/// the best.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alike {
    same: u32,
    all: u32,
}

impl Alike {
    /// `log2(u / f)` in millionths of a bit, where `u` is how often strangers compare so in general (its log2 in millionths is given) and
    /// `f` how often on this network: its own clicks, and [`GENERAL`] that are as in general.
    pub(super) fn bits(self, general: i64) -> i64 {
        let u = libm::exp2(unmicro(general)).clamp(1.0 / RAREST, 1.0);
        let f = (f64::from(self.same) + GENERAL * u) / (f64::from(self.all) + GENERAL);
        micro(-libm::log2(f / u))
    }

    /// The same on a network of so many clicks.
    pub(super) fn among(self, all: u64) -> Self {
        Self { all: u32::try_from(all).unwrap_or(u32::MAX), ..self }
    }
}

/// How many clicks compare in each way.
#[derive(Clone, Debug, Default)]
pub(super) struct AlikeTable {
    counts: [[u32; BINARY_LEVELS + 1]; AGENT_LEVELS + 1],
    all: u32,
}

impl AlikeTable {
    pub(super) fn of<'a>(compared: impl Iterator<Item = &'a Compared>) -> Self {
        let mut table = Self::default();
        for compared in compared {
            let (agent, language) = place(compared);
            table.counts[agent][language] = table.counts[agent][language].saturating_add(1);
            table.all = table.all.saturating_add(1);
        }
        table
    }

    /// Of one of the clicks that were counted.
    pub(super) fn of_one(&self, compared: &Compared) -> Alike {
        let (agent, language) = place(compared);
        Alike { same: self.counts[agent][language], all: self.all }
    }
}

fn place(compared: &Compared) -> (usize, usize) {
    let place = |level: Option<u8>, levels: usize| level.map_or(levels, usize::from).min(levels);
    (place(compared.agent, AGENT_LEVELS), place(compared.language, BINARY_LEVELS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_on_a_network_says_little_there() {
        let same = Compared { agent: Some(2), language: Some(1), campaign: None, lag: 0 };
        let other = Compared { agent: Some(0), language: Some(1), ..same };
        let general = micro(libm::log2(0.1));
        let bits = |clicks: &[Compared]| AlikeTable::of(clicks.iter()).of_one(&same).bits(general);
        assert!(bits(&[same, same, same, same]) < bits(&[same]) - 500_000);
        assert!(bits(&[same; 40]) < -2_500_000, "nearly all are so");
        // With the clicks that are to be expected there, one that is not alike takes nothing from what it says of the rest.
        let (few, more) = (bits(&[same, other]), bits(&[same, other, other]));
        assert!(more > few && more < few + micro(libm::log2(1.5)), "{few} {more}");
    }
}
