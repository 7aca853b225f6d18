//! What the experiment's threads do to the database, in the ticket office's words: a show plays again and again, and a performance
//! has so many seats. Whoever sells counts the tickets that are sold, and sells one more if there is a seat; if not, the doors
//! close and the next performance is on sale. So it goes on for ever, and every performance that was ever oversold stays in the
//! rows. Decides the tables and what "a broken rule" is; how it is run is `experiment`.

use serde::Serialize;
use unit_of_work::{Database, Error, Isolation, Tx, UnitBuilder};

use super::settings::{Gate, Settings};

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// One ticket more.
    Sold,
    /// The performance was sold out.
    Closed,
}

/// What the rows say, all of them in one consistent read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Audit {
    pub(crate) tickets: u64,
    /// Performances that sold a ticket.
    pub(crate) performances: u64,
    /// Of these, how many sold more tickets than they have seats: the broken rules.
    pub(crate) oversold: u64,
    /// How many people have a ticket and no seat.
    pub(crate) without_seat: u64,
}

/// What a unit knows before it writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    show: u32,
    performance: u64,
    seats: u64,
    sold: u64,
}

/// A ticket has no number that the server counts up: no two units want the same row, only the same rule.
const TABLES: [&str; 3] = [
    "DROP TABLE IF EXISTS lab_ticket, lab_show",
    "CREATE TABLE lab_show (
        id INT UNSIGNED PRIMARY KEY,
        performance BIGINT UNSIGNED NOT NULL,
        seats INT UNSIGNED NOT NULL
    ) ENGINE = InnoDB",
    "CREATE TABLE lab_ticket (
        show_id INT UNSIGNED NOT NULL,
        performance BIGINT UNSIGNED NOT NULL,
        id BIGINT UNSIGNED NOT NULL,
        PRIMARY KEY (show_id, performance, id)
    ) ENGINE = InnoDB",
];

/// Everything that an earlier experiment left is gone, and the first performance of each show is on sale.
pub(crate) fn reset(db: &Database, settings: &Settings) -> Result<(), Error> {
    let shows: Vec<_> = (1..=settings.shows).map(|show| format!("({show}, 1, {})", settings.seats)).collect();
    db.session(|session| {
        TABLES.iter().try_for_each(|sql| session.query_drop(sql))?;
        session.query_drop(format!("INSERT INTO lab_show (id, performance, seats) VALUES {}", shows.join(", ")))
    })
}

/// The unit, as the settings want it; its body is [`look`], then [`act`].
pub(crate) fn unit(db: &Database, isolation: Isolation, gate: Gate) -> UnitBuilder<'_, unit_of_work::MySql> {
    db.unit(name(isolation)).isolation(isolation).admission(gate.admission())
}

/// A name for each level, so that the table of units does not show them under one.
pub(crate) const fn name(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::ReadUncommitted => "laboratory::sell (read uncommitted)",
        Isolation::ReadCommitted => "laboratory::sell (read committed)",
        Isolation::RepeatableRead => "laboratory::sell (repeatable read)",
        Isolation::Serializable => "laboratory::sell (serializable)",
    }
}

/// Reads across rows: which performance is on sale, and how many tickets it has sold.
pub(crate) fn look(tx: &mut Tx<'_>, show: u32) -> Result<Seen, Error> {
    let (performance, seats) = tx
        .exec_first("SELECT performance, seats FROM lab_show WHERE id = ?", (show,))?
        .expect("all shows were put there, and nobody deletes them");
    let sold = tx
        .exec_first("SELECT COUNT(*) FROM lab_ticket WHERE show_id = ? AND performance = ?", (show, performance))?
        .expect("a count is one row");
    Ok(Seen { show, performance, seats, sold })
}

/// Writes what is right if nothing has changed since [`look`]: that is what isolation is for.
pub(crate) fn act(tx: &mut Tx<'_>, seen: Seen) -> Result<Done, Error> {
    let Seen { show, performance, seats, sold } = seen;
    if sold < seats {
        let ticket = (show, performance, fastrand::u64(..));
        tx.exec_drop("INSERT INTO lab_ticket (show_id, performance, id) VALUES (?, ?, ?)", ticket)?;
        return Ok(Done::Sold);
    }
    let sql = "UPDATE lab_show SET performance = performance + 1 WHERE id = ? AND performance = ?";
    tx.exec_drop(sql, (show, performance))?;
    Ok(Done::Closed)
}

/// Counts the broken rules: one statement, and so one read view, that takes no lock and asks none of the sellers.
pub(crate) fn audit(db: &Database) -> Result<Audit, Error> {
    let sql = "SELECT CAST(COALESCE(SUM(sold), 0) AS UNSIGNED), COUNT(*),
                      CAST(COALESCE(SUM(sold > seats), 0) AS UNSIGNED),
                      CAST(COALESCE(SUM(IF(sold > seats, sold - seats, 0)), 0) AS UNSIGNED)
               FROM (SELECT show_id, COUNT(*) AS sold FROM lab_ticket GROUP BY show_id, performance) AS performance
               JOIN lab_show ON lab_show.id = performance.show_id";
    let unit = db.unit("laboratory::audit").isolation(Isolation::RepeatableRead).read_only();
    let (tickets, performances, oversold, without_seat) =
        unit.run::<_, Error>(|tx| tx.query_first(sql))?.expect("sums are one row");
    Ok(Audit { tickets, performances, oversold, without_seat })
}
