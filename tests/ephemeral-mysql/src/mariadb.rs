//! All that is particular to MariaDB: how its binary is recognised, how a data directory is made, which options
//! a private server gets. Another flavour of server would be a file beside this one that answers the same questions.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::builder::Profile;
use crate::find::Installation;

/// The names of the server's binary, the specific one first.
pub(crate) const BINARIES: [&str; 2] = ["mariadbd", "mysqld"];

/// What the name of the distribution's package with nothing but the server begins with.
pub(crate) const PACKAGE: &str = "mariadb-server-core";

/// What the server writes to its log when somebody else listens on its port.
pub(crate) const PORT_TAKEN: &str = "Bind on TCP/IP port";

/// The files that make the system tables, in this order, without what was prefixed to them over the years.
const SYSTEM_TABLES: [&str; 3] = ["system_tables.sql", "performance_tables.sql", "system_tables_data.sql"];
const PREFIXES: [&str; 2] = ["mariadb_", "mysql_"];

/// The version in the answer to `--version`, if the answer is MariaDB's.
///
/// `mariadbd  Ver 10.11.6-MariaDB for Linux on x86_64` is version `10.11.6-MariaDB`.
pub(crate) fn version(answer: &str) -> Option<&str> {
    let version = answer.split_once("Ver ")?.1.split_whitespace().next()?;
    version.contains("MariaDB").then_some(version)
}

/// The directory below `prefix` with the messages and the SQL of the system tables. It has several names in the world.
pub(crate) fn share(prefix: &Path) -> Option<PathBuf> {
    let names = ["share/mariadb", "share/mysql", "share"];
    names.iter().map(|name| prefix.join(name)).find(|share| script(share, SYSTEM_TABLES[0]).is_some())
}

/// The statements that turn an empty data directory into one with the system tables and a root without a password.
pub(crate) fn bootstrap(share: &Path) -> io::Result<String> {
    let mut sql = String::from("use mysql;\n");
    for name in SYSTEM_TABLES {
        let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no {name} in {}", share.display()));
        sql += &fs::read_to_string(script(share, name).ok_or_else(missing)?)?;
    }
    sql += &fs::read_to_string(share.join("maria_add_gis_sp_bootstrap.sql"))?;
    Ok(sql)
}

/// The options that every run of the server needs, also the one that makes the template.
///
/// `--no-defaults` must be the first: no configuration file of the machine may interfere.
pub(crate) fn base_options(installation: &Installation, data: &Path) -> Vec<String> {
    let mut options = vec![
        "--no-defaults".to_owned(),
        format!("--basedir={}", installation.prefix.display()),
        format!("--lc-messages-dir={}", installation.share.display()),
        format!("--datadir={}", data.display()),
        // Servers remove each other's temporary tables where they share a directory for them.
        format!("--tmpdir={}", data.display()),
        // A small redo log makes a small template. It has to be the same at each start, or the server rewrites it.
        "--innodb-log-file-size=8M".to_owned(),
        "--innodb-buffer-pool-size=64M".to_owned(),
    ];
    options.extend(installation.plugins.iter().map(|plugins| format!("--plugin-dir={}", plugins.display())));
    if nix::unistd::geteuid().is_root() {
        options.push("--user=root".to_owned());
    }
    options
}

/// The options of the one run that makes a template.
pub(crate) const BOOTSTRAP_OPTIONS: [&str; 4] =
    ["--bootstrap", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--loose-debug-no-sync"];

/// The options of a server that answers connections, small and quiet.
pub(crate) const SERVICE_OPTIONS: [&str; 8] = [
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--performance-schema=off",
    "--max-connections=300",
    "--key-buffer-size=1M",
    "--aria-pagecache-buffer-size=8M",
    "--innodb-buffer-pool-load-at-startup=0",
    "--innodb-buffer-pool-dump-at-shutdown=0",
];

/// How much the server cares for its data.
pub(crate) fn profile_options(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Fast => &[
            "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=0",
            "--innodb-fast-shutdown=2",
            "--loose-debug-no-sync",
        ],
        Profile::Durable => &[
            "--log-bin=binlog",
            "--server-id=1",
            "--sync-binlog=1",
            "--innodb-flush-log-at-trx-commit=1",
            "--innodb-doublewrite=1",
        ],
    }
}

fn script(share: &Path, name: &str) -> Option<PathBuf> {
    PREFIXES.iter().map(|prefix| share.join(format!("{prefix}{name}"))).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn only_mariadb_is_recognised() {
        assert_eq!(
            version("/usr/sbin/mariadbd  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu"),
            Some("10.11.6-MariaDB-0+deb12u1")
        );
        assert_eq!(version("/usr/sbin/mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)"), None);
        assert_eq!(version("mysqld: cannot open shared object file"), None);
    }
}
