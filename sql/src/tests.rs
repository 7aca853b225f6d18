//! Tables of texts and what they must be read as. The lists are their own: a word that `grammar` loses is missed here.

mod lists;
mod random;

use self::lists::{INNOCENT, LEADING, READING, REFUSED, WRITING};
use super::{
    Backslash, Class, DoubleQuotes, Effect, Mode, Reading, Refusal, Touches, Verdict, Wait, begins_with, statements,
};

fn read(sql: &str) -> Reading {
    super::read(sql, Mode::default())
}

fn plain(effect: Effect) -> Reading {
    Reading { verdict: Verdict::Plain, effect, class: Class::Other, touches: Touches::Nothing, wait: Wait::Server }
}

fn refusal(sql: &str) -> Option<Refusal> {
    match read(sql).verdict {
        Verdict::Refused(refusal) => Some(refusal),
        Verdict::Plain | Verdict::Bracketed => None,
    }
}

fn refused() -> impl Iterator<Item = (&'static str, Refusal)> {
    REFUSED.iter().flat_map(|(refusal, texts)| texts.iter().map(|text| (*text, *refusal)))
}

/// The text in upper, lower and mixed case.
fn cases(text: &str) -> [String; 4] {
    let mixed =
        text.char_indices().map(|(i, c)| if i % 2 == 0 { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() });
    [text.to_owned(), text.to_ascii_uppercase(), text.to_ascii_lowercase(), mixed.collect()]
}

/// The text as all or part of an executable comment of every kind.
fn executables(text: &str) -> Vec<String> {
    ["!", "!50000 ", "!50000", "!080023 ", "!99999 ", "!999999 ", "M!", "M!100100 ", "M!999999 "]
        .iter()
        .flat_map(|marker| {
            let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
            [format!("/*{marker}{text}*/"), format!("/*{marker}{text}\n*/;"), format!("/*{marker}{first}*/ {rest}")]
        })
        .collect()
}

#[test]
fn the_first_word_is_found_however_it_is_dressed() {
    let is_update = |text: &str| begins_with(text, Mode::default(), "UPDATE");
    for text in ["UPDATE", "update`a` set b = 1", "update/**/a"] {
        assert!(is_update(text), "{text}");
    }
    for text in cases("update a set b = 1").iter().chain(&executables("UPDATE a")) {
        assert!(LEADING.iter().all(|leading| is_update(&format!("{leading}{text}"))), "{text}");
    }
    for text in [
        "",
        "-- UPDATE",
        "/* UPDATE */ SELECT 1",
        "updates",
        "update_it",
        "updateä",
        "upda",
        "`UPDATE`",
        "SELECT 1 FOR UPDATE",
        "SELECT /*! UPDATE */ 1",
    ] {
        assert!(!is_update(text), "{text}");
    }
}

#[test]
fn s64_refused_words_are_refused_however_they_are_dressed() {
    for (text, expected) in refused() {
        for cased in cases(text) {
            assert_eq!(refusal(&cased), Some(expected), "{cased}");
        }
        for leading in LEADING {
            assert_eq!(refusal(&format!("{leading}{text}")), Some(expected), "{leading:?} {text}");
            assert_eq!(refusal(&format!("{leading}{leading}{text};")), Some(expected), "{leading:?} {text}");
        }
        for bare in executables(text) {
            assert!(refusal(&bare).is_some(), "{bare}");
        }
    }
}

#[test]
fn s64_plain_statements_pass_with_their_effect() {
    let reading = READING.iter().map(|text| (text, Effect::Reads));
    for (text, effect) in reading.chain(WRITING.iter().map(|text| (text, Effect::Writes))) {
        for cased in cases(text) {
            for leading in LEADING {
                let dressed = read(&format!("{leading}{cased} ; {leading}"));
                let expected = Reading { class: dressed.class, ..plain(effect) };
                assert_eq!(dressed, expected, "{leading:?} {cased}");
            }
            for bare in [format!("/*!50000 {cased} */"), format!("/*M!{cased}*/;")] {
                assert_eq!((read(&bare).verdict, read(&bare).effect), (Verdict::Plain, effect), "{bare}");
            }
        }
    }
}

