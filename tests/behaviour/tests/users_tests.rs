//! `#[unit_of_work::test]`: what a user's test is given, that tests do not meet, and what is printed of one that fails. Those that
//! fail do so on purpose, when this binary calls itself.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, ErrorKind, Tx, unit_of_work};

use crate::server::shared;
use crate::world::{Trouble, until};

const SCHEMA: &str = "
    -- who has what; and nothing else
    CREATE TABLE account (id BIGINT PRIMARY KEY, note VARCHAR(20) DEFAULT ';');
    INSERT INTO account (id) VALUES (1);
";

fn url() -> String {
    shared().url("")
}

fn fill(db: &Database) {
    db.unit("fill")
        .run::<_, Error>(|tx| tx.query_drop("INSERT INTO account (id) VALUES (2)"))
        .expect("the table is there");
}

#[unit_of_work]
fn open(tx: &mut Tx<'_>, id: u64, note: &str) -> Result<u64, Trouble> {
    tx.exec_drop("INSERT INTO account VALUES (?, ?)", (id, note))?;
    Ok(tx.query_first("SELECT COUNT(*) FROM account")?.expect("a row"))
}

fn database(db: &Database) -> String {
    let name = db.unit("which").run::<Option<String>, Error>(|tx| tx.query_first("SELECT DATABASE()"));
    name.expect("it is there").expect("a name")
}

#[unit_of_work::test(url = url(), schema = SCHEMA)]
fn a_test_has_a_database_of_its_own(db: &Database) -> Result<(), Trouble> {
    assert!(database(db).starts_with(&format!("unit_of_work_test_{}_", std::process::id())), "{}", database(db));
    assert_eq!(open(2, "mine")?, 2);
    Ok(())
}

#[unit_of_work::test(url = url(), schema = SCHEMA, setup = fill)]
fn and_it_is_set_up_as_declared(db: &Database) -> Result<(), Trouble> {
    assert!(open(2, "there already").is_err(), "{db:?}");
    assert_eq!(open(3, "mine")?, 3);
    Ok(())
}

#[unit_of_work::test(url = url())]
fn who_takes_none_has_one_all_the_same() {
    let sum = unit_of_work::mysql::Opts::from_url(&url()).expect("a URL");
    assert!(sum.get_tcp_port() > 0);
    let two = one_and_one().expect("a database is entered");
    assert_eq!(two, 2);
}

#[unit_of_work]
fn one_and_one(tx: &mut Tx<'_>) -> Result<u64, Error> {
    Ok(tx.query_first("SELECT 1 + 1")?.expect("a row"))
}

/// Looks at its own row only: sandboxes share the table, and what is read stays locked.
#[unit_of_work]
fn open_in_a_sandbox(tx: &mut Tx<'_>, id: u64, note: &str) -> Result<u64, Trouble> {
    tx.exec_drop("INSERT INTO account VALUES (?, ?)", (id, note))?;
    Ok(tx.exec_first("SELECT COUNT(*) FROM account WHERE id = ?", (id,))?.expect("a row"))
}

#[unit_of_work::test(sandbox, url = url(), schema = SCHEMA)]
fn one_in_a_sandbox(db: &Database) -> Result<(), Trouble> {
    assert_eq!(open_in_a_sandbox(2, "mine")?, 1);
    assert!(db.session(|session| session.query_drop("DO 1")).is_err(), "{}", database(db));
    Ok(())
}

#[unit_of_work::test(sandbox, url = url(), schema = SCHEMA)]
fn another_in_a_sandbox_has_a_row_of_its_own() -> Result<(), Trouble> {
    assert_eq!(open_in_a_sandbox(3, "mine")?, 1);
    Ok(())
}

/// Of a set-up that no other test has, because one of these tests spoils its database.
fn in_a_spoiled_sandbox(test: impl FnOnce(&Database)) {
    let spoiled = "CREATE TABLE account (id BIGINT PRIMARY KEY); CREATE PROCEDURE commits() COMMIT;";
    unit_of_work::__private::Test::new().sandbox().url(url()).schema(spoiled).run(test);
}

