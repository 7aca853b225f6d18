//! Remembers what texts are, so that a statement that is sent a thousand times is read once. A program that builds its texts by
//! hand must not fill the memory.

use unit_of_work_sql::{Mode, Reading, read};

use super::by_text::ByText;

/// Texts remembered per connection; an application has tens to hundreds.
const TEXTS: usize = 512;
/// Bytes; longer texts are rarely sent twice.
const LONGEST: usize = 4096;

#[derive(Debug)]
pub(crate) struct Texts(ByText<Reading>);

impl Default for Texts {
    fn default() -> Self {
        Self(ByText::new(TEXTS))
    }
}

impl Texts {
    pub(crate) fn read(&mut self, sql: &str, mode: Mode) -> Reading {
        if let Some(known) = self.0.get(sql) {
            return *known;
        }
        let reading = read(sql, mode);
        if sql.len() <= LONGEST {
            self.0.insert(sql, reading);
        }
        reading
    }
}
