//! Moments and spans in words. Nothing here reads a clock but [`now_ms`].

use std::time::{SystemTime, UNIX_EPOCH};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Milliseconds since 1970 by the clock of this machine; 0 where it stands before that.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A moment as `2026-11-21T14:45:00Z`; years past 9999 are what they are.
pub(crate) fn date(time_ms: u64) -> String {
    let (days, rest) = (time_ms / DAY, time_ms % DAY);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / HOUR, rest % HOUR / MINUTE, rest % MINUTE / SECOND);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a number of days since 1970, by the Gregorian calendar with years that start in March.
fn civil(days: u64) -> (u64, u64, u64) {
    // From the first of March of the year 0.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// A span in its two largest units: `2 d 3 h`, `45 s`, `0 s`.
pub(crate) fn span(ms: u64) -> String {
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")];
    let mut rest = ms;
    let mut parts = Vec::new();
    for (size, unit) in units {
        let count = rest / size;
        rest %= size;
        if count > 0 && parts.len() < 2 {
            parts.push(format!("{count} {unit}"));
        } else if !parts.is_empty() {
            break;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// Reads a span as people type it: a whole number and one of `ms`, `s`, `m`, `h`, `d`.
///
/// # Errors
/// Says what a span looks like.
pub(crate) fn parse_span(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let size = match unit {
        "ms" => Some(1),
        "s" => Some(SECOND),
        "m" | "min" => Some(MINUTE),
        "h" => Some(HOUR),
        "d" => Some(DAY),
        _ => None,
    };
    let span = number.parse::<u64>().ok().zip(size).and_then(|(number, size)| number.checked_mul(size));
    span.ok_or_else(|| format!("{text:?} is no span of time like 500ms, 30s, 10m, 2h or 1d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00Z"),
            (1_795_274_700_999, "2026-11-21T15:25:00Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ];
        for (time, expected) in cases {
            assert_eq!(date(time), expected);
        }
    }

    #[test]
    fn spans_have_two_units_at_most() {
        let cases = [
            (0, "0 s"),
            (999, "0 s"),
            (45 * SECOND, "45 s"),
            (DAY + 3 * HOUR + 5 * MINUTE, "1 d 3 h"),
            (DAY + 5 * MINUTE, "1 d"),
            (90 * SECOND, "1 min 30 s"),
        ];
        for (ms, expected) in cases {
            assert_eq!(span(ms), expected, "{ms}");
        }
    }

    #[test]
    fn spans_are_read_with_their_unit() {
        let cases = [("500ms", Some(500)), ("30s", Some(30_000)), ("2h", Some(2 * HOUR)), ("1d", Some(DAY))];
        for (text, expected) in cases {
            assert_eq!(parse_span(text).ok(), expected, "{text}");
        }
        for text in ["", "5", "s", "-1s", "1.5h", "1w", "99999999999999999999s", "18446744073709551615d"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
