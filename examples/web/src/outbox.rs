//! What is to be asked of the payment provider: written with the purchase, in one transaction, and asked after COMMIT, outside of any
//! unit, because a call over a network can neither be rolled back nor run again unseen. An errand stays in its table until the provider has
//! answered, so it survives our end; it may be asked twice then, which is why it carries the purchase's key.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use unit_of_work::{Database, Error, Tx, unit_of_work};

use crate::office::{Customer, OfficeError, purchases};
use crate::payment::{Answer, NoAnswer, Provider};

/// What to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    Charge,
    Refund,
}

/// One of them, with what the provider must know.
#[derive(Debug, Clone)]
struct Task {
    id: u64,
    purchase: u64,
    errand: Errand,
    key: String,
    customer: Customer,
    cents: u32,
}

/// Leaves an errand, with the unit's transaction; the worker is woken when that is committed.
pub(crate) fn leave(tx: &mut Tx<'_>, purchase: u64, errand: Errand) -> Result<(), Error> {
    let sql = "INSERT INTO outbox (purchase, errand, due_at) VALUES (?, ?, UTC_TIMESTAMP(6))";
    tx.exec_drop(sql, (purchase, errand.word()))?;
    tx.after_commit(|| BELL.ring());
    Ok(())
}

/// The thread that runs errands.
#[derive(Debug)]
pub(crate) struct Worker {
    thread: JoinHandle<()>,
    ends: Arc<AtomicBool>,
}

impl Worker {
    /// Begins with what an earlier process has left.
    pub(crate) fn start(db: Database, provider: Provider) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            let _entered = db.enter();
            while !until.load(Ordering::SeqCst) {
                let next = run_due(&db, &provider);
                BELL.wait(next);
            }
        });
        Self { thread, ends }
    }

    /// Waits for the answers that are on their way; what has not been asked stays for the next start.
    pub(crate) fn end(self) {
        self.ends.store(true, Ordering::SeqCst);
        BELL.ring();
        if self.thread.join().is_err() {
            eprintln!("the outbox had panicked; what it had not asked is asked at the next start");
        }
    }
}

/// How many errands are run at once; so many threads wait for the provider.
const AT_ONCE: u32 = 16;

/// How long the worker sleeps at most: for errands that another process has left.
const LONGEST_NAP: Duration = Duration::from_secs(1);

/// Runs what is due; returns how long there is nothing to do, if nobody rings.
fn run_due(db: &Database, provider: &Provider) -> Duration {
    let due = match due(AT_ONCE) {
        Ok(due) => due,
        Err(error) => {
            eprintln!("the outbox cannot be read and is tried again: {error}");
            return LONGEST_NAP;
        }
    };
    thread::scope(|scope| {
        for task in &due {
            scope.spawn(move || {
                let _entered = db.enter();
                run(task, provider);
            });
        }
    });
    if due.is_empty() { next_due().unwrap_or(LONGEST_NAP) } else { Duration::ZERO }
}

/// Asks, and writes the answer down. If that fails, the errand is still there, and is asked again.
fn run(task: &Task, provider: &Provider) {
    let answer = match task.errand {
        Errand::Charge => provider.charge(&task.key, &task.customer, task.cents),
        Errand::Refund => provider.refund(&task.key, task.cents),
    };
    let recorded = match &answer {
        Ok(answer) => record(task.id, task.purchase, task.errand, *answer),
        Err(NoAnswer::Lost(_) | NoAnswer::Book(_)) => postpone(task.id),
    };
    if let Err(error) = recorded {
        eprintln!("purchase {}: {answer:?} could not be written down and is asked for again: {error}", task.purchase);
    }
}

#[unit_of_work(read_only, isolation = "repeatable read")]
fn due(tx: &mut Tx<'_>, most: u32) -> Result<Vec<Task>, Error> {
    let sql = "SELECT outbox.id, purchase, errand, idempotency_key, customer, amount
        FROM outbox JOIN purchase ON purchase.id = purchase JOIN seat_hold ON seat_hold.id = hold
        WHERE due_at <= UTC_TIMESTAMP(6) ORDER BY due_at LIMIT ?";
    tx.exec_map(sql, (most,), |(id, purchase, errand, key, customer, cents)| {
        let errand: String = errand;
        let customer = Customer::known(customer);
        Task { id, purchase, errand: Errand::known(&errand), key, customer, cents }
    })
}

/// How long until the next is due.
#[unit_of_work(read_only, isolation = "repeatable read")]
fn next_due(tx: &mut Tx<'_>) -> Result<Duration, Error> {
    let sql = "SELECT GREATEST(TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), MIN(due_at)), 0) FROM outbox";
    let left: Option<Option<u64>> = tx.query_first(sql)?;
    Ok(left.flatten().map_or(LONGEST_NAP, |left| Duration::from_micros(left).min(LONGEST_NAP)))
}

/// What the provider has answered, once: whoever takes the errand away writes it down.
#[unit_of_work(timeout = "5s")]
fn record(tx: &mut Tx<'_>, id: u64, purchase: u64, errand: Errand, answer: Answer) -> Result<(), OfficeError> {
    tx.exec_drop("DELETE FROM outbox WHERE id = ?", (id,))?;
    match (tx.affected_rows(), errand) {
        (0, _) | (_, Errand::Refund) => Ok(()),
        (_, Errand::Charge) => purchases::settle(tx, purchase, answer == Answer::Accepted),
    }
}

/// Twice as long each time, from a tenth of a second to a minute.
#[unit_of_work(timeout = "5s")]
fn postpone(tx: &mut Tx<'_>, id: u64) -> Result<(), OfficeError> {
    let sql = "UPDATE outbox SET tries = tries + 1,
        due_at = UTC_TIMESTAMP(6) + INTERVAL LEAST(100000 * POW(2, LEAST(tries, 20)), 60000000) MICROSECOND WHERE id = ?";
    Ok(tx.exec_drop(sql, (id,))?)
}

impl Errand {
    const fn word(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
        }
    }

    fn known(word: &str) -> Self {
        if word == Self::Charge.word() { Self::Charge } else { Self::Refund }
    }
}

/// Wakes the worker of this process.
struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

static BELL: Bell = Bell { rung: Mutex::new(false), heard: Condvar::new() };

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_one();
    }

    /// Until it is rung, or was since the last time, or for `longest`.
    fn wait(&self, longest: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(rung, longest, |rung| !*rung);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}
