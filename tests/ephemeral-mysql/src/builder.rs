//! What a user may choose before a server starts. Nothing is decided here but the defaults.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::flavour::Flavour;
use crate::server::Server;

/// How much the server cares for its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// In memory where possible, nothing flushed, no binary log: as fast as it gets. A clean stop keeps everything,
    /// a kill may lose the commits of the last second.
    #[default]
    Fast,
    /// On a disk, flushed at every commit (`innodb_flush_log_at_trx_commit=1`, doublewrite on), with a binary log that
    /// is flushed too (`sync_binlog=1`): the costs and promises of a production server.
    Durable,
}

/// Where the server's program may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// An installed server, or else the distribution's package, fetched into the cache.
    #[default]
    InstalledOrFetched,
    /// The distribution's package, even if a server is installed.
    Fetched,
}

/// A server that is about to be started. Made by [`Server::builder`].
#[derive(Debug, Clone, Default)]
#[must_use = "nothing is started before `start`"]
pub struct Builder {
    pub(crate) flavour: Flavour,
    pub(crate) profile: Profile,
    pub(crate) source: Source,
    pub(crate) options: Vec<String>,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) cache: Option<PathBuf>,
}

impl Builder {
    /// Chooses between the servers; [`Flavour::MariaDb`] unless called.
    pub fn flavour(mut self, flavour: Flavour) -> Self {
        self.flavour = flavour;
        self
    }

    /// Chooses between speed and durability; [`Profile::Fast`] unless called.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Adds a server option, passed as `--name=value`. It wins over the profile's and over earlier ones.
    ///
    /// Port, socket, data directory and log are the crate's own business: changing them leads to an error at start.
    pub fn option(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.options.push(format!("--{}={}", name.as_ref(), value.as_ref()));
        self
    }

    /// The directory in which the server's own directory is made, instead of the place that its profile would choose.
    /// It must exist; its path must be short, because the path of a socket has at most about 100 bytes.
    pub fn directory(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = Some(directory.as_ref().to_owned());
        self
    }

    /// The directory in which the crate makes its cache, instead of `EPHEMERAL_MYSQL_CACHE` or the user's cache.
    pub fn cache(mut self, directory: impl AsRef<Path>) -> Self {
        self.cache = Some(directory.as_ref().to_owned());
        self
    }

    /// Chooses where the program comes from. `EPHEMERAL_MYSQL_SERVER` wins over this.
    pub fn source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// Starts the server and returns when it answers.
    ///
    /// # Errors
    ///
    /// [`Error::NoServer`] if there is none and none can be fetched, [`Error::UnusableServer`] if
    /// `EPHEMERAL_MYSQL_SERVER` names something else, [`Error::Startup`] with the end of the log if the server ends or
    /// does not answer within a minute (an unknown option, for example), [`Error::Io`] if no directory can be made.
    pub fn start(self) -> Result<Server, Error> {
        Server::start_with(self)
    }
}
