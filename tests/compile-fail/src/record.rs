//! The whole text of an answer, made independent of the machine and of where the library's lines stand, beside the `.stderr` file
//! that it was recorded in.

use std::fs;
use std::path::Path;

/// Set to record what the compiler says now; then every changed file is to be read as a user would.
const ANEW: &str = "RECORD";

/// What differs between the record and the text, or nothing once it was recorded anew.
pub(crate) fn difference(program: &Path, rendered: &str) -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(program).with_extension("stderr");
    let now = portable(rendered);
    let recorded = fs::read_to_string(&file).unwrap_or_default();
    if now == recorded {
        return None;
    }
    if std::env::var_os(ANEW).is_some_and(|value| value == "1") {
        fs::write(file, now).expect("the records stand beside the programs, which can be read");
        return None;
    }
    Some(format!(
        "reads otherwise than it was recorded ({ANEW}=1 records it anew):\n--- recorded\n{recorded}--- now\n{now}---"
    ))
}

/// Foreign files without the machine's part of their path, without line numbers and without what stands there; margins without
/// the width that the largest of those numbers gave them.
fn portable(rendered: &str) -> String {
    let mut is_foreign = false;
    let mut lines = Vec::new();
    for line in rendered.lines() {
        if let Some((arrow, place)) = place(line) {
            is_foreign = !place.starts_with("mistakes/");
            lines.push(format!(
                "  {arrow} {}",
                if is_foreign { without_numbers(&at_home(place)) } else { place.to_owned() }
            ));
        } else if let Some((number, code)) = quoted(line) {
            if !is_foreign {
                lines.push(format!("{number:>3} {code}"));
            }
        } else if line == "..." {
            if !is_foreign {
                lines.push(line.to_owned());
            }
        } else if let Some(note) = line.trim_start().strip_prefix("= ") {
            lines.push(format!("    = {note}"));
        } else {
            // The next part of the message, which may speak of the program again.
            is_foreign = false;
            lines.push(line.to_owned());
        }
    }
    lines.join("\n").trim_end().to_owned() + "\n"
}

/// `--> file:1:2`, `::: file:1:2`.
fn place(line: &str) -> Option<(&str, &str)> {
    let (arrow, place) = line.trim_start().split_once(' ')?;
    matches!(arrow, "-->" | ":::").then_some((arrow, place))
}

/// A line of a program with its number, a line that is proposed or taken away, or markers and labels without a number.
fn quoted(line: &str) -> Option<(&str, &str)> {
    let text = line.trim_start();
    let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let code = rest.strip_prefix(' ').filter(|_| !number.is_empty()).or(line.starts_with(' ').then_some(rest))?;
    let is_margin = code.starts_with('|') || (!number.is_empty() && code.starts_with(['+', '-', '~']));
    is_margin.then_some((number, code))
}

fn at_home(place: &str) -> String {
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    let workspace = Path::new(workspace).canonicalize().unwrap_or_default();
    let place = place.strip_prefix(&*workspace.to_string_lossy()).map_or(place, |path| path.trim_start_matches('/'));
    let standard = place.rsplit_once("/library/").map(|(_, path)| format!("$RUST/{path}"));
    standard.unwrap_or_else(|| place.to_owned())
}

fn without_numbers(place: &str) -> String {
    place.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':').to_owned()
}

#[test]
fn a_record_depends_on_no_machine_and_on_no_line_of_the_library() {
    let rendered = format!(
        "error: no\n   --> mistakes/a.rs:7:1\n    |\n  7 | fn f() {{}}\n    |    ^ here\n    |\n    = note: why\nnote: bound\n   \
         --> {}/runtime/src/private.rs:123:4\n    |\n123 | fn run() {{}}\n...\n   ::: /r/library/core/src/a.rs:1:2\n\n",
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there").display()
    );
    let expected = "error: no\n  --> mistakes/a.rs:7:1\n    |\n  7 | fn f() {}\n    |    ^ here\n    |\n    = note: why\nnote: \
                    bound\n  --> runtime/src/private.rs\n  ::: $RUST/core/src/a.rs\n";
    assert_eq!(portable(&rendered), expected);
}
