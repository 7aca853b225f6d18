//! What the tests share: looking at processes and directories from outside, and other processes that run one of the
//! tests of this executable in a second role.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ephemeral_mysql::{Builder, Flavour, Server, shared_of};

const ROLE: &str = "EPHEMERAL_MYSQL_TEST_ROLE";
const BASE: &str = "EPHEMERAL_MYSQL_TEST_BASE";
const MARK: &str = "server directory: ";

/// The flavour that these tests try: MariaDB, or MySQL with the feature `mysql`.
pub(crate) const FLAVOUR: Flavour = if cfg!(feature = "mysql") { Flavour::MySql } else { Flavour::MariaDb };

/// A server of the flavour.
pub(crate) fn builder() -> Builder {
    Server::builder().flavour(FLAVOUR)
}

/// The one of the flavour that tests share.
pub(crate) fn shared() -> &'static Server {
    shared_of(FLAVOUR)
}

/// Whether this process was started by [`again`], to play the second role of a test.
pub(crate) fn second_role() -> bool {
    env::var_os(ROLE).is_some()
}

/// A command that runs the test named `test` (`module::name`) in another process and in its second role.
pub(crate) fn again(executable: &Path, test: &str) -> Command {
    let mut command = Command::new(executable);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(ROLE, "second");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir("/");
    command
}

/// As [`again`] with this executable, for a second role that is [`serve_until_the_end`] with its server in `base`, where
/// no other test starts one and by that removes what is left over.
pub(crate) fn again_in(base: &Path, test: &str) -> Command {
    let mut command = again(&this_executable(), test);
    command.env(BASE, base);
    command
}

/// The second role: has a server until the first closes our input, or kills us.
pub(crate) fn serve_until_the_end() {
    let base = env::var_os(BASE).expect("the first role sets it");
    let server = builder().directory(base).start().expect("a server starts");
    tell(&server);
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).expect("the input can be read");
}

pub(crate) fn this_executable() -> PathBuf {
    env::current_exe().expect("the path of the test executable is known")
}

/// In the second role: tells the first where the server lives.
pub(crate) fn tell(server: &Server) {
    println!("\n{MARK}{}", directory(server).display());
}

/// In the first role: waits until the second tells where its server lives.
pub(crate) fn hear(child: &mut Child) -> (PathBuf, BufReader<ChildStdout>) {
    let mut output = BufReader::new(child.stdout.take().expect("the output is piped"));
    let mut line = String::new();
    while output.read_line(&mut line).expect("the output is text") > 0 {
        if let Some(path) = line.trim().strip_prefix(MARK) {
            return (PathBuf::from(path), output);
        }
        line.clear();
    }
    panic!("the other process ended ({:?}) before it had a server", child.wait());
}

/// The directory of a running server.
pub(crate) fn directory(server: &Server) -> PathBuf {
    server.socket().parent().expect("a socket lies in a directory").to_owned()
}

/// The processes that have the path in their arguments: the server and its supervisor.
pub(crate) fn processes(path: &Path) -> BTreeSet<u32> {
    let path = path.to_str().expect("the path is text");
    arguments_of_all().into_iter().filter(|(_, arguments)| arguments.contains(path)).map(|(pid, _)| pid).collect()
}

/// Waits until nothing is left of a server; fails after a generous time.
pub(crate) fn wait_until_gone(directory: &Path) {
    let begun = Instant::now();
    while !is_gone(directory) {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "still there: {}, {:?}",
            directory.display(),
            processes(directory)
        );
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether neither the directory (under its own or a later name) nor a process that names it exists.
pub(crate) fn is_gone(directory: &Path) -> bool {
    let dead = PathBuf::from(format!("{}.dead", directory.display()));
    !directory.exists() && !dead.exists() && processes(directory).is_empty()
}

/// A new directory in the one for temporary files, removed with this value.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("eph-test-{}-{name}", std::process::id()));
        fs::create_dir(&path).expect("a directory for the test can be made");
        Self(path.canonicalize().expect("it was just made"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.0);
    }
}

fn arguments_of_all() -> Vec<(u32, String)> {
    if !Path::new("/proc/self/cmdline").exists() {
        let listed = Command::new("ps").args(["-A", "-o", "pid=,command="]).output().expect("ps lists processes");
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        let split = |line: &str| Some((line.trim().split(' ').next()?.parse().ok()?, line.to_owned()));
        return text.lines().filter_map(split).collect();
    }
    let entries = fs::read_dir("/proc").expect("processes can be listed").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // A process may end between the listing and the reading; of a zombie nothing is read.
    let arguments = |pid: u32| Some((pid, fs::read(format!("/proc/{pid}/cmdline")).ok()?));
    pids.filter_map(arguments).map(|(pid, bytes)| (pid, String::from_utf8_lossy(&bytes).into_owned())).collect()
}
