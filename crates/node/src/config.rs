//! What whoever runs a node decides. Every number has a default that suits a laptop, and a range.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use ledger::format::BLOCK_BYTES_MAX;
use serde::{Deserialize, Serialize};
use signing::SIGNED_BYTES_MAX;

/// The whole configuration of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the ledger is kept.
    pub folder: PathBuf,
    /// Whether this node makes blocks.
    pub role: Role,
    /// Where its times come from.
    pub clock: ClockPolicy,
    /// Where it listens; `None`: nowhere, it is used in-process only.
    pub listen: Option<SocketAddr>,
    /// What clients may ask of it.
    pub http: Http,
    /// What may wait.
    pub mempool: Mempool,
    /// When a block is made.
    pub blocks: Blocks,
    /// Who is told by webhook, and where.
    pub webhooks: Webhooks,
    /// Names by key, such as `"operator/0" = "olga"`, beside those of the folder's `labels.json`.
    pub labels: BTreeMap<String, String>,
    /// Memory for pages of the authenticated store, in bytes.
    pub store_cache_bytes: usize,
}

/// Whether a node makes blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It orders operations into blocks.
    #[default]
    Sequence,
    /// It answers reads from what the folder holds.
    Read,
}

/// Where the times of blocks come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockPolicy {
    /// The clock of the machine. After a rest the node passes all epochs that it has missed.
    #[default]
    Wall,
    /// Time stands still while the node is off: for demonstrations.
    PausedWhileOff,
}

/// What clients may ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The largest body, in bytes.
    pub body_bytes_max: usize,
    /// The largest body where operations are taken, in bytes, if that is more. Most operations have 64 KiB at most, and two or three times as much as
    /// JSON; a report of a pod with thousands of validators may have 5 MiB. Those above [`Http::body_bytes_max`] are read eight at once, and one of
    /// an address.
    pub operation_bytes_max: usize,
    /// The largest head of a request, in bytes; at least 8 KiB.
    pub header_bytes_max: usize,
    /// The most headers of a request.
    pub headers_max: usize,
    /// How long the head of a request may take to arrive, in milliseconds.
    pub header_timeout_ms: u64,
    /// How long a request may take, in milliseconds, and how long its client may take nothing of the answer. Streams of events may last longer, as
    /// long as their clients read.
    pub request_timeout_ms: u64,
    /// The most connections at once; where others than this machine can connect, one address has at most an eighth of them.
    pub connections_max: usize,
    /// The most streams of events at once.
    pub streams_max: usize,
    /// Names that clients may call this node by in `Host`, beside addresses and `localhost`. Where the node listens on the loopback only, no
    /// other name is answered; where it listens on more, all are unless this says some.
    pub hosts: Vec<String>,
    /// The most requests a second of one address, where the node listens on more than the loopback.
    pub requests_per_second: u32,
    /// How many of them may come at once.
    pub requests_burst: u32,
    /// How many recent states are held for reads that pin a height; fewer, but eight, while blocks are full.
    pub heights_held: usize,
    /// The most items of a page.
    pub page_max: u16,
}

/// What may wait in the mempool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mempool {
    /// The most operations that wait.
    pub operations_max: usize,
    /// The most bytes that wait.
    pub bytes_max: usize,
    /// The most operations of one sender that wait.
    pub per_sender_max: usize,
    /// The most operations of senders that the ledger does not know yet, together.
    pub newcomers_max: usize,
    /// Percent of all room, here and in every block, that only exits can take.
    pub exit_percent: u8,
    /// Threads that verify signatures; 0: one for each core.
    pub verifiers: usize,
    /// How many operations may wait to be verified.
    pub unverified_max: usize,
}

/// When a block is made, and how large it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Blocks {
    /// How long operations are gathered, in milliseconds: 0 to 1,000.
    pub gather_ms: u64,
    /// The most operations of a block.
    pub operations_max: usize,
    /// The most bytes of operations of a block: with its header, and four bytes an operation, it may have 16 MiB.
    pub bytes_max: usize,
}

/// Who may be told by webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Hosts, as `host` or `host:port`, to which deliveries may go beside the loopback.
    pub allowed: Vec<String>,
    /// The most webhooks.
    pub registered_max: usize,
    /// How often a delivery is tried.
    pub attempts_max: u32,
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("."),
            role: Role::default(),
            clock: ClockPolicy::default(),
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 8710))),
            http: Http::default(),
            mempool: Mempool::default(),
            blocks: Blocks::default(),
            webhooks: Webhooks::default(),
            labels: BTreeMap::new(),
            store_cache_bytes: 256 << 20,
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            body_bytes_max: 384 * 1024,
            operation_bytes_max: 16 << 20,
            header_bytes_max: 16 * 1024,
            headers_max: 64,
            header_timeout_ms: 5_000,
            request_timeout_ms: 15_000,
            connections_max: 1_024,
            streams_max: 256,
            hosts: Vec::new(),
            requests_per_second: 50,
            requests_burst: 200,
            heights_held: 128,
            page_max: 500,
        }
    }
}

impl Default for Mempool {
    fn default() -> Self {
        Self {
            operations_max: 100_000,
            bytes_max: 64 * 1024 * 1024,
            per_sender_max: 512,
            newcomers_max: 10_000,
            exit_percent: 25,
            verifiers: 0,
            unverified_max: 20_000,
        }
    }
}

impl Default for Blocks {
    fn default() -> Self {
        Self { gather_ms: 5, operations_max: 10_000, bytes_max: 7 << 20 }
    }
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { allowed: Vec::new(), registered_max: 64, attempts_max: 6, timeout_ms: 5_000 }
    }
}

