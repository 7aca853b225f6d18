//! Remembers what texts are, so that a statement that is sent a thousand times is read once. Bounded: a program that builds
//! its texts by hand must not fill the memory.

use std::collections::HashMap;
use std::fmt;

use unit_of_work_sql::{Mode, Reading, read};

/// Texts remembered per connection; an application has tens to hundreds.
const TEXTS: usize = 512;
/// Bytes; longer texts are rarely sent twice.
const LONGEST: usize = 4096;

#[derive(Default)]
pub(crate) struct Texts(HashMap<Box<str>, Reading>);

impl Texts {
    pub(crate) fn read(&mut self, sql: &str, mode: Mode) -> Reading {
        if let Some(known) = self.0.get(sql) {
            return known.clone();
        }
        let reading = read(sql, mode);
        if sql.len() <= LONGEST {
            if self.0.len() >= TEXTS {
                self.0.clear();
            }
            self.0.insert(sql.into(), reading.clone());
        }
        reading
    }
}

/// A text may hold anybody's password.
impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Texts({})", self.0.len())
    }
}
