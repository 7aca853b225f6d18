//! The library against a model of it: random programs of units in units run on both, and everything that can be seen must be
//! the same. The programs are `program`'s; what they must do is said by `reference`, what they do is found out by `real`.
//!
//! Bugs that were planted in the library by hand, one at a time, and each found within one run: hooks of a rolled-back
//! savepoint kept; hooks of a released one dropped; a doom forgotten when the body returns `Ok`; statements and ROLLBACK TO sent
//! after a deadlock; the rule of independent outcomes removed, or not passed outward; the suspended unit not resumed; a lock
//! timeout tried again in `requires_new`; a mark inside a savepoint put on the whole; a panic of a joined unit not marked;
//! autocommit not restored; the server side of a lost connection not ended; a second attempt after an unanswered COMMIT; hooks
//! before COMMIT in reverse; hooks after it stopped by the first; a savepoint's value of `tx.local` put over the outer one.

mod named;
mod program;
mod real;
mod reference;
mod seen;
mod tally;

use fastrand::Rng;
use unit_of_work::Propagation;
use unit_of_work::mysql::Conn;
use unit_of_work::mysql::prelude::Queryable;

use crate::world::World;
use program::{Nature, Program, Reaction, Step, Unit};
use real::{Shared, Stage};
use reference::Reference;
use seen::Seen;
use tally::{Tally, faults, operations};

const SCRIPTED: u32 = 40_000;
const REAL: u32 = 2_000;

/// What was found, and what the model expects.
struct Both {
    found: Seen,
    expected: Seen,
    happened: Vec<String>,
}

impl Both {
    fn agree(&self) -> bool {
        self.found == self.expected
    }

    /// # Panics
    /// When they do not agree.
    fn assert(&self, program: &Program) {
        assert!(self.agree(), "{program:#?}\nfound    {:?}\nexpected {:?}", self.found, self.expected);
    }
}

/// What must work after every program: a unit that does nothing, and one that writes.
fn next() -> [Unit; 2] {
    let write = vec![Step::Write(Reaction::PassOn)];
    [Unit::plain(1001, Propagation::Required, Vec::new()), Unit::plain(1002, Propagation::Required, write)]
}

fn on_a_script(program: &Program) -> Both {
    let (stage, script) = Stage::scripted(program);
    let found = Seen {
        said: stage.run(&program.unit),
        next: next().map(|unit| stage.run(&unit)),
        diary: stage.take_diary(),
        log: script.take_sent().into_iter().map(|sent| (sent.connection, sent.text)).collect(),
        rows: Vec::new(),
        figures: stage.figures(),
        left_open: 0,
    };
    let mut model = Reference::new(Nature::Scripted, program.connections, &program.faults, 1);
    let expected = Seen {
        said: model.run(&program.unit),
        next: next().map(|unit| model.run(&unit)),
        diary: model.take_diary(),
        log: model.take_log(),
        rows: Vec::new(),
        figures: model.figures(),
        left_open: 0,
    };
    Both { found, expected, happened: model.take_happened() }
}

/// A real server with the table, one pool of ours and the model's, that many programs run on one after another.
struct Arena<'w> {
    world: &'w World,
    look: Conn,
    stage: Shared,
    model: Reference,
}

impl<'w> Arena<'w> {
    fn new(world: &'w World) -> Self {
        let mut look = world.conn();
        let last: u64 = look
            .query_first("SELECT CAST(MAX(n) AS UNSIGNED) FROM entry WHERE n = FLOOR(n)")
            .expect("the table is there")
            .expect("it has a row");
        let stage = Stage::new(last + 1, |builder| {
            builder.url(world.url()).connect().unwrap_or_else(|error| panic!("{error}"))
        });
        Self { world, look, stage, model: Reference::new(Nature::Real, 64, &[], last + 1) }
    }

    fn run(&mut self, program: &Program) -> Both {
        let first = self.stage.next_number();
        let found = Seen {
            said: self.stage.run(&program.unit),
            next: next().map(|unit| self.stage.run(&unit)),
            diary: self.stage.take_diary(),
            log: Vec::new(),
            rows: self.rows(first),
            figures: self.stage.figures(),
            left_open: self.world.open_transactions().len(),
        };
        let model = &mut self.model;
        let expected = Seen {
            said: model.run(&program.unit),
            next: next().map(|unit| model.run(&unit)),
            diary: model.take_diary(),
            log: Vec::new(),
            rows: model.take_rows(),
            figures: model.figures(),
            left_open: 0,
        };
        Both { found, expected, happened: model.take_happened() }
    }
}

