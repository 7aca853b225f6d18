//! What figures were measured on: the machine, the system, the server with the settings that matter, the compiler, the commit, and
//! how busy the machine was before. Nothing here identifies who measured or where.

use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};
use unit_of_work::mysql::Conn;
use unit_of_work::mysql::prelude::Queryable;

use crate::Failure;
use crate::report::ENOUGH;
use crate::server::{self, Commit};
use crate::slices::Effort;

/// When, how long, and on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Circumstances {
    /// The name of what was measured.
    pub(crate) measurement: String,
    /// UTC, to the minute.
    pub(crate) date: String,
    pub(crate) commit: String,
    /// Of the last 1, 5 and 15 minutes before it began.
    pub(crate) load_before: String,
    pub(crate) rounds: u32,
    pub(crate) slice_ms: u64,
    pub(crate) machine: Machine,
}

/// What does not change from one measurement to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    pub(crate) compiler: String,
    pub(crate) server: String,
    /// Name and value.
    pub(crate) settings: Vec<(String, String)>,
}

/// What the speed of the server depends on.
const SETTINGS: [&str; 7] = [
    "innodb_flush_log_at_trx_commit",
    "sync_binlog",
    "log_bin",
    "innodb_doublewrite",
    "innodb_buffer_pool_size",
    "innodb_lock_wait_timeout",
    "max_connections",
];

impl Circumstances {
    pub(crate) fn now(measurement: &str, machine: &Machine, effort: Effort) -> Result<Self, Failure> {
        Ok(Self {
            measurement: measurement.to_owned(),
            date: said_by("date", &["-u", "+%Y-%m-%d %H:%M"]),
            commit: commit(),
            load_before: file("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
            rounds: effort.rounds,
            slice_ms: u64::try_from(effort.slice.as_millis())?,
            machine: machine.clone(),
        })
    }

    /// Whether a bar may be judged by such figures.
    pub(crate) fn are_enough(&self) -> bool {
        self.rounds >= ENOUGH.rounds && u128::from(self.slice_ms) >= ENOUGH.slice.as_millis()
    }
}

impl Machine {
    /// Asks the system, and a server that is started for it.
    pub(crate) fn look() -> Result<Self, Failure> {
        let server = server::start(Commit::Written)?.server;
        let mut conn = server.conn()?;
        Ok(Self {
            processor: field(&file("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: gibibytes(&field(&file("/proc/meminfo"), "MemTotal")),
            kernel: said_by("uname", &["-sr"]),
            compiler: said_by("rustc", &["--version"]),
            server: conn.query_first("SELECT VERSION()")?.unwrap_or_default(),
            settings: settings(&mut conn)?,
        })
    }
}

fn settings(conn: &mut Conn) -> Result<Vec<(String, String)>, Failure> {
    let asked = SETTINGS.iter().map(|name| {
        let row: Option<(String, String)> = conn.query_first(format!("SHOW GLOBAL VARIABLES LIKE '{name}'"))?;
        Ok(row)
    });
    Ok(asked.collect::<Result<Vec<_>, Failure>>()?.into_iter().flatten().collect())
}

/// With a mark when there is more than was committed.
fn commit() -> String {
    let git = |arguments: &[&str]| said_by("git", &[&["-C", env!("CARGO_MANIFEST_DIR")], arguments].concat());
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", "../../runtime", "../../macros", "src"]);
    let mark = if changed.is_empty() { "" } else { " with changes" };
    format!("{}{mark}", git(&["rev-parse", "--short=12", "HEAD"]))
}

/// One line, or nothing when there is no such program.
fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

/// Nothing when there is no such file.
fn file(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The value after the first `name :` of a file of `/proc`.
fn field(text: &str, name: &str) -> String {
    let value = |line: &str| Some(line.strip_prefix(name)?.trim_start().strip_prefix(':')?.trim().to_owned());
    text.lines().find_map(value).unwrap_or_else(|| "unknown".to_owned())
}

/// Of `24684412 kB`, rounded.
fn gibibytes(kilobytes: &str) -> u64 {
    let number = kilobytes.split(' ').next().and_then(|number| number.parse::<u64>().ok()).unwrap_or_default();
    (number + (1 << 19)) >> 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_system_are_read() {
        let text = "processor\t: 0\nmodel name\t: A B @ 2GHz\nmodel name\t: C\nMemTotal:       24684412 kB\n";
        assert_eq!(field(text, "model name"), "A B @ 2GHz");
        assert_eq!(gibibytes(&field(text, "MemTotal")), 24);
        assert_eq!(field("", "model name"), "unknown");
    }
}
