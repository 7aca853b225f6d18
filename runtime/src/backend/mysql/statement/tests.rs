use super::super::lexer::{Backslash, DoubleQuotes};
use super::{Effect, Mode, Reading, Refusal, Touches, Verdict, Wait};
use std::time::{Duration, Instant};

/// Everything that must not be sent inside a unit, with the refusal it gets.
const REFUSED: &[(Refusal, &[&str])] = &[
    (Refusal::TransactionControl("COMMIT"), &["COMMIT", "COMMIT WORK", "COMMIT AND CHAIN", "commit release"]),
    (Refusal::TransactionControl("ROLLBACK"), &["ROLLBACK", "ROLLBACK WORK", "ROLLBACK AND NO CHAIN"]),
    (Refusal::TransactionControl("BEGIN"), &["BEGIN", "BEGIN WORK"]),
    (Refusal::TransactionControl("START TRANSACTION"), &["START TRANSACTION", "START TRANSACTION READ ONLY"]),
    (Refusal::Savepoint("SAVEPOINT"), &["SAVEPOINT a"]),
    (Refusal::Savepoint("RELEASE"), &["RELEASE SAVEPOINT a"]),
    (Refusal::Savepoint("ROLLBACK TO"), &["ROLLBACK TO a", "ROLLBACK TO SAVEPOINT a", "ROLLBACK WORK TO SAVEPOINT a"]),
    (Refusal::Xa, &["XA START 'x'", "XA BEGIN 'x'", "XA END 'x'", "XA COMMIT 'x'", "XA RECOVER"]),
    (
        Refusal::SetsSession,
        &[
            "SET",
            "SET autocommit = 1",
            "SET autocommit = @a",
            "SET SESSION sql_mode = ''",
            "SET LOCAL sql_mode = ''",
            "SET GLOBAL x = 1",
            "SET PERSIST x = 1",
            "SET @@x = 1",
            "SET @@session.autocommit = 1",
            "SET @@global.x = 1",
            "SET PASSWORD = 'x'",
            "SET ROLE r",
            "SET DEFAULT ROLE r TO u",
            "SET RESOURCE GROUP g",
            "SET NAMES gbk",
            "SET CHARACTER SET latin1",
            "SET CHARSET latin1",
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "SET SESSION TRANSACTION READ ONLY",
            "SET STATEMENT max_statement_time = 1 FOR COMMIT",
            "SET STATEMENT max_statement_time = 1 FOR SELECT 1",
            "SET `autocommit` = 1",
            "SET (@a) = 1",
            "autocommit := 1",
            "session.autocommit := 1",
            "`autocommit` := 1",
        ],
    ),
    (
        Refusal::ImplicitCommit("CREATE"),
        &[
            "CREATE TABLE t (a INT)",
            "CREATE OR REPLACE TABLE t (a INT)",
            "CREATE TABLE temporary (a INT)",
            "CREATE TABLE t SELECT 1",
            "CREATE DATABASE d",
            "CREATE INDEX i ON t (a)",
            "CREATE UNIQUE INDEX i ON t (a)",
            "CREATE VIEW v AS SELECT 1",
            "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET @a = 1",
            "CREATE PROCEDURE p() SELECT 1",
            "CREATE DEFINER = u@h FUNCTION f() RETURNS INT RETURN 1",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
            "CREATE USER u",
            "CREATE ROLE r",
            "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'u')",
            "CREATE SEQUENCE s",
            "CREATE TEMPORARY SEQUENCE s",
            "CREATE TABLESPACE t",
            "CREATE SPATIAL REFERENCE SYSTEM 4120 NAME 'x'",
        ],
    ),
    (Refusal::ImplicitCommit("DROP"), &["DROP TABLE t", "DROP DATABASE d", "DROP TABLE IF EXISTS t", "DROP PREPARE p"]),
    (Refusal::ImplicitCommit("ALTER"), &["ALTER TABLE t ADD a INT", "ALTER USER u", "ALTER INSTANCE RELOAD TLS"]),
    (Refusal::ImplicitCommit("TRUNCATE"), &["TRUNCATE t", "TRUNCATE TABLE t"]),
    (Refusal::ImplicitCommit("RENAME"), &["RENAME TABLE a TO b", "RENAME USER a TO b"]),
    (Refusal::ImplicitCommit("GRANT"), &["GRANT SELECT ON *.* TO u"]),
    (Refusal::ImplicitCommit("REVOKE"), &["REVOKE ALL ON *.* FROM u"]),
    (
        Refusal::ImplicitCommit("INSTALL"),
        &["INSTALL PLUGIN p SONAME 's'", "INSTALL SONAME 's'", "INSTALL COMPONENT 'c'"],
    ),
    (Refusal::ImplicitCommit("UNINSTALL"), &["UNINSTALL PLUGIN p", "UNINSTALL COMPONENT 'c'"]),
    (Refusal::ImplicitCommit("IMPORT"), &["IMPORT TABLE FROM 'f'"]),
    (Refusal::ImplicitCommit("CHECK"), &["CHECK TABLE t", "CHECK VIEW v"]),
    (Refusal::ImplicitCommit("OPTIMIZE"), &["OPTIMIZE TABLE t"]),
    (Refusal::ImplicitCommit("REPAIR"), &["REPAIR TABLE t"]),
    (Refusal::ImplicitCommit("CACHE"), &["CACHE INDEX t IN c"]),
    (Refusal::ImplicitCommit("LOAD INDEX"), &["LOAD INDEX INTO CACHE t"]),
    (
        Refusal::ImplicitCommit("LOAD DATA … ALGORITHM = BULK"),
        &["LOAD DATA INFILE 'f' INTO TABLE t ALGORITHM = BULK", "LOAD DATA INFILE 'f' INTO TABLE t ALGORITHM BULK"],
    ),
    (
        Refusal::ImplicitCommit("ANALYZE"),
        &["ANALYZE TABLE t", "ANALYZE LOCAL TABLE t", "ANALYZE NO_WRITE_TO_BINLOG TABLE t", "ANALYZE"],
    ),
    (Refusal::LocksTables("LOCK"), &["LOCK TABLES t WRITE", "LOCK TABLE t READ", "LOCK INSTANCE FOR BACKUP"]),
    (Refusal::LocksTables("UNLOCK"), &["UNLOCK TABLES", "UNLOCK INSTANCE"]),
    (Refusal::Handler, &["HANDLER t OPEN", "HANDLER t READ FIRST", "HANDLER t CLOSE"]),
    (Refusal::UsesDatabase, &["USE d", "USE `d`"]),
    (Refusal::Prepares("PREPARE"), &["PREPARE p FROM 'COMMIT'"]),
    (Refusal::Prepares("EXECUTE"), &["EXECUTE p", "EXECUTE IMMEDIATE 'COMMIT'"]),
    (Refusal::Prepares("DEALLOCATE"), &["DEALLOCATE PREPARE p"]),
    (Refusal::Kills, &["KILL 5", "KILL QUERY 5"]),
    (
        Refusal::Administration("START"),
        &["START SLAVE", "START REPLICA", "START GROUP_REPLICATION", "START ALL SLAVES"],
    ),
    (Refusal::Administration("STOP"), &["STOP SLAVE", "STOP REPLICA", "STOP GROUP_REPLICATION"]),
    (Refusal::Administration("SLAVE"), &["SLAVE START"]),
    (Refusal::Administration("FLUSH"), &["FLUSH TABLES", "FLUSH PRIVILEGES", "FLUSH LOCAL LOGS"]),
    (Refusal::Administration("RESET"), &["RESET MASTER", "RESET REPLICA", "RESET PERSIST"]),
    (Refusal::Administration("CHANGE"), &["CHANGE MASTER TO MASTER_HOST = 'h'", "CHANGE REPLICATION SOURCE TO x = 1"]),
    (Refusal::Administration("PURGE"), &["PURGE BINARY LOGS TO 'f'"]),
    (Refusal::Administration("BINLOG"), &["BINLOG 'x'"]),
    (Refusal::Administration("BACKUP"), &["BACKUP STAGE START", "BACKUP LOCK t"]),
    (Refusal::Administration("CLONE"), &["CLONE LOCAL DATA DIRECTORY '/d'"]),
    (Refusal::Administration("SHUTDOWN"), &["SHUTDOWN"]),
    (Refusal::Administration("RESTART"), &["RESTART"]),
    (
        Refusal::Compound,
        &[
            "BEGIN NOT ATOMIC COMMIT; END",
            "IF 1 THEN COMMIT; END IF",
            "CASE WHEN 1 THEN COMMIT; END CASE",
            "LOOP COMMIT; END LOOP",
            "WHILE 1 DO COMMIT; END WHILE",
            "REPEAT COMMIT; UNTIL 1 END REPEAT",
            "FOR i IN 1..2 DO COMMIT; END FOR",
            "DECLARE a INT; BEGIN COMMIT; END",
            "l: BEGIN NOT ATOMIC COMMIT; END",
            "`l`: LOOP COMMIT; END LOOP",
        ],
    ),
];

