//! Many threads, many sessions, many databases, and the memory that they take.

use crate::Failure;
use crate::report::chapters::Chapter;
use crate::report::store::{Record, Store};
use crate::scale::{Figures, text};

const ABOUT: &str = "Each row has so many threads over so many sessions in all, spread over so many databases of one server. A session \
that a thread has parked is taken over by another one that needs it, so threads may be many more than sessions.\n";

pub(super) fn tell(store: &Store) -> Result<Chapter, Failure> {
    let record: Option<Record<Figures>> = store.read("scale")?;
    let told = |record: &Record<Figures>| format!("{ABOUT}\n```text\n{}```\n", text(&record.figures));
    Ok(Chapter {
        title: "Threads, sessions, databases",
        text: record.as_ref().map_or_else(String::new, told),
        circumstances: record.into_iter().map(|record| record.circumstances).collect(),
        ..Chapter::default()
    })
}
