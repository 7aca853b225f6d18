//! Each program in `editions/` is accepted in every edition without a word. What needs a crate of its own stands there: attributes
//! of the crate, names at its root, lints that are off by default, items that macros write.

use std::path::Path;

use crate::compiler::{Library, version};
use crate::programs;

const EDITIONS: [&str; 3] = ["2018", "2021", "2024"];

/// The idioms belong to the newer editions; each program is written in them.
const LINTS: [&str; 4] = ["-W", "rust_2018_idioms", "-W", "rust_2021_compatibility"];

#[test]
fn every_program_is_accepted_in_every_edition_without_a_word() {
    let library = Library::build();
    let wrong = programs::each("editions", |program| said_about(&library, program));
    assert!(wrong.is_empty(), "rustc {}:\n{}", version(), wrong.join("\n"));
}

/// What the compiler says, in the first edition in which it says something.
fn said_about(library: &Library, program: &Path) -> Option<String> {
    let said = |edition| (edition, library.compile(program, edition, &LINTS).rendered);
    let (edition, said) = EDITIONS.into_iter().map(said).find(|(_, said)| !said.is_empty())?;
    Some(format!("{} in edition {edition}:\n{said}", program.display()))
}