impl Arena<'_> {
    fn rows(&mut self, first: u64) -> Vec<u64> {
        let next = self.stage.next_number();
        assert!(next < FENCES, "numbers beyond the fences: build more");
        let written = "SELECT CAST(n AS UNSIGNED) FROM entry WHERE n >= ? AND n < ? AND n = FLOOR(n) ORDER BY n";
        self.look.exec(written, (first, next)).expect("the table is there")
    }
}

/// How many numbers a real table takes.
const FENCES: u64 = 1 << 17;

/// The table with the number 0, and between any two numbers a row that is there from the beginning. MySQL keeps the place of an
/// inserted row locked after a roll-back to a savepoint, up to the next row (`row_convert_impl_to_expl_if_needed` in
/// `storage/innobase/row/row0undo.cc`): without these rows that would be the end of the table, for which a second session waits.
fn build_table(world: &World) {
    world.execute("CREATE TABLE entry (n DECIMAL(20, 1) PRIMARY KEY) ENGINE=InnoDB");
    world.execute("INSERT INTO entry VALUES (0.5)");
    for doubling in 0..FENCES.ilog2() {
        world.execute(&format!("INSERT INTO entry SELECT n + {} FROM entry", 1 << doubling));
    }
    world.execute("INSERT INTO entry VALUES (0)");
}

/// A number to begin with, so that a failure can be seen again: `UNIT_OF_WORK_SEED=<number> cargo test model`.
fn seeded() -> Rng {
    let seed = match std::env::var("UNIT_OF_WORK_SEED") {
        Ok(given) => given.parse().expect("UNIT_OF_WORK_SEED is a number"),
        Err(_) => fastrand::u64(..),
    };
    println!("UNIT_OF_WORK_SEED={seed}");
    Rng::with_seed(seed)
}

#[test]
fn s09_scripted_programs_do_what_the_model_says() {
    let mut rng = seeded();
    let mut tally = Tally::default();
    for _ in 0..SCRIPTED {
        let program = Program::random(&mut rng, Nature::Scripted);
        let both = on_a_script(&program);
        if !both.agree() {
            let least = program.shrunk(|less| !on_a_script(less).agree());
            on_a_script(&least).assert(&least);
        }
        tally.program(&program);
        tally.seen(&both.found);
        tally.happened(both.happened);
    }
    tally.assert_none_is_missing(operations());
    tally.assert_none_is_missing(faults());
    let outcomes = "Value Own Panic RollbackOnly Doomed HookRefused Propagation IsolationConflict AccessConflict Statement \
                    Serialization LockTimeout ConnectionLost RetriesExhausted CommitUnknown";
    tally.assert_none_is_missing(outcomes.split(' ').map(|said| format!("outermost said {said}")));
    tally.assert_none_is_missing(outcomes.split(' ').map(|said| format!("inner said {said}")));
    let rare = ["inner said PoolTimeout", "hook after Unknown notes", "OnUnknown reported", "run again"];
    let rarer = ["not run again: something inside ended on its own", "read only, committed without an answer"];
    tally.assert_none_is_missing(rare.into_iter().chain(rarer).map(str::to_owned));
    println!("{tally}");
}

#[test]
fn s09_programs_on_a_real_server_leave_the_rows_that_the_model_says() {
    let mut rng = seeded();
    let mut tally = Tally::default();
    let world = World::new();
    build_table(&world);
    let mut arena = Arena::new(&world);
    for _ in 0..REAL {
        let program = Program::random(&mut rng, Nature::Real);
        let both = arena.run(&program);
        if !both.agree() {
            let least = program.shrunk(|less| !Arena::new(&world).run(less).agree());
            Arena::new(&world).run(&least).assert(&least);
            // Only what went before makes it fail.
            both.assert(&program);
        }
        tally.program(&program);
        tally.seen(&both.found);
        tally.happened(both.happened);
    }
    tally.assert_none_is_missing(operations());
    tally.assert_none_is_missing(["PassOn", "Swallow", "Catch"].map(|reaction| format!("duplicate, {reaction}")));
    let outcomes = "Value Own Panic RollbackOnly Doomed HookRefused Propagation Statement ReadOnly";
    tally.assert_none_is_missing(outcomes.split(' ').map(|said| format!("outermost said {said}")));
    let inner = "Value Own Panic RollbackOnly Doomed Propagation Statement ReadOnly";
    tally.assert_none_is_missing(inner.split(' ').map(|said| format!("inner said {said}")));
    println!("{tally}");
}
