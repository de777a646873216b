use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A share or a probability in whole millionths, so that no float reaches an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "String")]
pub struct Millionths(u32);

impl Millionths {
    /// The whole: 1,000,000 millionths.
    pub const ONE: Self = Self(1_000_000);

    /// So many millionths; more than the whole becomes the whole.
    pub fn new(millionths: u32) -> Self {
        Self(millionths.min(Self::ONE.0))
    }

    /// The number of millionths.
    pub fn get(self) -> u32 {
        self.0
    }

    /// Divides the whole in proportion to `weights` by largest remainder; the earlier of two equal remainders wins.
    ///
    /// The parts sum to exactly [`Millionths::ONE`], unless there are none. Weights that are all zero give equal parts.
    pub fn divide(weights: &[u64]) -> Vec<Self> {
        let sum: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
        if sum == 0 && !weights.is_empty() {
            return Self::divide(&vec![1; weights.len()]);
        }
        let scaled = |weight: u64| u128::from(weight) * u128::from(Self::ONE.0);
        let mut parts: Vec<u32> = weights
            .iter()
            .map(|&weight| u32::try_from(scaled(weight) / sum).unwrap_or(Self::ONE.0))
            .collect();
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(scaled(weights[i]) % sum), i));
        let missing = Self::ONE.0.saturating_sub(parts.iter().sum());
        for (&i, _) in order.iter().zip(0..missing) {
            parts[i] += 1;
        }
        parts.into_iter().map(Self).collect()
    }
}

impl fmt::Display for Millionths {
    /// Six digits after the point: `0.310000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / Self::ONE.0, self.0 % Self::ONE.0)
    }
}

impl Serialize for Millionths {
    /// The string of [`fmt::Display`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Millionths {
    /// The string that is serialised: one digit, a point, and six digits.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let parsed = text.split_once('.').filter(|(_, part)| part.len() == 6).and_then(|(whole, part)| {
            let whole = whole.parse::<u32>().ok()?.checked_mul(Self::ONE.0)?;
            whole.checked_add(part.parse::<u32>().ok()?).filter(|sum| *sum <= Self::ONE.0)
        });
        parsed
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a share such as 0.310000")))
    }
}

/// A ratio in whole millionths, as `3.250000`: a mean or an end of an interval, so that no float reaches an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "String")]
pub struct Ratio(u64);

impl Ratio {
    /// The nearest ratio to a number; one that is not positive becomes 0, and one above 10^12 that.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn rounded(number: f64) -> Self {
        const LARGEST: f64 = 1e18;
        Self(libm::round((number * 1e6).clamp(0.0, LARGEST)) as u64)
    }

    /// The number of millionths.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Ratio {
    /// Six digits after the point: `3.250000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl Serialize for Ratio {
    /// The string of [`fmt::Display`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ratio {
    /// The string that is serialised: digits, a point, and six digits.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let parsed = text.split_once('.').filter(|(_, part)| part.len() == 6).and_then(|(whole, part)| {
            whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(part.parse::<u64>().ok()?)
        });
        parsed
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a ratio such as 3.250000")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_six_digits() {
        assert_eq!(Millionths::new(310_000).to_string(), "0.310000");
        assert_eq!(Millionths::ONE.to_string(), "1.000000");
        assert_eq!(serde_json::to_string(&Millionths::new(7)).unwrap(), "\"0.000007\"");
        for millionths in [0, 7, 310_000, 1_000_000] {
            let text = serde_json::to_string(&Millionths::new(millionths)).unwrap();
            assert_eq!(serde_json::from_str::<Millionths>(&text).unwrap().get(), millionths);
        }
        for bad in ["\"1.000001\"", "\"0.5\"", "\"x\"", "0.5"] {
            assert!(serde_json::from_str::<Millionths>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ratios_go_there_and_back() {
        assert_eq!(Ratio::rounded(3.25).to_string(), "3.250000");
        assert_eq!(Ratio::rounded(f64::NAN), Ratio::rounded(-1.0));
        assert_eq!(Ratio::rounded(f64::INFINITY).get(), 1_000_000_000_000_000_000);
        for ratio in [0.0, 0.012_345_6, 17.0] {
            let text = serde_json::to_string(&Ratio::rounded(ratio)).unwrap();
            assert_eq!(serde_json::from_str::<Ratio>(&text).unwrap(), Ratio::rounded(ratio));
        }
        assert!(serde_json::from_str::<Ratio>("\"1.5\"").is_err());
    }

    #[test]
    fn thirds_go_to_the_first() {
        let parts: Vec<u32> = Millionths::divide(&[1, 1, 1]).into_iter().map(Millionths::get).collect();
        assert_eq!(parts, [333_334, 333_333, 333_333]);
        assert!(Millionths::divide(&[]).is_empty());
        assert_eq!(Millionths::divide(&[0, 0])[1].get(), 500_000);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole_and_keep_their_quota(weights in prop::collection::vec(any::<u64>(), 1..40)) {
            let parts = Millionths::divide(&weights);
            prop_assert_eq!(parts.iter().map(|p| p.get()).sum::<u32>(), 1_000_000);
            let sum: u128 = weights.iter().map(|&w| u128::from(w)).sum();
            prop_assume!(sum > 0);
            for (part, weight) in parts.iter().zip(&weights) {
                let floor = u128::from(*weight) * 1_000_000 / sum;
                prop_assert!((floor..=floor + 1).contains(&u128::from(part.get())));
            }
        }
    }
}
