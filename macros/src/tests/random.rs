//! Attributes, bodies and texts that nobody would write: no panic, every message inside of what it is about, and the literal check
//! of one mind with the reader of statements that the runtime asks.

use std::ops::Range;
use std::str::FromStr;

use fastrand::Rng;
use proc_macro2::{TokenStream, TokenTree};
use syn::LitStr;
use unit_of_work_sql::{Effect, Mode, Verdict, read};

use crate::expand::unit_of_work;

/// Tokens that mean something to the attribute, or nearly do.
#[rustfmt::skip]
const ATTRIBUTE: &[&str] = &[
    "isolation", "access", "read_only", "propagation", "repeatable", "retry", "timeout", "lock_wait", "snapshot", "commit_on",
    "retry_on", "exactly_once", "contention", "allow", "skip", "name", "db", "crate", "max_attempts", "within", "base", "cap", "key",
    "write", "isolatoin", "r#name", "_", "self", "A", "if", "true", "false", "mut", "&", "|", "=", "=", "=", "==", "=>", ",", ",", ",",
    ".", "..", "::", ":", ";", "<", ">", "-", "->", "!", "?", "#", "$", "*", "'a", "1", "0", "4294967296", "-1", "1.5", "b'x'", "'x'",
    r#""serializable""#, r#""never""#, r#""requires_new""#, r#""read only""#, r#""2s""#, r#""750 ms""#, r#""""#, r#"r"supports""#,
    r#"b"a""#, "()", "(", "(", ")", ")", "{", "}", "[", "]", "A::B", "Busy(_)", "x + 1", "|x| x", "match x {}", "/// doc\n",
];

/// Tokens of bodies: calls, and what may stand around them or look like them.
#[rustfmt::skip]
const BODY: &[&str] = &[
    "tx", "tx", "tx", ".", ".", "tx.", "tx.query_drop(", "tx.query_drop(\"COMMIT\")", "tx.query_drop(A)", "tx.connection()?.", "query_drop", "exec", "prep", "connection()", "unwrap()", "savepoint", "local", "?", "::<",
    "::<A<B>, fn() -> C>", ">", "<", "(", "(", "(", ")", ")", ")", "{", "}", "[", "]", "let", "=", ":", ";", ",", "&", "const A: &str =", "const A: &str = \"COMMIT\";",
    "static A: &str =", "A", "concat!", "concat!(", "println!(", "fn", "|tx|", "'tx", "tx::", "::tx", "r#tx", "\"COMMIT\"",
    "\"SELECT 1\"", "r#\"ROLLBACK\"#", "\"\"", "b\"COMMIT\"", "c\"COMMIT\"", "'c'", "1", "format!", "\"a;b\"", "\"UPDATE t\"",
];

/// Pieces of statements.
#[rustfmt::skip]
const SQL: &[&str] = &[
    " ", " ", "\n", "\t", "\0", "\\", "'", "\"", "`", ";", ",", "(", ")", "=", ":=", "@a", "@@a", "--", "-- ", "#", "/*", "*/",
    "/*!", "/*!50000 ", "/*M!", "/*+", "é", "🦀", "1", "?", ":a", "COMMIT", "ROLLBACK", "begin", "SELECT", "select", "INSERT", "UPDATE",
    "DELETE", "SET", "CREATE", "TEMPORARY", "TABLE", "DROP", "WITH", "CALL", "NOWAIT", "FOR", "INTO", "OUTFILE", "SAVEPOINT", "a", "t",
];

/// A message and the bytes of the source that it points at.
#[derive(Debug)]
struct Told {
    message: String,
    place: Range<usize>,
}

/// What the attribute that `source` begins with says; `None` when the source cannot even be cut into tokens.
fn told(source: &str) -> Option<Vec<Told>> {
    let tokens = TokenStream::from_str(source).ok();
    let told = tokens.map(|tokens| {
        let mut tokens = tokens.into_iter();
        let Some(TokenTree::Group(attribute)) = tokens.nth(1) else { panic!("not an attribute: {source}") };
        let Some(TokenTree::Group(arguments)) = attribute.stream().into_iter().nth(1) else {
            panic!("no arguments: {source}")
        };
        messages(unit_of_work(arguments.stream(), &tokens.collect()))
    });
    // Every source is kept otherwise, for the places of its tokens.
    proc_macro2::extra::invalidate_current_thread_spans();
    told
}

