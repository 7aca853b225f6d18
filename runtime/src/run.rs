//! The whole algorithm of a unit of work: which database, what is active, what to do about it; attempt after attempt until one
//! settles; hooks; the answer. Each step is somebody else's file; the order is decided here.

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::attempt::{Ended, attempt, join};
use crate::backend::{Backend, Characteristics, Commits, Connector, LockWait, whole_seconds};
use crate::clock::nearer;
use crate::contention::{Arrival, Asking, Key, Pass};
use crate::course::{Course, Step};
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::fault::Failed;
use crate::label::Label;
use crate::nested::nested;
use crate::observe::{OwnSpan, Part, Seen, Sight, Within};
use crate::options::{Admission, Isolation, LostCommit, Options, Retry, Snapshot};
use crate::private::Called;
use crate::propagation::{Active, Asked, Ends, Plan, plan};
use crate::refusal::refused;
use crate::registry::{self, Place};
use crate::settle::Settlement;
use crate::transaction::{Begun, Transaction};
use crate::tx::Tx;
use crate::units::Figures;

/// What a body's value asks for; errors in their `Debug` form.
#[derive(Debug)]
pub enum Verdict {
    /// It returned `Ok`.
    Commit,
    /// It returned an error that commits.
    CommitAnyway(String),
    /// It returned an error.
    Rollback(String),
    /// It returned an error that asks for another attempt.
    Again(String),
}

/// Whether the body's arguments are needed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Another attempt may follow.
    Repeatable,
    /// None will.
    Final,
}

pub(crate) type Body<'b, B> = &'b mut dyn FnMut(&mut Tx<'_, B>, Turn) -> Verdict;

/// Runs what the attribute declared. `Ok` = the caller gets what the body returned last; `Err` = the caller gets this instead.
pub(crate) fn run<B: Backend>(
    called: Called,
    body_type: fn() -> &'static str,
    on: Option<&Database<B>>,
    body: Body<'_, B>,
) -> Result<(), Error> {
    let Called { unit, key } = called;
    let figures = unit.figures(body_type);
    let label = &figures.label;
    if let Some(database) = on {
        return run_on(database, figures, label, key, &unit.options, body);
    }
    let database = registry::current::<B>().map_err(|error| error.of_unit(label))?;
    run_on(&database, figures, label, key, &unit.options, body)
}

/// The same for a unit that is described at run time.
pub(crate) fn run_on<B: Backend>(
    database: &Database<B>,
    figures: &'static Figures,
    unit: &Label,
    key: Option<Key>,
    options: &Options,
    body: Body<'_, B>,
) -> Result<(), Error> {
    let active = registry::active(database.pool());
    let asked = Asked {
        propagation: options.propagation,
        isolation: options.isolation,
        access: options.access,
        snapshot: options.snapshot,
    };
    let deadline = options.timeout.and_then(|timeout| database.clock().now().checked_add(timeout));
    let sandbox = registry::sandbox(database.pool());
    let ends = if sandbox.is_some() { Ends::InSandbox } else { Ends::ForGood };
    let begin = |commits| {
        let suspended = active.as_deref();
        Own { database, figures, unit, key, options, commits, deadline, suspended, sandbox }
    };
    let plan = plan(asked, describe(active.as_deref()), ends);
    send_what_waits(plan, active.as_ref(), database)?;
    match (plan, &active) {
        (Plan::Begin | Plan::SuspendAndBegin | Plan::BeginInSandbox, _) => begin(Commits::Together).run(body),
        (Plan::Plain | Plan::SuspendAndPlain | Plan::PlainInSandbox, _) => begin(Commits::Each).run(body),
        (Plan::Join, Some(transaction)) => {
            transaction.take_part(options.lost_commit);
            let _seen = Part::begin(figures, unit, Within::Transaction);
            join(transaction, unit, deadline, body)
        }
        (Plan::Savepoint, Some(transaction)) => {
            transaction.take_part(options.lost_commit);
            let _seen = Part::begin(figures, unit, Within::Savepoint);
            nested(transaction, unit, deadline, body)
        }
        (Plan::Join | Plan::Savepoint, None) => unreachable!("only what is active can be joined"),
        (Plan::Refuse(refusal), active) => Err(refused(refusal, unit, options, active.as_deref())),
    }
}

/// A unit with an outcome of its own begins: what the units around it have deferred goes out first, as theirs. In a sandbox all
/// share one session and its queue, those included that a barrier hides: there the new unit gets no error for them, because on a
/// session of its own it would not notice.
fn send_what_waits<B: Backend>(
    plan: Plan,
    active: Option<&Rc<Transaction<B>>>,
    database: &Database<B>,
) -> Result<(), Error> {
    match (plan, active) {
        (
            Plan::SuspendAndBegin | Plan::SuspendAndPlain | Plan::BeginInSandbox | Plan::PlainInSandbox,
            Some(suspended),
        ) => suspended.flush(),
        (Plan::BeginInSandbox | Plan::PlainInSandbox, None) => {
            let _noted = registry::hidden(database.pool()).map_or(Ok(()), |hidden| hidden.flush());
            Ok(())
        }
        (Plan::SuspendAndBegin | Plan::SuspendAndPlain, None)
        | (Plan::Begin | Plan::Plain | Plan::Join | Plan::Savepoint | Plan::Refuse(_), _) => Ok(()),
    }
}

fn describe<B: Backend>(active: Option<&Transaction<B>>) -> Active {
    let Some(transaction) = active else { return Active::Nothing };
    let Characteristics { commits, isolation, access, snapshot, .. } = transaction.characteristics;
    match commits {
        Commits::Each => Active::Plain { access },
        Commits::Together => Active::Transaction { isolation, access, snapshot },
    }
}

/// A unit with a session and an outcome of its own.
struct Own<'u, B: Backend> {
    database: &'u Database<B>,
    figures: &'static Figures,
    unit: &'u Label,
    key: Option<Key>,
    options: &'u Options,
    commits: Commits,
    deadline: Option<Instant>,
    /// What waits on this thread until this unit has ended.
    suspended: Option<&'u Transaction<B>>,
    /// The transaction that it runs in, where it does not get one of its own.
    sandbox: Option<Rc<Transaction<B>>>,
}

