//! On data of the real chain.
