//! The servers that are measured on. Decides what they do at a COMMIT, and refuses a durable one that is not on a disk.

use std::fs;
use std::path::Path;

use ephemeral_mysql::{Builder, Profile, Server};

use crate::Failure;

/// What a server does before it answers a COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commit {
    /// Hands its log to the system, in memory where there is room: what is measured is the way to the server and back.
    Written,
    /// Flushes its log and its binary log to a disk, as a production server does.
    Flushed,
}

/// A server that is measured on.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) server: Server,
    /// The file system that its data lies on.
    pub(crate) file_system: String,
}

fn builder(commit: Commit) -> Builder {
    // Every variant keeps a connection a thread.
    let builder = Server::builder().option("max_connections", "4000");
    match commit {
        Commit::Written => builder.option("innodb_flush_log_at_trx_commit", "2"),
        Commit::Flushed => builder.profile(Profile::Durable),
    }
}

pub(crate) fn start(commit: Commit) -> Result<Measured, Failure> {
    let server = builder(commit).start()?;
    let directory = server.socket().parent().unwrap_or(Path::new("/")).to_owned();
    let file_system = file_system(&fs::read_to_string("/proc/mounts").unwrap_or_default(), &directory);
    match commit {
        Commit::Flushed if ["tmpfs", "ramfs"].contains(&&*file_system) => {
            Err(format!("{} is in memory ({file_system}): set TMPDIR to a directory on a disk", directory.display())
                .into())
        }
        Commit::Flushed | Commit::Written => Ok(Measured { server, file_system }),
    }
}

/// The type of what is mounted nearest above `directory`; of two in one place the later one is on top.
fn file_system(mounts: &str, directory: &Path) -> String {
    let mount = |line: &str| {
        let mut fields = line.split(' ').skip(1);
        let (place, kind) = (fields.next()?, fields.next()?);
        directory.starts_with(place).then(|| (place.len(), kind.to_owned()))
    };
    let nearest = mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length);
    nearest.map_or_else(|| "unknown".to_owned(), |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_decides() {
        let mounts =
            "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmp/disk xfs rw 0 0\n/dev/c /tmp/di btrfs rw 0 0\n";
        for (directory, kind) in
            [("/var/tmp/x", "ext4"), ("/tmp/x", "tmpfs"), ("/tmp/disk/x", "xfs"), ("/tmpx", "ext4")]
        {
            assert_eq!(file_system(mounts, Path::new(directory)), kind, "{directory}");
        }
        assert_eq!(file_system("", Path::new("/tmp")), "unknown");
    }
}
