//! The directory of one running server: where it lies, whose it is, and what becomes of those whose owner is dead.
//!
//! The owner holds a lock on a file in it as long as it lives; a process id alone would not do, because ids are used
//! again. Removal is the supervisor's.

use std::collections::hash_map::RandomState;
use std::env;
use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, Pid, access};

use crate::builder::Profile;
use crate::cache::Cache;
use crate::error::{Attempt, Error};
use crate::lock::{self, FileLock};
use crate::supervisor::{self, DEAD};

const PREFIX: &str = "ephemeral-mysql-run-";
/// What is appended to the name while the owner's lock is not yet held.
const NEW: &str = ".new";
const LOCK: &str = "owner.lock";
/// A memory file system with less room than this is left alone (containers often have 64 MB of it).
const ROOM: u64 = 256 << 20;

/// A directory that belongs to this process as long as this value lives.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    _owner: FileLock,
}

impl Directory {
    /// Makes a new directory in `base`, after removing what dead processes left there.
    pub(crate) fn claim(base: &Path) -> Result<Self, Error> {
        sweep(base);
        let path = base.join(format!("{PREFIX}{}-{:08x}", std::process::id(), random() & 0xffff_ffff));
        let new = with_suffix(&path, NEW);
        DirBuilder::new().mode(0o700).create(&new).attempt("create", &new)?;
        let file = File::create_new(new.join(LOCK)).attempt("create the owner's lock in", &new)?;
        // Somebody who sweeps may hold it for a moment.
        let owner = lock::wait_for(file).attempt("take the owner's lock in", &new)?;
        fs::rename(&new, &path).attempt("rename", &new)?;
        Ok(Self { path, _owner: owner })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Where servers of this profile live: in memory when nothing needs to last, on a disk otherwise.
pub(crate) fn base(profile: Profile, cache: &Cache) -> PathBuf {
    let temporary = env::temp_dir();
    let chosen = match profile {
        Profile::Fast => Some(PathBuf::from("/dev/shm")).filter(|path| writable(path) && room(path) >= ROOM),
        Profile::Durable => [temporary.clone(), PathBuf::from("/var/tmp"), cache.path().to_owned()]
            .into_iter()
            .find(|path| writable(path) && !in_memory(path)),
    };
    let chosen = chosen.unwrap_or(temporary);
    chosen.canonicalize().unwrap_or(chosen)
}

/// A number that no other process is likely to draw at the same time.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Removes the directories in `base` that are ours and whose owner is dead, with servers that still run in them.
fn sweep(base: &Path) {
    let user = nix::unistd::geteuid().as_raw();
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == user);
        if ours && entry.file_name().to_string_lossy().starts_with(PREFIX) && abandoned(&path) {
            // A directory that was being removed is known to the supervisor by its earlier name.
            let text = path.to_string_lossy();
            supervisor::clear(Path::new(text.strip_suffix(DEAD).unwrap_or(&text)));
        }
    }
}

fn abandoned(path: &Path) -> bool {
    let unlocked = match File::open(path.join(LOCK)) {
        Ok(file) => lock::is_free(file),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    // Between the creation of a directory and that of its lock only the owner's process id tells that it is in use.
    unlocked && !(path.to_string_lossy().ends_with(NEW) && owner_lives(path))
}

fn owner_lives(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()).and_then(|pid| pid.parse().ok());
    pid.is_some_and(|pid| kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn writable(path: &Path) -> bool {
    path.is_dir() && access(path, AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
}

#[allow(clippy::useless_conversion, reason = "the numbers are narrower on some systems")]
fn room(path: &Path) -> u64 {
    statvfs(path).map_or(0, |found| u64::from(found.blocks_available()) * u64::from(found.fragment_size()))
}

#[cfg(target_os = "linux")]
fn in_memory(path: &Path) -> bool {
    use nix::sys::statfs::{TMPFS_MAGIC, statfs};
    statfs(path).is_ok_and(|found| found.filesystem_type() == TMPFS_MAGIC)
}

/// Only Linux commonly keeps temporary files in memory.
#[cfg(not(target_os = "linux"))]
fn in_memory(_path: &Path) -> bool {
    false
}
