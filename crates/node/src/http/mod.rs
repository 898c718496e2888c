//! HTTP as this node speaks it: errors, what is read from requests, what guards the door. It knows no route.

pub(crate) mod extract;
pub(crate) mod guard;
pub(crate) mod large;
mod patience;
pub mod problem;
pub(crate) mod serve;

pub use problem::{Code, Problem};