#[test]
fn s64_words_inside_strings_comments_and_names_are_no_alarm() {
    for text in INNOCENT {
        assert_eq!(read(text), plain(Effect::Reads), "{text}");
    }
    for (text, _) in refused().filter(|(text, _)| !text.contains(['\'', '`'])) {
        for around in [format!("SELECT '{text}'"), format!("SELECT `{text}` /* {text} */ FROM t # ; {text}")] {
            assert_eq!(read(&around).verdict, Verdict::Plain, "{around}");
        }
    }
}

#[test]
fn s90_what_changes_rows_and_nothing_else_is_told_from_the_rest() {
    let changes = ["INSERT INTO t VALUES (1)", "update t set a = 1", "DELETE FROM t", "replace into t values (1)"];
    let with = ["WITH c AS (SELECT 1) UPDATE t SET a = 1", "WITH c AS (SELECT 1), d AS (SELECT 2) DELETE FROM t"];
    for text in changes.into_iter().chain(with) {
        for leading in LEADING {
            assert_eq!(read(&format!("{leading}{text}")).class, Class::DataChange, "{leading:?} {text}");
        }
    }
    let others = ["SELECT 1 INTO OUTFILE '/x'", "WITH c AS (SELECT 1) SELECT REPLACE(a, 'b', 'c') FROM t", "DO 1"];
    let more = ["CALL insert_it()", "EXPLAIN UPDATE t SET a = 1", "LOAD DATA INFILE 'x' INTO TABLE t", "COMMIT", ""];
    let odd = [
        "INSERT INTO t VALUES (1); DELETE FROM t",
        "/*!50000 INSERT */ INTO t VALUES (1)",
        "CREATE TEMPORARY TABLE t (a INT)",
    ];
    for text in others.into_iter().chain(more).chain(odd) {
        assert_eq!(read(text).class, Class::Other, "{text}");
    }
}

#[test]
fn s92_only_texts_that_end_where_they_seem_to_stand_among_others() {
    let places = |text| super::placeholders_among_others(text, Mode::default()).map(|places| places.len());
    for (text, expected) in [
        ("UPDATE t SET a = ? -- ?", Some(1)),
        ("UPDATE t SET a = 'x' # it's", Some(0)),
        ("UPDATE t SET a = 'it''s \\' ?' /* ? */", Some(0)),
        ("UPDATE t SET a = :a WHERE b = :b", Some(2)),
        ("DELETE FROM t WHERE a = ? LIMIT ?", Some(2)),
        ("DELETE FROM t WHERE `order` = ? AND b = 'group'", Some(1)),
        ("DELETE FROM t WHERE a = ? ORDER BY b", Some(1)),
        ("DELETE FROM t ORDER BY ?", None),
        ("DELETE FROM t WHERE a = 1 ORDER BY a /* ? */ LIMIT ?", None),
        ("DELETE FROM t LIMIT /* x */ ?", None),
        ("INSERT INTO t SELECT a FROM b LIMIT ?, ?", None),
        ("INSERT INTO t SELECT a FROM b LIMIT 1 OFFSET ?", None),
        ("INSERT INTO t SELECT a FROM b OFFSET ? ROWS FETCH NEXT ? ROWS ONLY", None),
        ("INSERT INTO t SELECT a FROM b GROUP BY :a", None),
        ("INSERT INTO t SELECT NTILE(?) OVER (PARTITION BY a) FROM b", None),
        ("INSERT INTO t SELECT GROUP_CONCAT(a SEPARATOR ?) FROM b", None),
        ("UPDATE t SET a = 'x", None),
        ("UPDATE t SET `a = 1", None),
        ("UPDATE t SET a = 1 /* x", None),
        ("UPDATE t SET a = 1;", None),
        ("UPDATE /*!50000 t */ SET a = 1", None),
        ("UPDATE t SET a = 1 -- \0", None),
        ("UPDATE t SET a = 'ü'", None),
        ("UPDATE t SET a = $$it's ?$$", None),
    ] {
        assert_eq!(places(text), expected, "{text}");
    }
}

