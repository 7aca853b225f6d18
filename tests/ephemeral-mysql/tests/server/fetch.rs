//! Where the program comes from: fetched by an ordinary user into an empty cache, or named by the user.

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

use ephemeral_mysql::{Error, Flavour, Source};
use mysql::prelude::Queryable;

use crate::support::{FLAVOUR, Scratch, again, builder, second_role, shared, this_executable};

/// The server's program.
const PROGRAM: &str = match FLAVOUR {
    Flavour::MariaDb => "mariadbd",
    Flavour::MySql => "mysqld",
};

/// The user `nobody` of most systems; any number without rights does.
const NOBODY: u32 = 65534;

/// The worst case at once: an ordinary user, a machine without lists of packages, an empty cache with the rest of a
/// fetch that was killed, two processes that begin at the same time; and later a fetched server that does not run.
#[test]
fn an_ordinary_user_fetches_a_server_into_an_empty_cache() {
    if second_role() {
        return start_fetched();
    }
    let scratch = Scratch::new("fetch");
    let executable = prepare(scratch.path());
    let spawn = || ordinary_user(&mut again(&executable, TEST), scratch.path()).spawn().expect("runs");
    let both = [spawn(), spawn()];
    both.into_iter().for_each(succeeds);
    if apt_is_here() {
        let server = fetched_binary(&scratch.path().join("cache"));
        fs::write(&server, "half a server").expect("the test may damage it");
        succeeds(spawn());
        assert!(fs::metadata(&server).expect("it was fetched again").len() > 1_000_000);
    }
}

const TEST: &str = "fetch::an_ordinary_user_fetches_a_server_into_an_empty_cache";

fn start_fetched() {
    let started = builder().source(Source::Fetched).start();
    if apt_is_here() {
        let server = started.expect("a server is fetched and starts");
        assert!(!nix::unistd::geteuid().is_root());
        assert!(server.conn().is_ok());
    } else {
        let message = started.expect_err("there is no package client").to_string();
        assert!(message.contains("apt-get") && message.contains("brew install"), "{message}");
    }
}

#[test]
fn a_server_that_the_user_names_is_used_or_refused_with_the_reason() {
    if second_role() {
        let error = builder().start().expect_err("that is no server");
        assert!(matches!(&error, Error::UnusableServer { .. }), "{error}");
        assert!(error.to_string().contains("/bin/echo"), "{error}");
        return;
    }
    let test = "fetch::a_server_that_the_user_names_is_used_or_refused_with_the_reason";
    succeeds(again(&this_executable(), test).env("EPHEMERAL_MYSQL_SERVER", "/bin/echo").spawn().expect("runs"));
}

#[test]
fn an_installed_server_is_found_by_name_or_on_the_path_and_nothing_is_fetched() {
    if second_role() {
        return assert!(builder().start().expect("the installed server starts").conn().is_ok());
    }
    let scratch = Scratch::new("installed");
    let (binary, decoy) = (install(scratch.path()), decoy(scratch.path()));
    let own = binary.parent().expect("it lies in a directory");
    let path = env::join_paths([&decoy, own, Path::new("/usr/bin"), Path::new("/bin")]).expect("no colon in it");
    let named = env::join_paths([decoy.join("mysqld"), binary.clone()]).expect("no colon in it");
    let test = "fetch::an_installed_server_is_found_by_name_or_on_the_path_and_nothing_is_fetched";
    for (name, value) in [("EPHEMERAL_MYSQL_SERVER", named), ("PATH", path)] {
        let mut command = again(&this_executable(), test);
        command.env("EPHEMERAL_MYSQL_CACHE", scratch.path()).env(name, value);
        succeeds(command.spawn().expect("runs"));
    }
    let cached = fs::read_dir(own_cache(scratch.path())).expect("the cache is there").flatten();
    let mut entries = cached.map(|entry| entry.file_name().to_string_lossy().into_owned());
    assert!(entries.all(|name| name == "lock" || name.starts_with("template-")));
}

#[test]
fn without_a_server_and_a_package_client_the_error_says_what_to_install() {
    if second_role() {
        let error = builder().source(Source::Fetched).start().expect_err("there is no package client");
        assert!(matches!(&error, Error::NoServer { .. }), "{error}");
        let message = error.to_string();
        let hints = ["apt-get", "dnf install", "brew install", "EPHEMERAL_MYSQL_SERVER", &FLAVOUR.to_string()];
        return assert!(hints.iter().all(|hint| message.contains(hint)), "{message}");
    }
    let scratch = Scratch::new("no-client");
    let test = "fetch::without_a_server_and_a_package_client_the_error_says_what_to_install";
    let mut command = again(&this_executable(), test);
    succeeds(command.env("PATH", scratch.path()).env("EPHEMERAL_MYSQL_CACHE", scratch.path()).spawn().expect("runs"));
}

