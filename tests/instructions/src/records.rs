//! What units may cost: what was recorded, and a fifth. Compilers and C libraries differ a little from each other; a unit that
//! takes a lock, a clock or an allocation more differs by more than that.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::callgrind::Cost;
use crate::work::Work;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Records {
    /// The compiler that it was recorded with.
    compiler: String,
    costs: BTreeMap<Work, Cost>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    Holds,
    /// More than a fifth above it, or an allocation more.
    Broken,
    /// More than a fifth below it.
    Beaten,
    Missing,
}

impl Records {
    pub(crate) fn of(counted: &[(Work, Cost)]) -> Self {
        Self { compiler: compiler(), costs: counted.iter().copied().collect() }
    }

    pub(crate) fn read() -> Result<Self, Failure> {
        Ok(serde_json::from_str(&fs::read_to_string(path())?)?)
    }

    pub(crate) fn write(&self) -> Result<(), Failure> {
        Ok(fs::write(path(), serde_json::to_string_pretty(self)? + "\n")?)
    }

    pub(crate) fn hold(&self, counted: &[(Work, Cost)]) -> bool {
        counted.iter().all(|(work, cost)| matches!(self.find(*work, *cost), Finding::Holds | Finding::Beaten))
    }

    /// A table for a person.
    pub(crate) fn compared(&self, counted: &[(Work, Cost)]) -> String {
        let mut table =
            format!("{:<16} {:>12} {:>10} {:>12} {:>10}\n", "", "instructions", "record", "allocations", "record");
        for (work, cost) in counted {
            let record = self.costs.get(work).copied();
            let known = |figure: fn(Cost) -> u64| record.map_or("-".to_owned(), |record| figure(record).to_string());
            let words = match self.find(*work, *cost) {
                Finding::Holds => "",
                Finding::Broken => "  MORE than the record allows",
                Finding::Beaten => "  better by a fifth: `cargo run --release -p instructions -- record`",
                Finding::Missing => "  NOT RECORDED: `cargo run --release -p instructions -- record`",
            };
            let (instructions, allocations) = (known(|cost| cost.instructions), known(|cost| cost.allocations));
            let Cost { instructions: now, allocations: made } = cost;
            let name = work.name();
            writeln!(table, "{name:<16} {now:>12} {instructions:>10} {made:>12} {allocations:>10}{words}")
                .expect("a string takes text");
        }
        let ours = compiler();
        if self.compiler != ours {
            writeln!(table, "recorded with {}; this is {ours}", self.compiler).expect("a string takes text");
        }
        table
    }

    fn find(&self, work: Work, cost: Cost) -> Finding {
        let Some(record) = self.costs.get(&work) else { return Finding::Missing };
        // In fifths, so that nothing is rounded.
        match (5 * cost.instructions, record.instructions) {
            _ if cost.allocations > record.allocations => Finding::Broken,
            (now, then) if now > 6 * then => Finding::Broken,
            (now, then) if now < 4 * then => Finding::Beaten,
            _ => Finding::Holds,
        }
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("records.json")
}

fn compiler() -> String {
    let output = std::process::Command::new("rustc").arg("--version").output();
    output.map_or_else(
        |_| "an unknown compiler".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_is_let_through_and_an_allocation_is_not() {
        let records = Records::of(&[(Work::Empty, Cost { instructions: 1000, allocations: 2 })]);
        let find = |instructions, allocations| records.find(Work::Empty, Cost { instructions, allocations });
        assert_eq!([find(1200, 2), find(800, 0)], [Finding::Holds; 2]);
        assert_eq!([find(1201, 2), find(1000, 3)], [Finding::Broken; 2]);
        assert_eq!(find(799, 2), Finding::Beaten);
        assert_eq!(records.find(Work::Statement, Cost { instructions: 1, allocations: 0 }), Finding::Missing);
        assert!(!records.hold(&[(Work::Statement, Cost { instructions: 1, allocations: 0 })]));
    }
}
