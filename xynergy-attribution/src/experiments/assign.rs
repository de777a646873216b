use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use xynergy_core::{Error, Result};

/// A whole in parts per million.
pub(super) const WHOLE_PPM: u32 = 1_000_000;

/// Whether a unit is held out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldoutUnit {
    /// The unit's id.
    pub unit_id: String,
    /// Whether it is held out: it must not be treated.
    pub held_out: bool,
    /// Where it lies of 0 to 999,999: below `holdout_ppm` it is held out. A larger holdout has all units of a smaller one.
    pub bucket: u32,
}

/// 64 uniform bits that follow from the key and the unit: the first eight bytes, big-endian, of HMAC-SHA256.
pub(super) fn hash(key: &str, unit_id: &str) -> u64 {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return 0; // HMAC takes keys of every length.
    };
    mac.update(unit_id.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&mac.finalize().into_bytes()[..8]);
    u64::from_be_bytes(first)
}

/// Where a unit lies under a key: 0 to 999,999, each as probable as the other.
pub fn bucket(key: &str, unit_id: &str) -> u32 {
    let scaled = (u128::from(hash(key, unit_id)) * u128::from(WHOLE_PPM)) >> 64;
    u32::try_from(scaled).unwrap_or(WHOLE_PPM - 1)
}

/// Which units are held out: `holdout_ppm` of a million, by a hash of the unit's id under `key`. Another key holds out others,
/// independently.
///
/// # Errors
/// `invalid_input`: an empty key, or a `holdout_ppm` above a million.
pub fn holdout(unit_ids: &[String], key: &str, holdout_ppm: u32) -> Result<Vec<HoldoutUnit>> {
    let invalid = |message: String| Err(Error::invalid("allocation.holdout", message));
    if key.is_empty() {
        return invalid("key: it is empty; name the experiment, so that others hold out other units".into());
    }
    if holdout_ppm > WHOLE_PPM {
        return invalid(format!("holdout_ppm: {holdout_ppm} is above {WHOLE_PPM}, which is everyone"));
    }
    let held = |unit_id: &String| {
        let bucket = bucket(key, unit_id);
        HoldoutUnit { unit_id: unit_id.clone(), held_out: bucket < holdout_ppm, bucket }
    };
    Ok(unit_ids.iter().map(held).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By Python: `int.from_bytes(hmac.new(b"k", b"u", "sha256").digest()[:8], "big") * 1000000 >> 64`.
    #[test]
    fn the_bucket_is_that_of_another_program() {
        assert_eq!((bucket("k", "u"), bucket("summer", "visitor-1")), BY_PYTHON);
    }

    const BY_PYTHON: (u32, u32) = (719_755, 923_016);

    /// Pearson's chi-squared over 100 cells of 100,000 consecutive ids: 99 degrees of freedom, 99.9 % below 148.2.
    #[test]
    fn every_part_has_its_share() {
        for key in ["a", "b", "summer"] {
            let mut cells = [0_u32; 100];
            for unit in 0..100_000 {
                cells[bucket(key, &unit.to_string()) as usize / 10_000] += 1;
            }
            let chi_squared: f64 = cells.iter().map(|n| (f64::from(*n) - 1000.0).powi(2) / 1000.0).sum();
            assert!(chi_squared < 148.2, "{key}: {chi_squared}");
        }
    }

    #[test]
    fn keys_hold_out_independently_and_a_larger_holdout_has_the_smaller_one() {
        let units: Vec<String> = (0..100_000).map(|unit| format!("visitor-{unit}")).collect();
        let held = |key, ppm| -> Vec<bool> {
            holdout(&units, key, ppm).unwrap().into_iter().map(|unit| unit.held_out).collect()
        };
        let count = |of: &[bool]| f64::from(u32::try_from(of.iter().filter(|held| **held).count()).unwrap());
        let (tenth, fifth, other) = (held("a", 100_000), held("a", 200_000), held("b", 100_000));
        assert!(tenth.iter().zip(&fifth).all(|(small, large)| !small || *large));
        let both: Vec<bool> = tenth.iter().zip(&other).map(|(a, b)| *a && *b).collect();
        // Four standard deviations of binomials.
        assert!((count(&tenth) - 10_000.0).abs() < 380.0 && (count(&both) - 1000.0).abs() < 126.0);
        assert!(held("a", 0).iter().all(|held| !held) && held("a", WHOLE_PPM).iter().all(|held| *held));
    }
}
