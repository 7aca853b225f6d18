//! The comments in a case that say what is reported where: `//~ ERROR …` about the line itself, `//~^ ERROR …` about the line
//! above, `//~^^ ERROR …` about the one above that. What is reported is all announced; see [`Kind`].

use crate::compiler::Reported;

/// Something that the compiler may or must report.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) kind: Kind,
    pub(crate) line: usize,
    /// A part of the message, or the compiler's code for it.
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `ERROR`: an error in our words, once.
    Ours,
    /// `RUSTC`: the compiler's own error, in whose words and how often is the release's affair, but at least once.
    Compilers,
    /// `ALLOWED`: an error of the compiler's own that may come on top.
    FollowUp,
}

const KINDS: [(&str, Kind); 3] = [(" ERROR ", Kind::Ours), (" RUSTC ", Kind::Compilers), (" ALLOWED ", Kind::FollowUp)];

pub(crate) fn read(source: &str) -> Vec<Announced> {
    source.lines().enumerate().filter_map(|(index, line)| annotation(index + 1, line)).collect()
}

fn annotation(line: usize, source: &str) -> Option<Announced> {
    let (_, comment) = source.split_once("//~")?;
    let text = comment.trim_start_matches('^');
    let above = comment.len() - text.len();
    let found = KINDS.iter().find_map(|(word, kind)| Some((*kind, text.strip_prefix(word)?)));
    let (kind, text) = found.unwrap_or_else(|| panic!("line {line} should read `//~^ ERROR …`: {source}"));
    Some(Announced { kind, line: line - above, text: text.trim().to_owned() })
}

/// What differs between the announcements and the report, a line each.
pub(crate) fn differences(announced: &[Announced], reported: &[Reported]) -> Vec<String> {
    let mut open: Vec<&Announced> = announced.iter().collect();
    let mut differences = Vec::new();
    for error in reported {
        match claim(error, &open) {
            Some(position) if open[position].kind == Kind::Ours => drop(open.remove(position)),
            Some(_) => {}
            None => differences.push(format!("not announced: {error:?}")),
        }
    }
    let is_reported = |announced: &Announced| match announced.kind {
        Kind::Ours => false,
        Kind::Compilers => reported.iter().any(|error| is_of(announced, error)),
        Kind::FollowUp => true,
    };
    differences.extend(open.iter().filter(|open| !is_reported(open)).map(|open| format!("not reported: {open:?}")));
    differences
}

/// Which of the announcements is about the error.
fn claim(error: &Reported, announced: &[&Announced]) -> Option<usize> {
    announced.iter().position(|announced| is_of(announced, error))
}

fn is_of(announced: &Announced, error: &Reported) -> bool {
    let says_so = error.message.contains(&announced.text) || error.code.as_deref() == Some(announced.text.as_str());
    says_so && error.lines.contains(&announced.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(kind: Kind, line: usize, text: &str) -> Announced {
        Announced { kind, line, text: text.into() }
    }

    fn reported(line: usize, message: &str, code: Option<&str>) -> Reported {
        Reported { message: message.into(), code: code.map(Into::into), lines: vec![line] }
    }

    #[test]
    fn annotations_name_the_line_and_the_text() {
        let source = "fn a() {} //~ ERROR on the line\n\n    //~^^ RUSTC E0277  \n//~^ ALLOWED E0308\n// no annotation";
        let expected = [(Kind::Ours, 1, "on the line"), (Kind::Compilers, 1, "E0277"), (Kind::FollowUp, 3, "E0308")]
            .map(|(kind, line, text)| announced(kind, line, text));
        assert_eq!(read(source), expected);
    }

    #[test]
    fn a_message_counts_only_at_its_own_line() {
        let error = [reported(5, "unknown argument `isolaton`; did you mean `isolation`?", None)];
        assert!(differences(&[announced(Kind::Ours, 5, "unknown argument `isolaton`")], &error).is_empty());
        assert_eq!(differences(&[announced(Kind::Ours, 6, "unknown argument `isolaton`")], &error).len(), 2);
        assert_eq!(differences(&[announced(Kind::Ours, 5, "unknown argument `acess`")], &error).len(), 2);
    }

    #[test]
    fn an_error_that_is_not_announced_is_one_too_many() {
        let ours = || reported(5, "`Order` is not `Clone`", Some("E0277"));
        let once = [announced(Kind::Ours, 5, "is not `Clone`")];
        assert!(differences(&once, &[ours()]).is_empty());
        // Another of ours in the same words, and one of the compiler's.
        assert_eq!(differences(&once, &[ours(), ours()]).len(), 1);
        assert_eq!(differences(&once, &[ours(), reported(9, "mismatched types", Some("E0308"))]).len(), 1);
        assert_eq!(differences(&once, &[]).len(), 1);
    }

    #[test]
    fn the_compilers_own_errors_come_as_often_as_it_likes() {
        let own = || reported(5, "mismatched types", Some("E0308"));
        for kind in [Kind::Compilers, Kind::FollowUp] {
            let announced = [announced(kind, 5, "E0308")];
            assert!(differences(&announced, &[own()]).is_empty());
            assert!(differences(&announced, &[own(), own()]).is_empty());
            assert_eq!(
                differences(&announced, &[reported(6, "mismatched types", Some("E0308"))]).len(),
                match kind {
                    Kind::FollowUp => 1,
                    Kind::Ours | Kind::Compilers => 2,
                }
            );
        }
        assert!(differences(&[announced(Kind::FollowUp, 5, "E0308")], &[]).is_empty());
        assert_eq!(differences(&[announced(Kind::Compilers, 5, "E0308")], &[]).len(), 1);
    }
}