#[test]
fn s64_a_second_statement_is_refused() {
    let dangerous = refused().map(|(text, _)| text);
    for second in dangerous.chain(READING.iter().copied()).chain(["?", "'", ")", "\0"]) {
        for text in [
            format!("SELECT 1;{second}"),
            format!("INSERT INTO t VALUES (';');\n{second};"),
            format!("CALL p();; -- x\n{second}"),
            format!(";{second}"),
            format!("SELECT 1 -- x\n;{second}"),
            format!("SELECT '\\\\';{second}"),
        ] {
            assert_eq!(refusal(&text), Some(Refusal::SecondStatement), "{text}");
        }
        if !second.contains(['\'', '-', '\0']) {
            for marker in ["!", "!50000 ", "!99999 ", "M!", "M!100100 "] {
                for text in [format!("SELECT 1 /*{marker};{second} */"), format!("SELECT 1;/*{marker}{second} */")] {
                    assert_eq!(refusal(&text), Some(Refusal::SecondStatement), "{text}");
                }
            }
        }
    }
}

#[test]
fn s64_set_takes_user_variables_only() {
    for text in
        ["SET @a = 1", "SET @a := 1, @`b` = (SELECT 1, 2), @'c' = GREATEST(1, 2)", "set@a=1", "SET @a = @@autocommit"]
    {
        let reading = read(text);
        assert_eq!((reading.verdict, reading.effect), (Verdict::Plain, Effect::Reads), "{text}");
        assert_eq!(reading.touches, Touches::Session, "{text}");
    }
    for (text, _) in refused().filter(|(text, expected)| *expected == Refusal::SetsSession && text.starts_with("SET "))
    {
        let item = &text[4..];
        for list in [
            format!("SET @a = 1, {item}"),
            format!("SET @a = (1, 2), {item}, @b = 2"),
            format!("SET @a = 1 /* , */, -- x\n{item}"),
            format!("SET @a = 1), {item}"),
            format!("SET @a = ',', {item}"),
            format!("SET @a = 1 /*!50000 , {item} */"),
            format!("SET /*!99999 @a = 1, */ {item}"),
        ] {
            assert_eq!(refusal(&list), Some(Refusal::SetsSession), "{list}");
        }
    }
    assert_eq!(refusal("SET @a = 1,"), Some(Refusal::SetsSession));
}

#[test]
fn s64_every_combination_of_executable_comments_is_read() {
    for text in [
        "/*!99999 SELECT */ COMMIT",
        "/*!99999 SELECT */ /*!50000 COMMIT */",
        "/*M!100100 SELECT */ /*!50000 COMMIT */",
        "/*!50000 SELECT */ /*M!100100 COMMIT */",
        "CREATE /*!99999 TEMPORARY */ TABLE t (a INT)",
        "DROP /*M! TEMPORARY */ TABLE t",
        "SET /*M! @a = 1, */ autocommit = 1",
        "START /*!99999 x */ TRANSACTION",
        "/*!50000 '*/ COMMIT -- ' */",
        "/*!99999 # */ COMMIT",
        "/*M! /* */ COMMIT */",
        "SELECT 1 /*! 1 */ /*!1 1 */ /*!50001 1 */ /*!50002 1 */ /*!50003 1 */ /*!50004 1 */",
    ] {
        assert!(refusal(text).is_some(), "{text}");
    }
    let inside = read("/*!50000 SELECT 1 */");
    assert_eq!((inside.verdict, inside.effect), (Verdict::Plain, Effect::Reads));
    assert_eq!(read("SELECT 1 /*!1*/ /*!50001 */ /*!50002 */ /*!50003 + 1 */ /*!50004 + 1 */").verdict, Verdict::Plain);
    assert_eq!(read("/*!99999 SELECT */ CALL p()").verdict, Verdict::Bracketed);
    assert_eq!(read("SELECT 1 /*!99999 INTO @a */").touches, Touches::Session);
    assert_eq!(read("WITH a AS (SELECT 1) /*!99999 SELECT */ DELETE FROM t").effect, Effect::Writes);
}

