//! Runs a program on the library and writes down what can be seen of it. Decides how each operation is said in the library's
//! words, and nothing about what should come of it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use unit_of_work::testing::{Reply, Script, VirtualClock};
use unit_of_work::{Access, Cause, Database, DatabaseBuilder, Error, Retry, Tx, in_unit};

use super::program::{Event, Hook, Planned, Program, Reaction, Replay, Sql, Step, Then, Unit, Way};
use super::seen::{Figures, Note, Said};

/// What a program's bodies return.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("failure {0}")]
    Own(u32),
    #[error(transparent)]
    Work(#[from] Error),
}

impl Failure {
    fn said(&self) -> Said {
        match self {
            Self::Own(number) => Said::Own(*number),
            Self::Work(error) => Said::Work(error.kind()),
        }
    }
}

fn said(result: &Result<(), Failure>) -> Said {
    result.as_ref().map_or_else(Failure::said, |()| Said::Value)
}

/// A panic that its catcher knows again by its number. The panic hook is not run: thousands of messages help nobody.
fn throw(number: u32) -> ! {
    resume_unwind(Box::new(format!("panic {number}")))
}

fn caught(payload: &(dyn std::any::Any + Send)) -> Said {
    let text = payload.downcast_ref::<String>().unwrap_or_else(|| panic!("a panic lost its payload"));
    let number = text.strip_prefix("panic ").and_then(|number| number.parse().ok());
    Said::Panic(number.unwrap_or_else(|| panic!("{text}")))
}

type Diary = Arc<Mutex<Vec<Note>>>;

fn write_down(diary: &Diary, note: Note) {
    diary.lock().expect("nobody panics with the diary in hand").push(note);
}

/// The database that programs run on, their diary, and the next fresh number.
pub(super) struct Stage {
    pub(super) db: Database,
    diary: Diary,
    fresh: Cell<u64>,
}

/// What hooks and bodies have of it.
pub(super) type Shared = Rc<Stage>;

impl Stage {
    /// `fresh`: the first number that is written.
    pub(super) fn new(fresh: u64, settings: impl FnOnce(DatabaseBuilder) -> Database) -> Shared {
        let diary = Diary::default();
        let told = Arc::clone(&diary);
        let builder = Database::builder().on_hook_error(move |failure| {
            write_down(&told, Note::Reported(failure.unit.clone(), failure.hook, failure.message.clone()));
        });
        Rc::new(Self { db: settings(builder), diary, fresh: Cell::new(fresh) })
    }

    /// With a server that answers as the program plans.
    pub(super) fn scripted(program: &Program) -> (Shared, Script) {
        let script = Script::new();
        let stage = Self::new(1, |builder| {
            let builder = builder.script(&script).clock(VirtualClock::new()).max_connections(program.connections);
            builder.connect().expect("a scripted server takes connections")
        });
        plan(&script, &program.faults);
        (stage, script)
    }

    /// The next number that is written.
    pub(super) fn next_number(&self) -> u64 {
        self.fresh.get()
    }

    pub(super) fn take_diary(&self) -> Vec<Note> {
        std::mem::take(&mut *self.diary.lock().expect("nobody panics with the diary in hand"))
    }

    pub(super) fn figures(&self) -> Figures {
        let stats = self.db.stats();
        Figures { open: stats.open, free: stats.free, parked: stats.parked, in_use: stats.in_use }
    }

    /// Runs a unit as the outermost one.
    pub(super) fn run(self: &Rc<Self>, unit: &Unit) -> Said {
        match catch_unwind(AssertUnwindSafe(|| self.unit(unit))) {
            Ok(result) => said(&result),
            Err(payload) => caught(&*payload),
        }
    }

    fn note(&self, note: Note) {
        write_down(&self.diary, note);
    }

    fn unit(self: &Rc<Self>, unit: &Unit) -> Result<(), Failure> {
        let mut builder = self.db.unit(unit.name()).propagation(unit.mode);
        builder = builder.retry(Retry::DEFAULT.max_attempts(unit.attempts));
        if let Some(level) = unit.isolation {
            builder = builder.isolation(level);
        }
        if unit.access == Access::ReadOnly {
            builder = builder.read_only();
        }
        if unit.replay == Replay::Repeatable {
            builder = builder.repeatable();
        }
        let on_error = unit.on_error;
        builder.on_error(move |_: &Failure| on_error).run(|tx| self.steps(tx, &unit.body))
    }

