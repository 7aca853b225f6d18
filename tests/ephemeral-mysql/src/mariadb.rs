//! What is particular to MariaDB.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::builder::Profile;
use crate::flavour::{Bootstrap, Habits, Input, OnDebian};

pub(crate) const HABITS: Habits = Habits {
    name: "MariaDB",
    hints: "\x20 Debian, Ubuntu:  apt-get install mariadb-server-core\n\
            \x20 Fedora:          dnf install mariadb-server\n\
            \x20 Arch:            pacman -S mariadb\n\
            \x20 macOS:           brew install mariadb",
    binaries: &["mariadbd", "mysqld"],
    package: "mariadb-server-core",
    on_debian: OnDebian::InEveryRelease,
    version,
    share,
    base_options: &[
        // A small redo log makes a small template. It has to be the same at each start, or the server rewrites it.
        "--innodb-log-file-size=8M",
        "--innodb-buffer-pool-size=64M",
    ],
    bootstrap: Bootstrap {
        options: &[
            "--bootstrap",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=0",
            "--loose-debug-no-sync",
        ],
        input: Input::Script(system_tables),
        private: &[],
    },
    service_options: &[
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--performance-schema=off",
        "--max-connections=300",
        "--key-buffer-size=1M",
        "--aria-pagecache-buffer-size=8M",
        "--innodb-buffer-pool-load-at-startup=0",
        "--innodb-buffer-pool-dump-at-shutdown=0",
    ],
    profile_options,
};

/// The files that make the system tables, in this order, without what was prefixed to them over the years.
const SYSTEM_TABLES: [&str; 3] = ["system_tables.sql", "performance_tables.sql", "system_tables_data.sql"];
const PREFIXES: [&str; 2] = ["mariadb_", "mysql_"];

/// `mariadbd  Ver 10.11.6-MariaDB for Linux on x86_64` is version `10.11.6-MariaDB`.
fn version(answer: &str) -> Option<&str> {
    let version = answer.split_once("Ver ")?.1.split_whitespace().next()?;
    version.contains("MariaDB").then_some(version)
}

fn share(prefix: &Path) -> Option<PathBuf> {
    let names = ["share/mariadb", "share/mysql", "share"];
    names.iter().map(|name| prefix.join(name)).find(|share| script(share, SYSTEM_TABLES[0]).is_some())
}

fn system_tables(share: &Path) -> io::Result<String> {
    let mut sql = String::from("use mysql;\n");
    for name in SYSTEM_TABLES {
        let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no {name} in {}", share.display()));
        sql += &fs::read_to_string(script(share, name).ok_or_else(missing)?)?;
    }
    sql += &fs::read_to_string(share.join("maria_add_gis_sp_bootstrap.sql"))?;
    Ok(sql)
}

fn profile_options(profile: Profile) -> &'static [&'static str] {
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
