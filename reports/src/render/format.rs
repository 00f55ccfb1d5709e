//! Figures as short text for tables that people read; files hold them in full.

/// What a table shows where there is no figure.
pub(super) const MISSING: &str = "-";

/// With this many decimals.
pub(super) fn fixed(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| MISSING.to_owned(), |x| format!("{x:.decimals$}"))
}

/// A time in ms: to a tenth below 100, whole from there on.
pub(super) fn ms(value: Option<f64>) -> String {
    fixed(
        value,
        if value.is_some_and(|x| x < 99.95) {
            1
        } else {
            0
        },
    )
}

/// Several figures in one field, such as `12.0/15.5`, or one `-` if there are none at all.
pub(super) fn joined<const N: usize>(
    values: [Option<f64>; N],
    format: impl Fn(Option<f64>) -> String,
) -> String {
    if values.iter().all(Option::is_none) {
        return MISSING.to_owned();
    }
    values.map(format).join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_about_three_digits() {
        assert_eq!(ms(Some(8.04)), "8.0");
        assert_eq!(ms(Some(99.94)), "99.9");
        assert_eq!(ms(Some(99.96)), "100");
        assert_eq!(ms(None), "-");
    }

    #[test]
    fn only_a_field_without_any_figure_is_missing() {
        assert_eq!(joined([None, None], ms), "-");
        assert_eq!(joined([Some(0.0), None], ms), "0.0/-");
    }
}
