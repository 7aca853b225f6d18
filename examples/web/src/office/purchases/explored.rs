//! Buying, failed at each of its round trips in each way, on a real server: it happens once, or not at all and the client is told so.

use ephemeral_mysql::shared;
use unit_of_work::testing::{Exploration, explore};
use unit_of_work::{Database, Error};

use super::{Bought, PurchaseState, buy};
use crate::office::create_tables;

type Rows = (Vec<(u64, String, u32, String)>, Vec<String>, Vec<bool>);

/// Purchases, errands, and whether the hold lasts; not numbers, which attempts that were rolled back use up, nor times.
fn rows(db: &Database) -> Result<Rows, Error> {
    db.session(|session| {
        let purchases = session.query("SELECT hold, idempotency_key, amount, state FROM purchase ORDER BY id")?;
        let errands = session.query("SELECT errand FROM outbox ORDER BY id")?;
        Ok((purchases, errands, session.query("SELECT ends_at > '9999-01-01' FROM seat_hold ORDER BY id")?))
    })
}

const OFFICE: [&str; 5] = [
    "TRUNCATE purchase",
    "TRUNCATE outbox",
    "REPLACE INTO event (id, name, seat_rows, seats_per_row, quota, price) VALUES (1, 'Test', 1, 8, 8, 1000)",
    "REPLACE INTO seat_hold (id, event, customer, created_at, ends_at) VALUES
        (1, 1, 'ada@example.org', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 HOUR)",
    "REPLACE INTO held_seat (hold, seat_row, seat_number) VALUES (1, 0, 1), (1, 0, 2)",
];

/// With another client that gives the hold back while an attempt has failed.
fn explored(earlier: &str) -> Exploration {
    let home = shared().database();
    explore(Database::builder().url(home.url()))
        .set_up(|db| {
            create_tables(db)?;
            db.session(|session| {
                OFFICE.iter().try_for_each(|sql| session.query_drop(sql))?;
                session.query_drop(earlier)
            })
        })
        .rival(|db| db.session(|session| session.query_drop("UPDATE seat_hold SET ends_at = created_at WHERE id = 1")))
        .observe(rows)
        .run(|_db| buy(1, &"key".parse().expect("it is a key")).map(what))
        .expect("the server is there")
}

fn what(bought: Bought) -> (bool, u32, usize, PurchaseState) {
    match bought {
        Bought::Now(purchase) => (true, purchase.amount, purchase.seats.len(), purchase.state),
        Bought::Before(purchase) => (false, purchase.amount, purchase.seats.len(), purchase.state),
    }
}

#[test]
fn a_purchase_happens_once_whatever_fails() {
    explored("DO 1").assert_sound();
}

#[test]
fn one_that_was_made_before_is_not_made_again_whatever_fails() {
    explored("INSERT INTO purchase (hold, idempotency_key, amount, state) VALUES (1, 'key', 2000, 'paid')")
        .assert_sound();
}
