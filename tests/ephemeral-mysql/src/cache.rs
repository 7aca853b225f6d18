//! The cache directory: where a fetched server and the data-directory templates live between runs.
//!
//! Decides which directory that is, that only its owner can write there, and who may change it at a time.
//! What is put into it, and when that is complete, is decided by `fetch` and `template`.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::error::{Attempt, Error};
use crate::lock::{self, FileLock};

/// The crate's name and version: another version may lay its cache out differently.
const NAME: &str = concat!(env!("CARGO_PKG_NAME"), "-", env!("CARGO_PKG_VERSION"));

/// A cache directory that exists, is ours, and can be written.
#[derive(Debug)]
pub(crate) struct Cache {
    path: PathBuf,
}

impl Cache {
    /// Opens the cache in `parent` when one is given, else in the first usual place that can be written.
    pub(crate) fn open(parent: Option<&Path>) -> Result<Self, Error> {
        let named = parent.map(Path::to_owned).or_else(|| env::var_os("EPHEMERAL_MYSQL_CACHE").map(PathBuf::from));
        match named {
            Some(parent) => Self::open_in(&parent),
            None => usual_places().find_map(|parent| Self::open_in(&parent).ok()).map_or_else(Self::open_in_temp, Ok),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until no other process or thread changes the cache.
    pub(crate) fn lock(&self) -> Result<FileLock, Error> {
        lock::wait_for(self.lock_file()?).attempt("lock", &self.path)
    }

    /// An empty directory for work in progress under the given name. Call it with the lock held: what is there is
    /// then left over from a process that died.
    pub(crate) fn fresh(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.path.join(name);
        remove(&path)?;
        fs::create_dir(&path).attempt("create", &path)?;
        Ok(path)
    }

    fn open_in(parent: &Path) -> Result<Self, Error> {
        fs::create_dir_all(parent).attempt("create the cache directory", parent)?;
        let path = parent.join(NAME);
        create_private(&path).attempt("create or use the cache directory", &path)?;
        let path = path.canonicalize().attempt("resolve", &path)?;
        let cache = Self { path };
        cache.lock_file()?;
        Ok(cache)
    }

    fn lock_file(&self) -> Result<File, Error> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(self.path.join("lock"));
        file.attempt("write to the cache directory", &self.path)
    }

    /// The last resort for users without a home: their own folder in the directory for temporary files.
    fn open_in_temp() -> Result<Self, Error> {
        let parent = env::temp_dir().join(format!("ephemeral-mysql-cache-{}", nix::unistd::geteuid()));
        create_private(&parent).attempt("create or use the cache directory", &parent)?;
        Self::open_in(&parent)
    }
}

/// Removes a directory with all its contents, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).attempt("remove", path),
        _ => Ok(()),
    }
}

fn usual_places() -> impl Iterator<Item = PathBuf> {
    let xdg = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    [xdg, home].into_iter().flatten().filter(|path| path.is_absolute())
}

/// Programs are run out of the cache, so nobody else may be able to put one there.
fn create_private(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(path)?;
    let private = found.is_dir() && found.uid() == nix::unistd::geteuid().as_raw() && found.mode() & 0o022 == 0;
    if private { Ok(()) } else { Err(io::Error::other("it is not a directory that only this user can write to")) }
}
