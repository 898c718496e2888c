//! The API as clients meet it: in the process through the router, and a few times over real connections.

mod contract;
mod doors;
mod events;
mod large;
mod life;
mod memory;
mod operations;
mod prepare;
mod reads;
mod rehearsal;
mod sequencer;
mod slashes;
mod wallets;
mod world;
