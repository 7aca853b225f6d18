//! Runs a unit again and again on fresh state, fails it at each of its round trips in each way, and compares what becomes of it with
//! what becomes of it undisturbed. Here is the order of things; one run is `stage`, what counts as wrong `verdict`, the table `report`.

mod clock;
mod report;
mod stage;
mod verdict;

use std::fmt::{self, Debug};
use std::sync::Arc;

use crate::backend::mysql::wire::failing::Way;
use crate::builder::DatabaseBuilder;
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use stage::{Fault, Looked, Looks, Rival, RivalComes, Said, Seen, Stage, Work};
use verdict::judge;

pub use report::{Exploration, Run};
pub use verdict::Finding;

/// What is tried at every round trip unless [`ways`](Explore::ways) says otherwise: a deadlock, a lock that is not granted in
/// time, a statement that somebody killed (the one failure of these that is never run again), a connection lost before and after.
pub const WAYS: [Way; 5] = [Way::Deadlock, Way::Refused(1205), Way::Refused(1317), Way::LostBefore, Way::ReplyLost];

/// Begins to explore what becomes of a unit when it fails, on the server that `builder` leads to: a real one or a scripted one.
///
/// [`run`](Explore::run) does it. First the unit runs undisturbed, and its round trips are learned. Then it runs once for each of
/// them and each of the [`WAYS`] to fail, each time on what [`set_up`](Explore::set_up) makes and on connections of its own.
/// Sleeps between attempts take no time. What is right:
///
/// - **It returns what it returned undisturbed.** Then the [rows](Explore::observe) and the [effects](Explore::effects) are those of
///   the undisturbed run too: nothing was done twice, nothing is missing.
/// - **It fails.** Then rows and effects are as before. If the outcome of its COMMIT is unknown, they may also be as after.
///
/// What is not looked at is not compared: without [`observe`](Explore::observe) nothing is known of rows, and the table says so.
///
/// Everything else is a [`Finding`]: mail that is sent in the body and not in `after_commit`, a counter that counts attempts, an error
/// that is swallowed and the rest committed, what is kept from the first attempt (see [`rival`](Explore::rival)), a unit that commits on
/// its own inside and forbids to run this one again.
///
/// The unit runs as it is written. But it must run on the database that it is given: the entered one, or the one that
/// [`run`](Explore::run) hands to its closure; not one that it has from elsewhere, in which no failure can be planned.
///
/// ```
/// use std::cell::Cell;
/// use unit_of_work::testing::{Script, explore};
/// use unit_of_work::{Database, Error, Tx, unit_of_work};
///
/// #[unit_of_work]
/// fn deposit(tx: &mut Tx, mails: &Cell<u32>) -> Result<(), Error> {
///     tx.query_drop("UPDATE account SET balance = balance + 50 WHERE id = 1")?;
///     mails.set(mails.get() + 1); // wrong: once for each attempt
///     tx.query_drop("INSERT INTO journal (amount) VALUES (50)")
/// }
///
/// # fn main() -> Result<(), Error> {
/// let mails = Cell::new(0);
/// let exploration = explore(Database::builder().script(&Script::new()))
///     .set_up(|_db| {
///         mails.set(0);
///         Ok(())
///     })
///     .effects(|| mails.get())
///     .run(|_db| deposit(&mails))?;
/// let first = exploration.findings().next().expect("a mail is sent twice");
/// assert_eq!(first.statement(), "INSERT INTO journal (amount) VALUES (50)");
/// println!("{exploration}"); // a table; `exploration.assert_sound()` panics with it
/// # Ok(()) }
/// ```
///
/// On a real server, with rows to look at:
///
/// ```no_run
/// # use unit_of_work::testing::explore;
/// # use unit_of_work::{Database, Error};
/// # fn transfer(from: u64, to: u64, amount: i64) -> Result<(), Error> { Ok(()) }
/// # fn main() -> Result<(), Error> {
/// explore(Database::builder().url("mysql://root@127.0.0.1/test"))
///     .set_up(|db| db.session(|session| session.query_drop("REPLACE INTO account VALUES (1, 100), (2, 100)")))
///     .observe(|db| db.session(|session| session.query::<(u64, i64), _>("SELECT id, balance FROM account ORDER BY id")))
///     .run(|_db| transfer(1, 2, 50))?
///     .assert_sound();
/// # Ok(()) }
/// ```
pub fn explore<'a>(builder: DatabaseBuilder) -> Explore<'a> {
    let looks = Looks {
        rows: Box::new(|_| Ok(())),
        effects: Box::new(|| ()),
        at_rows: Looked::Never,
        at_effects: Looked::Never,
    };
    Explore { builder, set_up: Box::new(|_| Ok(())), looks, rival: None, ways: WAYS.to_vec(), in_a_row: 1 }
}