const READING: &[&str] = &[
    "SELECT 1",
    "(SELECT 1)",
    "((SELECT 1) UNION (SELECT 2))",
    "SELECT * FROM t WHERE a = ? FOR UPDATE",
    "SELECT * FROM (SELECT 1) x LOCK IN SHARE MODE",
    "WITH a AS (SELECT 1), b (c) AS (VALUES (1)) SELECT * FROM a, b FOR UPDATE",
    "(WITH RECURSIVE a AS (SELECT 1) TABLE a)",
    "VALUES (1), (2)",
    "VALUES ROW(1)",
    "TABLE t",
    "SHOW TABLES",
    "SHOW CREATE TABLE t",
    "EXPLAIN SELECT 1",
    "EXPLAIN UPDATE t SET a = 1",
    "EXPLAIN FORMAT = JSON DELETE FROM t",
    "EXPLAIN ANALYZE SELECT 1",
    "EXPLAIN ANALYZE FORMAT = TREE WITH a AS (SELECT 1) SELECT * FROM a",
    "DESC t",
    "DESCRIBE t",
    "DO SLEEP(0)",
    "GET DIAGNOSTICS CONDITION 1",
    "SIGNAL SQLSTATE '45000'",
    "RESIGNAL",
    "SELECT outfile FROM t",
];

