//! Locks on files. The kernel releases the lock of a process that dies, so none can be stale.

use std::fs::File;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// A lock that is held as long as this value lives.
pub(crate) type FileLock = Flock<File>;

/// Waits until nobody else holds the lock on this file, and takes it.
pub(crate) fn wait_for(mut file: File) -> Result<FileLock, Errno> {
    loop {
        match Flock::lock(file, FlockArg::LockExclusive) {
            Err((unlocked, Errno::EINTR)) => file = unlocked,
            locked => return locked.map_err(|(_, errno)| errno),
        }
    }
}

/// Whether nobody holds the lock on this file.
pub(crate) fn is_free(file: File) -> bool {
    Flock::lock(file, FlockArg::LockExclusiveNonblock).is_ok()
}
