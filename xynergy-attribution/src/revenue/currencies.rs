use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_core::{Currency, Error, ErrorKind, Minor, Result, Timestamp};

use super::decimal::Decimal;
use super::stages::GREATEST;

/// The currency that revenue is counted in, and what others are worth in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Currencies {
    /// The currency of every value: that of the ad account, and of deals that name none.
    pub base: Currency,
    /// What the others are worth. A deal in a currency without a rate counts by its stage and says so.
    pub rates: Vec<Rate>,
}

/// What one unit of a currency is worth in the base currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The other currency.
    pub currency: Currency,
    /// Major units of the base currency for one major unit of the other, as decimal text: `1.0842`.
    pub rate: String,
    /// From when on; always, until the first one with a time, when absent.
    #[serde(default)]
    pub since: Option<Timestamp>,
}

impl Default for Currencies {
    fn default() -> Self {
        Self { base: Currency::USD, rates: Vec::new() }
    }
}

impl Currencies {
    /// Checks what a user configured.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) for a rate that is no decimal number above zero, for one of the base
    /// currency, and for two of the same time.
    pub fn validate(&self) -> Result<()> {
        let invalid = |message| Err(Error::new(ErrorKind::ConfigInvalid, "attribution.currencies", message));
        for (index, rate) in self.rates.iter().enumerate() {
            let Rate { currency, rate: text, since } = rate;
            if !Decimal::parse(text).is_some_and(Decimal::is_positive) {
                return invalid(format!(
                    "rates[{index}].rate: {:?} is no decimal number above zero of at most 18 digits: write it as \"1.0842\"",
                    text.chars().take(40).collect::<String>()
                ));
            }
            if *currency == self.base {
                return invalid(format!(
                    "rates[{index}].currency: {currency} is the base currency: leave it out"
                ));
            }
            if self.rates[..index].iter().any(|other| other.currency == *currency && other.since == *since) {
                return invalid(format!(
                    "rates[{index}]: {currency} has two rates from the same time: leave one"
                ));
            }
        }
        Ok(())
    }

    /// An amount of money in minor units of the base currency, to the nearest, halves away from zero, by the newest rate of the
    /// time. A currency of `None` is the base.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub(super) fn convert(
        &self,
        amount: &str,
        currency: Option<&str>,
        at: Timestamp,
    ) -> Result<Minor, String> {
        self.convert_less(amount, &[], currency, at)
    }

    /// The same of an amount from which others of its currency are taken first, down to nothing.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub(super) fn convert_less(
        &self,
        amount: &str,
        taken: &[Decimal],
        currency: Option<&str>,
        at: Timestamp,
    ) -> Result<Minor, String> {
        let number = parse_amount(amount)?;
        let rate = match currency {
            Some(code) if code != self.base.as_str() => self.rate(code, at).ok_or_else(|| {
                format!("currency: {:?} has no rate to {} at this time", shown(code), self.base)
            })?,
            _ => Decimal::ONE,
        };
        let minor = |number: Decimal| {
            let minor = number.times(rate, self.base.offset()).and_then(|minor| Minor::try_from(minor).ok());
            minor.filter(|minor| *minor <= GREATEST)
        };
        let too_great = || format!("amount: {:?} is above {GREATEST} minor units", shown(amount));
        let whole = minor(number).ok_or_else(too_great)?;
        let exact = taken.iter().try_fold(number, |left, other| left.minus(*other)).and_then(minor);
        // Digits that are too far apart for one number are converted one by one.
        let left = exact.unwrap_or_else(|| {
            let parts = taken.iter().map(|other| minor(*other).unwrap_or(GREATEST));
            parts.fold(whole, Minor::saturating_sub)
        });
        Ok(left.max(0))
    }

    fn rate(&self, code: &str, at: Timestamp) -> Option<Decimal> {
        let of_time = self.rates.iter().filter(|rate| rate.currency.as_str() == code);
        let newest = of_time
            .filter(|rate| rate.since.is_none_or(|since| since <= at))
            .max_by_key(|rate| rate.since)?;
        Decimal::parse(&newest.rate)
    }
}

/// The number of an amount of money.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse_amount(amount: &str) -> Result<Decimal, String> {
    let number =
        Decimal::parse(amount).ok_or_else(|| format!("amount: {:?} is no decimal number", shown(amount)))?;
    if number.is_negative() {
        return Err(format!("amount: {:?} is below zero", shown(amount)));
    }
    Ok(number)
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(currency: &str, rate: &str, since: Option<&str>) -> Rate {
        Rate {
            currency: currency.parse().unwrap(),
            rate: rate.to_owned(),
            since: since.map(|since| since.parse().unwrap()),
        }
    }

    #[test]
    fn the_newest_rate_of_the_time_counts() {
        let rates = vec![
            rate("EUR", "1.1", Some("2026-02-01T00:00:00Z")),
            rate("EUR", "1.2", Some("2026-03-01T00:00:00Z")),
            rate("EUR", "1.0", None),
            rate("JPY", "0.0064", Some("2026-01-01T00:00:00Z")),
        ];
        let currencies = Currencies { rates, ..Currencies::default() };
        currencies.validate().unwrap();
        let at = |time: &str, currency| currencies.convert("100", currency, time.parse().unwrap());
        assert_eq!(at("2026-01-31T23:59:59Z", Some("EUR")), Ok(10_000));
        assert_eq!(at("2026-02-01T00:00:00Z", Some("EUR")), Ok(11_000));
        assert_eq!(at("2027-02-01T00:00:00Z", Some("EUR")), Ok(12_000));
        assert_eq!(at("2027-02-01T00:00:00Z", Some("JPY")), Ok(64));
        assert_eq!(at("2027-02-01T00:00:00Z", None), Ok(10_000), "none is the base");
        for (time, currency) in
            [("2025-12-31T00:00:00Z", "JPY"), ("2026-06-01T00:00:00Z", "GBP"), ("2026-06-01T00:00:00Z", "x")]
        {
            assert!(at(time, Some(currency)).unwrap_err().starts_with("currency: "), "{currency}");
        }
        let wrong =
            |amount| currencies.convert(amount, None, "2026-01-01T00:00:00Z".parse().unwrap()).unwrap_err();
        for amount in ["", "a lot", "-1", "10000000000000.01", "99999999999999999999"] {
            assert!(wrong(amount).starts_with("amount: "), "{amount}");
        }
    }

    #[test]
    fn wrong_rates_are_named() {
        for (rates, named) in [
            (vec![rate("EUR", "0", None)], "rates[0].rate"),
            (vec![rate("EUR", "1,1", None)], "rates[0].rate"),
            (vec![rate("EUR", "1", None), rate("USD", "1", None)], "rates[1].currency"),
            (vec![rate("EUR", "1", None), rate("EUR", "2", None)], "rates[1]"),
        ] {
            let error = Currencies { rates, ..Currencies::default() }.validate().unwrap_err();
            assert!(error.message().starts_with(named), "{error}");
        }
    }
}