impl<B: Backend> Own<'_, B> {
    fn run(&self, body: Body<'_, B>) -> Result<(), Error> {
        check(self.database, self.unit, self.options)?;
        check_outcome(self.commits, self.unit, self.options)?;
        let place = self.database.place().ok_or_else(|| Error::torn_down().of_unit(self.unit))?;
        let mut course = self.course();
        let mut sight = self.sight(course.began());
        let result = self.attempts(&place, &mut course, &mut sight, body);
        sight.returns(&result);
        result
    }

    fn attempts(
        &self,
        place: &Place<B>,
        course: &mut Course<'_>,
        sight: &mut Sight<'_>,
        body: Body<'_, B>,
    ) -> Result<(), Error> {
        let around = registry::enclosing();
        loop {
            let (number, turn) = course.next_attempt();
            let ended = self.attempt(place, (number, turn), course, sight, &mut *body);
            sight.attempt(number, ended.outcome, ended.spent, (ended.settlement.reason(), ended.failure()));
            if let Some(around) = &around {
                around.ledger().absorb(&ended.ledger);
                around.ledger().record(self.unit, self.options, ended.outcome);
            }
            let (settlement, ledger) = ended.conclude(self.unit, self.database, around.clone());
            let step = match settlement {
                Settlement::Committed | Settlement::RolledBack(_) => return Ok(()),
                Settlement::Failed(error) => return Err(error),
                Settlement::Faulted(faulted) => course.after(faulted, self.unit, &ledger)?,
                Settlement::Asked(_) => course.asked(&ledger),
            };
            match step {
                Step::RunAgain(after) => {
                    sight.runs_again(after);
                    self.database.clock().sleep(after);
                }
                Step::Return => return Ok(()),
            }
        }
    }

    /// One attempt, when it may run.
    fn attempt(
        &self,
        place: &Place<B>,
        (number, turn): (u32, Turn),
        course: &mut Course<'_>,
        sight: &mut Sight<'_>,
        body: Body<'_, B>,
    ) -> Ended<B> {
        match self.admit(place, number, course, sight) {
            Ok(pass) => {
                let now = course.begins(pass.waited());
                let ended = attempt(place, self.begun(number, course, now), now, turn, body);
                // Before the hooks run: they may open this very unit.
                if let Some(width) = pass.leave(ended.for_the_gate()) {
                    self.figures.gate_is(width);
                }
                ended
            }
            Err(late) => Ended::before_it_began(self.unit, late, Duration::ZERO),
        }
    }

    /// Waits until the attempt may run. A thread that is inside a unit holds what those in line may want, and one with a scope a
    /// session: they are not asked to wait.
    fn admit(
        &self,
        place: &Place<B>,
        attempt: u32,
        course: &Course<'_>,
        sight: &mut Sight<'_>,
    ) -> Result<Pass<'_>, Failed> {
        let admission = self.options.admission.unwrap_or(self.database.admission());
        let holds = || self.sandbox.is_some() || registry::is_inside_a_unit() || place.slot.holds() > 0;
        if admission == Admission::Open || holds() {
            return Ok(Pass::Open);
        }
        let clock = self.database.clock();
        let pass = self.database.gates().admit(Asking {
            unit: self.unit,
            gated: &self.figures.gated,
            key: self.key,
            admission,
            arrival: if attempt == 1 { Arrival::First } else { Arrival::Again },
            within: course.deadline().map(|deadline| deadline.saturating_duration_since(clock.now())),
        })?;
        sight.admitted(pass.waited());
        Ok(pass)
    }

    fn sight(&self, began: Instant) -> Sight<'_> {
        let isolation = self.options.isolation.unwrap_or(self.database.isolation());
        let isolation = match self.commits {
            Commits::Together => Some(isolation),
            Commits::Each => None,
        };
        Sight {
            figures: self.figures,
            unit: self.unit,
            clock: &**self.database.clock(),
            slow: self.database.watch().slow,
            began,
            span: OwnSpan::open(self.unit, isolation, || self.database.pool().connector().peer()),
            seen: Seen::NOTHING,
        }
    }

    fn course(&self) -> Course<'_> {
        let outer_deadline = self.suspended.and_then(|outer| outer.deadline.get());
        Course::begin(self.policy(), &**self.database.clock())
            .within(self.suspended.and_then(|outer| outer.until), nearer(self.deadline, outer_deadline))
    }

    /// Where every statement commits by itself, running again would do twice what was done.
    fn policy(&self) -> Retry {
        match self.commits {
            Commits::Together => self.options.retry.unwrap_or(self.database.retry()),
            Commits::Each => Retry::NEVER,
        }
    }

    fn begun(&self, attempt: u32, course: &Course<'_>, now: Instant) -> Begun<B> {
        Begun {
            database: self.database.clone(),
            unit: self.unit.clone(),
            figures: self.figures,
            characteristics: Characteristics {
                commits: self.commits,
                snapshot: self.options.snapshot,
                lock_wait: self.lock_wait(course.deadline(), now),
                isolation: self.options.isolation.unwrap_or(self.database.isolation()),
                access: self.options.access,
            },
            attempt,
            suspends: self.suspended.map(|outer| outer.unit.clone()),
            until: course.until(),
            deadline: course.deadline(),
            lost_commit: self.options.lost_commit,
            sandbox: self.sandbox.clone(),
        }
    }

    /// A lock that is granted after the deadline is of no use.
    fn lock_wait(&self, deadline: Option<Instant>, now: Instant) -> LockWait {
        let left = deadline.map_or(u32::MAX, |deadline| whole_seconds(deadline.saturating_duration_since(now)));
        match self.options.lock_wait.or(self.database.lock_wait()).map_or(LockWait::DEFAULT, LockWait::exactly) {
            LockWait::Exactly(wait) => LockWait::Exactly(wait.min(left)),
            LockWait::AtMost(wait) => LockWait::AtMost(wait.min(left)),
        }
    }
}

