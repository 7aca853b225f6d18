//! What the attribute adds when the server's time is taken out.

use crate::Failure;
use crate::overhead::{Figures, text};
use crate::report::chapters::Chapter;
use crate::report::store::{Record, Store};

pub(super) fn tell(store: &Store) -> Result<Chapter, Failure> {
    let record: Option<Record<Figures>> = store.read("overhead")?;
    Ok(Chapter {
        title: "What the attribute adds",
        text: record.as_ref().map_or_else(String::new, |record| format!("```text\n{}```\n", text(&record.figures))),
        circumstances: record.into_iter().map(|record| record.circumstances).collect(),
        ..Chapter::default()
    })
}
