//! The tables, and the three events that a new office has. Nothing is ever deleted but done errands: a seat is taken while its hold
//! lasts, so that `audit` can say of each moment who had which seat.

use unit_of_work::{Database, Error};

pub(crate) const SCHEMA: [&str; 7] = [
    // Money is in cents everywhere. `quota`: how many may come in, with or without a seat.
    "CREATE TABLE IF NOT EXISTS event (
        id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
        name VARCHAR(100) CHARACTER SET utf8mb4 NOT NULL,
        seat_rows TINYINT UNSIGNED NOT NULL,
        seats_per_row TINYINT UNSIGNED NOT NULL,
        quota INT UNSIGNED NOT NULL,
        price INT UNSIGNED NOT NULL
    ) ENGINE = InnoDB",
    // Its seats are taken from `created_at` until `ends_at`: two minutes later, or earlier when it is given back, or for ever
    // when it is bought. `taken` is read from the present on, and so locks only what is not over.
    "CREATE TABLE IF NOT EXISTS seat_hold (
        id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
        event BIGINT UNSIGNED NOT NULL,
        customer VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        created_at DATETIME(6) NOT NULL,
        ends_at DATETIME(6) NOT NULL,
        KEY taken (event, ends_at)
    ) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS held_seat (
        hold BIGINT UNSIGNED NOT NULL,
        seat_row TINYINT UNSIGNED NOT NULL,
        seat_number TINYINT UNSIGNED NOT NULL,
        PRIMARY KEY (hold, seat_row, seat_number)
    ) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS guest (
        id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
        event BIGINT UNSIGNED NOT NULL,
        name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        UNIQUE KEY once (event, name)
    ) ENGINE = InnoDB",
    // The two keys are what keeps a purchase from being made twice.
    "CREATE TABLE IF NOT EXISTS purchase (
        id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
        hold BIGINT UNSIGNED NOT NULL,
        idempotency_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        amount INT UNSIGNED NOT NULL,
        state ENUM('pending', 'paid', 'refused', 'cancelled') NOT NULL DEFAULT 'pending',
        UNIQUE KEY one_per_hold (hold),
        UNIQUE KEY one_per_key (idempotency_key)
    ) ENGINE = InnoDB",
    // What is to be asked of the payment provider; gone when it has answered.
    "CREATE TABLE IF NOT EXISTS outbox (
        id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
        purchase BIGINT UNSIGNED NOT NULL,
        errand ENUM('charge', 'refund') NOT NULL,
        tries INT UNSIGNED NOT NULL DEFAULT 0,
        due_at DATETIME(6) NOT NULL,
        KEY due (due_at)
    ) ENGINE = InnoDB",
    // The provider's own book: not ours, see `payment`.
    "CREATE TABLE IF NOT EXISTS provider_book (
        idempotency_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        entry ENUM('charge', 'refund') NOT NULL,
        calls INT UNSIGNED NOT NULL,
        cents INT UNSIGNED NOT NULL DEFAULT 0,
        PRIMARY KEY (idempotency_key, entry)
    ) ENGINE = InnoDB",
];

/// With fixed numbers, so that a second start, or a second process, adds none.
const EVENTS: &str = "INSERT IGNORE INTO event (id, name, seat_rows, seats_per_row, quota, price) VALUES
    (1, 'Night of the Choirs', 8, 12, 90, 2500),
    (2, 'Chamber Concert', 1, 10, 10, 4000),
    (3, 'Late Show', 5, 8, 40, 1800)";

pub(crate) fn create_tables(db: &Database) -> Result<(), Error> {
    db.session(|session| SCHEMA.iter().try_for_each(|table| session.query_drop(table)))?;
    // For the units that are `exactly_once`.
    db.create_outcome_table()
}

pub(super) fn seed(db: &Database) -> Result<(), Error> {
    db.session(|session| session.query_drop(EVENTS))
}