/// An exploration that is being prepared; see [`explore`]. `T`: what is seen of the rows; `U`: of the effects.
pub struct Explore<'a, T = (), U = ()> {
    builder: DatabaseBuilder,
    set_up: Work<'a, ()>,
    looks: Looks<'a, T, U>,
    rival: Option<Rival>,
    ways: Vec<Way>,
    in_a_row: u32,
}

impl<'a, T, U> Explore<'a, T, U> {
    /// Makes the state that a run begins with, the same each time: rows, and what [`effects`](Explore::effects) are counted in.
    /// Its database is the thread's meanwhile, and no failure is planned in it; so it is with all closures but that of `run`.
    pub fn set_up(mut self, set_up: impl Fn(&Database) -> Result<(), Error> + 'a) -> Self {
        self.set_up = Box::new(set_up);
        self
    }

    /// Reads what must be the same after a failure and an undisturbed run: the rows that count. Leave out what may differ, such as
    /// `AUTO_INCREMENT` numbers, which attempts that were rolled back use up, and times.
    pub fn observe<S>(self, observe: impl Fn(&Database) -> Result<S, Error> + 'a) -> Explore<'a, S, U> {
        let Self { builder, set_up, looks, rival, ways, in_a_row } = self;
        let looks = Looks {
            rows: Box::new(observe),
            at_rows: Looked::AfterEach,
            effects: looks.effects,
            at_effects: looks.at_effects,
        };
        Explore { builder, set_up, looks, rival, ways, in_a_row }
    }

    /// Tells what the unit has done outside of the database: mails sent, the value of a counter. It is compared like the rows, but
    /// by itself: when the outcome of a COMMIT is unknown its hooks do not run, though its rows may be there. Leave out what is meant
    /// to happen once per failure, such as what `after_rollback` and `on_unknown` hooks do.
    pub fn effects<S>(self, effects: impl Fn() -> S + 'a) -> Explore<'a, T, S> {
        let Self { builder, set_up, looks, rival, ways, in_a_row } = self;
        let looks = Looks {
            rows: looks.rows,
            at_rows: looks.at_rows,
            effects: Box::new(effects),
            at_effects: Looked::AfterEach,
        };
        Explore { builder, set_up, looks, rival, ways, in_a_row }
    }

    /// What somebody else commits between the failed attempt and the next, as happens when there is a real deadlock. Then what becomes
    /// of the unit must be what becomes of it when the rival was there first. So what a body keeps from its first attempt is found
    /// wherever it matters; without a rival it is found where the next attempt asks less.
    pub fn rival(mut self, rival: impl Fn(&Database) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        self.rival = Some(Arc::new(rival));
        self
    }

    /// Fails round trips in these ways instead of the [`WAYS`]. Leave [`Way::Refused`]`(1317)` out for a unit that goes on after the
    /// server has refused a statement, because it is meant to.
    pub fn ways(mut self, ways: impl IntoIterator<Item = Way>) -> Self {
        self.ways = ways.into_iter().collect();
        self
    }

    /// Lets the same statement fail so many times in a row, in the attempts that follow; with 2 the second attempt fails too.
    /// Default: 1; 0 is refused.
    pub fn in_a_row(mut self, times: u32) -> Self {
        self.in_a_row = times;
        self
    }

    /// Explores. `unit` calls the unit; it may also make of its value what is to be compared (without a number that the server
    /// gave, say).
    ///
    /// # Errors
    /// `Configuration` when nothing can be learned: the state that is set up is not the same each time, the unit does something
    /// else each time (so that a failure that is planned never comes), panics undisturbed, or runs on another database; when nothing is
    /// to be tried, because there is no way to fail or `in_a_row` is 0. What the set-up, the rival, and connecting fail with.
    pub fn run<R, E>(self, unit: impl Fn(&Database) -> Result<R, E>) -> Result<Exploration, Error>
    where
        R: PartialEq + Debug,
        E: Debug,
        T: PartialEq + Debug,
        U: PartialEq + Debug,
    {
        if self.ways.is_empty() || self.in_a_row == 0 {
            return Err(useless("no failure is asked for: give `ways` at least one, and `in_a_row` at least 1"));
        }
        let unit = |db: &Database| Said::from(unit(db));
        let side = self.builder.clone().connect()?;
        let Self { builder, set_up, looks, rival, .. } = &self;
        let stage = Stage { builder, side, set_up: &**set_up, looks, rival: rival.as_ref(), unit: &unit };
        let alone = undisturbed(&stage)?;
        let after_rival = rival.as_ref().map(|_| stage.play(None, RivalComes::First)).transpose()?;
        let mut runs = Vec::new();
        for (round_trip, way) in all(&alone.record.sent, &self.ways) {
            let fault = Fault { round_trip, way, times: self.in_a_row };
            let seen = stage.play(Some(fault), RivalComes::BetweenAttempts)?;
            same_begin(&alone, &seen)?;
            it_came(fault, &alone, &seen)?;
            let expected = after_rival.as_ref().filter(|_| seen.rival_came).unwrap_or(&alone);
            runs.push(Run::of(fault, &seen, expected, looks.at_rows, judge(expected, &seen)));
        }
        Ok(Exploration::of(runs, self.in_a_row, looks))
    }
}

fn all<'t>(sent: &'t [String], ways: &'t [Way]) -> impl Iterator<Item = (u64, Way)> + 't {
    (1..).zip(sent).flat_map(|(round_trip, _)| ways.iter().map(move |way| (round_trip, *way)))
}

/// Twice, because what differs from run to run cannot be compared.
fn undisturbed<R, T, U>(stage: &Stage<'_, R, T, U>) -> Result<Seen<R, T, U>, Error>
where
    R: PartialEq + Debug,
    T: PartialEq + Debug,
    U: PartialEq + Debug,
{
    let first = stage.play(None, RivalComes::Never)?;
    let second = stage.play(None, RivalComes::Never)?;
    if let Said::Panicked(text) = &first.said {
        return Err(useless(&format!("it panics without any failure: {text}")));
    }
    if first.record.sent.is_empty() {
        let why = "it made no round trip on the database that it was given; let it run on the entered one, or on the one that the \
                   closure gets";
        return Err(useless(why));
    }
    same_begin(&first, &second)?;
    same("what it returns", &first.said, &second.said)?;
    same("what `observe` sees after it", &first.after.rows, &second.after.rows)?;
    same("what `effects` tells after it", &first.after.effects, &second.after.effects)?;
    same("the number of its round trips", &first.record.sent.len(), &second.record.sent.len())?;
    Ok(first)
}

fn same_begin<R, T, U>(first: &Seen<R, T, U>, other: &Seen<R, T, U>) -> Result<(), Error>
where
    T: PartialEq + Debug,
    U: PartialEq + Debug,
{
    same("what `observe` sees of what was set up", &first.before.rows, &other.before.rows)?;
    same("what `effects` tells when all was set up", &first.before.effects, &other.before.effects)
}

/// A run without the failure that was planned shows nothing.
fn it_came<R, T, U>(fault: Fault, alone: &Seen<R, T, U>, seen: &Seen<R, T, U>) -> Result<(), Error> {
    if seen.record.until_failed.is_some() {
        return Ok(());
    }
    let why = format!(
        "the failure that was planned at round trip {} never came: undisturbed the unit made {} round trips, and then {}; it has to do \
         the same each time up to there",
        fault.round_trip,
        alone.record.sent.len(),
        seen.record.sent.len()
    );
    Err(useless(&why))
}

fn same<V: PartialEq + Debug>(what: &str, first: &V, other: &V) -> Result<(), Error> {
    if first == other {
        return Ok(());
    }
    Err(useless(&format!("{what} differs from run to run: {first:?}, then {other:?}")))
}

fn useless(why: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("the unit cannot be explored: {why}"))
}

impl<T, U> fmt::Debug for Explore<'_, T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explore").field("ways", &self.ways).field("in_a_row", &self.in_a_row).finish_non_exhaustive()
    }
}
