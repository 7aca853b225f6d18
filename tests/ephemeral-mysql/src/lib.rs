#![doc = include_str!("../README.md")]

mod builder;
mod cache;
mod database;
mod directory;
mod error;
mod fetch;
mod find;
mod flavour;
mod launch;
mod lock;
mod mariadb;
mod oracle;
mod process;
mod server;
mod supervisor;
mod template;

use std::path::PathBuf;
use std::sync::OnceLock;

pub use builder::{Builder, Profile, Source};
pub use database::{DATABASE_PREFIX, Database};
pub use error::Error;
pub use flavour::Flavour;
pub use server::Server;

/// One MariaDB server with [`Profile::Fast`] for the whole process, started at the first call. It goes when the process
/// ends.
///
/// # Panics
///
/// If it cannot be started, with the message of the [`Error`].
pub fn shared() -> &'static Server {
    shared_of(Flavour::MariaDb)
}

/// As [`shared`], one server of each flavour.
///
/// # Panics
///
/// If it cannot be started, with the message of the [`Error`].
pub fn shared_of(flavour: Flavour) -> &'static Server {
    static MARIADB: OnceLock<Server> = OnceLock::new();
    static MYSQL: OnceLock<Server> = OnceLock::new();
    let shared = match flavour {
        Flavour::MariaDb => &MARIADB,
        Flavour::MySql => &MYSQL,
    };
    shared.get_or_init(|| Server::builder().flavour(flavour).start().unwrap_or_else(|error| panic!("{error}")))
}

/// Fetches a package of the distribution that other tests need, as servers are fetched: without root, once, into the cache. Returns
/// the directory that it is unpacked in, which has the place of `/`.
///
/// # Errors
///
/// Where there is no `apt-get`, or no such package.
pub fn fetch_package(name: &str) -> Result<PathBuf, Error> {
    fetch::package(name, &cache::Cache::open(None)?)
}
