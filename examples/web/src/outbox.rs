//! What is to be asked of the payment provider: written with the purchase, in one transaction, and asked after COMMIT, outside of any
//! unit, because a call over a network can neither be rolled back nor run again unseen. An errand stays in its table until the provider has
//! answered, so it survives our end; it may be asked twice then, which is why it carries the purchase's key.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use unit_of_work::{Database, Error, Tx, unit_of_work};

use crate::office::{Customer, Moment, OfficeError, purchases};
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

/// Runs errands on threads of their own, so that none waits for another one that is slow.
#[derive(Debug)]
pub(crate) struct Worker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    db: Database,
    provider: Provider,
    ends: AtomicBool,
    /// The errands whose answers are on their way.
    running: Mutex<HashSet<u64>>,
    one_less: Condvar,
}

/// How many errands are run at once; so many threads wait for the provider.
const AT_ONCE: usize = 16;

/// How long nothing is looked for, if nobody rings: what another process has left is found then.
const LONGEST_NAP: Duration = Duration::from_secs(60);

/// When the outbox could not be read or written, or nobody is there to run an errand.
const SHORT_NAP: Duration = Duration::from_secs(1);

/// How often what `exactly_once` needs is purged, and what is older than how long.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Worker {
    /// Begins with what an earlier process has left.
    pub(crate) fn start(db: Database, provider: Provider) -> Self {
        let (ends, running) = (AtomicBool::new(false), Mutex::default());
        let shared = Arc::new(Shared { db, provider, ends, running, one_less: Condvar::new() });
        let worker = Self(Arc::clone(&shared));
        thread::spawn(move || {
            let mut purged = None;
            while !shared.ends.load(Ordering::SeqCst) {
                let nap = shared.begin_what_is_due();
                purge(&shared.db, &mut purged);
                BELL.wait(nap);
            }
        });
        worker
    }

    /// Begins no more errands, and waits so long for the answers that are on their way; the others are asked for again at the next
    /// start.
    pub(crate) fn end(self, patience: Duration) {
        self.0.ends.store(true, Ordering::SeqCst);
        BELL.ring();
        let running = self.0.running();
        let (running, _) = self
            .0
            .one_less
            .wait_timeout_while(running, patience, |running| !running.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        if !running.is_empty() {
            eprintln!(
                "the payment provider owes {} answers; they are asked for again at the next start",
                running.len()
            );
        }
    }
}

impl Shared {
    /// Returns how long there is nothing to do, if nobody rings.
    fn begin_what_is_due(self: &Arc<Self>) -> Duration {
        let _entered = self.db.enter();
        match look(2 * AT_ONCE) {
            Ok((due, next)) => {
                for task in due {
                    self.begin(task);
                }
                next
            }
            Err(error) => {
                eprintln!("the outbox cannot be read and is tried again: {error}");
                SHORT_NAP
            }
        }
    }

    /// Unless it is running, or enough others are: then it is due when the bell rings next.
    fn begin(self: &Arc<Self>, task: Task) {
        let mut running = self.running();
        if self.ends.load(Ordering::SeqCst) || running.len() >= AT_ONCE || !running.insert(task.id) {
            return;
        }
        drop(running);
        let slot = Slot(Arc::clone(self), task.id);
        let begun = thread::Builder::new().spawn(move || {
            let Slot(shared, _) = &slot;
            let _entered = shared.db.enter();
            run(&task, &shared.provider);
        });
        if let Err(error) = begun {
            eprintln!("no thread can be had for a payment, which is tried again: {error}");
            thread::sleep(SHORT_NAP);
        }
    }

    fn running(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of an errand among those that run, until its thread has ended, however that was.
struct Slot(Arc<Shared>, u64);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.running().remove(&self.1);
        self.0.one_less.notify_all();
        BELL.ring();
    }
}

fn purge(db: &Database, purged: &mut Option<Instant>) {
    if purged.is_none_or(|purged| purged.elapsed() > DAY) {
        *purged = Some(Instant::now());
        if let Err(error) = db.purge_outcomes(DAY) {
            eprintln!("old outcomes of purchases stay until tomorrow: {error}");
        }
    }
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
        // It is still due, and would be asked for as fast as the provider answers.
        thread::sleep(SHORT_NAP);
    }
}

/// What is due, the oldest first, and how long until something else is.
#[unit_of_work(read_only, isolation = "repeatable read", timeout = "5s")]
fn look(tx: &mut Tx<'_>, most: usize) -> Result<(Vec<Task>, Duration), Error> {
    // One moment for both, so that nothing becomes due between them.
    let now = Moment::now(tx)?;
    let sql = "SELECT outbox.id, purchase, errand, idempotency_key, customer, amount
        FROM outbox JOIN purchase ON purchase.id = purchase JOIN seat_hold ON seat_hold.id = hold
        WHERE due_at <= CAST(? AS DATETIME(6)) ORDER BY due_at LIMIT ?";
    let due = tx.exec_map(sql, (&now, most), |(id, purchase, errand, key, customer, cents)| {
        let errand: String = errand;
        let customer = Customer::known(customer);
        Task { id, purchase, errand: Errand::known(&errand), key, customer, cents }
    })?;
    let sql = "SELECT TIMESTAMPDIFF(MICROSECOND, ?, MIN(due_at)) FROM outbox WHERE due_at > CAST(? AS DATETIME(6))";
    let next: Option<Option<u64>> = tx.exec_first(sql, (&now, &now))?;
    Ok((due, next.flatten().map_or(LONGEST_NAP, |next| Duration::from_micros(next).min(LONGEST_NAP))))
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
    // From left to right: the tries before this one.
    let sql = "UPDATE outbox SET
        due_at = UTC_TIMESTAMP(6) + INTERVAL LEAST(100000 * POW(2, LEAST(tries, 20)), 60000000) MICROSECOND,
        tries = tries + 1 WHERE id = ?";
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
