//! How an upstream is doing, and when it is asked again.

/// The first wait after a fault, in milliseconds. It doubles with each that follows.
const WAIT_MIN_MS: u64 = 2_000;
/// The longest one.
const WAIT_MAX_MS: u64 = 300_000;
/// What was refused counts as so many faults: it is not likely to get better soon.
const REFUSED_WEIGHT: u32 = 3;

/// How an upstream is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Faults in a row.
    pub failures: u32,
    /// Not asked before, in milliseconds since 1970.
    pub ready_ms: u64,
    /// Answers that could be looked at.
    pub answers: u64,
    /// Answers that did not come, or in another form.
    pub faults: u64,
    /// Answers that were not believed.
    pub refused: u64,
}

impl Health {
    /// Whether it is asked.
    pub(super) fn is_ready(&self, now_ms: u64) -> bool {
        now_ms >= self.ready_ms
    }

    /// An answer came, and nothing was wrong with it.
    pub(super) fn answered(&mut self) {
        self.failures = 0;
        self.answers = self.answers.saturating_add(1);
    }

    /// No answer came.
    pub(super) fn failed(&mut self, now_ms: u64, chance: &mut Chance) {
        self.faults = self.faults.saturating_add(1);
        self.wait(1, now_ms, chance);
    }

    /// The answer was not believed.
    pub(super) fn refused(&mut self, now_ms: u64, chance: &mut Chance) {
        self.refused = self.refused.saturating_add(1);
        self.wait(REFUSED_WEIGHT, now_ms, chance);
    }

    /// Half of the wait is certain, the other half is left to chance, so that many followers do not come back at once.
    fn wait(&mut self, weight: u32, now_ms: u64, chance: &mut Chance) {
        let doubled = WAIT_MIN_MS.checked_shl(self.failures.min(16)).unwrap_or(WAIT_MAX_MS).min(WAIT_MAX_MS);
        self.failures = self.failures.saturating_add(weight);
        let half = doubled >> 1;
        let wait = half.saturating_add(chance.below(half));
        self.ready_ms = now_ms.saturating_add(wait);
    }
}

/// Chance that is the same for the same seed. Nothing that has to be secret comes from it.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`, or zero. SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(limit).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_end_with_an_answer() {
        let (mut health, mut chance) = (Health::default(), Chance::new(1));
        let mut most = WAIT_MIN_MS;
        for _ in 0..20 {
            health.failed(0, &mut chance);
            assert!((most / 2..=most).contains(&health.ready_ms), "{} of {most}", health.ready_ms);
            most = (most * 2).min(WAIT_MAX_MS);
        }
        assert!(!health.is_ready(health.ready_ms - 1) && health.is_ready(health.ready_ms));
        health.answered();
        health.refused(1_000_000, &mut chance);
        assert!((1_001_000..=1_002_000).contains(&health.ready_ms));
        health.failed(2_000_000, &mut chance);
        assert!((2_008_000..=2_016_000).contains(&health.ready_ms), "a lie counts as three faults");
        assert_eq!((health.answers, health.faults, health.refused), (1, 21, 1));
    }
}
