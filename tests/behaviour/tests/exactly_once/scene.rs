//! A unit that is `exactly_once` on a scripted server with a clock that stands still: what it does, what was sent in short, and
//! which of its hooks ran. What must come out is the tests' matter.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use unit_of_work::testing::{Reply, Script, VirtualClock};
use unit_of_work::{Backend, Database, DatabaseBuilder, Error, ErrorKind, Outcome, Retry, Tx, UnitBuilder};

/// The one statement of the body.
pub(super) const WORK: &str = "UPDATE account SET balance = 0";
/// How the packet that holds COMMIT and the tombstone begin alike; answers are given in the order of what is sent.
pub(super) const KEY: &str = "INSERT INTO unit_of_work_outcome";
/// How the row is read.
pub(super) const LOOK: &str = "SELECT state";
/// How long the resolution goes on.
pub(super) const WITHIN: Duration = Duration::from_secs(3);

pub(super) struct Scene {
    pub(super) db: Database,
    pub(super) server: Script,
    pub(super) clock: VirtualClock,
    /// The hooks that ran: `c` after commit, `r` after rollback, `u` on unknown.
    hooks: Rc<RefCell<String>>,
    runs: Cell<u32>,
}

/// What the caller got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Value,
    Error(ErrorKind, Option<Outcome>),
}

pub(super) fn taken() -> Reply {
    Reply::error(1062, "23000", "Duplicate entry for key 'PRIMARY'")
}

pub(super) fn waits() -> Reply {
    Reply::error(1205, "HY000", "Lock wait timeout exceeded")
}

pub(super) fn says(state: &str) -> Reply {
    Reply::value("state", state)
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(super) fn with(settings: impl FnOnce(DatabaseBuilder) -> DatabaseBuilder) -> Self {
        let (server, clock) = (Script::new(), VirtualClock::new());
        let builder = Database::builder().script(&server).clock(clock.clone()).resolve_within(WITHIN);
        let db = settings(builder).connect().expect("a scripted server");
        drop(server.take_sent());
        Self { db, server, clock, hooks: Rc::default(), runs: Cell::new(0) }
    }

    /// Has these answers given, each once, in this order among those that begin alike.
    pub(super) fn answering(self, answers: &[(&str, Reply)]) -> Self {
        for (at, reply) in answers {
            self.server.answer(at, reply.clone());
        }
        self
    }

    /// At most two attempts.
    pub(super) fn unit(&self) -> UnitBuilder<'_, unit_of_work::MySql> {
        self.db.unit("once").exactly_once().retry(Retry::DEFAULT.max_attempts(2).base(Duration::ZERO))
    }

    /// The body of every unit here.
    pub(super) fn body(&self, tx: &mut Tx<'_>) -> Result<&'static str, Error> {
        self.runs.set(self.runs.get() + 1);
        self.register(tx);
        tx.query_drop(WORK)?;
        Ok("a value")
    }

    pub(super) fn register<B: Backend>(&self, tx: &mut Tx<'_, B>) {
        let hook = |letter| {
            let hooks = Rc::clone(&self.hooks);
            move || hooks.borrow_mut().push(letter)
        };
        tx.after_commit(hook('c'));
        let (rolled_back, unknown) = (hook('r'), hook('u'));
        tx.after_rollback(move |_| rolled_back());
        tx.on_unknown(move |_| unknown());
    }

    pub(super) fn run(&self) -> Result<&'static str, Error> {
        self.unit().run(|tx| self.body(tx))
    }

    pub(super) fn runs(&self) -> u32 {
        self.runs.get()
    }

    pub(super) fn hooks(&self) -> String {
        self.hooks.borrow().clone()
    }

    /// What was sent since the last call: `a` the body's statement, `M` the packet of row and COMMIT, `C` a COMMIT alone, `R`
    /// ROLLBACK, `+` a new connection, `x` one that was shut; of a connection that asks: `w` autocommit and lock wait, `k` KILL
    /// CONNECTION with its number, `T` the tombstone, `?` a read with a lock, `s` one with a shared lock.
    pub(super) fn sent(&self) -> String {
        self.server.take_sent().into_iter().map(|sent| short(&sent.text)).collect::<Vec<_>>().join(" ")
    }
}

fn short(text: &str) -> String {
    const ROW: &str = "INSERT INTO unit_of_work_outcome (id, state, at) VALUES (X'', '', UTC_TIMESTAMP())";
    const ASKING: &str = "SET SESSION autocommit=1;SET SESSION innodb_lock_wait_timeout=1, lock_wait_timeout=1";
    let key = |text: &str| text.split('\'').nth(1).map_or(String::new(), str::to_owned);
    let without = |text: &str, state: &str| text.replace(&key(text), "").replace(&format!("'{state}'"), "''");
    match text {
        WORK => "a".into(),
        "COMMIT AND NO CHAIN NO RELEASE" => "C".into(),
        "ROLLBACK AND NO CHAIN NO RELEASE" => "R".into(),
        "CONNECT" => "+".into(),
        "SHUT" => "x".into(),
        ASKING => "w".into(),
        text if without(text, "committed") == format!("{ROW}\n;\nCOMMIT AND NO CHAIN NO RELEASE") => "M".into(),
        text if without(text, "tombstone") == format!("{ROW}\n;\nCOMMIT AND NO CHAIN NO RELEASE") => "T".into(),
        text if text.starts_with(LOOK) && text.ends_with(" FOR UPDATE") => "?".into(),
        text if text.starts_with(LOOK) && text.ends_with(" LOCK IN SHARE MODE") => "s".into(),
        text => text.strip_prefix("KILL CONNECTION ").map_or(text.to_owned(), |number| format!("k{number}")),
    }
}

/// One case: what the server answers, what the caller gets, what was sent, which hooks ran.
pub(super) type Case<'c> = (&'c [(&'c str, Reply)], Said, &'c str, &'c str);

pub(super) fn check<const N: usize>(cases: [Case<'_>; N]) {
    for (answers, said, sent, hooks) in cases {
        let scene = Scene::new().answering(answers);
        let result = scene.run();
        let seen = match &result {
            Ok(value) => {
                assert_eq!(*value, "a value");
                Said::Value
            }
            Err(error) => Said::Error(error.kind(), error.outcome()),
        };
        let seen = (seen, scene.sent(), scene.hooks());
        assert_eq!(seen, (said, sent.to_owned(), hooks.to_owned()), "{answers:?}: {result:?}");
        scene.db.unit("next").run::<_, Error>(|tx| tx.query_drop(WORK)).expect("the thread is as before");
        assert!(scene.sent().ends_with("a C"), "{answers:?}: a unit that does not ask for it writes no row");
    }
}