/// `::core::compile_error!{ "message" }`: the first token has the place's beginning, the last one its end.
fn messages(output: TokenStream) -> Vec<Told> {
    let tokens: Vec<TokenTree> = output.into_iter().collect();
    let mut told = Vec::new();
    for window in tokens.windows(8) {
        if let [first, .., TokenTree::Ident(name), _, TokenTree::Group(message)] = window
            && name == "compile_error"
        {
            let place = first.span().byte_range().start..message.span_close().byte_range().end;
            let message: LitStr = syn::parse2(message.stream()).expect("a message is a string");
            told.push(Told { message: message.value(), place });
        }
    }
    told
}

fn pieces(random: &mut Rng, of: &[&str], most: usize, between: &str) -> String {
    let pieces = random.usize(..most);
    (0..pieces).map(|_| of[random.usize(..of.len())].to_owned() + between).collect()
}

/// The brackets that are missing, so that more than a few texts can be cut into tokens; `None` when one closes too many.
fn balanced(text: &str) -> Option<String> {
    let mut open = Vec::new();
    let tokens =
        text.split(' ').flat_map(|piece| if piece.contains(['"', '\'', '/']) { "".chars() } else { piece.chars() });
    for character in tokens {
        match character {
            '(' => open.push(")"),
            '[' => open.push("]"),
            '{' => open.push("}"),
            ')' if open.pop() != Some(")") => return None,
            ']' if open.pop() != Some("]") => return None,
            '}' if open.pop() != Some("}") => return None,
            _ => {}
        }
    }
    Some(open.iter().rev().fold(text.to_owned(), |text, close| text + " " + close))
}

#[test]
fn no_list_of_arguments_makes_the_attribute_panic_or_point_elsewhere() {
    let mut random = Rng::with_seed(0x5eed_0401);
    let (mut read, mut right, mut wrong) = (0, 0, 0);
    while read < 60_000 {
        let Some(arguments) = balanced(&pieces(&mut random, ATTRIBUTE, 10, " ")) else { continue };
        let attribute = format!("#[unit_of_work({arguments})]");
        let Some(told) = told(&format!("{attribute} fn f(tx: &mut Tx<'_>) -> Result<(), E> {{ Ok(()) }}")) else {
            continue;
        };
        read += 1;
        if told.is_empty() {
            right += 1;
        } else {
            wrong += 1;
        }
        for Told { message, place } in told {
            assert!(place.end <= attribute.len(), "{message} at {place:?} of {attribute}");
        }
    }
    assert!(right > 1_000 && wrong > 1_000, "both kinds were tried: {right} right, {wrong} wrong");
}

/// Lists that are nearly right get further than random ones.
#[test]
fn no_slip_in_a_right_list_makes_the_attribute_panic_or_point_elsewhere() {
    const RIGHT: &[&str] = &[
        r#"isolation = "repeatable read" , snapshot , read_only , allow ( write ) , name = "a" , db = self . ledger"#,
        r#"retry ( max_attempts = 5 , within = "2s" , base = BASE , cap = "1m" ) , timeout = "3s" , lock_wait = "1s""#,
        r#"propagation = "requires_new" , repeatable , retry_on ( E :: Busy | E :: Late ( n ) if n > 3 ) , crate = a :: b"#,
        r#"commit_on ( E :: Blocked { .. } ) , access = "read write" , retry = "never" , snapshot = false"#,
    ];
    let mut random = Rng::with_seed(0x5eed_0402);
    for round in 0..40_000 {
        let mut tokens: Vec<&str> = RIGHT[round % RIGHT.len()].split(' ').collect();
        for _ in 0..random.usize(1..4) {
            let (at, other) = (random.usize(..tokens.len()), random.usize(..tokens.len()));
            match random.u8(..4) {
                0 => tokens[at] = "",
                1 => tokens.insert(at, ATTRIBUTE[random.usize(..ATTRIBUTE.len())]),
                2 => tokens.swap(at, other),
                _ => tokens.truncate(at.max(1)),
            }
        }
        let Some(arguments) = balanced(&tokens.join(" ")) else { continue };
        let attribute = format!("#[unit_of_work({arguments})]");
        let function = "fn f(&self, tx: &mut Tx<'_>) -> Result<(), E> { Ok(()) }";
        for item in [function.to_owned(), format!("impl A {{ {function} }}")] {
            for Told { message, place } in told(&format!("{attribute} {item}")).unwrap_or_default() {
                // What a function does not make of its block's arguments is told at its name.
                let is_at_the_name = item.starts_with("impl") && place.start > attribute.len();
                assert!(place.end <= attribute.len() || is_at_the_name, "{message} at {place:?} of {attribute}");
            }
        }
    }
}

