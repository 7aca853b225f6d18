//! Names of tests' databases, and whose they are. While a process uses one it holds a lock of that name on the server (`GET_LOCK`),
//! which the server takes back when the process is gone, however it went: so a database whose lock is free is nobody's, and is
//! dropped by the first process that comes by. Only what is named as here is ever dropped.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use mysql::Row;

use crate::backend::mysql::MySql;
use crate::backend::mysql::wire::Request;
use crate::backend::{Backend, Connector};
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::fault::Failed;

type Connection = <MySql as Backend>::Connection;

const PREFIX: &str = "unit_of_work_test_";

/// A name that nobody else uses while this lives.
#[derive(Debug)]
pub(super) struct Name {
    text: String,
    /// Holds the lock. Used by nobody, but values of a `Sync` type hold it.
    _lock: Mutex<Connection>,
}

impl Name {
    /// Process numbers repeat, on one machine and between containers: so a part of it is random.
    pub(super) fn fresh(admin: &Database) -> Result<Self, Error> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let text = format!("{PREFIX}{process}_{number}_{:08x}", random());
        let mut connection = connect(admin).map_err(Error::from_failed)?;
        match lock(&mut connection, &text).map_err(Error::from_failed)? {
            Lock::Ours => Ok(Self { text, _lock: Mutex::new(connection) }),
            Lock::Theirs => {
                let detail = format!("the name `{text}` for the test's database is in use already");
                Err(Error::new(ErrorKind::Configuration, detail))
            }
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn random() -> u32 {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_err() {
        fastrand::fill(&mut bytes);
    }
    u32::from_ne_bytes(bytes)
}

/// Drops what killed processes have left, at the first call for a server. That it cannot is no reason for a test to fail.
pub(super) fn sweep(server: &str, admin: &Database) {
    static SWEPT: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if swept.iter().any(|other| other == server) {
        return;
    }
    swept.push(server.to_owned());
    drop(swept);
    if let Err(failed) = drop_what_is_left(admin) {
        eprintln!("what earlier tests have left on the server could not be dropped: {}", Error::from_failed(failed));
    }
}

fn drop_what_is_left(admin: &Database) -> Result<(), Failed> {
    let mut connection = connect(admin)?;
    let mut names: Vec<String> = Vec::new();
    connection.exchange(Request::Query(&format!("SHOW DATABASES LIKE '{PREFIX}%'")), &mut |row: Row| {
        names.extend(row.get::<String, _>(0));
    })?;
    for name in names.iter().filter(|name| is_ours(name)) {
        if lock(&mut connection, name)? == Lock::Ours {
            connection.send(&format!("DROP DATABASE IF EXISTS `{name}`"))?;
            connection.send(&format!("DO RELEASE_LOCK('{name}')"))?;
        }
    }
    Ok(())
}

fn connect(admin: &Database) -> Result<Connection, Failed> {
    admin.pool().connector().connect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lock {
    Ours,
    Theirs,
}

fn lock(connection: &mut Connection, name: &str) -> Result<Lock, Failed> {
    let mut got = Lock::Theirs;
    let text = format!("SELECT GET_LOCK('{name}', 0)");
    connection.exchange(Request::Query(&text), &mut |row: Row| {
        if row.get::<Option<u8>, _>(0) == Some(Some(1)) {
            got = Lock::Ours;
        }
    })?;
    Ok(got)
}

/// `unit_of_work_test_`, the process, the number, eight hexadecimal digits; nothing that could end a literal.
fn is_ours(name: &str) -> bool {
    let parts: Vec<&str> = name.strip_prefix(PREFIX).map(|rest| rest.split('_').collect()).unwrap_or_default();
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let hex = |part: &str| part.len() == 8 && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    matches!(parts[..], [process, count, random] if number(process) && number(count) && hex(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_so_is_ours() {
        assert!(is_ours("unit_of_work_test_4711_1_0a1b2c3d"));
        for other in [
            "unit_of_work_test_",
            "unit_of_work_test_4711_1",
            "unit_of_work_test_mine",
            "unit_of_work_test_4711_1_0a1b2c3",
            "unit_of_work_test_4711_1_0A1B2C3D",
            "unit_of_work_test_4711_x_0a1b2c3d",
            "unit_of_work_test_4711_1_0a1b2c3d_backup",
            "my_unit_of_work_test_4711_1_0a1b2c3d",
            "unit_of_work_test_4711_1_0a1b'; D",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
