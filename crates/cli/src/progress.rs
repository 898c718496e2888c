//! A bar on the terminal while something long is done.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

/// The bar, if somebody can see it.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// A bar that counts these, where standard error is a terminal.
    pub(crate) fn new(what: &str) -> Self {
        let is_seen = io::stderr().is_terminal();
        Self(is_seen.then(|| {
            let template = format!("{{bar:40}} {{pos}} of {{len}} {what}, {{eta}} left");
            let style = ProgressStyle::with_template(&template).expect("the template is well formed");
            ProgressBar::new(0).with_style(style)
        }))
    }

    /// Moves the bar.
    pub(crate) fn show(&mut self, done: u64, all: u64) {
        if let Some(bar) = &self.0 {
            bar.set_length(all);
            bar.set_position(done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
