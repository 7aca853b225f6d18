//! Kill, stop, restart and pause: what survives, and what clients see.

use std::time::Duration;

use ephemeral_mysql::{Profile, Server};
use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder};

use crate::support::{builder, directory};

fn insert(conn: &mut Conn, id: u32) {
    conn.exec_drop("INSERT INTO kept.t VALUES (?)", (id,)).expect("it answers");
}

fn with_table(server: &Server) -> Conn {
    let mut conn = server.conn().expect("it answers");
    conn.query_drop("CREATE DATABASE kept").expect("it answers");
    conn.query_drop("CREATE TABLE kept.t (id INT PRIMARY KEY) ENGINE = InnoDB").expect("it answers");
    conn
}

fn rows(server: &Server) -> Vec<u32> {
    server.conn().expect("it answers").query("SELECT id FROM kept.t ORDER BY id").expect("it answers")
}

#[test]
fn kill_and_restart_keep_what_was_committed_and_nothing_else() {
    let server = builder().profile(Profile::Durable).start().expect("a server starts");
    let (port, socket, pid) = (server.port(), server.socket().to_owned(), server.pid());
    let mut conn = with_table(&server);
    insert(&mut conn, 1);
    conn.query_drop("BEGIN").expect("it answers");
    insert(&mut conn, 2);
    server.kill();
    conn.query_drop("COMMIT").expect_err("the server is dead");
    server.conn().expect_err("the server is dead");
    assert_eq!(server.pid(), pid, "the last process is still known");
    server.kill();
    server.restart().expect("it comes up again");
    assert_eq!((server.port(), server.socket()), (port, socket.as_path()));
    assert_ne!(server.pid(), pid);
    assert_eq!(rows(&server), [1]);
}

#[test]
fn a_clean_stop_keeps_data_in_the_fast_profile_too() {
    let server = builder().start().expect("a server starts");
    insert(&mut with_table(&server), 1);
    server.stop().expect("it stops");
    assert!(server.log().contains("Shutdown complete"), "{}", server.log());
    assert!(directory(&server).is_dir());
    server.conn().expect_err("it is stopped");
    server.restart().expect("it comes up again");
    assert_eq!(rows(&server), [1]);
}

#[test]
fn restart_stops_a_running_server_first() {
    let server = builder().start().expect("a server starts");
    insert(&mut with_table(&server), 1);
    server.pause();
    server.restart().expect("even a paused one");
    assert_eq!(rows(&server), [1]);
}

#[test]
fn it_can_be_restarted_again_and_again() {
    // Commits are handed to the operating system, which survives; the profile alone may lose the last second's.
    let server = builder().option("innodb_flush_log_at_trx_commit", "2").start().expect("a server starts");
    let mut conn = with_table(&server);
    for round in 0..5 {
        insert(&mut conn, round);
        server.kill();
        server.restart().expect("it comes up again");
        conn = server.conn().expect("it answers");
    }
    assert_eq!(rows(&server), [0, 1, 2, 3, 4]);
}

#[test]
fn a_paused_server_keeps_connections_but_answers_nobody() {
    let server = builder().start().expect("a server starts");
    let mut before = server.conn().expect("it answers");
    let opts = OptsBuilder::new().tcp_port(server.port()).user(Some("root")).prefer_socket(false);
    server.pause();
    Conn::new(opts.read_timeout(Some(Duration::from_millis(200)))).expect_err("nobody answers");
    server.resume();
    before.query_drop("SELECT 1").expect("the connection is as it was");
}

#[test]
fn what_is_not_running_cannot_be_paused() {
    let server = builder().start().expect("a server starts");
    server.kill();
    std::panic::catch_unwind(|| server.pause()).expect_err("there is nothing to pause");
    std::panic::catch_unwind(|| server.resume()).expect_err("there is nothing to resume");
}
