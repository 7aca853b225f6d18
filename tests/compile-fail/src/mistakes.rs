//! Each program in `mistakes/` is refused with the errors that it announces and no other; on one toolchain with exactly its
//! `.stderr`. Each is compiled once.

use std::io::{Write, stderr};
use std::path::{Path, PathBuf};

use crate::annotations::{self, Kind};
use crate::compiler::{Answer, Library, version};
use crate::programs::{self, programs};
use crate::record;

/// The compiler whose complete output the `.stderr` files hold. Other releases word, indent and number their own notes
/// otherwise; our errors, their places and their number are compared with every one.
const RECORDED: &str = "1.95.0";

/// Nobody uses what a program with a mistake declares.
const LINTS: [&str; 2] = ["-A", "dead_code"];

/// Whether the whole output is compared.
#[derive(Clone, Copy)]
enum Words {
    All,
    Ours,
}

#[test]
fn every_mistake_is_told_where_it_was_made_and_as_it_was_recorded() {
    let (library, version) = (Library::build(), version());
    let words = if version == RECORDED { Words::All } else { Words::Ours };
    let wrong =
        programs::each("mistakes", |program| shortcoming(&library.compile(program, "2024", &LINTS), program, words));
    assert!(wrong.is_empty(), "rustc {version}:\n{}", wrong.join("\n"));
    if let Words::Ours = words {
        let note = format!(
            "note: the whole output of the {} mistakes was recorded with rustc {RECORDED}; with {version} our errors, their \
             lines and their number are compared",
            programs("mistakes", "rs").len()
        );
        // Past the test harness, which would swallow the output of a test that passes.
        writeln!(stderr(), "{note}").expect("the standard error stream is open");
    }
}

#[test]
fn no_record_is_left_of_a_mistake_that_is_gone() {
    let is_left = |record: &PathBuf| !programs("mistakes", "rs").contains(&record.with_extension("rs"));
    let left: Vec<PathBuf> = programs("mistakes", "stderr").into_iter().filter(is_left).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn there_are_sixty_mistakes_and_more() {
    let mistakes = programs("mistakes", "rs").len();
    assert!(mistakes >= 60, "{mistakes} mistakes");
}

/// What is wrong with the compiler's answer to a program.
fn shortcoming(answer: &Answer, program: &Path, words: Words) -> Option<String> {
    let announced = annotations::read(&programs::source(program));
    let mut wrong = annotations::differences(&announced, &answer.errors);
    if announced.iter().all(|announced| announced.kind == Kind::FollowUp) {
        wrong.push("announces no error".into());
    }
    if let Words::All = words {
        wrong.extend(record::difference(program, &answer.rendered));
    }
    (!wrong.is_empty()).then(|| format!("{}: {}", program.display(), wrong.join("\n    ")))
}
