//! What a unit does to the thread it is called on: begin, join, set a savepoint, suspend, run without a transaction, or
//! refuse. Pure: a function of what the unit was declared with and of what is active; `run` does what it says.

use crate::options::{Access, Isolation, Propagation, Snapshot};

/// What the unit that is about to run asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) propagation: Propagation,
    /// `None` = whatever is active will do.
    pub(crate) isolation: Option<Isolation>,
    pub(crate) access: Access,
    pub(crate) snapshot: Snapshot,
}

/// Whether a unit of this mode may begin a transaction.
pub(crate) fn may_begin(mode: Propagation) -> bool {
    alone(mode) == Plan::Begin
}

/// What is active on the thread, for the same database.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Active {
    /// No unit.
    Nothing,
    /// A unit without a transaction: every statement commits by itself.
    Plain {
        /// Its access.
        access: Access,
    },
    /// A transaction.
    Transaction {
        /// Its level.
        isolation: Isolation,
        /// Its access.
        access: Access,
        /// When its read view was taken.
        snapshot: Snapshot,
    },
}

/// What the thread's units of that database end up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// The database.
    ForGood,
    /// A sandbox's transaction, which is rolled back whatever they do. No mode sees it.
    InSandbox,
}

/// What `run` is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Take part in what is active.
    Join,
    /// Begin a transaction.
    Begin,
    /// Set a savepoint in the active transaction.
    Savepoint,
    /// Hide what is active, then begin a transaction on a second session.
    SuspendAndBegin,
    /// Run with every statement committing by itself.
    Plain,
    /// Hide what is active, then the same on a second session.
    SuspendAndPlain,
    /// What stands for a begin in a sandbox, whose one session all units share: a savepoint of its own, what is active hidden.
    BeginInSandbox,
    /// The same for a unit without a transaction: nothing bounds it.
    PlainInSandbox,
    /// Do not run.
    Refuse(Refusal),
}

/// Why a unit does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It must be the outermost, and something is active.
    NotOutermost,
    /// It needs a transaction, and none is active.
    NoTransaction,
    /// It must run without a transaction, and one is active.
    TransactionActive,
    /// It asks for more isolation than the active transaction has.
    StrongerIsolation,
    /// It may write, the active transaction may not.
    WritesInReadOnly,
    /// It wants a read view of its begin, the active transaction has none.
    NoSnapshot,
}

/// Decides.
pub(crate) fn plan(asked: Asked, active: Active, ends: Ends) -> Plan {
    match (ends, by_mode(asked, active)) {
        (Ends::InSandbox, Plan::Begin | Plan::SuspendAndBegin) => Plan::BeginInSandbox,
        (Ends::InSandbox, Plan::Plain | Plan::SuspendAndPlain) => Plan::PlainInSandbox,
        (Ends::ForGood | Ends::InSandbox, plan) => plan,
    }
}

fn by_mode(asked: Asked, active: Active) -> Plan {
    match active {
        Active::Nothing => alone(asked.propagation),
        Active::Plain { access } => inside_plain(asked, access),
        Active::Transaction { isolation, access, snapshot } => inside(asked, isolation, access, snapshot),
    }
}

fn alone(propagation: Propagation) -> Plan {
    match propagation {
        Propagation::Required | Propagation::Outermost | Propagation::RequiresNew | Propagation::Nested => Plan::Begin,
        Propagation::Supports | Propagation::NotSupported | Propagation::Never => Plan::Plain,
        Propagation::Mandatory => Plan::Refuse(Refusal::NoTransaction),
    }
}

/// A unit without a transaction is no transaction to join: what needs one gets its own, on a second session.
fn inside_plain(asked: Asked, access: Access) -> Plan {
    match asked.propagation {
        Propagation::Required | Propagation::RequiresNew => Plan::SuspendAndBegin,
        Propagation::Supports | Propagation::NotSupported | Propagation::Never => {
            writes(asked, access).map_or(Plan::Join, Plan::Refuse)
        }
        Propagation::Outermost => Plan::Refuse(Refusal::NotOutermost),
        Propagation::Mandatory | Propagation::Nested => Plan::Refuse(Refusal::NoTransaction),
    }
}

fn inside(asked: Asked, isolation: Isolation, access: Access, snapshot: Snapshot) -> Plan {
    match asked.propagation {
        Propagation::Required | Propagation::Mandatory | Propagation::Supports => {
            fits(asked, isolation, access, snapshot).map_or(Plan::Join, Plan::Refuse)
        }
        Propagation::Nested => fits(asked, isolation, access, snapshot).map_or(Plan::Savepoint, Plan::Refuse),
        Propagation::RequiresNew => Plan::SuspendAndBegin,
        Propagation::NotSupported => Plan::SuspendAndPlain,
        Propagation::Outermost => Plan::Refuse(Refusal::NotOutermost),
        Propagation::Never => Plan::Refuse(Refusal::TransactionActive),
    }
}