const WRITING: &[&str] = &[
    "INSERT INTO t VALUES (1)",
    "INSERT INTO t SELECT * FROM u",
    "INSERT INTO t SET a = 1, autocommit = 2",
    "UPDATE t SET a = 1, b = 2",
    "DELETE FROM t",
    "REPLACE INTO t VALUES (1)",
    "LOAD DATA LOCAL INFILE 'f' INTO TABLE t",
    "LOAD DATA INFILE 'f' INTO TABLE t (algorithm, bulk)",
    "LOAD XML INFILE 'f' INTO TABLE t",
    "WITH a AS (SELECT 1) UPDATE t, a SET t.a = 1",
    "WITH a AS (SELECT 1) DELETE FROM t",
    "SELECT a INTO OUTFILE 'f' FROM t",
    "SELECT a FROM t INTO DUMPFILE 'f'",
    "TABLE t INTO OUTFILE 'f'",
    "EXPLAIN ANALYZE UPDATE t, u SET t.a = 1",
    "DESC ANALYZE WITH a AS (SELECT 1) DELETE FROM t",
];

/// Texts in which every dangerous word is a name, a string or a comment.
const INNOCENT: &[&str] = &[
    "SELECT commit, begin, rollback FROM savepoint",
    "SELECT `COMMIT`, 'ROLLBACK; COMMIT', \"; DROP TABLE t\" FROM `a;b`",
    "SELECT 1 -- ; COMMIT",
    "SELECT 1 # ; COMMIT",
    "SELECT 1 /* ; COMMIT */",
    "SELECT /*+ MAX_EXECUTION_TIME(1) */ 1",
    "SELECT /*+ JOIN_ORDER(t1@qb, t2) */ 1",
    "SELECT 'it''s; fine', 'it\\'s; fine', \"say \"\"hi;\"\"\", \"say \\\"hi;\\\"\"",
    "SELECT '@a', `@a`, \"@a\" /* @a */ -- @a",
    "SELECT 'GET_LOCK' /* GET_LOCK(1) */",
    "SELECT 'a := 1'",
    "SELECT @@session.autocommit, @@x, @@`y`",
    "SELECT :named, ?",
    "SELECT a-- 1\n",
    "SELECT a--1",
    "SELECT '🦀; COMMIT', `🦀;`, 🦀 FROM t",
    "SELECT 'a\0; COMMIT'",
    "SELECT RELEASE_LOCK('a'), RELEASE_ALL_LOCKS(), LAST_INSERT_ID(3)",
    "SELECT /*!40001 SQL_NO_CACHE */ * FROM t",
    "SELECT 1 /*! */",
    "SELECT 1;",
    "SELECT 1 ; ;\n",
    "SELECT 1; -- bye",
    "SELECT 1; /* bye */",
];

