//! What is particular to MySQL from version 8.0.30 on, Oracle's own or built from it.

use std::path::{Path, PathBuf};

use crate::builder::Profile;
use crate::flavour::{Bootstrap, Habits, Input, OnDebian};

pub(crate) const HABITS: Habits = Habits {
    name: "MySQL",
    hints: "\x20 Debian:          nothing, it is fetched from Debian unstable\n\
            \x20 Ubuntu:          apt-get install mysql-server-core-8.0 (or the number that this release has)\n\
            \x20 Fedora:          dnf install mysql-server\n\
            \x20 macOS:           brew install mysql\n\
            \x20 others:          unpack an archive from https://dev.mysql.com/downloads/mysql/",
    binaries: &["mysqld"],
    package: "mysql-server-core",
    on_debian: OnDebian::InUnstable,
    version,
    share,
    base_options: &[
        // A small redo log makes a small template. It has to be the same at each start, or the server rewrites it.
        "--innodb-redo-log-capacity=8M",
        "--innodb-buffer-pool-size=64M",
        // Otherwise the directory that was compiled in must exist.
        "--secure-file-priv=NULL",
        // The second protocol has its own port and socket, which would be everybody's.
        "--mysqlx=OFF",
        // No TLS unless options add it.
        "--auto-generate-certs=OFF",
    ],
    bootstrap: Bootstrap {
        options: &[
            "--initialize-insecure",
            "--skip-log-bin",
            "--performance-schema=OFF",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=OFF",
        ],
        input: Input::Nothing,
        // The server's UUID: two servers with the same one cannot replicate.
        private: &["auto.cnf"],
    },
    // Names are resolved: root comes from `localhost`, and without resolving 127.0.0.1 would be somebody else. For
    // that address nobody is asked.
    service_options: &[
        "--bind-address=127.0.0.1",
        "--performance-schema=OFF",
        "--max-connections=300",
        "--key-buffer-size=1M",
        "--innodb-buffer-pool-load-at-startup=OFF",
        "--innodb-buffer-pool-dump-at-shutdown=OFF",
    ],
    profile_options,
};

/// `mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))` is version `9.7.4-2`.
fn version(answer: &str) -> Option<&str> {
    let version = answer.split_once("Ver ")?.1.split_whitespace().next()?;
    let major: u32 = version.split('.').next()?.parse().ok()?;
    (major >= 8 && !answer.contains("MariaDB")).then_some(version)
}

fn share(prefix: &Path) -> Option<PathBuf> {
    let names = ["share/mysql", "share"];
    names.iter().map(|name| prefix.join(name)).find(|share| share.join("english/errmsg.sys").is_file())
}

fn profile_options(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Fast => &[
            "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=OFF",
            "--innodb-fast-shutdown=2",
        ],
        Profile::Durable => &[
            "--log-bin=binlog",
            "--server-id=1",
            "--sync-binlog=1",
            "--innodb-flush-log-at-trx-commit=1",
            "--innodb-doublewrite=ON",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn mysql_is_recognised_although_it_does_not_say_its_name() {
        assert_eq!(version("/root/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))"), Some("9.7.4-2"));
        let oracles = "/usr/sbin/mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)";
        assert_eq!(version(oracles), Some("8.0.36"));
        assert_eq!(version("mysqld  Ver 5.7.44 for Linux on x86_64 (MySQL Community Server (GPL))"), None);
        assert_eq!(version("/usr/sbin/mysqld  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu"), None);
        assert_eq!(version("mysqld: cannot open shared object file"), None);
    }
}
