//! Attacks.
#![allow(unreachable_pub, reason = "tmp")]
mod b1_services_rob;
mod world;
