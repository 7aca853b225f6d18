//! Runs this program under callgrind and reads what it counted. The difference of two runs leaves out all that happens once:
//! loading, connecting, the first use of everything.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use ephemeral_mysql::Server;
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::valgrind::Valgrind;
use crate::work::{SERVER, Work};

/// What one unit costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Of the thread that runs it, in user space.
    pub(crate) instructions: u64,
    /// Calls of `malloc` and its like.
    pub(crate) allocations: u64,
}

/// What one program cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Total {
    instructions: u64,
    allocations: u64,
}

pub(crate) fn count(valgrind: &Valgrind, work: Work, profile: Option<&Path>) -> Result<Cost, Failure> {
    let server = work.server()?;
    let times = work.times();
    let directory = tempfile::tempdir()?;
    let run = |times| one(valgrind, work, times, server.as_ref(), &directory.path().join(format!("{times}.out")));
    let (shorter, longer) = (run(times)?, run(2 * times)?);
    if let Some(to) = profile {
        fs::copy(directory.path().join(format!("{}.out", 2 * times)), to)?;
    }
    let each = |shorter: u64, longer: u64| longer.saturating_sub(shorter).div_ceil(u64::from(times));
    Ok(Cost {
        instructions: each(shorter.instructions, longer.instructions),
        // Rounded to the nearest: a table that grows now and then is no allocation of each unit.
        allocations: (longer.allocations.saturating_sub(shorter.allocations) + u64::from(times) / 2) / u64::from(times),
    })
}

fn one(valgrind: &Valgrind, work: Work, times: u32, server: Option<&Server>, out: &Path) -> Result<Total, Failure> {
    let mut command: Command = valgrind.command();
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(env::current_exe()?).args(["run", work.name(), &times.to_string()]);
    if let Some(server) = server {
        command.env(SERVER, server.url("bank"));
    }
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}, {}", output.status, String::from_utf8_lossy(&output.stderr)).into());
    }
    read(&fs::read_to_string(out)?).ok_or_else(|| format!("callgrind wrote no totals into {}", out.display()).into())
}

/// What allocates, in the C library's words. Rust's own words end in these.
const ALLOCATE: [&str; 4] = ["malloc", "calloc", "realloc", "posix_memalign"];

/// Reads callgrind's output: `totals:` has the instructions, and `calls=N …` how often the function that `cfn=` named was called.
/// A name is written out where it first occurs, as `(7) malloc`, and is `(7)` from then on.
/// <https://valgrind.org/docs/manual/cl-format.html>
fn read(profile: &str) -> Option<Total> {
    let mut allocating = std::collections::HashSet::new();
    let (mut instructions, mut allocations, mut called) = (None, 0, "");
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("cfn=").or_else(|| line.strip_prefix("fn=")) {
            let (id, text) = name.split_once(' ').unwrap_or((name, ""));
            if ALLOCATE.contains(&text) {
                allocating.insert(id);
            }
            called = id;
        } else if let Some(calls) = line.strip_prefix("calls=") {
            if allocating.contains(called) {
                allocations += calls.split(' ').next()?.parse::<u64>().ok()?;
            }
        } else if let Some(totals) = line.strip_prefix("totals: ") {
            instructions = totals.split(' ').next()?.parse().ok();
        }
    }
    Some(Total { instructions: instructions?, allocations })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_remembered_by_their_numbers() {
        let profile = "version: 1\nfn=(1) main\n1 5\ncfn=(2) malloc\ncalls=3 0\n1 30\nfn=(2)\n2 30\nfn=(3) other\ncfn=(1)\n\
                       calls=9 0\n1 2\ncfn=(2)\ncalls=4 0\n1 40\ntotals: 107\n";
        assert_eq!(read(profile), Some(Total { instructions: 107, allocations: 7 }));
        assert_eq!(read("version: 1\n"), None);
    }
}
