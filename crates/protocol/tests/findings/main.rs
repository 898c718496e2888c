//! Attacks.
#![allow(unreachable_pub, reason = "tmp")]
mod b1_services_rob;
mod b2_operators_escape;
mod world;
