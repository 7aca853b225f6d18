//! The program as a user runs it: its figures, its exit codes, what it says when it cannot run, and what it leaves behind.

use std::net::TcpListener;
use std::process::{Command, Output};

use ephemeral_mysql::{Server, shared};
use mysql::prelude::Queryable;
use serde_json::Value;
use unit_of_work::mysql;

const SECRET: &str = "correct-horse-battery";

fn quickstart(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    command.args(arguments).env_remove("UNIT_OF_WORK_URL").env("RUST_BACKTRACE", "1");
    command
}

fn run(arguments: &[&str]) -> Output {
    quickstart(arguments).output().expect("the program can be started")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("the program writes UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("the program writes UTF-8")
}

/// The rows of a run with `--json` that must have gone well.
fn rows(output: &Output) -> Vec<Value> {
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(output), stderr(output));
    let rows: Value =
        serde_json::from_slice(&output.stdout).expect("standard output is one JSON document and nothing else");
    rows.as_array().expect("the document is an array").clone()
}

fn number(row: &Value, key: &str) -> i64 {
    row[key].as_i64().unwrap_or_else(|| panic!("`{key}` is a whole number: {row}"))
}

fn find<'r>(rows: &'r [Value], way: &str, level: &str, snapshot_isolation: bool) -> &'r Value {
    rows.iter()
        .find(|row| row["way"] == way && row["level"] == level && row["snapshot_isolation"] == snapshot_isolation)
        .unwrap_or_else(|| panic!("no row for {way} at {level}, snapshot isolation {snapshot_isolation}: {rows:?}"))
}

