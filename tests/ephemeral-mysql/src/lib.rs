#![doc = include_str!("../README.md")]

mod builder;
mod cache;
mod database;
mod directory;
mod error;
mod fetch;
mod find;
mod launch;
mod lock;
mod mariadb;
mod process;
mod server;
mod supervisor;
mod template;

use std::sync::OnceLock;

pub use builder::{Builder, Profile, Source};
pub use database::{DATABASE_PREFIX, Database};
pub use error::Error;
pub use server::Server;

/// One server with [`Profile::Fast`] for the whole process, started at the first call. It goes when the process ends.
///
/// # Panics
///
/// If it cannot be started, with the message of the [`Error`].
pub fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start().unwrap_or_else(|error| panic!("{error}")))
}
