//! The server as a child process: starting it, signals to it, and reaping it.
//!
//! A process id is used only while the process is not reaped, so a signal can never reach somebody else's process.

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::error::{Attempt, Error};
use crate::find::Installation;
use crate::supervisor::{PID_FILE, PREPARE};

/// Between two looks at a server that is coming up or going down.
pub(crate) const POLL: Duration = Duration::from_millis(5);

const LOG: &str = "server.log";

/// The server's process, running or ended.
#[derive(Debug)]
pub(crate) struct Process {
    pid: u32,
    /// `None` once it is reaped.
    running: Option<Child>,
}

impl Process {
    /// Starts the server in `directory`, with its output appended to a log there.
    pub(crate) fn start(installation: &Installation, arguments: &[String], directory: &Path) -> Result<Self, Error> {
        let path = log_path(directory);
        let log = OpenOptions::new().create(true).append(true).open(&path).attempt("open", &path)?;
        let copy = log.try_clone().attempt("open", &path)?;
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(PREPARE).arg(directory.join(PID_FILE)).args(installation.words()).args(arguments);
        command.envs(installation.environment());
        // Its own process group: Ctrl-C in the terminal is for us, and the supervisor decides when the server ends.
        command.process_group(0).current_dir("/").stdin(Stdio::null()).stdout(log).stderr(copy);
        let child = command.spawn().attempt("start", &installation.binary)?;
        Ok(Self { pid: child.id(), running: Some(child) })
    }

    /// The process id, also after the end of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// How the process ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.running.as_mut()?.try_wait().ok()??;
        self.running = None;
        Some(status)
    }

    pub(crate) fn is_running(&mut self) -> bool {
        let _status = self.ended();
        self.running.is_some()
    }

    /// Ends the process with `SIGKILL` and waits for its end.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().and_then(|()| child.wait()).expect("a child that is not reaped can be killed and waited for");
        }
    }

    /// Asks for a clean shutdown and waits for it; `false` if it still runs after `limit`.
    pub(crate) fn stop(&mut self, limit: Duration) -> bool {
        self.signal(Signal::SIGCONT);
        self.signal(Signal::SIGTERM);
        let asked = Instant::now();
        while self.is_running() && asked.elapsed() < limit {
            thread::sleep(POLL);
        }
        self.running.is_none()
    }

    /// Stops the process with `SIGSTOP` and waits until it stands still; `false` if it has ended.
    pub(crate) fn pause(&mut self) -> bool {
        self.signal(Signal::SIGSTOP);
        if self.running.is_some() && !stands_still(self.raw()) {
            self.running = None;
        }
        self.running.is_some()
    }

    /// Lets a paused process go on; `false` if it has ended.
    pub(crate) fn resume(&mut self) -> bool {
        self.signal(Signal::SIGCONT);
        self.running.is_some()
    }

    fn signal(&mut self, signal: Signal) {
        if self.is_running() {
            kill(self.raw(), signal).expect("a child that is not reaped can be sent a signal");
        }
    }

    fn raw(&self) -> Pid {
        Pid::from_raw(self.pid.try_into().expect("process ids fit their signed type"))
    }
}

/// The server's log in its directory.
pub(crate) fn log_path(directory: &Path) -> PathBuf {
    directory.join(LOG)
}

/// Waits until a child is stopped. If it ended instead, it is reaped now.
fn stands_still(pid: Pid) -> bool {
    loop {
        match waitpid(pid, Some(WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::Stopped(..)) => return true,
            Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) => return false,
            // Anything else says nothing about the child: an interrupted call, or a state that was not asked for.
            _ => {}
        }
    }
}
