//! The data directory with which every server starts: made once per server version, kept in the cache, then copied.
//!
//! Hard links would be quicker than copies but both sides would write to the same file.

use std::env::consts::ARCH;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cache::Cache;
use crate::error::{Attempt, Error};
use crate::find::Installation;
use crate::flavour::{self, Bootstrap, Input};

/// The template for this server, made first when it is not in the cache.
pub(crate) fn of(installation: &Installation, cache: &Cache) -> Result<PathBuf, Error> {
    let template = cache.path().join(format!("template-{}-{ARCH}", file_name(&installation.version)));
    if template.is_dir() {
        return Ok(template);
    }
    let _lock = cache.lock()?;
    if !template.is_dir() {
        let work = cache.fresh("template.tmp")?;
        bootstrap(installation, &work)?;
        fs::rename(&work, &template).attempt("move the new data directory to", &template)?;
    }
    Ok(template)
}

/// Copies a directory with all its contents; `to` must not exist.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    copy_directory(from, to).attempt("copy the template of the data directory to", to)
}

fn copy_directory(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Lets the server itself make its system tables.
fn bootstrap(installation: &Installation, data: &Path) -> Result<(), Error> {
    let Bootstrap { options, input, private } = &installation.flavour.habits().bootstrap;
    let mut command = installation.command();
    command.args(flavour::base_options(installation, data)).args(*options);
    match input {
        Input::Nothing => run(command.stdin(Stdio::null()), installation)?,
        Input::Script(sql) => {
            let sql = sql(&installation.share).attempt("read the SQL of the system tables in", &installation.share)?;
            with_script(&sql, data, |script| run(command.stdin(script), installation))?;
        }
    }
    private.iter().map(|name| data.join(name)).try_for_each(|path| match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).attempt("remove", &path),
        _ => Ok(()),
    })
}

/// Gives statements as a file that is in the data directory meanwhile.
fn with_script(sql: &str, data: &Path, run: impl FnOnce(File) -> Result<(), Error>) -> Result<(), Error> {
    let script = data.join("bootstrap.sql");
    fs::write(&script, sql).attempt("write", &script)?;
    fs::create_dir(data.join("mysql")).attempt("create the system database in", data)?;
    run(File::open(&script).attempt("open", &script)?)?;
    fs::remove_file(&script).attempt("remove", &script)
}

fn run(command: &mut Command, installation: &Installation) -> Result<(), Error> {
    let made = command.output().attempt("run", &installation.binary)?;
    if made.status.success() {
        return Ok(());
    }
    let happened = format!("making the system tables ended with {}", made.status);
    Err(Error::Startup { happened, log: String::from_utf8_lossy(&made.stderr).into_owned() })
}

fn file_name(version: &str) -> String {
    version.replace(|character: char| !character.is_ascii_alphanumeric() && !"+-._~".contains(character), "_")
}
