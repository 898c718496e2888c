//! Amounts as people write them: in whole units of the asset, exactly.

use crate::failure::Failure;

/// The most digits of an amount, point included.
const DIGITS_MAX: usize = 80;

/// An amount as it was typed: `1.5`, `1.5eth`, `1000base`, `all`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// A number of whole units, with the asset behind it where one was typed.
    Whole {
        /// Digits, with or without a point.
        number: String,
        /// The asset.
        asset: Option<String>,
    },
    /// A number of base units.
    Base(String),
    /// As much as there is.
    All,
}

impl Quantity {
    /// Reads what was typed. Both `1.5eth` and `1.5` are good; `1000base` are base units.
    ///
    /// # Errors
    /// Says what an amount looks like.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim_start();
        let points = number.matches('.').count();
        let is_number = number.starts_with(|c: char| c.is_ascii_digit())
            && number.ends_with(|c: char| c.is_ascii_digit())
            && points <= 1
            && number.len() <= DIGITS_MAX;
        if !is_number {
            return Err(format!(
                "{text:?} is no amount: write 1.5eth or 1.5 for whole units, 1500base for base units, or all"
            ));
        }
        match unit {
            "base" if points == 0 => Ok(Self::Base(number.to_owned())),
            "base" => Err(format!("{text:?}: a base unit can't be divided")),
            "" => Ok(Self::Whole { number: number.to_owned(), asset: None }),
            asset => Ok(Self::Whole { number: number.to_owned(), asset: Some(asset.to_owned()) }),
        }
    }

    /// The asset that was typed behind the number.
    pub(crate) fn asset(&self) -> Option<&str> {
        match self {
            Self::Whole { asset, .. } => asset.as_deref(),
            Self::Base(_) | Self::All => None,
        }
    }

    /// The number where it is a whole one with nothing behind it: things that are counted.
    pub(crate) fn count(&self) -> Option<String> {
        match self {
            Self::Whole { number, asset: None } if !number.contains('.') => Some(without_zeros(number)),
            Self::Base(number) => Some(without_zeros(number)),
            _ => None,
        }
    }

    /// Base units, as the ledger counts; none for all of it.
    ///
    /// # Errors
    /// If there are more places behind the point than the asset has.
    pub(crate) fn base_units(&self, decimals: u8) -> Result<Option<String>, Failure> {
        let number = match self {
            Self::All => return Ok(None),
            Self::Base(number) => return Ok(Some(without_zeros(number))),
            Self::Whole { number, .. } => number,
        };
        let (whole, places) = number.split_once('.').unwrap_or((number, ""));
        let places = places.trim_end_matches('0');
        let decimals = usize::from(decimals);
        if places.len() > decimals {
            let what = format!(
                "{number} has {} places behind the point, and the asset has {decimals}",
                places.len()
            );
            return Err(
                Failure::usage("amount.too-fine", what).help("round it, or give base units: 1000base")
            );
        }
        Ok(Some(without_zeros(&format!("{whole}{places:0<decimals$}"))))
    }
}

fn without_zeros(digits: &str) -> String {
    let trimmed = digits.trim_start_matches('0');
    if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() }
}

/// Base units as a number of whole units, exactly; nothing where the text is no number.
pub(crate) fn decimal(units: &str, decimals: u8) -> Option<String> {
    if units.is_empty() || units.len() > DIGITS_MAX || !units.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals = usize::from(decimals);
    let padded = format!("{units:0>width$}", width = decimals + 1);
    let (whole, places) = padded.split_at(padded.len() - decimals);
    let places = places.trim_end_matches('0');
    let point = if places.is_empty() { "" } else { "." };
    Some(format!("{}{point}{places}", without_zeros(whole)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_in_both_directions() {
        let cases = [
            ("1.5eth", 18, "1500000000000000000", "1.5"),
            ("0.000000000000000001", 18, "1", "0.000000000000000001"),
            ("32", 9, "32000000000", "32"),
            ("1000base", 18, "1000", "0.000000000000001"),
            ("007.50 usd", 2, "750", "7.5"),
            ("0", 6, "0", "0"),
            ("5", 0, "5", "5"),
            ("1.10", 1, "11", "1.1"),
        ];
        for (typed, decimals, units, shown) in cases {
            let quantity = Quantity::parse(typed).expect(typed);
            assert_eq!(quantity.base_units(decimals).expect(typed).as_deref(), Some(units), "{typed}");
            assert_eq!(decimal(units, decimals).as_deref(), Some(shown), "{typed}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for typed in ["", "eth", ".5", "5.", "1.2.3", "-1", "+1", "1e5", "1.5base", "1,5", &"9".repeat(81)] {
            let quantity = Quantity::parse(typed);
            // A number with letters behind is an amount of that asset, which nobody has listed.
            let is_refused = quantity.as_ref().map_or(true, |quantity| quantity.asset().is_some());
            assert!(is_refused, "{typed}: {quantity:?}");
        }
        let fine = Quantity::parse("0.0001").expect("a number").base_units(3).expect_err("too fine");
        assert_eq!(fine.code(), "amount.too-fine");
        assert_eq!(Quantity::parse("all").expect("all").base_units(18), Ok(None));
    }
}
