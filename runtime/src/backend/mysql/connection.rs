//! One connection as we know it: which characteristics it has and which the unit wants, whether a transaction may be open,
//! whether the unit left something on it, whether it is in step. Statements are read, measured, begun and bracketed here; what
//! their errors mean is `faults`, and what follows from them is decided above.

mod beginning;
mod contract;
mod packets;
mod remains;
mod sending;
mod silence;

use std::sync::Arc;

use mysql::{Conn, Row, Statement};
use unit_of_work_sql::{Effect, Touches, Verdict, Wait};

use super::deferred::Queue;
use super::durability::Durability;
use super::faults;
use super::opening::{Begin, Flavour, OPENED, OnLockTimeout, Server, WHERE_AM_I, open};
use super::sizes::largest_packet;
use super::texts::Texts;
use super::wire::{Answer, Request, SessionState, Tracked, Wire, Writes};
use crate::backend::{Characteristics, Commits, Connection};
use crate::error::ErrorKind;
use crate::fault::{Again, Failed, Undone};
use crate::options::Access;
use crate::shown;

/// Chain and release are spelled out: `completion_type` must not decide them.
pub(super) const COMMIT: &str = "COMMIT AND NO CHAIN NO RELEASE";
const ROLLBACK: &str = "ROLLBACK AND NO CHAIN NO RELEASE";

/// "SAVEPOINT does not exist".
const NO_SUCH_SAVEPOINT: u16 = 1305;
/// "Unknown thread id": the ghost is gone already.
const NO_SUCH_THREAD: u16 = 1094;
/// "Prepared statement needs to be re-prepared".
const NEED_REPREPARE: u16 = 1615;

use sending::NO_ROOM;

/// What stands for the text of a statement that a guard sent by the driver's own connection.
const LENT: &str = "a statement of a lent connection";

#[derive(Debug)]
pub struct MySqlConnection {
    wire: Box<dyn Wire>,
    home: Option<String>,
    server: Arc<Server>,
    has: Characteristics,
    wanted: Characteristics,
    transaction: Open,
    trust: Trust,
    step: Step,
    left: Left,
    permanent: Permanent,
    texts: Texts,
    savepoints: u64,
    /// Round trips that somebody was told of.
    counted: u64,
    /// What bodies have deferred in this transaction since the last statement.
    deferred: Queue,
}

/// Whether something was sent since the last COMMIT or ROLLBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    No,
    MayBe,
    /// COMMIT is on its way and was not answered yet. Killing the connection now could undo it.
    Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Alive,
    /// Idle for long, or others of its kind were lost.
    Doubted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    In,
    /// A reply may be missing, late or cut: whatever is read next may belong to something else.
    Out,
}

/// Whether this transaction has changed a table that is not transactional.
#[derive(Debug)]
enum Permanent {
    No,
    /// Several statements went out in one packet: the driver keeps the trackers of the last one alone. ROLLBACK tells.
    Unseen,
    /// The same, and the server has rolled back by itself: a warning tells, if it is asked for at once.
    Suspected,
    /// This statement was the first that did.
    Known(Arc<str>),
}

/// What the unit leaves on the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    Something,
}

/// The server's side of a connection.
#[derive(Debug, Clone)]
pub struct Ghost {
    pub(super) server: Arc<Server>,
}

impl Ghost {
    /// Whether its number means this connection and can mean no other.
    pub(super) fn can_be_ended(&self) -> bool {
        self.server.begin == Begin::Implicit && self.server.identity.is_unmistakable()
    }
}

impl MySqlConnection {
    /// Brings a fresh connection into the state that units expect. `home` is its default database.
    pub(crate) fn new(mut wire: Box<dyn Wire>, home: Option<String>) -> Result<Self, Failed> {
        let server = Arc::new(open(&mut *wire)?);
        Ok(Self {
            counted: wire.round_trips(),
            wire,
            home,
            server,
            has: OPENED,
            wanted: OPENED,
            transaction: Open::No,
            trust: Trust::Alive,
            step: Step::In,
            left: Left::Nothing,
            permanent: Permanent::No,
            texts: Texts::default(),
            savepoints: 0,
            deferred: Queue::default(),
        })
    }

    pub(crate) fn flavour(&self) -> Flavour {
        self.server.flavour
    }

    pub(crate) fn durability(&self) -> Durability {
        self.server.durability
    }

