//! Lines of the input, none longer and not more than the replay can take.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};

use crate::replay::mistake::{Mistake, Place};

/// The longest line, in bytes without its end.
const LINE_BYTES_MAX: usize = 1 << 20;
/// Two more for the end of the line, so that a longer line can be told from one of just the length.
const READ_BYTES_MAX: u64 = (1 << 20) + 2;
/// The most lines, comments included.
const LINES_MAX: u64 = 10_000_000;

/// Where the lines come from.
pub(crate) struct Input {
    reader: Box<dyn BufRead>,
    name: String,
    /// The size of a file in bytes; what comes through a pipe has none.
    size: Option<u64>,
    is_typed: bool,
    line: Vec<u8>,
    line_count: u64,
    bytes_read: u64,
}

/// A line that could not be handed out.
#[derive(Debug)]
pub(crate) enum Obstacle {
    /// It is not what a history may contain.
    Mistake(Mistake),
    /// The input broke off.
    Read(io::Error),
}

impl Input {
    /// Opens a file, or standard input by the name `-`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            let stdin = io::stdin();
            let is_typed = stdin.is_terminal();
            return Ok(Self::new(Box::new(stdin.lock()), "stdin".to_owned(), None, is_typed));
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let size = metadata.is_file().then_some(metadata.len());
        let name = PathBuf::from(path).display().to_string();
        Ok(Self::new(Box::new(BufReader::new(file)), name, size, false))
    }

    fn new(reader: Box<dyn BufRead>, name: String, size: Option<u64>, is_typed: bool) -> Self {
        Self { reader, name, size, is_typed, line: Vec::new(), line_count: 0, bytes_read: 0 }
    }

    /// What messages call the input.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The size of the input in bytes, if it is a file.
    pub(crate) fn size(&self) -> Option<u64> {
        self.size
    }

    /// Whether a person types the lines and waits for each answer.
    pub(crate) fn is_typed(&self) -> bool {
        self.is_typed
    }

    /// How many bytes were read.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The number of the line read last, from 1.
    pub(crate) fn line_number(&self) -> u64 {
        self.line_count
    }

    /// The line read last.
    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }

    /// Reads on to the next line that is neither blank nor a comment; whether there is one.
    pub(crate) fn next_line(&mut self) -> Result<bool, Obstacle> {
        while self.read_line()? {
            let text = self.line.trim_ascii_start();
            if !(text.is_empty() || text.starts_with(b"//") || text.starts_with(b"#")) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read_line(&mut self) -> Result<bool, Obstacle> {
        self.line.clear();
        let count = (&mut self.reader)
            .take(READ_BYTES_MAX)
            .read_until(b'\n', &mut self.line)
            .map_err(Obstacle::Read)?;
        if count == 0 {
            return Ok(false);
        }
        self.line_count += 1;
        self.bytes_read += u64::try_from(count).expect("the bytes of a line can be counted");
        for end in [b'\n', b'\r'] {
            self.line.pop_if(|last| *last == end);
        }
        if self.line.len() > LINE_BYTES_MAX {
            let cause = format!("the line is longer than {LINE_BYTES_MAX} bytes");
            return Err(Obstacle::Mistake(Mistake::at(Place::Byte(LINE_BYTES_MAX), cause)));
        }
        if self.line_count > LINES_MAX {
            let mistake = Mistake::at(Place::Byte(0), format!("the input has more than {LINES_MAX} lines"));
            return Err(Obstacle::Mistake(
                mistake.with_remedy("split the history, or run the rest on a ledger of its own"),
            ));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(bytes: Vec<u8>) -> Input {
        Input::new(Box::new(io::Cursor::new(bytes)), "test".to_owned(), None, false)
    }

    #[test]
    fn blank_lines_and_comments_are_counted_and_skipped() {
        let mut input = input(b"// a\n\n  # b\r\n {1}\r\n\t//c\n{2}".to_vec());
        let mut found = Vec::new();
        while input.next_line().is_ok_and(|is_there| is_there) {
            found.push((input.line_number(), String::from_utf8_lossy(input.line()).into_owned()));
        }
        assert_eq!(found, [(4, " {1}".to_owned()), (6, "{2}".to_owned())]);
    }

    #[test]
    fn the_longest_line_passes_and_one_byte_more_does_not() {
        for end in ["", "\n", "\r\n"] {
            let longest = format!("{}{end}", "x".repeat(LINE_BYTES_MAX));
            assert!(input(longest.into_bytes()).next_line().is_ok_and(|is_there| is_there), "{end:?}");
            let longer = format!("{}{end}", "x".repeat(LINE_BYTES_MAX + 1));
            let refused = input(longer.into_bytes()).next_line();
            let Err(Obstacle::Mistake(mistake)) = refused else { panic!("{refused:?}") };
            assert_eq!(mistake.to_string(), "the line is longer than 1048576 bytes");
        }
    }

    #[test]
    fn too_many_lines_are_refused() {
        let mut input = input(b"{}\n{}\n".to_vec());
        input.line_count = LINES_MAX - 1;
        assert!(input.next_line().is_ok_and(|is_there| is_there));
        let refused = input.next_line();
        assert!(matches!(refused, Err(Obstacle::Mistake(_))), "{refused:?}");
    }
}
