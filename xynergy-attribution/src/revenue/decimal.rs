/// The most digits that an amount or a rate may have, zeros at its ends aside: two of them and an offset fit 128 bits.
const DIGITS: usize = 18;

/// The greatest power of ten that may stand behind an amount.
const EXPONENT: i32 = 30;

/// A decimal number, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    units: i128,
    /// How many of the digits are behind the point.
    scale: u32,
}

impl Decimal {
    /// 1.
    pub(super) const ONE: Self = Self { units: 1, scale: 0 };

    /// Reads `1234.50`, `-7`, `.5` or `1.0E7`. `None` for anything else, and for more than 18 digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        if !(-EXPONENT..=EXPONENT).contains(&exponent) {
            return None;
        }
        let (negative, digits) = match mantissa.as_bytes().first()? {
            b'-' => (true, &mantissa[1..]),
            b'+' => (false, &mantissa[1..]),
            _ => (false, mantissa),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && part.is_empty()
            || !whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let joined = format!("{whole}{part}");
        let kept = joined.trim_start_matches('0').trim_end_matches('0');
        if kept.len() > DIGITS {
            return None;
        }
        if kept.is_empty() {
            return Some(Self { units: 0, scale: 0 });
        }
        let zeros = joined.len() - joined.trim_end_matches('0').len();
        // How many digits stand behind the point, below zero when zeros are missing before it.
        let scale = i32::try_from(part.len()).ok()? - i32::try_from(zeros).ok()? - exponent;
        let units: i128 = kept.parse().ok()?;
        let units = if negative { -units } else { units };
        match u32::try_from(scale) {
            Ok(scale) if scale <= 2 * EXPONENT.unsigned_abs() => Some(Self { units, scale }),
            Ok(_) => None,
            Err(_) => {
                let units = units.checked_mul(10_i128.checked_pow(scale.unsigned_abs())?)?;
                (units.unsigned_abs() < 10_u128.pow(21)).then_some(Self { units, scale: 0 })
            }
        }
    }

    /// Whether it is above zero.
    pub(super) fn is_positive(self) -> bool {
        self.units > 0
    }

    /// Whether it is below zero.
    pub(super) fn is_negative(self) -> bool {
        self.units < 0
    }

    /// This less another, exactly. `None` when 128 bits do not hold it.
    pub(super) fn minus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let units = |number: Self| number.units.checked_mul(10_i128.checked_pow(scale - number.scale)?);
        Some(Self { units: units(self)?.checked_sub(units(other)?)?, scale })
    }

    /// This times `rate` times `offset`, to the nearest whole number, halves away from zero. `None` when 128 bits do not hold it.
    pub(super) fn times(self, rate: Self, offset: i64) -> Option<i128> {
        let product = self.units.checked_mul(rate.units)?.checked_mul(i128::from(offset))?;
        match 10_i128.checked_pow(self.scale.checked_add(rate.scale)?) {
            Some(divisor) => Some(divide(product, divisor)),
            // Less than any number of 128 bits can reach.
            None => Some(0),
        }
    }
}

/// To the nearest whole number, halves away from zero. `divisor` is above zero.
pub(super) fn divide(number: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (number / divisor, number % divisor);
    let up = rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs();
    if up { quotient + number.signum() } else { quotient }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minor(text: &str) -> Option<i128> {
        Decimal::parse(text)?.times(Decimal::ONE, 100)
    }

    #[test]
    fn reads_what_a_crm_writes() {
        for (text, expected) in [
            ("1234.50", Some(123_450)),
            ("1234.5", Some(123_450)),
            ("0", Some(0)),
            ("-0.00", Some(0)),
            (".5", Some(50)),
            ("5.", Some(500)),
            ("+7", Some(700)),
            ("-7.005", Some(-701)),
            ("7.005", Some(701)),
            ("7.004999", Some(700)),
            ("1.0E7", Some(1_000_000_000)),
            ("12e-1", Some(120)),
            ("000000000000000000000000012", Some(1_200)),
            ("100000000000000000000", Some(10_000_000_000_000_000_000_000)),
            ("1e-25", Some(0)),
            ("", None),
            (".", None),
            ("-", None),
            ("1,234.50", None),
            ("1 234", None),
            ("$5", None),
            ("NaN", None),
            ("1e99", None),
            ("1e", None),
            ("--5", None),
            ("0x10", None),
            ("1234567890123456789", None),
        ] {
            assert_eq!(minor(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_rate_is_exact() {
        let rate = Decimal::parse("1.0842").unwrap();
        assert_eq!(Decimal::parse("1000.01").unwrap().times(rate, 100), Some(108_421), "108421.0842");
        let yen = Decimal::parse("0.0064").unwrap();
        assert_eq!(Decimal::parse("15625").unwrap().times(yen, 100), Some(10_000));
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_none(text in "\\PC{0,30}") {
            let _ = minor(&text);
        }

        #[test]
        fn any_digits_are_read_exactly(whole in 0_u64..10_u64.pow(15), cents in 0_u64..100) {
            let text = format!("{whole}.{cents:02}");
            prop_assert_eq!(minor(&text), Some(i128::from(whole) * 100 + i128::from(cents)));
        }

        #[test]
        fn a_difference_is_exact(a in 0_u64..10_u64.pow(15), b in 0_u64..10_u64.pow(15), scales in (0_u32..7, 0_u32..7)) {
            let of = |units: u64, scale: u32| Decimal { units: i128::from(units), scale };
            let left = of(a, scales.0).minus(of(b, scales.1)).unwrap();
            let millionths = |units: u64, scale: u32| i128::from(units) * 10_i128.pow(6 - scale);
            prop_assert_eq!(left.units * 10_i128.pow(6 - left.scale), millionths(a, scales.0) - millionths(b, scales.1));
        }

        #[test]
        fn division_is_to_the_nearest(number in any::<i64>(), divisor in 1_i64..1_000_000) {
            let quotient = divide(i128::from(number), i128::from(divisor));
            let twice = 2 * (i128::from(number) - quotient * i128::from(divisor));
            prop_assert!(twice.abs() <= i128::from(divisor));
            prop_assert_eq!(divide(-i128::from(number), i128::from(divisor)), -quotient);
        }
    }
}
