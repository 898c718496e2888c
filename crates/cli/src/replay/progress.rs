//! A bar on the terminal while a large file is read.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

use crate::replay::input::Input;

/// Smaller files are done before a bar could be read.
const BYTES_MIN: u64 = 4 << 20;

/// The bar, if there is one.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// A bar where somebody sees it and nothing else scrolls over it: standard error is a terminal, and the answers go elsewhere.
    pub(crate) fn of(input: &Input, is_quiet: bool) -> Self {
        let is_seen = io::stderr().is_terminal() && (is_quiet || !io::stdout().is_terminal());
        let size = input.size().filter(|size| is_seen && *size >= BYTES_MIN);
        Self(size.map(|size| {
            let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
            ProgressBar::new(size).with_style(style.expect("the template is well formed"))
        }))
    }

    /// Moves the bar.
    pub(crate) fn show(&mut self, bytes_read: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(bytes_read);
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