fn assert_is_row_of(row: &Value, units: i64) {
    let mut keys: Vec<_> = row.as_object().expect("a row is an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected =
        ["acknowledged", "gave_up", "got", "level", "lost", "retries", "snapshot_isolation", "units_per_s", "way"];
    assert_eq!(keys, expected);
    assert_eq!(number(row, "acknowledged") + number(row, "gave_up"), units, "{row}");
    assert_eq!(number(row, "lost"), number(row, "acknowledged") - number(row, "got"), "{row}");
    assert!(number(row, "retries") >= 0, "{row}");
    assert!(row["units_per_s"].as_f64().is_some_and(|rate| rate > 0.0), "{row}");
}

/// The message of a run that must have failed: for people, without a panic, without the password.
fn refusal(output: &Output) -> String {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(stdout(output), "");
    assert!(said.starts_with("error: ") && !said.contains("panicked") && !said.contains("backtrace"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    said
}

fn databases_of_ours(conn: &mut mysql::Conn) -> Vec<String> {
    conn.query("SHOW DATABASES LIKE 'unit\\_of\\_work\\_%'").expect("databases can be listed")
}

/// A server of its own, with a user who has a password and may do nothing outside of databases with our prefix.
fn users_server() -> (Server, String) {
    let server = Server::start().expect("a private server starts");
    let mut conn = server.conn().expect("the server answers");
    conn.query_drop(format!("CREATE USER app@'127.0.0.1' IDENTIFIED BY '{SECRET}'")).expect("a user can be made");
    conn.query_drop("GRANT ALL ON `unit\\_of\\_work\\_%`.* TO app@'127.0.0.1'").expect("privileges can be given");
    let url = format!("mysql://app:{SECRET}@127.0.0.1:{}", server.port());
    (server, url)
}

#[test]
fn what_isolation_promises_is_seen_in_the_figures() {
    let rows = rows(&run(&["--json", "--threads", "4", "--rounds", "50"]));
    assert_eq!(rows.len(), 7, "{rows:?}");
    for row in &rows {
        assert_is_row_of(row, 200);
    }
    let lost = |way, level, snapshot| number(find(&rows, way, level, snapshot), "lost");
    let serializable = find(&rows, "read-add-write", "serializable", false);
    assert_eq!((number(serializable, "lost"), number(serializable, "gave_up")), (0, 0), "{serializable}");
    assert_eq!(lost("in-place", "repeatable read", false), 0);
    assert_eq!(lost("for-update", "repeatable read", false), 0);
    assert_eq!(lost("read-add-write", "repeatable read", true), 0);
    for level in ["read uncommitted", "read committed", "repeatable read"] {
        assert!(lost("read-add-write", level, false) > 0, "nothing was lost at {level}: {rows:?}");
    }
}

#[test]
fn a_person_gets_a_table_and_a_paragraph() {
    let output = run(&["--threads", "4", "--rounds", "50"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("\nway "), "{text}");
    assert!(text.contains("lost: acknowledged - got"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("read-add-write  ")).count(), 5, "{text}");
    assert!(text.contains("4 threads added 1 to one counter 50 times each"), "{text}");
    assert_eq!(stderr(&output), "", "no progress bar where there is no terminal");
}

#[test]
fn a_server_of_the_users_is_left_as_it_was() {
    let (server, url) = users_server();
    let mut conn = server.conn().expect("the server answers");
    for (setting, on) in [("ON", true), ("OFF", false)] {
        conn.query_drop(format!("SET GLOBAL innodb_snapshot_isolation = {setting}")).expect("root may set it");
        let output = quickstart(&["--json", "--threads", "2", "--rounds", "5"])
            .env("UNIT_OF_WORK_URL", &url)
            .output()
            .expect("starts");
        let rows = rows(&output);
        assert_eq!(rows.len(), 6, "{rows:?}");
        for row in &rows {
            assert_is_row_of(row, 10);
        }
        find(&rows, "read-add-write", "repeatable read", on);
        assert!(stderr(&output).starts_with("Left out: read-add-write at repeatable read"), "{}", stderr(&output));
        let now: Option<bool> = conn.query_first("SELECT @@GLOBAL.innodb_snapshot_isolation").expect("it can be read");
        assert_eq!(now, Some(on));
        assert_eq!(databases_of_ours(&mut conn), Vec::<String>::new());
    }
}

#[test]
fn a_database_in_the_url_is_not_used() {
    let theirs = shared().database();
    theirs.conn().query_drop("CREATE TABLE counter (id INT PRIMARY KEY, n INT)").expect("a table can be made");
    rows(&run(&["--json", "--threads", "2", "--rounds", "5", "--url", &theirs.url()]));
    let rows: Option<u64> =
        theirs.conn().query_first("SELECT COUNT(*) FROM counter").expect("the table is still there");
    assert_eq!(rows, Some(0));
}

#[test]
fn a_url_that_is_none_is_explained() {
    let said = refusal(&run(&["--url", &format!("postgres://app:{SECRET}@127.0.0.1/bank")]));
    assert!(said.contains("mysql://user:password@host:3306/database"), "{said}");
    refusal(&run(&["--url", "not a URL"]));
    refusal(&run(&["--url", ""]));
}

#[test]
fn a_port_where_nobody_listens_is_named_as_the_reason() {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("there is a free port").port();
    let said = refusal(&run(&["--url", &format!("mysql://app:{SECRET}@127.0.0.1:{port}")]));
    assert!(said.contains(&format!("127.0.0.1:{port}")) && said.contains("refused"), "{said}");
}

#[test]
fn a_wrong_password_user_or_database_is_the_servers_word() {
    let (server, url) = users_server();
    let port = server.port();
    let wrong_password = refusal(&run(&["--url", &format!("mysql://app:{SECRET}-not@127.0.0.1:{port}")]));
    assert!(wrong_password.contains("Access denied for user 'app'"), "{wrong_password}");
    let unknown_user = refusal(&run(&["--url", &format!("mysql://nobody:{SECRET}@127.0.0.1:{port}")]));
    assert!(unknown_user.contains("Access denied for user 'nobody'"), "{unknown_user}");
    let missing_database = refusal(&run(&["--url", &format!("mysql://root@127.0.0.1:{port}/missing")]));
    assert!(missing_database.contains("Unknown database 'missing'"), "{missing_database}");
    let mut conn = server.conn().expect("the server answers");
    conn.query_drop("REVOKE ALL ON `unit\\_of\\_work\\_%`.* FROM app@'127.0.0.1'").expect("privileges can be taken");
    let may_not_create = refusal(&run(&["--url", &url]));
    assert!(may_not_create.contains("Access denied for user 'app'"), "{may_not_create}");
}

#[test]
fn help_explains_and_keeps_the_password_to_itself() {
    let url = format!("mysql://app:{SECRET}@127.0.0.1");
    let output = quickstart(&["--help"]).env("UNIT_OF_WORK_URL", url).output().expect("the program can be started");
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    for flag in ["--threads", "--rounds", "--url", "--json", "UNIT_OF_WORK_URL"] {
        assert!(text.contains(flag), "{text}");
    }
    assert!(!text.contains(SECRET), "{text}");
}

#[test]
fn figures_out_of_range_are_refused() {
    for arguments in [["--threads", "0"], ["--threads", "129"], ["--rounds", "0"], ["--rounds", "many"]] {
        let said = refusal(&run(&arguments));
        assert!(said.contains(arguments[0]), "{said}");
    }
}
