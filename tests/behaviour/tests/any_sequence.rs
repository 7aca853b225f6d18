//! Statement 9 over random programs: units of random options, steps, ends and failures, one after another on one session. After
//! each, the thread and the session are as the next unit expects, and of the unit's rows all are there or none.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use fastrand::Rng;
use unit_of_work::testing::{Failures, Way};
use unit_of_work::{Database, Error, ErrorKind, Isolation, Retry, Tx};

use crate::world::{Trouble, World};

/// Units in one run of the test.
const UNITS: u32 = 400;

/// One unit of a random program.
#[derive(Debug)]
struct Program {
    isolation: Isolation,
    access: Access,
    retry: Retry,
    steps: Vec<(Step, OnError)>,
    end: End,
    failure: Option<(u64, Way)>,
}

#[derive(Debug, Clone, Copy)]
enum Access {
    ReadWrite,
    ReadOnly,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Write,
    Defer,
    Read,
    Duplicate,
    Unreadable,
    Forbidden,
    Touch,
    Call,
    Lend,
    Mark,
    JoinAndWrite,
    JoinAndFail,
    JoinAndPanic,
}

#[derive(Debug, Clone, Copy)]
enum OnError {
    PassOn,
    Swallow,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Ok,
    Err,
    Panic,
}

fn one_of<T: Copy>(rng: &mut Rng, all: &[T]) -> T {
    *rng.choice(all).expect("there is something to choose from")
}

const LEVELS: [Isolation; 4] =
    [Isolation::ReadUncommitted, Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable];

impl Program {
    fn random(rng: &mut Rng) -> Self {
        use Step::{
            Call, Defer, Duplicate, Forbidden, JoinAndFail, JoinAndPanic, JoinAndWrite, Lend, Mark, Read, Touch,
            Unreadable, Write,
        };
        const RARE: [Step; 8] = [Duplicate, Unreadable, Forbidden, Mark, JoinAndFail, JoinAndPanic, Call, Lend];
        const OFTEN: [Step; 7] = [Write, Write, Defer, Defer, Read, JoinAndWrite, Touch];
        let step = |rng: &mut Rng| match rng.u8(0..5) {
            0 => one_of(rng, &RARE),
            _ => one_of(rng, &OFTEN),
        };
        let on_error = |rng: &mut Rng| one_of(rng, &[OnError::PassOn, OnError::Swallow]);
        let steps: Vec<_> = (0..rng.usize(0..6)).map(|_| (step(rng), on_error(rng))).collect();
        Self {
            isolation: one_of(rng, &LEVELS),
            access: one_of(rng, &[Access::ReadWrite, Access::ReadWrite, Access::ReadWrite, Access::ReadOnly]),
            retry: one_of(rng, &[Retry::NEVER, Retry::DEFAULT.max_attempts(2), Retry::DEFAULT]).base(Duration::ZERO),
            failure: rng.bool().then(|| (rng.u64(1..9), way(rng, &steps))),
            steps,
            end: one_of(rng, &[End::Ok, End::Ok, End::Ok, End::Err, End::Panic]),
        }
    }

    /// Runs it. `written` is what its last attempt has written and not been refused.
    fn run(&self, db: &Database, number: u32, written: &Cell<u32>) -> Result<(), Trouble> {
        let unit = db.unit("random").isolation(self.isolation).retry(self.retry);
        let unit = match self.access {
            Access::ReadWrite => unit,
            Access::ReadOnly => unit.read_only(),
        };
        unit.run(|tx| {
            written.set(0);
            for (step, on_error) in &self.steps {
                match (self.take(*step, db, tx, number, written), on_error) {
                    (Ok(()), _) | (Err(_), OnError::Swallow) => {}
                    (Err(error), OnError::PassOn) => return Err(error),
                }
            }
            match self.end {
                End::Ok => Ok(()),
                End::Err => Err(Trouble::Refused("a decision")),
                End::Panic => resume_unwind(Box::new("the program's own panic")),
            }
        })
    }

