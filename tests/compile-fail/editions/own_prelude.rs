//! A user's own `Result`, `Ok`, `Some`, `Option`, `Clone`, `Copy`, `Fn` and so on, and modules and macros by well-known names.

#![allow(dead_code, non_camel_case_types, unused_macros)]

use ::unit_of_work::{Error, Tx, unit_of_work as unit};

struct Result;
struct Ok;
struct Err;
struct Some;
struct None;
struct Option;
struct Vec;
struct String;
struct Box;
struct Duration;
struct Unit;
struct Again;
struct Database;
struct u64;
struct bool;
trait Clone {}
trait Copy {}
trait Fn {}
trait FnMut {}
trait FnOnce {}
trait Sized {}
trait Send {}
trait Into {}
trait From {}
trait Default {}
trait Drop {}
mod core {}
mod std {}
mod unit_of_work {}
fn drop() {}
fn run() {}
fn replayable() {}

macro_rules! file {
    () => {
        7
    };
}
macro_rules! line {
    () => {
        "7"
    };
}
macro_rules! compile_error {
    ($($any:tt)*) => {};
}

#[derive(Debug)]
enum Failed {
    Work(Error),
}

impl ::core::convert::From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed::Work(error)
    }
}

#[unit(
    isolation = "repeatable read",
    retry(max_attempts = 3, within = "1s"),
    timeout = "2s",
    retry_on(Failed::Work(_))
)]
fn open(tx: &mut Tx<'_>, id: i64, name: &str) -> ::core::result::Result<i64, Failed> {
    tx.exec_drop("INSERT INTO account VALUES (?, ?)", (id, name))?;
    ::core::result::Result::Ok(id)
}

#[unit(propagation = "requires_new", repeatable, read_only)]
fn count(tx: &mut Tx<'_>) -> ::core::result::Result<::core::option::Option<i64>, Error> {
    tx.exec_first("SELECT COUNT(*) FROM account", ())
}

fn main() {
    let _ = (open(1, "").is_err(), count().is_err());
}
