//! Tables of texts and the tokens they must be cut into.

use super::{Backslash, DoubleQuotes, Kind, Lexer, Mode};
use Kind::{Assign, Literal, Number, Quoted, Symbol, SystemVariable, Undecidable, UserVariable, Word};

fn kinds(text: &str) -> Vec<Kind<'_>> {
    kinds_in(text, Mode::default())
}

fn kinds_in(text: &str, mode: Mode) -> Vec<Kind<'_>> {
    Lexer::new(text, mode).map(|token| token.kind).collect()
}

fn conditions(text: &str) -> Vec<Option<&str>> {
    Lexer::new(text, Mode::default()).map(|token| token.condition).collect()
}

#[test]
fn tokens_of_every_kind() {
    assert_eq!(
        kinds("a1 $b é_ü 12 2nd `i``d` 's' @u @@v := ( ;\0"),
        [
            Word("a1"),
            Word("$b"),
            Word("é_ü"),
            Number("12"),
            Number("2nd"),
            Quoted("i``d"),
            Literal,
            UserVariable,
            SystemVariable,
            Assign,
            Symbol('('),
            Symbol(';'),
            Symbol('\0'),
        ]
    );
}

#[test]
fn quotes_end_where_the_mode_says() {
    let ordinary = Mode { backslash: Backslash::Ordinary, ..Mode::default() };
    let ansi = Mode { double_quotes: DoubleQuotes::Identifiers, ..Mode::default() };
    for (text, mode, expected) in [
        (r"'a''b' x", Mode::default(), vec![Literal, Word("x")]),
        (r"'a\' b' x", Mode::default(), vec![Literal, Word("x")]),
        (r"'a\' b", ordinary, vec![Literal, Word("b")]),
        (r"'a\\' b", Mode::default(), vec![Literal, Word("b")]),
        (r#""a\" b""#, Mode::default(), vec![Literal]),
        (r#""a\" b"#, ansi, vec![Quoted(r"a\"), Word("b")]),
        (r#""a""b" 'it\'s'"#, ansi, vec![Quoted(r#"a""b"#), Literal]),
        (r"`a\` b", Mode::default(), vec![Quoted(r"a\"), Word("b")]),
        (r#"'"' "'" `'"`"#, Mode::default(), vec![Literal, Literal, Quoted(r#"'""#)]),
        ("'\\é' x", Mode::default(), vec![Literal, Word("x")]),
        ("'open; x", Mode::default(), vec![Literal]),
        ("'open\\", Mode::default(), vec![Literal]),
        ("`open; x", Mode::default(), vec![Quoted("open; x")]),
        ("`", Mode::default(), vec![Quoted("")]),
    ] {
        assert_eq!(kinds_in(text, mode), expected, "{text}");
    }
}

#[test]
fn a_mode_is_found_in_the_value_of_sql_mode() {
    let both = Mode { backslash: Backslash::Ordinary, double_quotes: DoubleQuotes::Identifiers };
    assert_eq!(Mode::of("REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,ANSI,NO_BACKSLASH_ESCAPES"), both);
    assert_eq!(Mode::of("ANSI_QUOTES"), Mode { backslash: Backslash::Escapes, ..both });
    assert_eq!(Mode::of("STRICT_TRANS_TABLES"), Mode::default());
    assert_eq!(Mode::of(""), Mode::default());
}

#[test]
fn comments_end_where_the_servers_end_them() {
    for (text, expected) in [
        ("-- x\na", vec![Word("a")]),
        ("--\ta\nb", vec![Word("b")]),
        ("--\x01a\nb", vec![Word("b")]),
        ("--", vec![]),
        ("--a", vec![Symbol('-'), Symbol('-'), Word("a")]),
        ("#a\rb\nc", vec![Word("c")]),
        ("# a\0b", vec![Symbol('\0'), Word("b")]),
        ("/**/a/* ' */b/*/ x */c", vec![Word("a"), Word("b"), Word("c")]),
        ("/* /* */ a", vec![Word("a")]),
        ("/* ", vec![]),
        ("/", vec![Symbol('/')]),
        ("a */ b", vec![Word("a"), Symbol('*'), Symbol('/'), Word("b")]),
        ("a /*+ BKA(`t`) */ b", vec![Word("a"), Word("b")]),
        ("a /*+ x('*/') */ b", vec![Word("a"), Undecidable]),
        ("a /*+ \"'\" '*/ ' */ b", vec![Word("a"), Undecidable]),
        ("\u{a0}a\u{3000}b\x0bc", vec![Word("\u{a0}a\u{3000}b"), Word("c")]),
    ] {
        assert_eq!(kinds(text), expected, "{text:?}");
    }
}

#[test]
fn executable_comments_hold_tokens_under_a_condition() {
    let all = "a /*! b */ /*!50000b*//*!080000 b */ /*M!b*/ /*M!100100 b */ /*m! b */ a";
    let b = |marker| Some(marker);
    assert_eq!(conditions(all), [None, b("!"), b("!50000"), b("!080000"), b("M!"), b("M!100100"), None]);
    assert_eq!(kinds("/*!50000b*/ /*!800001b*/ /*!8000012b*/"), [Word("b"), Word("b"), Number("2b")]);
    assert_eq!(kinds("/*!1234b*/ /*!**/ /*!*/"), [Number("1234b"), Symbol('*')]);
    assert_eq!(kinds("/*! 'a' # b\n */ c"), [Literal, Word("c")]);
    assert_eq!(conditions("/*!50000 a 'b"), [b("!50000"), b("!50000")]);
}

#[test]
fn executable_comments_that_end_in_two_places_are_undecidable() {
    for text in [
        "/*! '*/' */",
        "/*! \"*/\" */",
        "/*! `*/` */",
        "/*!99999 # */ COMMIT",
        "/*!99999 -- */ COMMIT",
        "/*!99999 ' */ COMMIT -- '",
        "/*! /* */ */",
        "/*! /*!50000 a */ */",
        "/*M! /* */ COMMIT */",
        "/*! a /*/ b */",
        "/*! '/*' */",
        "/*! /* ",
    ] {
        assert_eq!(kinds(text).last(), Some(&Undecidable), "{text}");
    }
}
