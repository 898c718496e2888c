//! When an account is out, as a calendar (RFC 5545) that phones and desks read.

use std::fmt::Write;

use ledger::Head;
use protocol::query::ExitState;
use protocol::units::Address;

use crate::api::account::DatedExit;
use crate::app::App;
use crate::text::{amount, utc_basic};

/// A calendar of the entries of stake that leave or are free. Those that are bonded are left out: nobody has asked them back.
pub(crate) fn exits(app: &App, head: &Head, account: Address, exits: &[DatedExit]) -> String {
    let mut calendar = Calendar(String::new());
    calendar.line("BEGIN:VCALENDAR");
    calendar.line("VERSION:2.0");
    calendar.line(&format!("PRODID:-//surety//{}//EN", crate::app::VERSION));
    calendar.line("CALSCALE:GREGORIAN");
    calendar
        .line(&format!("X-WR-CALNAME:{}", escaped(&format!("Exits of {account} on {}", app.domain.ledger))));
    let stamp = utc_basic(app.clock.machine_time_of(head.header.time_ms));
    for dated in exits {
        let (Some(when), exit) = (dated.free, &dated.exit) else { continue };
        if matches!(exit.exit, ExitState::Bonded { .. } | ExitState::Joining { .. }) {
            continue;
        }
        let begins = utc_basic(when.wall_ms);
        let what = amount(head, exit.asset, exit.amount);
        let summary = format!("{what} of asset {} with operator {} is free", exit.asset, exit.operator);
        let details = format!(
            "Entry {} of {account} is free at the start of epoch {} (height {} at least). Fetch it with `release`. As of height {}.",
            exit.position, when.epoch, when.height_at_least, head.header.height
        );
        calendar.line("BEGIN:VEVENT");
        calendar.line(&format!("UID:exit-{}-{account}@{}", exit.position, escaped(&app.domain.ledger)));
        calendar.line(&format!("DTSTAMP:{stamp}"));
        calendar.line(&format!("DTSTART:{begins}"));
        calendar.line(&format!("DTEND:{begins}"));
        calendar.line(&format!("SUMMARY:{}", escaped(&summary)));
        calendar.line(&format!("DESCRIPTION:{}", escaped(&details)));
        calendar.line("END:VEVENT");
    }
    calendar.line("END:VCALENDAR");
    calendar.0
}

struct Calendar(String);

impl Calendar {
    /// Writes a line, folded after at most 75 bytes.
    fn line(&mut self, text: &str) {
        let mut width = 0;
        for character in text.chars() {
            if width + character.len_utf8() > 75 {
                self.0.push_str("\r\n ");
                width = 1;
            }
            self.0.push(character);
            width += character.len_utf8();
        }
        let _never_fails = write!(self.0, "\r\n").is_ok();
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\r' => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_and_text_is_escaped() {
        let mut calendar = Calendar(String::new());
        calendar.line(&format!("SUMMARY:{}", "x".repeat(100)));
        let lines: Vec<&str> = calendar.0.split("\r\n").collect();
        assert!(lines.iter().all(|line| line.len() <= 75), "{lines:?}");
        assert_eq!(calendar.0.replace("\r\n ", "").trim_end(), format!("SUMMARY:{}", "x".repeat(100)));
        assert_eq!(escaped("a,b;c\\d\ne"), "a\\,b\\;c\\\\d\\ne");
    }
}
