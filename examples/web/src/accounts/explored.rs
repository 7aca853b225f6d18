//! The transfer, failed at each of its round trips in each way, on a real server: it happens once, or not at all and the client is
//! told so.

use ephemeral_mysql::shared;
use unit_of_work::testing::{Exploration, explore};
use unit_of_work::{Database, Error};

use super::{Made, Transfer, transfer};
use crate::bank;

const ORDER: Transfer = Transfer { from: 1, to: 2, amount: 40 };

type Moved = (Option<String>, u64, u64, u64);

/// Balances and transfers; not the numbers of these, which attempts that were rolled back use up.
fn rows(db: &Database) -> Result<(Vec<u64>, Vec<Moved>), Error> {
    db.session(|session| {
        let balances = session.query("SELECT balance FROM account ORDER BY id")?;
        let moved = "SELECT idempotency_key, from_account, to_account, amount FROM transfer ORDER BY id";
        Ok((balances, session.query(moved)?))
    })
}

/// With another client that takes money from the same account while an attempt has failed.
fn explored(earlier: &str) -> Exploration {
    let home = shared().database();
    explore(Database::builder().url(home.url()))
        .set_up(|db| {
            bank::create_tables(db)?;
            db.session(|session| {
                session.query_drop("TRUNCATE transfer")?;
                session.query_drop("REPLACE INTO account VALUES (1, 'Ada', 100), (2, 'Grace', 100)")?;
                session.query_drop(earlier)
            })
        })
        .rival(|db| db.session(|session| session.query_drop("UPDATE account SET balance = balance - 70 WHERE id = 1")))
        .observe(rows)
        .run(|_db| transfer(&ORDER, Some("key")).map(|made| matches!(made, Made::Now(_))))
        .expect("the server is there")
}

#[test]
fn a_transfer_happens_once_whatever_fails() {
    explored("DO 1").assert_sound();
}

#[test]
fn one_that_was_made_before_is_not_made_again_whatever_fails() {
    let earlier = "INSERT INTO transfer (idempotency_key, from_account, to_account, amount) VALUES ('key', 1, 2, 40)";
    explored(earlier).assert_sound();
}
