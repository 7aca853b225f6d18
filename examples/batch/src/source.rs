//! Reads the file, a chunk at a time. A row that is no payment is handed on with the reason, so that it is rejected like any
//! other bad row; a file that is none of ours is refused.

use std::fs::File;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};

use crate::payments::Payment;
use crate::trouble::Trouble;

const HEADER: [&str; 4] = ["id", "from", "to", "amount"];

/// A row and what it says, or why it says nothing.
#[derive(Debug)]
pub(crate) struct Row {
    /// Counted from 1, the header included.
    pub(crate) line: u64,
    pub(crate) text: String,
    pub(crate) payment: Result<Payment, String>,
}

/// Rows that are posted together.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) rows: Vec<Row>,
    /// Their length in the file.
    pub(crate) bytes: u64,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    reader: Reader<File>,
    bytes: u64,
    chunk: usize,
}

impl Source {
    pub(crate) fn open(path: &Path, chunk: usize) -> Result<Self, Trouble> {
        let unreadable = |error| Trouble::Unreadable { path: path.to_owned(), error };
        let file = File::open(path).map_err(unreadable)?;
        let bytes = file.metadata().map_err(unreadable)?.len();
        // Rows of another length are ours to reject, so the reader shall let them pass.
        let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(file);
        let header = reader.byte_headers().map_err(|error| unreadable(error.into()))?;
        if *header != HEADER[..] {
            let found = StringRecord::from_byte_record_lossy(header.clone());
            return Err(Trouble::Header { path: path.to_owned(), found: text(&found) });
        }
        Ok(Self { path: path.to_owned(), reader, bytes, chunk })
    }

    /// The length of the whole.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next rows; `None` at the end.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Chunk>, Trouble> {
        let begin = self.reader.position().byte();
        let mut rows = Vec::with_capacity(self.chunk);
        while rows.len() < self.chunk {
            match self.next_row() {
                Ok(Some(row)) => rows.push(row),
                Ok(None) => break,
                Err(error) => return Err(Trouble::Unreadable { path: self.path.clone(), error: error.into() }),
            }
        }
        let bytes = self.reader.position().byte() - begin;
        Ok(if rows.is_empty() { None } else { Some(Chunk { rows, bytes }) })
    }

    fn next_row(&mut self) -> Result<Option<Row>, csv::Error> {
        let mut record = ByteRecord::new();
        if !self.reader.read_byte_record(&mut record)? {
            return Ok(None);
        }
        let line = record.position().map_or(0, csv::Position::line);
        let record = StringRecord::from_byte_record_lossy(record);
        Ok(Some(Row { line, text: text(&record), payment: payment(&record) }))
    }
}

fn payment(record: &StringRecord) -> Result<Payment, String> {
    if record.len() != HEADER.len() {
        return Err(format!("{} fields instead of {}", record.len(), HEADER.len()));
    }
    record.deserialize(None).map_err(|error| match error.kind() {
        ErrorKind::Deserialize { err, .. } => {
            let column = err.field().and_then(|field| HEADER.get(usize::try_from(field).ok()?)).unwrap_or(&"?");
            format!("{column}: {}", err.kind())
        }
        _ => error.to_string(),
    })
}

fn text(record: &StringRecord) -> String {
    record.iter().collect::<Vec<_>>().join(",")
}
