//! The comments in a case that say which error is expected where: `//~ ERROR text` on the line itself, `//~^ ERROR text` for the
//! line above, `//~^^ ERROR text` for the one above that.

/// An error that has to be reported.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) line: usize,
    pub(crate) text: String,
}

pub(crate) fn read(source: &str) -> Vec<Expected> {
    source.lines().enumerate().filter_map(|(index, line)| annotation(index + 1, line)).collect()
}

fn annotation(line: usize, source: &str) -> Option<Expected> {
    let (_, comment) = source.split_once("//~")?;
    let text = comment.trim_start_matches('^');
    let above = comment.len() - text.len();
    let text =
        text.strip_prefix(" ERROR ").unwrap_or_else(|| panic!("line {line} should read `//~^ ERROR …`: {source}"));
    Some(Expected { line: line - above, text: text.trim().to_owned() })
}

#[test]
fn annotations_name_the_line_and_the_text() {
    let source = "fn a() {} //~ ERROR on the line\n\n    //~^^ ERROR two lines up  \n// no annotation";
    let expected = [("on the line", 1), ("two lines up", 1)].map(|(text, line)| Expected { line, text: text.into() });
    assert_eq!(read(source), expected);
}
