//! A running server: what it answers, which options hold, and databases on it.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use ephemeral_mysql::{DATABASE_PREFIX, Error, Flavour, Profile, Server};
use mysql::prelude::Queryable;
use mysql::{Conn, Opts, OptsBuilder};

use crate::support::{FLAVOUR, Scratch, builder, directory, is_gone, shared};

fn variable(server: &Server, name: &str) -> String {
    let row = server.conn().expect("it answers").query_first(format!("SHOW GLOBAL VARIABLES LIKE '{name}'"));
    let (_, value): (String, String) = row.expect("it answers").expect("the variable exists");
    value
}

#[test]
fn it_starts_and_answers_on_port_and_socket() {
    let server = builder().start().expect("a server starts");
    let by_url = Conn::new(Opts::from_url(&server.url("mysql")).expect("the URL is one")).expect("it answers");
    let by_socket = OptsBuilder::new().user(Some("root")).socket(server.socket().to_str());
    for mut conn in [by_url, Conn::new(by_socket).expect("it answers"), server.conn().expect("it answers")] {
        let (version, port): (String, u16) =
            conn.query_first("SELECT VERSION(), @@port").expect("it answers").expect("one row");
        assert_eq!((version.as_str(), port), (server.version(), server.port()));
    }
    assert_eq!(server.flavour(), FLAVOUR);
    assert_eq!(server.version().contains("MariaDB"), FLAVOUR == Flavour::MariaDb, "{}", server.version());
    assert!(server.log().contains("ready for connections"), "{}", server.log());
    let pid_file = std::fs::read_to_string(variable(&server, "pid_file")).expect("the server wrote its process id");
    assert_eq!(pid_file.trim(), server.pid().to_string());
}

#[test]
fn the_fast_profile_flushes_nothing() {
    let server = builder().start().expect("a server starts");
    let expected = [("innodb_flush_log_at_trx_commit", "0"), ("innodb_doublewrite", "OFF"), ("log_bin", "OFF")];
    for (name, value) in expected {
        assert_eq!(variable(&server, name), value, "{name}");
    }
}

#[test]
fn the_durable_profile_flushes_everything_to_a_disk() {
    let server = builder().profile(Profile::Durable).start().expect("a server starts");
    let expected = [
        ("innodb_flush_log_at_trx_commit", "1"),
        ("innodb_doublewrite", "ON"),
        ("log_bin", "ON"),
        ("sync_binlog", "1"),
    ];
    for (name, value) in expected {
        assert_eq!(variable(&server, name), value, "{name}");
    }
    assert!(!server.socket().starts_with("/dev/shm"), "{:?}", server.socket());
}

#[test]
fn options_of_the_user_win_over_the_profile_and_earlier_ones() {
    let server = builder()
        .option("innodb_flush_log_at_trx_commit", "2")
        .option("innodb_lock_wait_timeout", "7")
        .option("innodb-lock-wait-timeout", "8")
        .start()
        .expect("a server starts");
    assert_eq!(variable(&server, "innodb_flush_log_at_trx_commit"), "2");
    assert_eq!(variable(&server, "innodb_lock_wait_timeout"), "8");
}

#[test]
fn a_server_that_does_not_come_up_shows_its_log_and_leaves_nothing() {
    let scratch = Scratch::new("refused");
    let started = builder().option("no_such_option", "1").directory(scratch.path()).start();
    let error = started.expect_err("an unknown option is refused");
    assert!(matches!(&error, Error::Startup { .. }), "{error}");
    assert!(error.to_string().contains("unknown variable 'no_such_option=1'"), "{error}");
    assert_eq!(std::fs::read_dir(scratch.path()).expect("it exists").count(), 0);
    assert!(is_gone(&scratch.path().join("ephemeral-mysql-run")));
}

#[test]
fn a_path_too_long_for_a_socket_is_refused_with_the_reason() {
    let scratch = Scratch::new("long");
    let long = scratch.path().join("x".repeat(100));
    std::fs::create_dir(&long).expect("it can be made");
    let error = builder().directory(&long).start().expect_err("no socket can be made there");
    assert!(error.to_string().contains("Builder::directory"), "{error}");
}

#[test]
fn the_directory_can_be_chosen() {
    let scratch = Scratch::new("chosen");
    let server = builder().directory(scratch.path()).start().expect("a server starts");
    assert_eq!(directory(&server).parent(), Some(scratch.path()));
    assert!(Path::new(&variable(&server, "datadir")).starts_with(directory(&server)));
}

#[test]
fn servers_know_nothing_of_each_other() {
    let servers: Vec<_> = thread::scope(|scope| {
        let starting: Vec<_> = (0..4).map(|_| scope.spawn(|| builder().start())).collect();
        starting.into_iter().map(|start| start.join().expect("no panic").expect("a server starts")).collect()
    });
    for server in &servers {
        let mut conn = server.conn().expect("it answers");
        conn.query_drop("CREATE DATABASE only_here").expect("nobody else made that database here");
    }
    let ports: BTreeSet<_> = servers.iter().map(Server::port).collect();
    assert_eq!(ports.len(), servers.len());
}

#[test]
fn databases_are_separate_and_dropped() {
    let (one, other) = (shared().database(), shared().database());
    assert_ne!(one.name(), other.name());
    assert!(one.name().starts_with(DATABASE_PREFIX));
    for database in [&one, &other] {
        database.conn().query_drop("CREATE TABLE t (id INT)").expect("each has its own tables");
    }
    let name = other.name().to_owned();
    drop(other);
    let mut conn = Conn::new(Opts::from_url(&one.url()).expect("the URL is one")).expect("it answers");
    let left: Vec<String> = conn.query("SHOW DATABASES").expect("it answers");
    assert!(left.iter().any(|found| found == one.name()) && !left.contains(&name), "{left:?}");
}

#[test]
fn a_database_is_dropped_although_a_transaction_is_open_in_it() {
    let database = shared().database();
    let name = database.name().to_owned();
    let mut open = database.conn();
    open.query_drop("CREATE TABLE t (id INT)").expect("it answers");
    open.query_drop("BEGIN").and_then(|()| open.query_drop("INSERT INTO t VALUES (1)")).expect("it answers");
    drop(database);
    let left: Vec<String> = shared().conn().expect("it answers").query("SHOW DATABASES").expect("it answers");
    assert!(!left.contains(&name), "{left:?}");
    open.query_drop("SELECT 1").expect_err("its connection was closed");
}

#[test]
fn a_database_may_outlive_its_server() {
    let server = builder().start().expect("a server starts");
    let (stopped, gone) = (server.database(), server.database());
    server.stop().expect("it stops");
    drop(stopped);
    drop(server);
    drop(gone);
}