#[test]
fn no_body_makes_the_scanner_panic_or_point_elsewhere() {
    let mut random = Rng::with_seed(0x5eed_0403);
    let (mut read, mut complaints) = (0, 0);
    while read < 60_000 {
        let Some(body) = balanced(&pieces(&mut random, BODY, 24, " ")) else { continue };
        let head = "#[unit_of_work(read_only)] fn f(tx: &mut Tx<'_>) -> Result<(), E> {";
        let source = format!("{head} {body} }}");
        let Some(told) = told(&source) else { continue };
        read += 1;
        for Told { message, place } in told {
            complaints += 1;
            let text = &source[place];
            assert!(text.contains('"') || text.contains("concat"), "{message}\nat {text}\nin {source}");
        }
    }
    assert!(complaints > 300, "some bodies hold what is refused: {complaints}");
}

/// One text, in one of the ways in which it can stand in a body.
fn written(random: &mut Rng, sql: &str) -> String {
    let quoted = format!("{sql:?}");
    let raw = ["", "#", "##", "###"].into_iter().find(|hashes| !sql.contains(&format!("\"{hashes}")));
    let middle = sql.char_indices().nth(random.usize(..=sql.chars().count())).map_or(sql.len(), |(at, _)| at);
    let (left, right) = sql.split_at(middle);
    match (random.u8(..8), raw) {
        (0, Some(hashes)) => format!("tx.query_drop(r{hashes}\"{sql}\"{hashes})"),
        (1, _) => format!("tx.exec_drop(concat!({left:?}, {right:?}), ())"),
        (2, _) => format!("const A: &str = {quoted}; tx.query_drop(A)"),
        (3, _) => format!("tx.query_first::<Vec<u8>, _>({quoted})?"),
        (4, _) => format!("println!(\"{{:?}}\", tx.connection()?.query_iter(&{quoted}))"),
        (5, _) => format!("if x {{ tx.exec_batch(({quoted}), rows) }}"),
        (6, _) => format!("static A: &'static str = concat!({left:?}, concat!({right:?},)); tx.exec(&A, (1, 2))"),
        _ => format!("tx.query_drop({quoted})"),
    }
}

#[test]
fn the_literal_check_says_what_the_reader_of_statements_says() {
    let modes = ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"].map(Mode::of);
    let mut random = Rng::with_seed(0x5eed_0404);
    let mut seen = [0_u32; 3];
    for _ in 0..60_000 {
        let sql = pieces(&mut random, SQL, 12, "").replace('\r', "");
        let readings = modes.map(|mode| read(&sql, mode));
        let refused = readings.iter().all(|reading| matches!(reading.verdict, Verdict::Refused(_)));
        let writes = readings.iter().all(|reading| reading.effect == Effect::Writes);
        let expected = if refused {
            "a unit of work cannot send this"
        } else if writes {
            "this writes"
        } else {
            ""
        };
        seen[usize::from(refused) + 2 * usize::from(!refused && writes)] += 1;
        let head = "#[unit_of_work(read_only)] fn f(tx: &mut Tx<'_>) -> Result<(), E> {";
        let source = format!("{head} {} }}", written(&mut random, &sql));
        let told = told(&source).unwrap_or_else(|| panic!("not a program: {source}"));
        match told.as_slice() {
            [] => assert_eq!(expected, "", "{sql:?} in {source}"),
            [only] => {
                assert!(!expected.is_empty() && only.message.starts_with(expected), "{sql:?}: {only:?} in {source}");
            }
            several => panic!("{sql:?}: {several:?} in {source}"),
        }
    }
    assert!(seen.iter().all(|count| *count > 1_000), "texts of every kind were tried: {seen:?}");
}