#[test]
fn s64_quotes_are_read_in_the_mode_of_the_session() {
    let modes = [
        (r"SELECT 'a\'; COMMIT; -- '", Mode { backslash: Backslash::Ordinary, ..Mode::default() }),
        (r#"SELECT "a\"; COMMIT; -- ""#, Mode { backslash: Backslash::Ordinary, ..Mode::default() }),
        (r#"SELECT "a\"; COMMIT; -- ""#, Mode { double_quotes: DoubleQuotes::Identifiers, ..Mode::default() }),
    ];
    for (text, mode) in modes {
        assert_eq!(read(text).verdict, Verdict::Plain, "{text}");
        assert_eq!(super::read(text, mode).verdict, Verdict::Refused(Refusal::SecondStatement), "{text}");
    }
    let backquotes = super::read(r"SELECT `a\`; COMMIT", Mode::default());
    assert_eq!(backquotes.verdict, Verdict::Refused(Refusal::SecondStatement));
}

#[test]
fn s63_what_may_commit_unseen_is_bracketed() {
    for text in [
        "CALL p()",
        "call p(@a := 1)",
        "{ CALL p() }",
        "HELP 'x'",
        "CHECKSUM TABLE t",
        "NEWFANGLED 1",
        "\u{feff}COMMIT",
        "\u{a0}COMMIT",
        "1COMMIT",
        "'COMMIT'",
        "`COMMIT`",
        "@a",
        "(",
        ")",
        "?",
        "ANALYZE SELECT 1",
        "ANALYZE FORMAT = JSON SELECT 1",
        "ANALYZE (SELECT 1)",
    ] {
        for cased in cases(text) {
            let reading = read(&cased);
            assert_eq!((reading.verdict, reading.effect), (Verdict::Bracketed, Effect::Reads), "{cased}");
            assert_eq!(reading.touches, Touches::Session, "{cased}");
        }
    }
    for text in ["ANALYZE UPDATE t SET a = 1", "ANALYZE FORMAT = JSON DELETE FROM t", "LOAD STUFF"] {
        let reading = read(text);
        assert_eq!((reading.verdict, reading.effect), (Verdict::Bracketed, Effect::Writes), "{text}");
    }
}

#[test]
fn s67_text_that_leaves_state_on_the_session_touches_it() {
    for text in [
        "SELECT @a",
        "SELECT a@b",
        "SELECT 1 INTO @q",
        "SELECT @a := 1",
        "SELECT @`a`",
        "SELECT @'a'",
        "SELECT @@x, @y",
        "SELECT @@@y",
        "LOAD DATA INFILE 'f' INTO TABLE t (@a)",
        "DO GET_LOCK('a', 1)",
        "SELECT get_lock ('a', 1)",
        "SELECT `get_lock`('a', 1)",
        "SELECT service_get_write_locks('n', 'a', 1)",
        "SELECT version_tokens_lock_shared('a', 1)",
        "CREATE TEMPORARY TABLE t (a INT)",
        "CREATE OR REPLACE TEMPORARY TABLE t SELECT 1",
        "DROP TEMPORARY TABLE t",
        "DROP TEMPORARY TABLE IF EXISTS t",
        "DROP TEMPORARY TABLES t, u",
        "EXPLAIN FORMAT = JSON INTO @a SELECT 1",
    ] {
        for cased in cases(text) {
            let reading = read(&cased);
            assert_eq!((reading.verdict, reading.touches), (Verdict::Plain, Touches::Session), "{cased}");
        }
    }
    for text in ["CREATE TEMPORARY TABLE t (a INT)", "DROP TEMPORARY TABLE t"] {
        assert_eq!(read(text).effect, Effect::Writes, "{text}");
    }
}

#[test]
fn s13_nowait_is_found_in_locking_clauses_only() {
    for text in [
        "SELECT 1 FROM t FOR UPDATE NOWAIT",
        "SELECT 1 FROM t FOR SHARE NOWAIT",
        "SELECT 1 FROM t LOCK IN SHARE MODE NOWAIT;",
        "SELECT 1 FROM t, u FOR UPDATE OF t, `u` NOWAIT",
        "SELECT 1 FROM t, u FOR SHARE OF t FOR UPDATE OF u NOWAIT",
        "SELECT 1 FROM (SELECT 1 FROM t FOR UPDATE NOWAIT) x",
        "SELECT 1 FROM t FOR UPDATE /* soon */ NOWAIT -- now",
        "INSERT INTO t SELECT 1 FROM u FOR UPDATE NOWAIT",
        "SELECT 1 FROM t FOR UPDATE WAIT 0",
        "SELECT 1 FROM t LOCK IN SHARE MODE WAIT 00",
    ] {
        for cased in cases(text) {
            assert_eq!((read(&cased).wait, read(&cased).verdict), (Wait::NoWait, Verdict::Plain), "{cased}");
        }
    }
    for text in [
        "SELECT nowait FROM t FOR UPDATE",
        "SELECT 1 FROM (SELECT 1 FROM t FOR UPDATE) x WHERE nowait = 1",
        "SELECT 1 FROM t FOR UPDATE SKIP LOCKED",
        "SELECT 1 FROM t FOR UPDATE WAIT 1",
        "SELECT 1 FROM t FOR UPDATE WAIT 10",
        "SELECT 1 FROM t FOR UPDATE `NOWAIT`",
        "SELECT 1 FROM t FOR UPDATE -- NOWAIT",
        "SELECT 'FOR UPDATE NOWAIT'",
        "SELECT wait 0 FROM t",
        "SELECT 1 FROM t FOR UPDATE /*!80000 NOWAIT */",
    ] {
        assert_eq!(read(text).wait, Wait::Server, "{text}");
    }
}

#[test]
fn texts_without_a_statement_are_refused() {
    for text in ["", " \n", ";", " ; ;; ", "-- x", "#", "/* x */", "/*", "/*!*/", "/*!50000 */;"] {
        assert_eq!(refusal(text), Some(Refusal::Empty), "{text:?}");
    }
}

#[test]
fn every_refusal_says_why_and_what_to_do() {
    let rest = [Refusal::Empty, Refusal::SecondStatement, Refusal::Undecidable];
    for refusal in refused().map(|(_, refusal)| refusal).chain(rest) {
        let message = refusal.to_string();
        let (why, instead) = message.split_once("; ").expect("two clauses");
        assert!(why.len() > 20 && instead.len() > 15, "{message}");
        assert!(!message.ends_with('.') && !message.starts_with(char::is_uppercase), "{message}");
        assert!(!message.contains("  ") && !message.contains('\n'), "{message}");
    }
    let commit = "`COMMIT` would end the transaction; \
                  the unit commits by itself when its body returns `Ok` and rolls back when it returns `Err`";
    assert_eq!(Refusal::TransactionControl("COMMIT").to_string(), commit);
}

#[test]
fn a_text_of_several_statements_is_taken_apart() {
    let taken = |text| statements(text, Mode::default());
    assert_eq!(
        taken("-- a;b\nCREATE TABLE a (b INT DEFAULT ';' /* ; */); ;\n# c;\n"),
        ["-- a;b\nCREATE TABLE a (b INT DEFAULT ';' /* ; */)"]
    );
    assert_eq!(taken("SELECT 1;SELECT `;`"), ["SELECT 1", "SELECT `;`"]);
    assert_eq!(taken(" -- nothing"), [] as [&str; 0]);
}
