//! The same on data of mainnet.