    fn take(
        &self,
        step: Step,
        db: &Database,
        tx: &mut Tx<'_>,
        number: u32,
        written: &Cell<u32>,
    ) -> Result<(), Trouble> {
        let write = |tx: &mut Tx<'_>| -> Result<(), Error> {
            tx.exec_drop("INSERT INTO entry VALUES (?, ?)", (number, written.get()))?;
            written.set(written.get() + 1);
            Ok(())
        };
        let defer = |tx: &mut Tx<'_>| -> Result<(), Error> {
            tx.defer("INSERT INTO entry VALUES (?, ?)", (number, written.get()))?;
            written.set(written.get() + 1);
            Ok(())
        };
        let joined = || match self.access {
            Access::ReadWrite => db.unit("joined"),
            Access::ReadOnly => db.unit("joined").read_only(),
        };
        match step {
            Step::Write => write(tx)?,
            Step::Defer => defer(tx)?,
            Step::Read => drop(tx.query::<(u32, u32), _>("SELECT unit, number FROM entry WHERE unit < 3")?),
            Step::Duplicate => tx.query_drop("INSERT INTO entry VALUES (0, 0)")?,
            Step::Unreadable => drop(tx.query::<u8, _>("SELECT 'text'")?),
            Step::Forbidden => tx.query_drop("COMMIT")?,
            Step::Touch => tx.query_drop("SELECT @touched := 1")?,
            Step::Call => tx.query_drop("CALL harmless()")?,
            Step::Lend => drop(tx.connection()?),
            Step::Mark => tx.set_rollback_only(),
            Step::JoinAndWrite => joined().run(write)?,
            Step::JoinAndFail => joined().run(|_| Err(Trouble::Refused("the joined unit's own")))?,
            Step::JoinAndPanic => {
                let panics = || joined().run::<(), Error>(|_| resume_unwind(Box::new("the joined unit's own")));
                drop(catch_unwind(AssertUnwindSafe(panics)).expect_err("it panics"));
            }
        }
        Ok(())
    }
}

fn way(rng: &mut Rng, steps: &[(Step, OnError)]) -> Way {
    const CODES: [u16; 9] = [1020, 1047, 1062, 1105, 1205, 1213, 1317, 1412, 3101];
    // After a step that touches the session comes a reset. A server that refuses a packet of that is taken for one without
    // session tracking, and then a unit rightly begins with START TRANSACTION: not what is looked for here.
    let resets = steps.iter().any(|(step, _)| matches!(step, Step::Touch | Step::Call | Step::Lend));
    match rng.u8(if resets { 2 } else { 0 }..4) {
        0 => Way::Refused(one_of(rng, &CODES)),
        1 => Way::Deadlock,
        2 => Way::LostBefore,
        _ => Way::ReplyLost,
    }
}

/// What the caller was told of the unit's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    AllThere,
    NoneThere,
    Unknown,
}

const ENDS: [Told; 3] = [Told::AllThere, Told::NoneThere, Told::Unknown];

fn told(program: &Program, db: &Database, number: u32, written: &Cell<u32>) -> Told {
    match catch_unwind(AssertUnwindSafe(|| program.run(db, number, written))) {
        Ok(Ok(())) => Told::AllThere,
        Ok(Err(Trouble::Work(error))) if error.kind() == ErrorKind::CommitUnknown => Told::Unknown,
        Ok(Err(_)) | Err(_) => Told::NoneThere,
    }
}

/// A number to begin with, so that a failure can be seen again: `UNIT_OF_WORK_SEED=<number> cargo test s09_`.
fn seed() -> u64 {
    match std::env::var("UNIT_OF_WORK_SEED") {
        Ok(given) => given.parse().expect("UNIT_OF_WORK_SEED is a number"),
        Err(_) => fastrand::u64(..),
    }
}

#[test]
fn s09_after_any_unit_the_thread_and_the_session_are_as_the_next_one_expects() {
    let seed = seed();
    println!("UNIT_OF_WORK_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let world = World::new();
    world.execute("CREATE TABLE entry (unit INT, number INT, PRIMARY KEY (unit, number)) ENGINE=InnoDB");
    world.execute("INSERT INTO entry VALUES (0, 0)");
    world.execute("CREATE PROCEDURE harmless() SELECT COUNT(*) FROM entry");
    let failures = Failures::new();
    // One session: one that is lost to the pool is missed at once.
    let db =
        world.connect(|builder| builder.failures(&failures).max_connections(1).acquire_timeout(Duration::from_secs(5)));
    let mut ends = Vec::new();
    // As many as it takes to see every end, which is rarely more than these.
    for number in 1.. {
        if number > UNITS && ENDS.iter().all(|end| ends.contains(end)) {
            break;
        }
        assert!(number < 20 * UNITS, "a run without every one of {ENDS:?} shows too little: {ends:?}");
        let program = Program::random(&mut rng);
        let written = Cell::new(0);
        println!("{number}: {program:?}");
        plan(&failures, program.failure);
        let told = told(&program, &db, number, &written);
        plan(&failures, None);
        println!("{told:?}, {} written", written.get());
        world.assert_clean_for(&db, one_of(&mut rng, &LEVELS));
        let rows = world.count(&format!("SELECT COUNT(*) FROM entry WHERE unit = {number}"));
        let all = u64::from(written.get());
        match told {
            Told::AllThere => assert_eq!(rows, all),
            Told::NoneThere => assert_eq!(rows, 0),
            Told::Unknown => assert!(rows == 0 || rows == all, "{rows} of {all} rows"),
        }
        ends.push(told);
    }
}

fn plan(failures: &Failures, failure: Option<(u64, Way)>) {
    // There is no unplanning: a round trip that never comes stands for it.
    let (round_trip, way) = failure.unwrap_or((u64::MAX, Way::Deadlock));
    failures.plan(round_trip, way);
}
