//! Exact decimal numbers, so that "0.1 s" is 100,000,000 ns and not a rounded binary fraction.

/// A non-negative decimal number: `digits` / 10^`places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: u128,
    places: u32,
}

/// More digits than any quantity needs, and few enough for every product to fit 128 bits:
/// 10^22 x 3.6e12 (an hour in ns) is 3.6e34 of 3.4e38.
const MAX_DIGITS: usize = 22;

/// Why a product is not a `u64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inexact {
    /// It has a fractional part.
    Fractional,
    /// It is above `u64::MAX`.
    TooLarge,
}

impl Decimal {
    /// Reads digits with at most one point between them: `40`, `1.5`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (text, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let count = whole.len() + fraction.len();
        if whole.is_empty() || count > MAX_DIGITS || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Decimal {
            digits,
            places: u32::try_from(fraction.len()).ok()?,
        })
    }

    /// The number times `factor`, if that is whole.
    pub(super) fn times(self, factor: u64) -> Result<u64, Inexact> {
        let product = self.digits * u128::from(factor);
        let divisor = 10u128.pow(self.places);
        if product % divisor != 0 {
            return Err(Inexact::Fractional);
        }
        u64::try_from(product / divisor).map_err(|_| Inexact::TooLarge)
    }

    /// The binary fraction nearest to a hundredth of the number.
    pub(super) fn percent(self) -> f64 {
        // Text to float rounds once, to the nearest; dividing a float by 100 would round twice.
        let text = format!("{}e-{}", self.digits, self.places + 2);
        text.parse()
            .expect("digits, an e and an exponent are a float")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_exact_or_refused() {
        // 1.5 x 1000 = 1500 exactly; 0.0015 x 1000 = 1.5 is not whole; 2^64 does not fit.
        let times = |text: &str, factor| Decimal::parse(text).unwrap().times(factor);
        assert_eq!(times("1.5", 1000), Ok(1500));
        assert_eq!(times("0.0015", 1000), Err(Inexact::Fractional));
        assert_eq!(times("18446744073709551615", 1), Ok(u64::MAX));
        assert_eq!(times("18446744073709551616", 1), Err(Inexact::TooLarge));
        assert_eq!(
            times("9999999999999999999999", 3_600_000_000_000),
            Err(Inexact::TooLarge)
        );
    }

    #[test]
    fn only_plain_decimals_are_numbers() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "1.2.3",
            "1e3",
            "-1",
            "+1",
            "1_000",
            "12345678901234567890123",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_percentage_rounds_once() {
        // 0.7 / 100.0 in floats is 0.006999999999999999; the nearest float to 0.007 is 0.007.
        assert_eq!(Decimal::parse("0.7").unwrap().percent(), 0.007);
    }
}