    /// Runs one statement of a body.
    pub(crate) fn statement(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> Result<Answer, Failed> {
        let reading = self.texts.read(request.text(), self.server.mode);
        self.measure(largest_packet(&request))?;
        let touches = match reading.verdict {
            Verdict::Refused(refusal) => return Err(refused(&refusal.to_string())),
            Verdict::Plain => reading.touches,
            Verdict::Bracketed => Touches::Session,
        };
        self.flush_deferred()?;
        self.begin()?;
        self.obey_the_sandbox(reading.effect)?;
        // Without a transaction there is none that could be ended unseen.
        let bracket = match (reading.verdict, self.wanted.commits) {
            (Verdict::Bracketed, Commits::Together) => Some(self.savepoint()?),
            (_, Commits::Each) | (Verdict::Plain | Verdict::Refused(_), Commits::Together) => None,
        };
        let sql = request.text();
        let answer = self.noting(touches, reading.wait, request, rows);
        if let Ok(answer) = &answer {
            self.heed(answer.tracked, sql);
        }
        match bracket {
            Some(name) => self.close_bracket(&name, answer),
            None => answer,
        }
    }

    /// Asks whether the transaction is still there after what may have ended it, also where it failed.
    fn close_bracket(&mut self, name: &str, answer: Result<Answer, Failed>) -> Result<Answer, Failed> {
        match answer {
            Ok(answer) => self.find(name).map(|()| answer),
            Err(failed) => Err(match failed.fault.undone {
                Undone::Nothing | Undone::Statement | Undone::Doomed => match self.find(name) {
                    Ok(()) => failed,
                    Err(gone) => gone.after(&failed),
                },
                Undone::Connection if self.finds_before_it_goes(name, &failed) => failed,
                Undone::Transaction | Undone::Connection => perhaps_committed(failed),
            }),
        }
    }

    /// A transaction that has begun is as its unit wanted it; a sandbox's alone may write where a unit in it wants not to. There the
    /// server does not refuse, so it is done here, in the server's words.
    fn obey_the_sandbox(&self, effect: Effect) -> Result<(), Failed> {
        match (self.has.access, self.wanted.access, effect) {
            (Access::ReadWrite, Access::ReadOnly, Effect::Writes) => Err(faults::read_only()),
            _ => Ok(()),
        }
    }

    /// Ends the bracket around what may have committed.
    pub(crate) fn find(&mut self, bracket: &str) -> Result<(), Failed> {
        self.release(bracket).map_err(|failed| match failed.fault.undone {
            Undone::Connection => perhaps_committed(failed),
            Undone::Nothing | Undone::Statement | Undone::Doomed | Undone::Transaction => failed,
        })
    }

    /// A session that answered can be asked once more, though it is given up.
    fn finds_before_it_goes(&mut self, bracket: &str, failed: &Failed) -> bool {
        if failed.fault.kind != ErrorKind::Unavailable {
            return false;
        }
        self.step = Step::In;
        let found = self.release(bracket);
        self.step = Step::Out;
        found.is_ok()
    }

    /// Reads a text that a guard is about to send by the driver's own connection.
    pub(crate) fn check(&mut self, sql: &str) -> Result<Verdict, Failed> {
        self.measure(largest_packet(&Request::Query(sql)))?;
        // Nothing is known of how a guard's rows are read to their end, nor of what the text leaves behind.
        self.left = Left::Something;
        let reading = self.texts.read(sql, self.server.mode);
        self.obey_the_sandbox(reading.effect)?;
        match reading.verdict {
            Verdict::Refused(refusal) => Err(refused(&refusal.to_string())),
            verdict @ (Verdict::Plain | Verdict::Bracketed) => Ok(verdict),
        }
    }

    /// The driver's connection, for a text that was checked.
    pub(crate) fn raw(&mut self, sql: &str) -> mysql::Result<&mut Conn> {
        self.heed(self.wire.tracked(), LENT);
        self.wire.conn(sql)
    }

    /// A statement of the connection's own, for a text that was checked.
    pub(crate) fn lend_statement(&mut self, sql: &str) -> mysql::Result<Statement> {
        self.heed(self.wire.tracked(), LENT);
        self.wire.statement(sql)
    }

    pub(crate) fn close_lent(&mut self, statement: Statement) -> mysql::Result<()> {
        self.wire.close(statement)
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// From now on the session carries what its next user must not see.
    pub(crate) fn leaves_something(&mut self) {
        self.left = Left::Something;
    }

    fn is_elsewhere(&mut self) -> Result<bool, Failed> {
        let mut database = None;
        let mut keep = |row: Row| database = row.get::<Option<String>, _>(0).flatten();
        self.wire.exchange(Request::Query(WHERE_AM_I), &mut keep).map_err(faults::failed)?;
        Ok(database.is_some())
    }

    fn about_savepoint(&mut self, sql: &str) -> Result<Answer, Failed> {
        if self.step == Step::Out {
            return Ok(Answer::default());
        }
        self.heed(self.wire.tracked(), LENT);
        match self.send_behind(sql) {
            // Not that of a deferred write, which may name a function that does not exist.
            Err(failed) if failed.code == Some(NO_SUCH_SAVEPOINT) && failed.statement.is_none() => {
                Err(committed_inside())
            }
            result => result,
        }
    }

    /// What the trackers said about a statement.
    fn heed(&mut self, tracked: Tracked, sql: &str) {
        if tracked.state == SessionState::Changed {
            self.left = Left::Something;
        }
        if tracked.writes == Writes::Permanent && !matches!(self.permanent, Permanent::Known(_)) {
            self.permanent = Permanent::Known(shown::statement(sql));
        }
    }

    /// MariaDB waits for no lock in such a statement, and says 1205. MySQL says 3572 for a row that is not free and waits all the
    /// same for metadata: there 1205 means what it always does.
    fn never_waits(&self, wait: Wait) -> bool {
        (wait, self.server.flavour) == (Wait::NoWait, Flavour::MariaDb)
    }

    /// Whether the unit on it asked for a transaction that may write.
    fn may_write(&self) -> bool {
        (self.wanted.access, self.wanted.commits) == (Access::ReadWrite, Commits::Together)
    }

    /// What an error does to the connection, and what a statement that asked not to wait makes of it.
    fn failed(&mut self, mut failed: Failed, wait: Wait) -> Failed {
        if failed.fault.kind == ErrorKind::ReadOnly && self.may_write() {
            failed = faults::no_primary(failed);
        }
        if failed.fault.undone == Undone::Connection {
            self.step = Step::Out;
        }
        if failed.fault.undone == Undone::Transaction && matches!(self.permanent, Permanent::Unseen) {
            self.permanent = Permanent::Suspected;
        }
        if matches!(failed.code, Some(NEED_REPREPARE | NO_ROOM)) {
            // A reset forgets what was prepared, so that the next attempt finds the statement anew, or room for it.
            self.left = Left::Something;
        }
        if failed.fault.kind == ErrorKind::LockTimeout && self.never_waits(wait) {
            failed.fault.kind = ErrorKind::LockNotAvailable;
            failed.detail = "a lock was not free, and the statement asked not to wait".into();
            failed.fault.again = Again::Never;
            failed.fault.undone = match self.server.on_lock_timeout {
                OnLockTimeout::UndoStatement => Undone::Statement,
                OnLockTimeout::UndoTransaction => Undone::Transaction,
            };
        }
        failed
    }
}

fn refused(why: &str) -> Failed {
    Failed::of(ErrorKind::Refused, Undone::Statement, Again::Never, format!("not sent: {why}"))
}

fn given_up() -> Failed {
    let detail = "the connection was given up before the first statement";
    Failed::of(ErrorKind::ConnectionLost, Undone::Connection, Again::Yes, detail)
}

/// What came of something that may commit, where the bracket around it cannot be asked for: the server dropped it with the
/// transaction, or with the connection.
pub(super) fn perhaps_committed(mut failed: Failed) -> Failed {
    failed.fault.kind = ErrorKind::ImplicitCommit;
    failed.fault.again = Again::Never;
    failed.detail = format!(
        "something here may have committed before it failed, and nobody can say any more whether it did; it was not run again; look \
         for its rows before you do, and take the COMMIT out of the procedure if there is one; it had failed with {}",
        failed.detail
    )
    .into();
    failed
}

fn committed_inside() -> Failed {
    let detail = "something here ended the unit's transaction; it was not run again; \
                  take the COMMIT out of the procedure, or call it outside of any unit with `db.session`";
    Failed::of(ErrorKind::ImplicitCommit, Undone::Transaction, Again::Never, detail)
}