impl Config {
    /// Checks every number against its range.
    ///
    /// # Errors
    /// The first that is outside, by its name, with the range.
    pub fn check(&self) -> Result<(), String> {
        let numbers = [
            ("store_cache_bytes", self.store_cache_bytes, 1 << 20, 1 << 40),
            ("http.body_bytes_max", self.http.body_bytes_max, 1_024, 16 << 20),
            ("http.operation_bytes_max", self.http.operation_bytes_max, 1_024, 16 << 20),
            ("http.header_bytes_max", self.http.header_bytes_max, 8_192, 1 << 20),
            ("http.headers_max", self.http.headers_max, 16, 1_024),
            ("http.connections_max", self.http.connections_max, 1, 100_000),
            ("http.streams_max", self.http.streams_max, 1, 100_000),
            ("http.heights_held", self.http.heights_held, 1, 100_000),
            ("http.page_max", usize::from(self.http.page_max), 1, 10_000),
            ("mempool.operations_max", self.mempool.operations_max, 16, 10_000_000),
            ("mempool.bytes_max", self.mempool.bytes_max, 1 << 20, 1 << 40),
            ("mempool.per_sender_max", self.mempool.per_sender_max, 1, 1_000_000),
            ("mempool.newcomers_max", self.mempool.newcomers_max, 1, 10_000_000),
            ("mempool.exit_percent", usize::from(self.mempool.exit_percent), 1, 90),
            ("mempool.verifiers", self.mempool.verifiers, 0, 1_024),
            ("mempool.unverified_max", self.mempool.unverified_max, 1, 10_000_000),
            ("blocks.operations_max", self.blocks.operations_max, 4, 10_000),
            ("blocks.bytes_max", self.blocks.bytes_max, 512 << 10, BLOCK_BYTES_MAX),
            ("webhooks.registered_max", self.webhooks.registered_max, 0, 10_000),
        ];
        for (name, value, least, most) in numbers {
            if value < least || value > most {
                return Err(format!("{name} is {value}, and must be from {least} to {most}"));
            }
        }
        let times = [
            ("http.header_timeout_ms", self.http.header_timeout_ms, 50, 600_000),
            ("http.request_timeout_ms", self.http.request_timeout_ms, 50, 600_000),
            ("blocks.gather_ms", self.blocks.gather_ms, 0, 1_000),
            ("webhooks.timeout_ms", self.webhooks.timeout_ms, 50, 60_000),
            ("webhooks.attempts_max", u64::from(self.webhooks.attempts_max), 1, 20),
            ("http.requests_per_second", u64::from(self.http.requests_per_second), 1, 1_000_000),
            ("http.requests_burst", u64::from(self.http.requests_burst), 1, 1_000_000),
        ];
        for (name, value, least, most) in times {
            if value < least || value > most {
                return Err(format!("{name} is {value}, and must be from {least} to {most}"));
            }
        }
        self.check_block()?;
        self.check_rooms()
    }

    /// A full block must be one that the ledger takes: with its header, and a length before each operation.
    fn check_block(&self) -> Result<(), String> {
        let Blocks { operations_max, bytes_max, .. } = self.blocks;
        let around = usize::try_from(ledger::block_bytes(operations_max, 0)).unwrap_or(usize::MAX);
        let most = BLOCK_BYTES_MAX.saturating_sub(around);
        if bytes_max > most {
            return Err(format!(
                "blocks.bytes_max is {bytes_max}, and must be at most {most}: with its header and the lengths of blocks.operations_max = {operations_max} operations a block has at most {BLOCK_BYTES_MAX} bytes"
            ));
        }
        Ok(())
    }

    /// What exits leave of a block, and of the pool, must have room for the largest operation.
    fn check_rooms(&self) -> Result<(), String> {
        let percent = usize::from(self.mempool.exit_percent);
        // What is too large for a request never comes.
        let largest = SIGNED_BYTES_MAX.min(self.http.body_bytes_max.max(self.http.operation_bytes_max));
        let rest = |whole: usize| whole.saturating_sub(whole.saturating_mul(percent).div_ceil(100));
        for (name, value, least) in [
            ("blocks.operations_max", self.blocks.operations_max, 1),
            ("blocks.bytes_max", self.blocks.bytes_max, largest),
            ("mempool.operations_max", self.mempool.operations_max, 1),
            ("mempool.bytes_max", self.mempool.bytes_max, largest),
        ] {
            if rest(value) < least {
                return Err(format!(
                    "{name} is {value}, of which mempool.exit_percent = {percent} leaves {} for what is no exit, and it must leave {least}",
                    rest(value)
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_block_is_no_larger_than_the_ledger_takes() {
        let mut config = Config::default();
        config.blocks.bytes_max = BLOCK_BYTES_MAX - 222 - 4 * config.blocks.operations_max;
        assert_eq!(config.check(), Ok(()));
        config.blocks.bytes_max += 1;
        let why = config.check().expect_err("one byte too many");
        assert!(why.contains("blocks.bytes_max is 16736995") && why.contains("at most 16736994"), "{why}");
        config.blocks.operations_max -= 1;
        assert_eq!(config.check(), Ok(()), "one operation less leaves room for four more bytes");
    }

    #[test]
    fn the_room_that_exits_leave_is_enough_for_the_largest_operation() {
        let mut config = Config::default();
        assert_eq!(config.check(), Ok(()));
        config.mempool.exit_percent = 90;
        config.blocks.operations_max = 4;
        let why = config.check().expect_err("nothing but exits would ever get into a block");
        assert!(why.contains("blocks.operations_max is 4") && why.contains("leaves 0"), "{why}");
        config.blocks.operations_max = 10_000;
        config.blocks.bytes_max = 512 << 10;
        assert!(config.check().is_err_and(|why| why.contains("blocks.bytes_max")), "nor a large one");
    }
}
