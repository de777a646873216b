/// Parts per million: 1,000,000 is the whole.
pub type Ppm = u32;

/// The whole.
pub(super) const ONE: Ppm = 1_000_000;

/// A share as whole parts per million; what is no share becomes the nearest one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn ppm(share: f64) -> Ppm {
    let parts = (share * f64::from(ONE)).clamp(0.0, f64::from(ONE));
    if parts.is_nan() { 0 } else { libm::round(parts) as Ppm }
}

/// Bits, or anything else that is no share, as whole millionths, within what 53 bits hold.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn micro(value: f64) -> i64 {
    const MOST: f64 = 9_007_199_254_740_991.0;
    let parts = (value * f64::from(ONE)).clamp(-MOST, MOST);
    if parts.is_nan() { 0 } else { libm::round(parts) as i64 }
}

/// Whole millionths as a number.
#[allow(clippy::cast_precision_loss)]
pub(super) fn unmicro(millionths: i64) -> f64 {
    millionths as f64 / f64::from(ONE)
}
