//! What the system says of this process: memory, and the time that each kind of thread has spent on a core. Linux tells; elsewhere there is nothing to read.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// The clock of `/proc` ticks so often a second, on every Linux there is.
const TICKS: u64 = 100;

/// Resident bytes; 0 where nobody tells.
pub(crate) fn memory() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.unwrap_or(0).saturating_mul(1_024)
}

/// Time on cores by the name of the thread, without the numbers at its end.
pub(crate) fn threads() -> BTreeMap<String, Duration> {
    let mut spent: BTreeMap<String, Duration> = BTreeMap::new();
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return spent };
    for task in tasks.flatten() {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        if let Some((name, time)) = parse(&stat) {
            let sum = spent.entry(name).or_default();
            *sum = sum.saturating_add(time);
        }
    }
    spent
}

/// What was spent since an earlier look.
pub(crate) fn since(before: &BTreeMap<String, Duration>) -> BTreeMap<String, Duration> {
    let mut spent = threads();
    for (name, time) in &mut spent {
        *time = time.saturating_sub(before.get(name).copied().unwrap_or_default());
    }
    spent
}

/// `pid (name) state ...`: the 14th and 15th field are ticks of the program and of the system for it.
fn parse(stat: &str) -> Option<(String, Duration)> {
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1;
    let mut fields = tail.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse().ok()?;
    let of_system: u64 = fields.next()?.parse().ok()?;
    let ticks = ticks.saturating_add(of_system);
    let name = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '-');
    Some((name.to_owned(), Duration::from_millis(ticks.saturating_mul(1_000 / TICKS))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_thread_is_read_from_its_line() {
        let line = "77 (verifier-12) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 9 0 1";
        assert_eq!(parse(line), Some(("verifier".to_owned(), Duration::from_secs(3))));
        let with_a_bracket = "77 (a) b) S 1 2 3 4 5 6 7 8 9 10 1 0";
        assert_eq!(parse(with_a_bracket), Some(("a) b".to_owned(), Duration::from_millis(10))));
        for broken in ["", "77", "77 (a", "77 (a) S 1 2", "77 (a) S 1 2 3 4 5 6 7 8 9 10 x 0"] {
            assert_eq!(parse(broken), None, "{broken:?}");
        }
    }
}
