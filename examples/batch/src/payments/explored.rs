//! A chunk, failed at each of its round trips in each way, on a real server: all of it is posted once, with one line of audit, and
//! counted once as progress, or nothing of it is.

use ephemeral_mysql::Server;
use indicatif::ProgressBar;
use unit_of_work::testing::{WAYS, Way, explore};
use unit_of_work::{Database, Error};

use super::{Payment, post};
use crate::ledger;
use crate::source::{Chunk, Row};

fn row(line: u64, amount: u64) -> Row {
    let payment = Payment { id: line, from: 1, to: 2, amount };
    Row { line, text: format!("{line},1,2,{amount}"), payment: Ok(payment) }
}

fn set_up(db: &Database, progress: &ProgressBar) -> Result<(), Error> {
    ledger::create_tables(db)?;
    progress.set_position(0);
    db.session(|session| {
        ["payment", "audit"].iter().try_for_each(|table| session.query_drop(format!("TRUNCATE {table}")))?;
        session.query_drop("REPLACE INTO account VALUES (1, 100), (2, 100)")
    })
}

type Rows = (Vec<(u64, u64)>, Vec<u64>, Vec<(u64, u64)>);

fn rows(db: &Database) -> Result<Rows, Error> {
    db.session(|session| {
        let accounts = session.query("SELECT id, balance FROM account ORDER BY id")?;
        let payments = session.query("SELECT id FROM payment ORDER BY id")?;
        Ok((accounts, payments, session.query("SELECT payments, amount FROM audit")?))
    })
}

#[test]
fn a_chunk_is_posted_once_whatever_fails() {
    let server = Server::start().expect("a private server starts");
    let home = server.database();
    let progress = ProgressBar::hidden();
    // The second asks for more than there is: it is rejected alone.
    let chunk = Chunk { rows: vec![row(1, 60), row(2, 60), row(3, 40)], bytes: 30 };
    // Not a statement that is refused: the payment that it was for is rejected, which is meant.
    let ways = WAYS.into_iter().filter(|way| *way != Way::Refused(1317));
    explore(Database::builder().url(home.url()))
        .set_up(|db| set_up(db, &progress))
        .observe(rows)
        .effects(|| progress.position())
        .ways(ways)
        .run(|_db| post(&chunk, &progress).map(|posted| (posted.now, posted.before, posted.rejects.len())))
        .expect("the server is there")
        .assert_sound();
}
