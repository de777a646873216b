//! Ad money: integers in a currency's minor units, by the ad platform's own table of offsets.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// An amount in minor units: cents where the currency has them on the platform.
pub type Minor = i64;

/// Currencies whose amounts Meta counts in whole units. Everything else is in hundredths, whatever ISO 4217 says:
/// BHD and JOD have three decimals there, HUF, IDR, TWD, COP and CRC two.
const WHOLE_UNITS: [&str; 11] = ["CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"];

/// The currencies of ISO 4217 that money is paid in, and those that ad accounts still have from before.
const KNOWN: &str = "\
     AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD \
     CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD \
     GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD \
     KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK \
     NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD \
     SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VEF VES VND VUV WST \
     XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL";

/// A currency by its three-letter code, as `USD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollars.
    pub const USD: Self = Self(*b"USD");

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Minor units in one major unit on the ad platform: 1 or 100.
    pub fn offset(&self) -> Minor {
        if WHOLE_UNITS.contains(&self.as_str()) { 1 } else { 100 }
    }

    /// An amount for a person: `1,234.50 USD`, `5,000 JPY`.
    pub fn show(&self, amount: Minor) -> String {
        let sign = if amount < 0 { "-" } else { "" };
        let offset = self.offset().unsigned_abs();
        let (whole, part) = (amount.unsigned_abs() / offset, amount.unsigned_abs() % offset);
        let digits = whole.to_string();
        let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        if offset == 1 {
            format!("{sign}{grouped} {self}")
        } else {
            format!("{sign}{grouped}.{part:02} {self}")
        }
    }
}

impl FromStr for Currency {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self> {
        match code.as_bytes() {
            [a, b, c] if KNOWN.split(' ').any(|known| known == code) => Ok(Self([*a, *b, *c])),
            _ => Err(Error::invalid(
                "money",
                format!(
                    "currency: {:?} is no currency: give its three-letter code, such as USD",
                    code.chars().take(12).collect::<String>()
                ),
            )),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = Error;

    fn try_from(code: String) -> Result<Self> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_the_platforms_own() {
        for (code, offset) in [("USD", 100), ("JPY", 1), ("HUF", 1), ("IDR", 1), ("BHD", 100), ("JOD", 100)] {
            assert_eq!(code.parse::<Currency>().unwrap().offset(), offset, "{code}");
        }
    }

    #[test]
    fn amounts_are_shown_for_people() {
        assert_eq!(Currency::USD.show(123_456), "1,234.56 USD");
        assert_eq!(Currency::USD.show(-5), "-0.05 USD");
        assert_eq!("JPY".parse::<Currency>().unwrap().show(5_000), "5,000 JPY");
        assert_eq!(Currency::USD.show(i64::MIN), "-92,233,720,368,547,758.08 USD");
    }

    #[test]
    fn codes_are_checked() {
        let known: Vec<&str> = KNOWN.split(' ').collect();
        assert!(known.is_sorted() && known.iter().all(|code| code.len() == 3), "{known:?}");
        assert!(WHOLE_UNITS.iter().all(|code| known.contains(code)));
        for bad in ["usd", "US", "DOLLAR", "U$D", "", "ZZZ", "XTS", "D U"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad}");
        }
    }
}
