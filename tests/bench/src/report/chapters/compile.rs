//! The attribute at compile time.

use crate::Failure;
use crate::compile::{Cost, text};
use crate::report::chapters::Chapter;
use crate::report::store::{Record, Store};

pub(super) fn tell(store: &Store) -> Result<Chapter, Failure> {
    let record: Option<Record<Cost>> = store.read("compile")?;
    Ok(Chapter {
        title: "Compile time",
        text: record.as_ref().map_or_else(String::new, |record| format!("```text\n{}```\n", text(&record.figures))),
        circumstances: record.into_iter().map(|record| record.circumstances).collect(),
        ..Chapter::default()
    })
}
