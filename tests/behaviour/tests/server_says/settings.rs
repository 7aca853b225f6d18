//! Settings of the server that would change what a transaction, a text or a connection is, and change nothing for a unit.

use unit_of_work::{Database, Error, ErrorKind, Tx};

use crate::server::{self, IN_TRANSACTION};
use crate::world::{Trouble, World};

/// Runs what matters most on a server with these options, as a user without special rights: `init_connect` spares others.
fn is_not_impressed_by(options: &[(&str, &str)]) {
    let mut builder = server::builder();
    for (name, value) in options {
        builder = builder.option(name, value);
    }
    let server = builder.start().unwrap_or_else(|error| panic!("{options:?}: {error}"));
    let world = World::on(&server, |builder| builder);
    world.make_accounts(1..=2);
    world.execute("CREATE USER plain@'127.0.0.1' IDENTIFIED BY 'plain'");
    world.execute(&format!("GRANT ALL ON `{}`.* TO plain@'127.0.0.1'", world.name()));
    world.execute("GRANT PROCESS ON *.* TO plain@'127.0.0.1'");
    if let Some(table) = server::TABLE_OF_TRANSACTIONS {
        world.execute(&format!("GRANT SELECT ON {table} TO plain@'127.0.0.1'"));
    }
    let url = world.url().replace("root@", "plain:plain@");
    let db = Database::connect(&url).unwrap_or_else(|error| panic!("{options:?}: {error}"));
    for round in 1..=2 {
        // The first round is on a connection as it was opened, the second on one that was reset.
        assert_text_arrives_whole(&db);
        commit_and_roll_back(&db);
        assert_eq!(world.balances(), [100 - 10 * round, 100 + 10 * round], "{options:?}");
        world.assert_clean(&db);
        db.session(|session| session.query_drop("SET @q = 1")).expect("a session");
    }
    let ended = db.session(|session| {
        session.query_drop("BEGIN; UPDATE account SET balance = balance; COMMIT")?;
        session.query_first::<u8, _>(format!("SELECT {IN_TRANSACTION}"))
    });
    assert_eq!(ended.expect("a session"), Some(0), "{options:?}: COMMIT by hand ends a transaction and does no more");
}

fn assert_text_arrives_whole(db: &Database) {
    let words = "back\\slash 'quote' 😀";
    // The length is told by the server: a text that is garbled on the way in and on the way out comes back whole.
    let said = db.unit("words").run::<_, Error>(|tx| tx.exec_first("SELECT ?, CHAR_LENGTH(?)", (words, words)));
    assert_eq!(said.expect("a unit"), Some((words.to_owned(), words.chars().count())));
}

fn commit_and_roll_back(db: &Database) {
    let transfer = |tx: &mut Tx<'_>| {
        tx.query_drop("UPDATE account SET balance = balance - 10 WHERE id = 1")?;
        tx.query_drop("UPDATE account SET balance = balance + 10 WHERE id = 2")
    };
    db.unit("transfer").run::<_, Error>(transfer).expect("a transfer");
    let taken_back = db.unit("taken back").run::<(), Trouble>(|tx| {
        transfer(tx)?;
        Err(Trouble::Refused("on second thoughts"))
    });
    assert!(matches!(taken_back, Err(Trouble::Refused(_))), "{taken_back:?}");
}

#[test]
fn s68_completion_type_and_autocommit_of_the_server_change_nothing() {
    is_not_impressed_by(&[("completion-type", "CHAIN"), ("autocommit", "1")]);
    is_not_impressed_by(&[("completion-type", "RELEASE"), ("autocommit", "0")]);
}

#[test]
fn s68_init_connect_changes_nothing() {
    let settings = "SET NAMES latin1; SET SESSION autocommit=1, completion_type=1, session_track_state_change=0; \
                    SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED, READ ONLY";
    is_not_impressed_by(&[("init-connect", settings)]);
}

/// A reset takes over what the server is set to by then, and with it how texts are read.
#[test]
fn s68_a_text_is_read_anew_after_a_reset() {
    let server = server::builder().start().unwrap_or_else(|error| panic!("{error}"));
    let world = World::on(&server, |builder| builder);
    let text = r"SELECT 'a\'; COMMIT; -- '";
    let read = || world.db.unit("texts").run::<_, Error>(|tx| tx.query_drop(text));
    read().expect("one string, in which a backslash escapes");
    let mode = "SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES'";
    world.db.session(|session| session.query_drop(mode)).expect("a session, reset afterwards");
    assert_eq!(read().expect_err("a second statement").kind(), ErrorKind::Refused);
}

#[test]
fn s68_no_backslash_escapes_changes_how_texts_are_read() {
    is_not_impressed_by(&[("sql-mode", "NO_BACKSLASH_ESCAPES")]);
    let server = server::builder().option("sql-mode", "NO_BACKSLASH_ESCAPES");
    let server = server.start().unwrap_or_else(|error| panic!("{error}"));
    let world = World::on(&server, |builder| builder);
    let unit = world.db.unit("texts").run::<_, Error>(|tx| {
        // With escapes this would be one unfinished string; without them it holds a second statement.
        let refused = tx.query_drop(r"SELECT 'a\'; COMMIT; -- '").expect_err("a second statement");
        assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
        tx.query_first::<String, _>(r"SELECT 'a\'")
    });
    assert_eq!(unit.expect("a backslash is a letter").as_deref(), Some(r"a\"));
}
