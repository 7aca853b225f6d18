#![doc = include_str!("../../README.md")]
//! # More
//!
//! [The guide](guide), what an operator sees ([`observe`]), what errors look like ([`errors`]).

mod ambient;
mod attempt;
mod backend;
#[cfg(feature = "tokio")]
mod blocking;
mod builder;
mod clock;
mod contention;
mod course;
mod database;
mod error;
mod fault;
mod ground;
pub mod guide;
mod hooks;
mod kind;
mod label;
mod ledger;
mod loan;
mod local;
mod nested;
pub mod observe;
mod options;
mod outcome;
mod pool;
mod private;
mod propagation;
mod refusal;
mod registry;
mod resolution;
mod retry;
mod run;
mod session;
mod settle;
mod shown;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;
mod tx;
mod unit;
mod unit_builder;
mod units;
mod watchdog;

/// The driver: its value types, `params!` (after `use unit_of_work::mysql::params;`, not by its path), `FromRow`, and `Queryable` for [`Tx::connection`].
pub use ::mysql;
pub use ambient::{after_commit, forbid_in_unit, in_unit, outside, with_current};
pub use backend::Backend;
pub use backend::mysql::{Lent, MySql, Session, Tls};
pub use builder::DatabaseBuilder;
pub use clock::Clock;
pub use database::{Database, Scope};
pub use error::{Error, ErrorKind};
pub use hooks::{Cause, HookFailure, HookKind, HookResult};
pub use options::{Access, Admission, Isolation, OnError, Propagation, Retry, Topology};
pub use outcome::Outcome;
pub use pool::Stats;
pub use registry::Entered;
pub use tx::Tx;
pub use unit_builder::{Judge, UnitBuilder};
#[cfg(feature = "testing")]
pub use unit_of_work_macros::test;
pub use unit_of_work_macros::unit_of_work;
pub use units::{UnitStats, Units, units};

#[doc = include_str!("../docs/errors.md")]
pub mod errors {}

#[doc(hidden)]
pub mod __private {
    //! Not public API: what generated code uses.
    pub use crate::private::*;
}
