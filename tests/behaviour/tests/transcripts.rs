//! The transcripts in `runtime/docs/errors.md`: what a newcomer's first failing unit prints. Each is made here and compared with the
//! page, so that neither can change alone; `UPDATE_EXPECT=1` writes the page anew.

use std::fmt::Write;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use expect_test::expect_file;
use unit_of_work::testing::{Reply, Script, VirtualClock};
use unit_of_work::{Database, Error, Tx, unit_of_work};

use crate::world::World;

const PAGE: &str = include_str!("../../../runtime/docs/errors.md");

#[unit_of_work(name = "bank::transfer")]
fn transfer(tx: &mut Tx<'_>, sql: &str) -> Result<(), Error> {
    tx.exec_drop(sql, ())
}

fn wrong_sql(world: &World) -> Error {
    let _entered = world.db.enter();
    transfer("UPDATE account SET balance = 0 WERE id = 1").expect_err("it is wrong")
}

fn missing_table(world: &World) -> Error {
    let _entered = world.db.enter();
    transfer("UPDATE acount SET balance = 0 WHERE id = 1").expect_err("it is missing")
}

fn no_database() -> Error {
    transfer("UPDATE account SET balance = 0").expect_err("nobody named one")
}

fn no_server() -> Error {
    Database::connect("mysql://app:secret@127.0.0.1:1/bank").expect_err("nobody listens there")
}

fn storm_of_deadlocks() -> Error {
    let server = Script::new();
    server.always("UPDATE", Reply::deadlock());
    let clock = VirtualClock::new();
    let db = Database::builder().script(&server).clock(clock).connect().expect("a scripted server");
    let _entered = db.enter();
    transfer("UPDATE account SET balance = balance + 1 WHERE id = 1").expect_err("it never wins")
}

#[unit_of_work(name = "bank::send_statements")]
fn send_statements(_tx: &mut Tx<'_>, both: &Barrier) -> Result<(), Error> {
    both.wait();
    both.wait();
    Ok(())
}

fn pool_exhausted() -> Error {
    let (server, both) = (Script::new(), Barrier::new(2));
    let builder = Database::builder().script(&server).max_connections(1).acquire_timeout(Duration::from_millis(20));
    let db = builder.connect().expect("a scripted server");
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = db.enter();
            send_statements(&both).expect("it has the connection");
        });
        both.wait();
        let _entered = db.enter();
        let error = transfer("UPDATE account SET balance = 0").expect_err("there is no other");
        both.wait();
        error
    })
}

/// As a program prints it whose `main` returns it; what differs from run to run is as in the page.
fn printed(error: &Error, names: &[(&str, &str)]) -> String {
    let mut text = format!("Error: {error:?}");
    for (found, shown) in names {
        text = text.replace(found, shown);
    }
    let text = steady(&text, "tests/behaviour/tests/transcripts.rs:", "src/bank.rs:12");
    // Times and counts.
    let words: Vec<String> = text.split(' ').map(time).collect();
    let text = words.join(" ");
    match text.split_once(" attempts in ") {
        Some((before, after)) => {
            let (before, _count) = before.rsplit_once(' ').expect("there is a number");
            format!("{before} 85 attempts in {after}")
        }
        None => text,
    }
}

/// A place in this file is one in the newcomer's.
fn steady(text: &str, file: &str, shown: &str) -> String {
    let mut parts = text.split(file);
    let mut steady = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let _always = write!(steady, "{shown}{rest}");
    }
    steady
}

/// `17.3ms` is 20 ms, `9.8s` is 10 s.
fn time(word: &str) -> String {
    let number = word.trim_start_matches(|digit: char| digit.is_ascii_digit() || digit == '.');
    match (number.len() < word.len(), number) {
        (true, rest) if rest.starts_with("ms") => format!("20.0{rest}"),
        (true, rest) if rest.starts_with('s') => format!("10.0{rest}"),
        _ => word.to_owned(),
    }
}

#[test]
fn the_page_shows_what_is_printed() {
    let world = World::with_accounts(1..=1);
    let names = [(world.name(), "bank"), ("your MySQL server version", "your MariaDB server version")];
    let transcripts = [
        ("# Wrong SQL", wrong_sql(&world)),
        ("# A table that is not there", missing_table(&world)),
        ("# No database", no_database()),
        ("# No server", no_server()),
        ("# A storm of deadlocks", storm_of_deadlocks()),
        ("# No free connection", pool_exhausted()),
    ];
    let mut page = PAGE.to_owned();
    for (heading, error) in transcripts {
        let printed = printed(&error, &names);
        assert!(!printed.contains("secret"), "{printed}");
        let section = page.find(heading).unwrap_or_else(|| panic!("the page has no {heading}"));
        let begin = section + page[section..].find("```text\n").expect("it has a transcript") + "```text\n".len();
        let end = begin + page[begin..].find("\n```").expect("it ends");
        page.replace_range(begin..end, &folded(&printed));
    }
    expect_file!["../../../runtime/docs/errors.md"].assert_eq(&page);
}

/// In lines that fit on a page.
fn folded(text: &str) -> String {
    let (mut folded, mut length) = (String::new(), 0);
    for word in text.split(' ') {
        if length + word.len() > 100 {
            folded.push_str("\n  ");
            length = 2;
        } else if length > 0 {
            folded.push(' ');
        }
        folded.push_str(word);
        length += word.len() + 1;
    }
    folded
}
