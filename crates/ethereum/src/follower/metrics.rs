//! What a follower counts, as Prometheus reads it.

use super::Follower;

/// What a follower has counted since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Rounds of asking.
    pub rounds: u64,
    /// Updates that were verified and handed over.
    pub updates: u64,
    /// Execution blocks that were opened and handed over.
    pub openings: u64,
    /// What could not be handed over.
    pub unsent: u64,
}

/// A gauge or a counter with one value.
fn one(text: &mut String, name: &str, kind: &str, help: &str, value: u64) {
    let suffix = if kind == "counter" { "_total" } else { "" };
    text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{suffix} {value}\n"));
}

impl Follower {
    /// All metrics in the OpenMetrics text format. `now_ms` is the time in milliseconds since 1970.
    pub fn metrics(&self, now_ms: u64) -> String {
        let mut text = String::new();
        let Counters { rounds, updates, openings, unsent } = *self.counters();
        one(&mut text, "surety_follow_rounds", "counter", "rounds of asking", rounds);
        one(&mut text, "surety_follow_updates", "counter", "updates verified and handed over", updates);
        one(
            &mut text,
            "surety_follow_openings",
            "counter",
            "execution blocks opened and handed over",
            openings,
        );
        one(&mut text, "surety_follow_unsent", "counter", "news that could not be handed over", unsent);
        if let Some(client) = self.client() {
            let slot = client.newest().header().slot;
            one(&mut text, "surety_follow_slot", "gauge", "slot of the newest final block known", slot);
            one(
                &mut text,
                "surety_follow_period",
                "gauge",
                "period of the newest committee in office",
                client.period(),
            );
            let since = self.chain().genesis_time().saturating_add(slot.saturating_mul(12));
            let age = now_ms.checked_div(1000).unwrap_or_default().saturating_sub(since);
            one(&mut text, "surety_follow_age_seconds", "gauge", "time since that slot", age);
        }
        let families = [
            ("surety_follow_upstream_failures", "gauge", "faults in a row"),
            ("surety_follow_upstream_answers", "counter", "answers without a fault"),
            ("surety_follow_upstream_faults", "counter", "answers that did not come, or in another form"),
            ("surety_follow_upstream_refused", "counter", "answers that were not believed"),
        ];
        for (place, (name, kind, help)) in families.into_iter().enumerate() {
            let suffix = if kind == "counter" { "_total" } else { "" };
            text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
            for (upstream, health) in self.upstreams() {
                let values = [u64::from(health.failures), health.answers, health.faults, health.refused];
                let value = values.get(place).copied().unwrap_or_default();
                text.push_str(&format!("{name}{suffix}{{upstream=\"{upstream}\"}} {value}\n"));
            }
        }
        text.push_str("# EOF\n");
        text
    }
}
