//! What the model says of units with an outcome of their own: attempts, which end wins, COMMIT or ROLLBACK, hooks, and what an
//! attempt leaves for the one around it.

use unit_of_work::{Access, ErrorKind, HookKind, Isolation, OnError};

use super::server::{Commits, Setting};
use super::{Frame, Level, Reference};
use crate::model::program::{Event, Hook, Replay, Then, Unit, Way};
use crate::model::seen::{Note, Said};

/// How an attempt ended.
enum End {
    Committed(Said),
    RolledBack(Said),
    /// The body's error asks for another attempt.
    Asked(Said),
    /// A fault, and what the caller gets if no policy covers it.
    Fault(Way, Said),
    Unknown,
}

impl End {
    /// Whether another attempt may help. `lock_timeouts`: attempts that ended with one, this one included.
    fn asks_for_more(&self, around: Around, lock_timeouts: u32) -> bool {
        match self {
            Self::Asked(_) | Self::Fault(Way::Deadlock | Way::LostBefore | Way::LostAfter, _) => true,
            // The suspended unit most likely holds the lock.
            Self::Fault(Way::LockTimeout, _) => around == Around::Nobody && lock_timeouts == 1,
            Self::Committed(_) | Self::RolledBack(_) | Self::Unknown | Self::Fault(Way::Refused, _) => false,
        }
    }

    /// What the caller gets.
    fn said(self) -> Said {
        match self {
            Self::Committed(said) | Self::RolledBack(said) | Self::Asked(said) | Self::Fault(_, said) => said,
            Self::Unknown => Said::Work(ErrorKind::CommitUnknown),
        }
    }

    /// What the caller gets where another attempt would follow, were there not enough of them.
    fn exhausted(self) -> Said {
        match self {
            Self::Fault(..) => Said::Work(ErrorKind::RetriesExhausted),
            other => other.said(),
        }
    }

    /// What the caller gets where another attempt would do twice what is to be done once.
    fn kept(self) -> Said {
        match self {
            Self::Fault(fault, _) => Said::Work(fault.kind()),
            other => other.said(),
        }
    }
}

/// Who waits on the thread until a unit has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    Nobody,
    Suspended,
}

impl Reference {
    /// A unit with a session and an outcome of its own.
    pub(super) fn own(&mut self, unit: &Unit, commits: Commits) -> Said {
        let most = if commits == Commits::AtEnd { unit.attempts } else { 1 };
        let mut lock_timeouts = 0;
        for attempt in 1.. {
            let around = if self.in_unit() { Around::Suspended } else { Around::Nobody };
            let Some(session) = self.server.take() else { return Said::Work(ErrorKind::PoolTimeout) };
            let (once_only, end) = self.attempt(unit, commits, session);
            lock_timeouts += u32::from(matches!(end, End::Fault(Way::LockTimeout, _)));
            let again = most > 1 && end.asks_for_more(around, lock_timeouts);
            if !again || attempt == most {
                return if again { end.exhausted() } else { end.said() };
            }
            if once_only {
                self.happens("not run again: something inside ended on its own");
                return end.kept();
            }
            self.happens("run again");
        }
        unreachable!("the last attempt returns")
    }

    /// One run of the body, its end, its hooks. First: whether it must not be followed by another.
    fn attempt(&mut self, unit: &Unit, commits: Commits, session: usize) -> (bool, End) {
        let setting =
            Setting { commits, isolation: unit.isolation.unwrap_or(Isolation::Serializable), access: unit.access };
        self.frames.push(Frame {
            session,
            setting,
            used: false,
            doom: None,
            levels: vec![Level::default()],
            once_only: false,
        });
        let body = self.body(&unit.name(), &unit.body);
        let would_commit = body == Said::Value || (body.is_error() && unit.on_error == OnError::Commit);
        let hooks = if would_commit { self.before_commit(&unit.name()) } else { Said::Value };
        let mut frame = self.frames.pop().expect("it was pushed");
        let end = self.settle(&mut frame, unit.on_error, body, hooks);
        self.server.give_back(frame.session);
        self.remember(unit, &frame, &end);
        let Level { hooks, rows, .. } = frame.levels.pop().expect("an attempt has its own level");
        let event = match end {
            End::Committed(_) => Event::Commit,
            End::Unknown => Event::Unknown,
            End::RolledBack(_) | End::Asked(_) | End::Fault(..) => Event::Rollback,
        };
        if event == Event::Commit {
            self.rows.extend(rows);
        }
        let hidden = std::mem::replace(&mut self.hidden, self.frames.len());
        self.attend(&unit.name(), event, hooks);
        self.hidden = hidden;
        (frame.once_only, end)
    }