    fn steps(self: &Rc<Self>, tx: &mut Tx<'_>, steps: &[Step]) -> Result<(), Failure> {
        steps.iter().try_for_each(|step| self.step(tx, step))
    }

    fn step(self: &Rc<Self>, tx: &mut Tx<'_>, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Write(reaction) => {
                let number = self.fresh.get();
                self.fresh.set(number + 1);
                self.react(*reaction, || insert(tx, number))
            }
            Step::Duplicate(reaction) => self.react(*reaction, || insert(tx, 0)),
            Step::Unit(unit, reaction) => self.react(*reaction, || self.unit(unit)),
            Step::Savepoint(body, reaction) => self.react(*reaction, || tx.savepoint(|tx| self.steps(tx, body))),
            Step::Mark => {
                tx.set_rollback_only();
                Ok(())
            }
            Step::Count => {
                let counter = tx.local::<Cell<u32>>();
                counter.set(counter.get() + 1);
                self.note(Note::Counted(counter.get()));
                Ok(())
            }
            Step::Hook(hook) => {
                self.register(tx, hook.clone());
                Ok(())
            }
            Step::Fail(number) => Err(Failure::Own(*number)),
            Step::Panic(number) => throw(*number),
        }
    }

    fn react(&self, reaction: Reaction, operation: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
        let noted = || {
            let result = operation();
            self.note(Note::Saw(said(&result)));
            result
        };
        match reaction {
            Reaction::PassOn => noted(),
            Reaction::Swallow => noted().or(Ok(())),
            Reaction::Catch => {
                if let Err(payload) = catch_unwind(AssertUnwindSafe(noted)) {
                    self.note(Note::Saw(caught(&*payload)));
                }
                Ok(())
            }
        }
    }

    fn register(self: &Rc<Self>, tx: &mut Tx<'_>, hook: Hook) {
        let stage = Rc::clone(self);
        match hook {
            Hook::BeforeCommit(id, steps) => tx.before_commit(move |tx: &mut Tx<'_>| {
                stage.note(Note::Ran { hook: id, in_unit: in_unit() });
                stage.steps(tx, &steps)
            }),
            Hook::After(id, Event::Commit, then) => tx.after_commit(move || stage.attend(id, &then)),
            Hook::After(id, Event::Rollback, then) => tx.after_rollback(move |_: &Cause| stage.attend(id, &then)),
            Hook::After(id, Event::Unknown, then) => tx.on_unknown(move |_: &Error| stage.attend(id, &then)),
        }
    }

    fn attend(self: &Rc<Self>, id: u32, then: &Then) -> Result<(), Said> {
        self.note(Note::Ran { hook: id, in_unit: in_unit() });
        match then {
            Then::Nothing => Ok(()),
            Then::Fail(number) => Err(Said::Own(*number)),
            Then::Panic(number) => throw(*number),
            Then::Unit(unit) => self.unit(unit).map_err(|failure| failure.said()),
        }
    }
}

fn insert(tx: &mut Tx<'_>, number: u64) -> Result<(), Failure> {
    Ok(tx.query_drop(format!("INSERT INTO entry VALUES ({number})"))?)
}

/// The `nth` of a kind is answered as planned, those before it with success.
fn plan(script: &Script, faults: &[Planned]) {
    for sql in Sql::ALL {
        let of_kind = || faults.iter().filter(|planned| planned.sql == sql);
        for nth in 1..=of_kind().map(|planned| planned.nth).max().unwrap_or_default() {
            let planned = of_kind().find(|planned| planned.nth == nth);
            script.answer(sql.start(), planned.map_or_else(done, |planned| reply(planned.way)));
        }
    }
}

fn done() -> Reply {
    Reply::Done { affected_rows: 0, last_insert_id: 0 }
}

fn reply(way: Way) -> Reply {
    match way {
        Way::Deadlock => Reply::error(1213, "40001", "Deadlock found when trying to get lock"),
        Way::LockTimeout => Reply::error(1205, "HY000", "Lock wait timeout exceeded"),
        Way::Refused => Reply::error(1062, "23000", "Duplicate entry"),
        Way::LostBefore => Reply::LostBefore,
        Way::LostAfter => Reply::LostAfter,
    }
}