/// As long as one of its tests runs, the next ones share its database; but not what a procedure has committed there.
#[test]
fn a_sandbox_that_was_committed_is_nobody_elses() {
    in_a_spoiled_sandbox(|first| {
        in_a_spoiled_sandbox(|db| {
            assert_eq!(database(db), database(first));
            let fill = db.unit("before").run::<_, Error>(|tx| tx.query_drop("INSERT INTO account VALUES (1)"));
            fill.expect("it is part of the sandbox");
            let torn = db.unit("torn").run::<_, Error>(|tx| tx.query_drop("CALL commits()"));
            assert_eq!(torn.expect_err("it commits").kind(), ErrorKind::ImplicitCommit);
        });
        in_a_spoiled_sandbox(|db| {
            let rows = db.unit("look").run::<_, Error>(|tx| tx.query_first::<u64, _>("SELECT COUNT(*) FROM account"));
            assert_eq!(rows.expect("the table is there"), Some(0), "what was committed is not seen");
            assert_ne!(database(db), database(first));
        });
    });
}

#[unit_of_work::test(url = url())]
#[should_panic(expected = "as it should")]
fn other_attributes_stay() {
    panic!("as it should");
}

/// Set by the tests below; what they call passes without it.
const ON_PURPOSE: &str = "BEHAVIOUR_FAILS_ON_PURPOSE";

fn on_purpose() -> bool {
    std::env::var_os(ON_PURPOSE).is_some()
}

#[unit_of_work::test(url = std::env::var(ON_PURPOSE).unwrap_or_else(|_| url()), schema = SCHEMA)]
fn returns_an_error_on_purpose(db: &Database) -> Result<(), Trouble> {
    open(1 + u64::from(!on_purpose()), "a secret note").map(drop)?;
    assert!(!on_purpose(), "{db:?}: the row was there");
    Ok(())
}

#[unit_of_work::test(sandbox, url = std::env::var(ON_PURPOSE).unwrap_or_else(|_| url()), schema = SCHEMA)]
fn panics_on_purpose() {
    let rows = open_in_a_sandbox(4, "a secret note").expect("the row fits");
    assert_eq!(rows, 1 + u64::from(on_purpose()), "on purpose");
}

fn run(test: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", &format!("users_tests::{test}")]).env(ON_PURPOSE, url());
    command.output().expect("it can be started")
}

/// What libtest prints of the test.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_statements_of_a_test_that_returns_an_error_are_shown_without_values() {
    let output = run("returns_an_error_on_purpose");
    let said = said(&output);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("what the test sent to the database, and what came of it:"), "{said}");
    assert!(
        said.contains(": INSERT INTO account VALUES (?, ?)  [integer, 13 bytes] -> 1062 (23000): Duplicate entry"),
        "{said}"
    );
    assert!(said.contains(": ROLLBACK AND NO CHAIN NO RELEASE -> OK"), "{said}");
    assert!(said.contains("unit `behaviour::users_tests::open` (tests/behaviour/tests/users_tests.rs:"), "{said}");
    assert!(said.contains("), attempt 1: the unit was rolled back\nError: Work("), "{said}");
    assert!(!said.contains("secret"), "{said}");
    assert!(!said.contains("CREATE TABLE"), "the set-up is not part of it\n{said}");
}

#[test]
fn so_are_those_of_one_that_panics_in_a_sandbox() {
    let output = run("panics_on_purpose");
    let said = said(&output);
    assert!(!output.status.success(), "{said}");
    for sent in [
        "SAVEPOINT unit_of_work_2",
        "SELECT COUNT(*) FROM account WHERE id = ?  [integer] -> 1 rows",
        "RELEASE SAVEPOINT unit_of_work_2",
    ] {
        assert!(said.contains(sent), "{sent}\n{said}");
    }
    assert!(said.contains("attempt 1: the unit was committed"), "{said}");
}

