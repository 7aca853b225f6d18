//! Reads the file, all of it before anything is posted, so that what is posted is what was fingerprinted. A file that is none of
//! ours is refused; a line that is no payment is kept with the reason, and will be rejected like any other bad line. Each line goes
//! to the lane of the account that pays: a lane is settled in its order, so no lane depends on another.

mod line;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

pub(crate) use line::{Line, Unreadable};

use crate::rules::Refusal;
use crate::trouble::Trouble;

/// How many lanes a file is divided into: more than there may be threads. Part of what a night is: a run that continues one must
/// divide the file as the one before did.
pub(crate) const LANES: usize = 64;
/// Bytes of a line that anybody looks at.
const LONGEST: u64 = 1000;
const HEADER: [&str; 4] = ["id", "from", "to", "amount"];

/// A file's lines. Blank ones do not count.
#[derive(Debug)]
pub(crate) struct Payments {
    /// [`LANES`] of them.
    pub(crate) lanes: Vec<Vec<Line>>,
    /// Of the file's bytes, and of how it is divided.
    pub(crate) fingerprint: String,
}

impl Payments {
    pub(crate) fn read(path: &Path) -> Result<Self, Trouble> {
        let unreadable = |error| Trouble::Unreadable { path: path.to_owned(), error };
        let mut reader = Lines::open(path).map_err(unreadable)?;
        let first = reader.next().map_err(unreadable)?;
        header(&first.unwrap_or_default())
            .map_err(|found| Trouble::Header { path: path.to_owned(), found: found.into() })?;
        let (mut lanes, mut seen) = (vec![Vec::new(); LANES], HashMap::new());
        let mut number = 1;
        while let Some(text) = reader.next().map_err(unreadable)? {
            number += 1;
            if !text.trim_ascii().is_empty() {
                let line = unrepeated(Line::read(number, &text), &mut seen);
                lanes[lane(&line)].push(line);
            }
        }
        Ok(Self { lanes, fingerprint: format!("{:x}", reader.seen.finalize()) })
    }

    pub(crate) fn count(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.len() as u64).sum()
    }
}

/// The first line with a number has it, whatever becomes of that line: which of two lanes is quicker decides nothing.
fn unrepeated(mut line: Line, seen: &mut HashMap<u64, u64>) -> Line {
    if let Ok(payment) = &line.entry {
        match seen.entry(payment.id) {
            Entry::Vacant(free) => _ = free.insert(line.number),
            Entry::Occupied(first) => {
                let why = Refusal::Repeated { id: payment.id, line: *first.get() };
                line.entry = Err(Box::new(Unreadable { text: line.text(), why }));
            }
        }
    }
    line
}

fn lane(line: &Line) -> usize {
    let key = line.entry.as_ref().map_or(line.number, |payment| payment.from);
    usize::try_from(key % LANES as u64).expect("less than LANES")
}

/// Checks the first line; with what is there instead, in words.
fn header(first: &[u8]) -> Result<(), String> {
    if first.starts_with(&[0xFF, 0xFE]) || first.starts_with(&[0xFE, 0xFF]) || first.contains(&0) {
        return Err("it begins as UTF-16 or binary files do".to_owned());
    }
    let first = first.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(first);
    if first.trim_ascii().is_empty() {
        return Err("the first line is empty".to_owned());
    }
    match line::fields(first) {
        Ok(fields) if fields == HEADER => Ok(()),
        _ => Err(format!("the header is `{}`", line::shown(first))),
    }
}

/// Physical lines, however long, in bounded memory, and what all of them hash to.
struct Lines {
    reader: BufReader<File>,
    seen: Sha256,
}

impl Lines {
    fn open(path: &Path) -> io::Result<Self> {
        let seen = Sha256::new_with_prefix(format!("{LANES} lanes by paying account\n"));
        Ok(Self { reader: BufReader::new(File::open(path)?), seen })
    }

    /// With its end of line; of one that is too long, the beginning.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let line = self.piece()?;
        let mut last = line.last().copied();
        while last.is_some_and(|byte| byte != b'\n') {
            last = self.piece()?.last().copied();
        }
        Ok(if line.is_empty() { None } else { Some(line) })
    }

    /// Up to the end of the line, or as much as anybody looks at and one byte more.
    fn piece(&mut self) -> io::Result<Vec<u8>> {
        let mut piece = Vec::new();
        self.reader.by_ref().take(LONGEST + 1).read_until(b'\n', &mut piece)?;
        self.seen.update(&piece);
        Ok(piece)
    }
}

#[cfg(test)]
mod tests;
