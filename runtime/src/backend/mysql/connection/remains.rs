//! What a ROLLBACK leaves in the database: changes of tables that are not transactional (`MyISAM`, Aria, MEMORY …). The server says so
//! with warning 1196, and only with the answer that tells of the roll-back: where it rolled back by itself, that is the error of a
//! statement or of COMMIT, whose packet does not count warnings. So the transaction's tracker is heeded too, which tells of such a
//! change as soon as it is made, also where the connection is lost later. Temporary tables warn alike, and are gone with the reset.

use mysql::Row;

use super::{Left, MySqlConnection, Open, Permanent, ROLLBACK, Step};
use crate::backend::Rollback;
use crate::backend::mysql::wire::{Answer, Request};
use crate::error::ErrorKind;
use crate::fault::{Again, Failed, Fault, Undone};

/// `ER_WARNING_NOT_COMPLETE_ROLLBACK`: "Some non-transactional changed tables couldn't be rolled back".
const NOT_COMPLETE: &str = "1196";

/// Asked of all databases, because a unit may write to all. Names, so that a person knows where to look.
const TABLES: &str = "SELECT CONCAT('`', table_schema, '`.`', table_name, '` (', engine, ')') \
    FROM information_schema.tables JOIN information_schema.engines USING (engine) WHERE transactions <> 'YES' \
    AND table_type = 'BASE TABLE' \
    AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') LIMIT 8";

/// Whether something stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stays {
    Nothing,
    Something,
}

impl Permanent {
    /// Which statement is known to have done it. Of several in a packet it is not known which.
    fn statement(&self) -> Option<&str> {
        match self {
            Self::Known(statement) => Some(statement),
            Self::No | Self::Unseen | Self::Suspected => None,
        }
    }
}

impl MySqlConnection {
    /// ROLLBACK, of a transaction that may be open.
    pub(super) fn undo(&mut self) -> Rollback {
        let permanent = std::mem::replace(&mut self.permanent, Permanent::No);
        let undone = match (self.step, &permanent) {
            (Step::In, _) => self.roll_back(&permanent),
            (Step::Out, Permanent::Known(_)) => Ok(Stays::Something),
            (Step::Out, Permanent::No | Permanent::Unseen | Permanent::Suspected) => Ok(Stays::Nothing),
        };
        match (undone, &permanent) {
            (Ok(Stays::Nothing), _) => Rollback::Complete,
            (Ok(Stays::Something), _) | (Err(_), Permanent::Known(_)) => match self.tables() {
                Some(tables) => Rollback::Incomplete(incomplete(permanent.statement(), &tables)),
                None => Rollback::Complete,
            },
            // What was never seen is no reason to give the unit up.
            (Err(failed), Permanent::No | Permanent::Unseen | Permanent::Suspected) => Rollback::Refused(failed),
        }
    }

    fn roll_back(&mut self, permanent: &Permanent) -> Result<Stays, Failed> {
        // What the last statement was answered with: its error may tell of a roll-back, and ROLLBACK then tells of none.
        let earlier = match permanent {
            Permanent::No | Permanent::Unseen => Stays::Nothing,
            Permanent::Suspected | Permanent::Known(_) => self.warned()?,
        };
        // Where that is refused the session keeps its transaction, and a later COMMIT on it would save half a unit: it still counts
        // as open, for which the session is thrown away.
        let answer = self.send(ROLLBACK)?;
        self.transaction = Open::No;
        match answer.warnings {
            0 => Ok(earlier),
            _ => self.warned(),
        }
    }

    /// What became of ROLLBACK TO SAVEPOINT. A table that was changed before the savepoint warns alike, and cannot be told apart.
    pub(super) fn undone_to_savepoint(&mut self, answer: Answer) -> Result<(), Failed> {
        if answer.warnings == 0 || self.warned()? == Stays::Nothing {
            return Ok(());
        }
        let failed = self.tables().map(|tables| incomplete(self.permanent.statement(), &tables));
        failed
            .map_or(Ok(()), |failed| Err(Failed { fault: Fault { undone: Undone::Doomed, ..failed.fault }, ..failed }))
    }

    /// Whether the last answer tells of a roll-back that was not complete.
    fn warned(&mut self) -> Result<Stays, Failed> {
        let mut stays = Stays::Nothing;
        let mut look = |row: Row| {
            if row.get::<String, _>("Code").is_some_and(|code| code == NOT_COMPLETE) {
                stays = Stays::Something;
            }
        };
        self.exchange(Request::Query("SHOW WARNINGS"), &mut look)?;
        Ok(stays)
    }

    /// The tables that may be meant. `None` = there is none, so that it was a temporary one.
    fn tables(&mut self) -> Option<Vec<String>> {
        let mut tables = Vec::new();
        if self.step == Step::Out {
            return Some(tables);
        }
        let asked = self.exchange(Request::Query(TABLES), &mut |row| tables.extend(row.get::<String, _>(0)));
        if self.transaction == Open::No && self.send(ROLLBACK).is_err() {
            self.step = Step::Out;
        }
        let may_be_temporary = self.left == Left::Something && asked.is_ok();
        (!tables.is_empty() || !may_be_temporary).then_some(tables)
    }
}

fn incomplete(statement: Option<&str>, tables: &[String]) -> Failed {
    let what = match statement {
        Some(sql) => format!("`{sql}` changed a table that is not transactional"),
        None => "a table that is not transactional was changed".to_owned(),
    };
    let which = match tables {
        [] => String::new(),
        tables => format!(" (tables of that kind: {})", tables.join(", ")),
    };
    let detail = format!(
        "{what}, and ROLLBACK does not undo that: what was written to it stays in the database{which}; the unit was not run \
         again; make the table InnoDB, or write to it outside of the unit"
    );
    Failed::of(ErrorKind::RollbackIncomplete, Undone::Transaction, Again::Never, detail)
}