    /// In the order of registration, those that they register included; not where nothing will be committed.
    fn before_commit(&mut self, name: &str) -> Said {
        loop {
            let Frame { doom, levels, .. } = self.frame();
            let level = &mut levels[0];
            let next = level.hooks.iter().position(|hook| matches!(hook, Hook::BeforeCommit(..)));
            let Some(at) = next.filter(|_| doom.is_none() && level.mark.is_none()) else { return Said::Value };
            let Hook::BeforeCommit(id, steps) = level.hooks.remove(at) else { unreachable!("just found") };
            self.diary.push(Note::Ran { hook: id, in_unit: self.in_unit() });
            match self.body(name, &steps) {
                Said::Value => {}
                Said::Own(_) | Said::Work(_) => return Said::Work(ErrorKind::HookRefused),
                Said::Panic(number) => return Said::Panic(number),
            }
        }
    }

    /// A panic wins; then a fault; then a hook's refusal; then the body's own error; then a mark.
    fn settle(&mut self, frame: &mut Frame, on_error: OnError, body: Said, hooks: Said) -> End {
        let mark = frame.levels[0].mark;
        let end = match (body, hooks, frame.doom) {
            (Said::Panic(_), _, _) => End::RolledBack(body),
            (_, Said::Panic(_), _) | (_, Said::Work(_), None) => End::RolledBack(hooks),
            (_, Said::Value, Some(fault)) if body.is_error() => End::Fault(fault, body),
            (_, _, Some(fault)) => End::Fault(fault, Said::Work(fault.kind())),
            (Said::Own(_) | Said::Work(_), _, None) => match (on_error, mark) {
                (OnError::RunAgain, _) => End::Asked(body),
                (OnError::Commit, None) => return self.commit(frame, body),
                (OnError::RollBack, _) | (OnError::Commit, Some(_)) => End::RolledBack(body),
            },
            (_, _, None) => match mark {
                Some(kind) => End::RolledBack(Said::Work(kind)),
                None => return self.commit(frame, body),
            },
        };
        self.server.roll_back(frame.session);
        end
    }

    fn commit(&mut self, frame: &mut Frame, body: Said) -> End {
        match self.server.commit(frame.session) {
            Ok(()) => End::Committed(body),
            // What only read has nothing to lose.
            Err(Way::LostBefore | Way::LostAfter) if frame.setting.access == Access::ReadOnly => {
                self.happens("read only, committed without an answer");
                End::Committed(body)
            }
            Err(Way::LostBefore | Way::LostAfter) => End::Unknown,
            Err(fault @ (Way::Deadlock | Way::LockTimeout | Way::Refused)) => {
                self.server.roll_back(frame.session);
                End::Fault(fault, Said::Work(fault.kind()))
            }
        }
    }

    /// What ended on its own stands, whatever becomes of the attempts around.
    fn remember(&mut self, unit: &Unit, frame: &Frame, end: &End) {
        let repeatable = unit.replay == Replay::Repeatable || unit.access == Access::ReadOnly;
        let once_only = match end {
            End::Unknown => true,
            // What sent nothing has done nothing that could be done twice.
            _ if frame.setting.commits == Commits::Each => frame.used && !repeatable,
            End::Committed(_) => frame.used && !repeatable,
            End::RolledBack(_) | End::Asked(_) | End::Fault(..) => false,
        };
        if let Some(around) = self.frames.last_mut() {
            around.once_only |= once_only || frame.once_only;
        }
    }

    pub(super) fn attend(&mut self, name: &str, event: Event, hooks: Vec<Hook>) {
        for hook in hooks {
            let Hook::After(id, on, then) = hook else { continue };
            if on != event {
                continue;
            }
            self.diary.push(Note::Ran { hook: id, in_unit: self.in_unit() });
            let said = match then {
                Then::Nothing => Said::Value,
                Then::Fail(number) => Said::Own(number),
                Then::Panic(number) => Said::Panic(number),
                Then::Unit(unit) => {
                    if !self.frames.is_empty() {
                        self.happens("a unit in a hook while another is suspended");
                    }
                    self.unit(&unit)
                }
            };
            let kind = match event {
                Event::Commit => HookKind::AfterCommit,
                Event::Rollback => HookKind::AfterRollback,
                Event::Unknown => HookKind::OnUnknown,
            };
            if said != Said::Value {
                self.diary.push(Note::Reported(name.to_owned(), kind, said.to_string()));
            }
        }
    }
}
