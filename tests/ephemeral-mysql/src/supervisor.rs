//! A small shell process that outlives ours, kills the server and removes its directory, however our process ends.
//!
//! It reads from a pipe whose other end only we hold: the kernel closes that when we die, even of `kill -9`. What is to
//! be killed and removed it takes from the directory itself, so nothing has to be told to it while it waits.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::error::{Attempt, Error};

/// The file in a server's directory that holds the server's process id.
pub(crate) const PID_FILE: &str = "server.pid";

/// What is appended to the name of a directory that is about to be removed.
pub(crate) const DEAD: &str = ".dead";

/// The directory is renamed first. After that no server can be started in it (`PREPARE` fails), and every server that
/// was started before has written its process id. The id is believed only if that process names the directory in its
/// arguments, because the number may by now belong to somebody else.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
PATH="$PATH:/usr/bin:/bin"
while read -r _; do :; done
mv "$0" "$0.dead" 2>/dev/null
[ -d "$0.dead" ] || exit 0
read -r pid <"$0.dead/server.pid"
case $pid in
    ''|*[!0-9]*) ;;
    *)
        if [ -r "/proc/$pid/cmdline" ]; then arguments=$(tr '\0' ' ' <"/proc/$pid/cmdline")
        else arguments=$(ps -o command= -p "$pid")
        fi
        case $arguments in *"$0"*) kill -KILL "$pid" ;; esac ;;
esac
tries=0
until rm -rf "$0.dead"; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || exit 1
    sleep 0.05
done
"#;

/// The shell text that leaves the server's process id in its first argument and then becomes the server.
pub(crate) const PREPARE: &str = r#"echo "$$" >"$0" && exec "$@""#;

/// The running supervisor of one directory. Dropping it ends the server and removes the directory.
#[derive(Debug)]
pub(crate) struct Supervisor {
    child: Child,
    directory: PathBuf,
}

impl Supervisor {
    pub(crate) fn watch(directory: &Path) -> Result<Self, Error> {
        Ok(Self { child: spawn(directory)?, directory: directory.to_owned() })
    }

    /// Starts another supervisor if somebody killed this one.
    pub(crate) fn revive(&mut self) -> Result<(), Error> {
        if self.child.try_wait().attempt("look after the supervisor of", &self.directory)?.is_some() {
            self.child = spawn(&self.directory)?;
        }
        Ok(())
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let ended = self.child.wait();
        if !ended.is_ok_and(|status| status.success()) {
            clear(&self.directory);
        }
    }
}

/// Kills the server of a directory and removes the directory, at once. What cannot be removed stays for a later start.
pub(crate) fn clear(directory: &Path) {
    let cleared = shell(directory).stdin(Stdio::null()).status();
    if cleared.is_err() {
        // Without a shell no server can have been started either.
        let _gone = fs::remove_dir_all(directory);
    }
}

fn spawn(directory: &Path) -> Result<Child, Error> {
    shell(directory).stdin(Stdio::piped()).spawn().attempt("start the supervisor of", directory)
}

/// In its own process group, so that Ctrl-C in the terminal does not reach it; with no inherited output, so that
/// whoever reads our output to its end does not wait for it.
fn shell(directory: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(SCRIPT).arg(directory).stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0).current_dir("/");
    command
}
