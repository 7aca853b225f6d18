//! A ledger on a server of its own, a directory for files, and the program as a user runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use ephemeral_mysql::Server;
use mysql::Conn;
use mysql::prelude::{FromRow, Queryable};
use tempfile::TempDir;
use unit_of_work::mysql;

/// What an account is opened with, in cents: when it comes near its limit, little is left for fees.
pub(crate) const BALANCE: u64 = 60_100;

pub(crate) struct Room {
    pub(crate) server: Server,
    pub(crate) place: TempDir,
}

/// All that a night leaves that two runs must agree on.
#[derive(Debug, PartialEq)]
pub(crate) struct Books {
    /// Number, balance, spent, what it may spend.
    pub(crate) accounts: Vec<(u64, u64, u64, u64)>,
    /// Line, number, from, to, amount, fee.
    pub(crate) payments: Vec<(u64, u64, u64, u64, u64, u64)>,
    /// Line, text, rule, reason.
    pub(crate) rejects: Vec<(u64, String, String, String)>,
}

impl Books {
    /// The numbers of lines that are posted or rejected.
    pub(crate) fn lines(&self) -> Vec<u64> {
        let posted = self.payments.iter().map(|payment| payment.0);
        let mut lines: Vec<_> = posted.chain(self.rejects.iter().map(|reject| reject.0)).collect();
        lines.sort_unstable();
        lines
    }
}

impl Room {
    pub(crate) fn new() -> Self {
        let place = tempfile::tempdir().expect("a directory can be made");
        Self { server: Server::start().expect("a private server starts"), place }
    }

    pub(crate) fn file(&self, text: &str) -> PathBuf {
        self.file_of("payments.csv", text)
    }

    pub(crate) fn file_of(&self, name: &str, text: &str) -> PathBuf {
        let path = self.place.path().join(name);
        fs::write(&path, text).expect("a file can be written");
        path
    }

    /// With bad lines of every kind; 50 accounts are meant.
    pub(crate) fn generated(&self, lines: u64) -> PathBuf {
        let path = self.place.path().join("payments.csv");
        let mut command = batch();
        command.arg(&path).args(["--dry-run", "--accounts", "50", "--generate", &lines.to_string()]);
        assert_eq!(run(command).status.code(), Some(0));
        path
    }

    /// Fifty accounts with [`BALANCE`] each, of which each may spend 60000, unless there are some already.
    pub(crate) fn batch(&self, file: &Path, arguments: &[&str]) -> Command {
        let mut command = batch();
        command.arg(file).args(["--accounts", "50", "--balance", &BALANCE.to_string()]).args(arguments);
        command.env("UNIT_OF_WORK_URL", self.server.url(""));
        command
    }

    /// What a run prints that must go well.
    pub(crate) fn settle(&self, file: &Path, arguments: &[&str]) -> String {
        settled(&run(self.batch(file, arguments)))
    }

    pub(crate) fn conn(&self) -> Conn {
        self.server.conn().expect("the server answers")
    }

    pub(crate) fn tell(&self, sql: &str) {
        let mut conn = self.conn();
        // It may not be there yet.
        _ = conn.query_drop("USE unit_of_work_batch");
        conn.query_drop(sql).expect("root may");
    }

    pub(crate) fn ask<T: FromRow>(&self, sql: &str) -> Vec<T> {
        let mut conn = self.conn();
        conn.query_drop("USE unit_of_work_batch").expect("the program made it");
        conn.query(sql).expect("the tables can be read")
    }

    pub(crate) fn books(&self) -> Books {
        Books {
            accounts: self.ask("SELECT id, balance, spent, nightly_limit FROM account ORDER BY id"),
            payments: self.ask("SELECT line, id, from_account, to_account, amount, fee FROM payment ORDER BY line"),
            rejects: self.ask("SELECT line, text, rule, reason FROM reject ORDER BY line"),
        }
    }

    /// What all accounts hold, and what is on its way to them: asked at once, because a COMMIT of a run that was killed may still come.
    pub(crate) fn money(&self) -> u64 {
        let sum = "SELECT CAST((SELECT SUM(balance) FROM account) + (SELECT COALESCE(SUM(amount), 0) FROM payment \
                   JOIN night ON night.id = payment.night WHERE night.closed = 0) AS UNSIGNED)";
        self.ask(sum)[0]
    }

    /// As if it had never been.
    pub(crate) fn forget(&self) {
        self.tell("DROP DATABASE IF EXISTS unit_of_work_batch");
    }

    pub(crate) fn lock_waits(&self) -> u64 {
        let waits = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'";
        let row: Option<(String, u64)> = self.conn().query_first(waits).expect("it can be shown");
        row.expect("InnoDB counts them").1
    }
}

pub(crate) fn batch() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batch"));
    command.env_remove("UNIT_OF_WORK_URL");
    command
}

pub(crate) fn run(mut command: Command) -> Output {
    command.output().expect("the program can be started")
}

pub(crate) fn begun(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program can be started")
}

/// What was printed by a run that must have gone well, in silence.
pub(crate) fn settled(output: &Output) -> String {
    let (text, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), said.as_ref()), (Some(0), ""), "{text}");
    assert!(text.contains("\nThe money adds up: "), "{text}");
    text.into_owned()
}

/// The number in the line of a report that begins so.
pub(crate) fn count(report: &str, name: &str) -> u64 {
    let line = report.lines().find(|line| line.trim_start().starts_with(name)).expect("the report has this line");
    line.trim_start()[name.len()..].split_whitespace().find_map(|word| word.parse().ok()).expect("and a number in it")
}

/// What was said by a run that must not have been possible.
pub(crate) fn refused(output: &Output) -> String {
    failed(output, 2)
}

pub(crate) fn failed(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}{}", String::from_utf8_lossy(&output.stdout));
    assert!(said.starts_with("error: ") && !said.contains("panicked"), "{said}");
    said
}