#[test]
fn nobody_else_may_write_to_the_cache() {
    let scratch = Scratch::new("open-cache");
    let cache = own_cache(scratch.path());
    fs::create_dir(&cache).and_then(|()| fs::set_permissions(&cache, fs::Permissions::from_mode(0o777))).expect("made");
    let error = builder().cache(scratch.path()).start().expect_err("somebody could have put a program there");
    assert!(error.to_string().contains("only this user can write"), "{error}");
}

/// Makes the scene: a copy of this executable that anybody can run, package lists that are empty, a cache with rubbish.
fn prepare(scratch: &Path) -> PathBuf {
    let executable = scratch.join("tests");
    fs::copy(this_executable(), &executable).expect("the executable can be copied");
    let (lists, cache) = (scratch.join("empty-lists"), scratch.join("cache"));
    let own = own_cache(&cache);
    fs::create_dir_all(lists.join("partial"))
        .and_then(|()| fs::create_dir_all(own.join("fetch.tmp/root")))
        .expect("made");
    fs::write(own.join("fetch.tmp/apt.conf"), "rubbish").expect("written");
    fs::write(scratch.join("apt.conf"), format!("Dir::State::lists \"{}\";", lists.display())).expect("written");
    if nix::unistd::geteuid().is_root() {
        for path in [&cache, &own, &own.join("fetch.tmp"), &own.join("fetch.tmp/root"), &own.join("fetch.tmp/apt.conf")]
        {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("root may give it away");
        }
    }
    executable
}

/// Gives the command the scene and, if we are root, takes its rights away.
fn ordinary_user<'a>(command: &'a mut Command, scratch: &Path) -> &'a mut Command {
    command.env("APT_CONFIG", scratch.join("apt.conf")).env("EPHEMERAL_MYSQL_CACHE", scratch.join("cache"));
    if nix::unistd::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn succeeds(child: Child) {
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(status.success(), "{status}\n{}\n{}", text(&stdout), text(&stderr));
    assert!(text(&stdout).contains("1 passed"), "the test ran: {}", text(&stdout));
}

fn apt_is_here() -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join("apt-get").is_file())
}

fn fetched_binary(cache: &Path) -> PathBuf {
    let entries = fs::read_dir(own_cache(cache)).expect("the cache is there").flatten().map(|entry| entry.path());
    entries.map(|path| path.join("usr/sbin").join(PROGRAM)).find(|path| path.is_file()).expect("a server was fetched")
}

fn own_cache(parent: &Path) -> PathBuf {
    parent.join(concat!("ephemeral-mysql-", env!("CARGO_PKG_VERSION")))
}

/// Installs a server below `scratch` as a system would: the program is run by its path alone. Returns that path.
fn install(scratch: &Path) -> PathBuf {
    let (from, prefix) = (prefix_of_a_server(), scratch.join("prefix"));
    let program = ["sbin", "bin", "libexec"].map(|name| from.join(name).join(PROGRAM));
    let program = program.into_iter().find(|path| path.is_file()).expect("the prefix holds the program");
    fs::create_dir_all(prefix.join("sbin")).expect("made");
    for name in ["share", "lib", "lib64"] {
        symlink(from.join(name), prefix.join(name)).expect("made");
    }
    let binary = prefix.join("sbin").join(PROGRAM);
    write_script(&binary, &format!(r#"{} "{}" "$@""#, with_its_libraries(&from), program.display()));
    binary
}

/// A directory with a server of the other flavour, as far as its version goes.
fn decoy(scratch: &Path) -> PathBuf {
    let directory = scratch.join("decoy");
    fs::create_dir(&directory).expect("made");
    let version = match FLAVOUR {
        Flavour::MariaDb => "8.4.0",
        Flavour::MySql => "11.4.2-MariaDB",
    };
    write_script(&directory.join("mysqld"), &format!("echo mysqld  Ver {version} for Linux on x86_64"));
    symlink(directory.join("mysqld"), directory.join(PROGRAM)).or_else(same_name).expect("made");
    directory
}

fn same_name(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

fn write_script(path: &Path, command: &str) {
    fs::write(path, format!("#!/bin/sh\nexec {command}\n")).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

/// Where some server is installed, or was fetched to.
fn prefix_of_a_server() -> PathBuf {
    let mut conn = shared().conn().expect("it answers");
    let prefix: String = conn.query_first("SELECT @@basedir").expect("it answers").expect("one row");
    PathBuf::from(prefix)
}

/// What stands before a fetched program in a shell so that it finds the libraries that came with it.
fn with_its_libraries(prefix: &Path) -> String {
    let entries = fs::read_dir(prefix.join("lib")).into_iter().flatten().flatten().map(|entry| entry.path());
    let directories: Vec<_> = entries.filter(|path| path.to_string_lossy().contains("-linux-gnu")).collect();
    let files = directories.iter().flat_map(|directory| fs::read_dir(directory).expect("it is there")).flatten();
    let loader = files.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("/ld-linux"));
    let path = env::join_paths(&directories).expect("no colon in them").to_string_lossy().into_owned();
    match loader {
        Some(loader) => format!(r#""{}" --library-path "{path}""#, loader.display()),
        None => format!(r#"env LD_LIBRARY_PATH="{path}""#),
    }
}
