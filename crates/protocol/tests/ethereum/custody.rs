//! Deposits and rates, read from contracts.