fn fits(asked: Asked, isolation: Isolation, access: Access, snapshot: Snapshot) -> Option<Refusal> {
    if (asked.snapshot, snapshot) == (Snapshot::AtBegin, Snapshot::AtFirstRead) {
        return Some(Refusal::NoSnapshot);
    }
    if asked.isolation.is_some_and(|level| level > isolation) {
        return Some(Refusal::StrongerIsolation);
    }
    writes(asked, access)
}

fn writes(asked: Asked, access: Access) -> Option<Refusal> {
    match (asked.access, access) {
        (Access::ReadWrite, Access::ReadOnly) => Some(Refusal::WritesInReadOnly),
        (Access::ReadOnly, _) | (Access::ReadWrite, Access::ReadWrite) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODES: [Propagation; 8] = [
        Propagation::Required,
        Propagation::Outermost,
        Propagation::RequiresNew,
        Propagation::Nested,
        Propagation::Mandatory,
        Propagation::Supports,
        Propagation::NotSupported,
        Propagation::Never,
    ];

    fn asked(propagation: Propagation) -> Asked {
        Asked { propagation, isolation: None, access: Access::ReadWrite, snapshot: Snapshot::AtFirstRead }
    }

    #[test]
    fn every_mode_has_a_plan_whatever_is_active() {
        use Plan::{Begin, Join, Plain, Refuse, Savepoint, SuspendAndBegin, SuspendAndPlain};
        use Refusal::{NoTransaction, NotOutermost, TransactionActive};
        let transaction = Active::Transaction {
            isolation: Isolation::Serializable,
            access: Access::ReadWrite,
            snapshot: Snapshot::AtFirstRead,
        };
        let plans = |active| MODES.map(|mode| plan(asked(mode), active, Ends::ForGood));
        assert_eq!(plans(Active::Nothing), [Begin, Begin, Begin, Begin, Refuse(NoTransaction), Plain, Plain, Plain]);
        assert_eq!(
            plans(transaction),
            [
                Join,
                Refuse(NotOutermost),
                SuspendAndBegin,
                Savepoint,
                Join,
                Join,
                SuspendAndPlain,
                Refuse(TransactionActive)
            ]
        );
        assert_eq!(
            plans(Active::Plain { access: Access::ReadWrite }),
            [
                SuspendAndBegin,
                Refuse(NotOutermost),
                SuspendAndBegin,
                Refuse(NoTransaction),
                Refuse(NoTransaction),
                Join,
                Join,
                Join
            ]
        );
    }

    #[test]
    fn in_a_sandbox_nothing_is_begun_and_no_mode_decides_otherwise() {
        let transaction = Active::Transaction {
            isolation: Isolation::Serializable,
            access: Access::ReadWrite,
            snapshot: Snapshot::AtFirstRead,
        };
        for active in [Active::Nothing, Active::Plain { access: Access::ReadWrite }, transaction] {
            for mode in MODES {
                let expected = match plan(asked(mode), active, Ends::ForGood) {
                    Plan::Begin | Plan::SuspendAndBegin => Plan::BeginInSandbox,
                    Plan::Plain | Plan::SuspendAndPlain => Plan::PlainInSandbox,
                    plan => plan,
                };
                assert_eq!(plan(asked(mode), active, Ends::InSandbox), expected, "{mode}, {active:?}");
            }
        }
    }

    #[test]
    fn who_joins_may_ask_for_less_but_not_for_more() {
        let committed = Active::Transaction {
            isolation: Isolation::ReadCommitted,
            access: Access::ReadOnly,
            snapshot: Snapshot::AtFirstRead,
        };
        let ask = |isolation, access| {
            plan(Asked { isolation, access, ..asked(Propagation::Required) }, committed, Ends::ForGood)
        };
        assert_eq!(ask(Some(Isolation::Serializable), Access::ReadOnly), Plan::Refuse(Refusal::StrongerIsolation));
        assert_eq!(ask(Some(Isolation::ReadCommitted), Access::ReadOnly), Plan::Join);
        assert_eq!(ask(Some(Isolation::ReadUncommitted), Access::ReadOnly), Plan::Join);
        assert_eq!(ask(None, Access::ReadWrite), Plan::Refuse(Refusal::WritesInReadOnly));
        let plain = Active::Plain { access: Access::ReadOnly };
        assert_eq!(plan(asked(Propagation::Supports), plain, Ends::ForGood), Plan::Refuse(Refusal::WritesInReadOnly));
    }

    #[test]
    fn a_snapshot_joins_a_snapshot_only() {
        let active = |snapshot| Active::Transaction {
            isolation: Isolation::RepeatableRead,
            access: Access::ReadWrite,
            snapshot,
        };
        let wants = Asked { snapshot: Snapshot::AtBegin, ..asked(Propagation::Required) };
        assert_eq!(plan(wants, active(Snapshot::AtFirstRead), Ends::ForGood), Plan::Refuse(Refusal::NoSnapshot));
        assert_eq!(plan(wants, active(Snapshot::AtBegin), Ends::ForGood), Plan::Join);
        assert_eq!(plan(asked(Propagation::Required), active(Snapshot::AtBegin), Ends::ForGood), Plan::Join);
    }
}
