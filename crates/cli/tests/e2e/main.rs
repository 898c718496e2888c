//! The real binary as people and scripts run it: the life of a stake by commands and by HTTP, what is left when the process is killed, what programs read,
//! what a terminal shows, and every command of the book.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a campaign says its figures, and a test that is skipped says why"
)]

mod binary;
mod book;
mod demo;
mod ethereum;
mod following;
mod http;
mod import;
mod kills;
mod life;
mod mainnet;
mod plan;
mod shapes;
mod signer;
mod terminal;