/// What may stand before a statement without being any part of it.
const LEADING: &[&str] = &[
    " ",
    "\t",
    "\n",
    "\r\n",
    "\x0b",
    "\x0c",
    "-- x\n",
    "--\n",
    "--\x01\n",
    "# x\n",
    "#\n",
    "/**/",
    "/* ; ' */",
    "/*m! ' */",
];

fn read(sql: &str) -> Reading {
    super::read(sql, Mode::default())
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
                let expected =
                    Reading { verdict: Verdict::Plain, effect, touches: Touches::Nothing, wait: Wait::Server };
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
        let expected =
            Reading { verdict: Verdict::Plain, effect: Effect::Reads, touches: Touches::Nothing, wait: Wait::Server };
        assert_eq!(read(text), expected, "{text}");
    }
    for (text, _) in refused().filter(|(text, _)| !text.contains(['\'', '`'])) {
        for around in [format!("SELECT '{text}'"), format!("SELECT `{text}` /* {text} */ FROM t # ; {text}")] {
            assert_eq!(read(&around).verdict, Verdict::Plain, "{around}");
        }
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
        (r#"SELECT "a\"; COMMIT; -- ""#, Mode { double_quotes: DoubleQuotes::Identifier, ..Mode::default() }),
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

/// Pieces of text that begin or end something, are half of something, or decide something.
#[rustfmt::skip]
const NASTY: &[&str] = &[
    " ", "\n", "\t", "\0", "\x01", "\\", "'", "\"", "`", "''", "\\'", ";", ",", "(", ")", "=", ":", ":=", "@", "@@", "@a",
    "-", "--", "-- ", "#", "/", "*", "/*", "*/", "/*!", "/*!50000", "/*!99999 ", "/*M!", "/*M!100100 ", "/*+", "!", "M",
    "1", "0", "é", "🦀", "\u{a0}", "SELECT", "COMMIT", "SET", "CREATE", "OR", "REPLACE", "TEMPORARY", "TABLE", "WITH",
    "UPDATE", "FOR", "NOWAIT", "WAIT", "INTO", "OUTFILE", "GET_LOCK", "LOAD", "DATA", "BEGIN", "NOT", "ANALYZE", "CALL",
];

fn nasty(random: &mut fastrand::Rng) -> String {
    let pieces = random.usize(..24);
    (0..pieces).map(|_| NASTY[random.usize(..NASTY.len())]).collect()
}

#[test]
fn s85_no_text_makes_the_reader_panic_and_no_decoration_changes_its_mind() {
    let mut random = fastrand::Rng::with_seed(0x5eed_0064);
    let modes = ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"].map(Mode::of);
    let mut seen = [0_u32; 3];
    for round in 0..300_000 {
        let (text, mode) = (nasty(&mut random), modes[round % modes.len()]);
        let reading = super::read(&text, mode);
        seen[match reading.verdict {
            Verdict::Plain => 0,
            Verdict::Bracketed => 1,
            Verdict::Refused(_) => 2,
        }] += 1;
        for decorated in
            [format!("\n{text}"), format!("/* ' */{text}"), format!("{text}\n-- ; COMMIT"), format!("{text}\n# bye")]
        {
            assert_eq!(super::read(&decorated, mode), reading, "{text:?} as {decorated:?} in {mode:?}");
        }
        assert_eq!(super::read(&text.to_ascii_uppercase(), mode), reading, "{text:?} in {mode:?}");
    }
    assert!(seen.iter().all(|count| *count > 1_000), "the texts are of every kind: {seen:?}");
}

/// Whatever a server may make of the executable comments of a text, the reading covers it: the text is rewritten here as
/// a server of each kind and version sees it, without the lexer.
#[test]
fn s64_a_text_is_never_safer_than_what_a_server_makes_of_it() {
    let mut random = fastrand::Rng::with_seed(0x5eed_0065);
    let markers = ["!", "!50000 ", "!99999 ", "M!", "M!100100 "];
    let words = ["SELECT", "COMMIT", "CALL", "SET", "@a=1", ",", "x=1", ";", "CREATE", "TEMPORARY", "TABLE", "1"];
    for _ in 0..50_000 {
        let pieces: Vec<(usize, &str)> = (0..random.usize(1..6))
            .map(|_| (random.usize(..=markers.len()), words[random.usize(..words.len())]))
            .collect();
        let write = |show: &dyn Fn(usize, &str) -> String| -> String {
            pieces.iter().map(|(place, word)| show(*place, word) + " ").collect()
        };
        let text = write(&|place, word| markers.get(place).map_or(word.to_owned(), |m| format!("/*{m}{word} */")));
        let reading = read(&text);
        for heeded in 0..1 << markers.len() {
            let seen = write(&|place, word| {
                if place == markers.len() || heeded >> place & 1 == 1 { word } else { "" }.to_owned()
            });
            let bare = read(&seen);
            if bare.verdict != Verdict::Refused(Refusal::Empty)
                && reading.verdict != Verdict::Refused(Refusal::Undecidable)
            {
                assert!(severity(&reading) >= severity(&bare), "{text} is {reading:?}, but {seen} is {bare:?}");
            }
        }
    }
}

fn severity(reading: &Reading) -> (u8, bool) {
    let verdict = match reading.verdict {
        Verdict::Plain => 0,
        Verdict::Bracketed => 1,
        Verdict::Refused(_) => 2,
    };
    (verdict, reading.touches == Touches::Session)
}

/// Texts as long as a packet may be are read in linear time: ten times quadratic would be days, linear is well under the
/// generous limit, which a debug build on a busy machine keeps.
#[test]
fn s85_long_and_deep_texts_are_read_in_linear_time() {
    for piece in
        ["(", "'", "a", "a ", "/*", "/*! */", "-- \n", "--", "@", "`", "\\", ";", "*/", "é", "SET @a=1,", "/*!'"]
    {
        for opening in ["", "SELECT ", "SELECT '", "/*! ", "SET @a = "] {
            let text = opening.to_owned() + &piece.repeat(1_000_000 / piece.len());
            let started = Instant::now();
            let _ = read(&text);
            assert!(started.elapsed() < Duration::from_secs(10), "{opening}{piece}{piece}…");
        }
    }
}