#[test]
fn no_database_of_a_test_is_left() {
    let mut child = Command::new(std::env::current_exe().expect("this program has a path"));
    let child = child.args(["users_tests::", "--skip", "no_database", "--skip", "the_statements", "--skip", "so_are"]);
    let child = child.args(["--skip", "what_killed_tests", "--skip", "the_servers_of_programs"]);
    let mut child = child.env(ON_PURPOSE, url()).stdout(Stdio::null()).spawn().expect("it can be started");
    let pid = child.id();
    let ended = child.wait().expect("it ends");
    assert!(!ended.success(), "two of them fail on purpose");
    let mut conn = shared().conn().expect("the server answers");
    let left: Vec<String> =
        conn.query(format!("SHOW DATABASES LIKE 'unit\\_of\\_work\\_test\\_{pid}\\_%'")).expect("it can be asked");
    assert_eq!(left, [] as [String; 0]);
}

/// Set by the test below.
const STAYS: &str = "BEHAVIOUR_STAYS_UNTIL_KILLED";

#[unit_of_work::test(url = std::env::var(ON_PURPOSE).unwrap_or_else(|_| url()))]
fn stays_until_killed_on_purpose(db: &Database) {
    if std::env::var_os(STAYS).is_some() {
        eprintln!("\nin {}", database(db));
        // Until its input ends, which is when it is killed.
        let _nothing = std::io::stdin().read_line(&mut String::new());
    }
}

#[test]
fn what_killed_tests_have_left_the_next_process_drops_and_nothing_that_is_in_use() {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    let stays = command.args(["--exact", "--nocapture", "users_tests::stays_until_killed_on_purpose"]);
    let stays = stays.env(ON_PURPOSE, url()).env(STAYS, "1").stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut stays = stays.stdout(Stdio::null()).spawn().expect("it can be started");
    let lines = BufReader::new(stays.stderr.take().expect("it is piped")).lines();
    let name = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("in ").map(str::to_owned));
    let name = name.expect("it says where it is");
    let mut conn = shared().conn().expect("the server answers");
    let mut is_there = || {
        let found: Option<String> = conn.query_first(format!("SHOW DATABASES LIKE '{name}'")).expect("it can be asked");
        found.is_some()
    };
    let another_comes = || said(&run("returns_an_error_on_purpose")).contains("Duplicate entry");
    assert!(another_comes(), "on this server");
    assert!(is_there(), "somebody uses {name}");
    stays.kill().expect("it runs");
    stays.wait().expect("it ends");
    // The server needs a moment to notice that the process is gone.
    until("what it left is dropped", || {
        assert!(another_comes(), "on this server");
        !is_there()
    });
}

/// The variable that programs read is none for tests: a shell may have it set for the application's own server.
#[test]
fn the_servers_of_programs_are_not_for_tests() {
    let asks = |variable: &str| {
        let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
        let command = command.args(["--exact", "--nocapture", "users_tests::goes_where_the_environment_says"]);
        let command = command.env_remove("UNIT_OF_WORK_TEST_URL").env_remove("UNIT_OF_WORK_URL").env(STAYS, "1");
        let output = command.env(variable, url()).output().expect("it can be started");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let tests = asks("UNIT_OF_WORK_TEST_URL");
    assert!(tests.contains(&format!("port {:?}", port())), "{tests}");
    let programs = asks("UNIT_OF_WORK_URL");
    assert!(!programs.contains(&format!("port {:?}", port())), "{programs}");
    // What it does instead hangs on the feature `ephemeral`, which is on when the whole workspace is tested.
    let refused = programs.contains("the test names no server: set the variable UNIT_OF_WORK_TEST_URL");
    let private = programs.contains("port ");
    assert!(refused || private, "{programs}");
}

fn port() -> u16 {
    unit_of_work::mysql::Opts::from_url(&url()).expect("a URL").get_tcp_port()
}

/// Says where it is, when the test above calls.
#[test]
fn goes_where_the_environment_says() {
    if std::env::var_os(STAYS).is_some() {
        unit_of_work::__private::Test::new().run(|db| {
            let port = db.unit("where").run::<u16, Error>(|tx| Ok(tx.query_first("SELECT @@port")?.expect("a row")));
            eprintln!("port {:?}", port.expect("it answers"));
        });
    }
}