/// Without a transaction there is no COMMIT whose outcome could be resolved.
fn check_outcome(commits: Commits, unit: &Label, options: &Options) -> Result<(), Error> {
    match (options.lost_commit, commits) {
        (LostCommit::Reported, _) | (LostCommit::Resolved, Commits::Together) => Ok(()),
        (LostCommit::Resolved, Commits::Each) => {
            let detail = format!(
                "it is `exactly_once`, but as `{}` it runs without a transaction here: each statement commits by itself, and nobody \
                 could say which of them did; give it a transaction, or leave `exactly_once` out",
                options.propagation
            );
            Err(Error::new(ErrorKind::Configuration, detail).of_unit(unit))
        }
    }
}

/// What contradicts itself or the database's settings.
fn check<B: Backend>(database: &Database<B>, unit: &Label, options: &Options) -> Result<(), Error> {
    if options.snapshot == Snapshot::AtBegin && options.isolation != Some(Isolation::RepeatableRead) {
        let detail = "a `snapshot` needs `repeatable read`: servers ignore it at every other level";
        return Err(Error::new(ErrorKind::Configuration, detail).of_unit(unit));
    }
    let network = database.network_timeout();
    if let Some(wait) = options.lock_wait.or(database.lock_wait()).filter(|wait| *wait > network) {
        let detail = format!(
            "a `lock_wait` of {wait:?} is longer than the network timeout of {network:?}, which would end the connection first; \
             raise `network_timeout`"
        );
        return Err(Error::new(ErrorKind::Configuration, detail).of_unit(unit));
    }
    Ok(())
}
