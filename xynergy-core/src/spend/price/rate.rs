/// Dollars for one token, image or request: an integer of 10^-24 dollars, so that every price that is written in decimals with up
/// to 24 places is kept exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u128);

/// Decimal places that are kept.
const PLACES: i64 = 24;

/// 10^-24 dollars in a billionth of a dollar.
const PER_NANO: u128 = 1_000_000_000_000_000;

impl Rate {
    /// From billionths of a dollar for a million.
    pub const fn per_million(nano_usd: u64) -> Self {
        Self(nano_usd as u128 * (PER_NANO / 1_000_000))
    }

    /// From billionths of a dollar for one.
    pub const fn each(nano_usd: u64) -> Self {
        Self(nano_usd as u128 * PER_NANO)
    }

    /// From a JSON number's text in dollars, digit by digit and never through a binary fraction. The problem in a few words
    /// where it cannot be kept.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().map_err(|_| "is not a number")?),
            None => (text, 0),
        };
        if mantissa.starts_with('-') {
            return Err("is negative");
        }
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = whole.bytes().chain(fraction.bytes());
        if whole.is_empty() || !digits.clone().all(|digit| digit.is_ascii_digit()) {
            return Err("is not a number");
        }
        let mut value = 0_u128;
        for digit in digits {
            value = value
                .checked_mul(10)
                .and_then(|v| v.checked_add(u128::from(digit - b'0')))
                .ok_or("is too great")?;
        }
        if value == 0 {
            return Ok(Self(0));
        }
        let mut shift = i64::try_from(fraction.len())
            .ok()
            .and_then(|places| PLACES.checked_add(exponent)?.checked_sub(places))
            .ok_or("is too great")?;
        while shift < 0 && value.is_multiple_of(10) {
            value /= 10;
            shift += 1;
        }
        let power = u32::try_from(shift).map_err(|_| "has more than 24 decimal places")?;
        let value =
            10_u128.checked_pow(power).and_then(|power| value.checked_mul(power)).ok_or("is too great")?;
        // A thousand dollars for a token is no price: a place was lost.
        if value > Self::each(1_000_000_000_000).0 {
            Err("is above a thousand dollars")
        } else {
            Ok(Self(value))
        }
    }

    /// For so many.
    pub(super) fn times(self, count: u64) -> u128 {
        self.0.saturating_mul(u128::from(count))
    }
}

/// A sum of [`Rate::times`] in billionths of a dollar, rounded up.
pub(super) fn nano_usd(sum: u128) -> u64 {
    u64::try_from(sum.div_ceil(PER_NANO)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_kept_exactly() {
        for (text, expected) in [
            ("0", 0),
            ("0.0", 0),
            ("1e-24", 1),
            ("3.2857142857142855e-08", 32_857_142_857_142_855),
            ("0.0000029999900000000002", 2_999_990_000_000_000_200),
            ("1.5E-7", 150_000_000_000_000_000),
            ("0.00000015", 150_000_000_000_000_000),
            ("10.0e-25", 1),
            ("2e+0", 2_000_000_000_000_000_000_000_000),
        ] {
            assert_eq!(Rate::parse(text), Ok(Rate(expected)), "{text}");
        }
        for (text, problem) in [
            ("-1e-6", "negative"),
            ("1e-25", "24 decimal"),
            ("1e9", "thousand dollars"),
            ("1e999999999999999999999", "not a number"),
            ("1e9223372036854775807", "too great"),
            ("\"1e-6\"", "not a number"),
            ("null", "not a number"),
            ("", "not a number"),
        ] {
            assert!(Rate::parse(text).unwrap_err().contains(problem), "{text}: {:?}", Rate::parse(text));
        }
        assert_eq!(Rate::parse("2.5e-06"), Ok(Rate::per_million(2_500_000_000)));
        assert_eq!(Rate::parse("0.015"), Ok(Rate::each(15_000_000)));
    }

    proptest! {
        #[test]
        fn the_point_and_the_exponent_do_not_matter(digits in 0_u64..1_000_000_000, down in 0_usize..15) {
            let plain = format!("0.{:0>24}", u128::from(digits) * 10_u128.pow(u32::try_from(14 - down).unwrap()));
            let exponent = format!("{digits}e-{}", 10 + down);
            prop_assert_eq!(Rate::parse(&plain), Rate::parse(&exponent));
        }
    }
}
