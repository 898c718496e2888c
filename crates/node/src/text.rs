//! Texts for people: amounts with their decimals, times, and what markup takes for its own.

use ledger::Head;
use protocol::query;
use protocol::units::{Amount, AssetId};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// An amount with its decimals, such as `1.5`.
pub(crate) fn amount(head: &Head, asset: AssetId, amount: Amount) -> String {
    let decimals = query::asset(&head.state, asset).map_or(0, |asset| usize::from(asset.decimals));
    decimal(amount.units(), decimals)
}

fn decimal(units: u128, decimals: usize) -> String {
    let digits = format!("{units:0>width$}", width = decimals.saturating_add(1));
    let (whole, rest) = digits.split_at(digits.len().saturating_sub(decimals));
    match rest.trim_end_matches('0') {
        "" => whole.to_owned(),
        rest => format!("{whole}.{rest}"),
    }
}

/// Year, month, day, and milliseconds into the day, of a time in UTC.
fn civil(time_ms: u64) -> (u64, u64, u64, u64) {
    let (days, rest) = (time_ms / DAY_MS, time_ms % DAY_MS);
    // Days since 1 March of year 0, in eras of 400 years: the algorithm of Howard Hinnant's `civil_from_days`.
    let shifted = days.saturating_add(719_468);
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day, rest)
}

/// `20261231T235959Z`.
pub(crate) fn utc_basic(time_ms: u64) -> String {
    let (year, month, day, rest) = civil(time_ms);
    let seconds = rest / 1_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// `2026-12-31 23:59:59 UTC`.
pub(crate) fn utc(time_ms: u64) -> String {
    let (year, month, day, rest) = civil(time_ms);
    let seconds = rest / 1_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// `Thu, 31 Dec 2026 23:59:59 GMT`, as feeds have it.
pub(crate) fn rfc822(time_ms: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day, rest) = civil(time_ms);
    let weekday = usize::try_from(time_ms / DAY_MS % 7).ok().and_then(|index| DAYS.get(index));
    let month = usize::try_from(month.saturating_sub(1)).ok().and_then(|index| MONTHS.get(index));
    let seconds = rest / 1_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let (weekday, month) = (weekday.copied().unwrap_or_default(), month.copied().unwrap_or_default());
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// A span of time, such as `2 d 3 h`, cut to two units.
pub(crate) fn span(ms: u64) -> String {
    let seconds = ms / 1_000;
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, length) in units {
        if left >= length || (unit == "s" && parts.is_empty()) {
            parts.push(format!("{} {unit}", left / length));
            left %= length;
        }
    }
    parts.truncate(2);
    parts.join(" ")
}

/// Text within markup, HTML or XML, in an element or a quoted attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // XML has no other control characters.
            control if control.is_control() && !matches!(control, '\n' | '\t') => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_decimals_and_no_more_digits_than_needed() {
        for (units, decimals, text) in [
            (0, 18, "0"),
            (1, 18, "0.000000000000000001"),
            (1_500_000, 6, "1.5"),
            (32_000_000_000, 9, "32"),
            (7, 0, "7"),
        ] {
            assert_eq!(decimal(units, decimals), text);
        }
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (ms, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400_000, "2000-02-29 00:00:00 UTC"),
            (1_798_761_599_000, "2026-12-31 23:59:59 UTC"),
            (4_107_542_400_000, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(utc(ms), text);
        }
        assert_eq!(rfc822(1_798_761_599_000), "Thu, 31 Dec 2026 23:59:59 GMT");
        assert_eq!(utc_basic(1_798_761_599_000), "20261231T235959Z");
    }

    #[test]
    fn spans_are_cut_to_two_units() {
        for (ms, text) in [(0, "0 s"), (59_999, "59 s"), (61_000, "1 min 1 s"), (90_061_000, "1 d 1 h")] {
            assert_eq!(span(ms), text);
        }
    }

    #[test]
    fn markup_in_a_text_stays_text() {
        assert_eq!(escaped("<a href=\"x\">'&'\u{1}"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;\u{fffd}");
    }
}
