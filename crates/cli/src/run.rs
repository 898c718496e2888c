//! `surety run`: a node in the foreground.

use std::collections::BTreeMap;

use crate::config::Value;

/// What is wrong with the part of the configuration file for `surety run`: name of the setting, and what is expected.
pub(crate) fn check_settings(_settings: &BTreeMap<String, Value>) -> Vec<(String, String)> {
    Vec::new()
}
