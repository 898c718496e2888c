//! How a figure comes about.
