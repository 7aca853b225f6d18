//! Whether a commit that was confirmed can be lost: what the server's settings say about that, in words. Said once per database.

/// The settings that decide whether a confirmed commit is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Durability {
    /// `innodb_flush_log_at_trx_commit`.
    pub(crate) flush_log: u64,
    /// `sync_binlog`; `None` = there is no binary log.
    pub(crate) sync_binlog: Option<u64>,
}

impl Durability {
    /// What can be lost, and what to set. Sources: the manuals on `innodb_flush_log_at_trx_commit` and `sync_binlog`; Jepsen on
    /// MariaDB Galera Cluster 12.1.2 (2026) for what it means when all nodes fail at once.
    pub(crate) fn risks(self) -> Vec<String> {
        let log = match self.flush_log {
            1 => None,
            0 => Some((
                0,
                "the last second of confirmed commits can be lost when the server's process or its machine dies",
            )),
            other => Some((other, "the last second of confirmed commits can be lost when the server's machine dies")),
        };
        let log = log.map(|(value, risk)| {
            format!("`innodb_flush_log_at_trx_commit` is {value}: {risk}; set it to 1 where that matters")
        });
        let binlog = self.sync_binlog.filter(|every| *every != 1).map(|every| {
            format!(
                "`sync_binlog` is {every}: confirmed commits can be missing in the binary log after the server's machine died, and \
                 so on replicas and in what is recovered from it; set it to 1 where that matters"
            )
        });
        log.into_iter().chain(binlog).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risks(flush_log: u64, sync_binlog: Option<u64>) -> usize {
        Durability { flush_log, sync_binlog }.risks().len()
    }

    #[test]
    fn only_ones_are_safe_and_a_binary_log_that_is_not_there_loses_nothing() {
        assert_eq!([risks(1, Some(1)), risks(1, None)], [0, 0]);
        assert_eq!([risks(0, None), risks(2, Some(1)), risks(1, Some(0)), risks(1, Some(100))], [1, 1, 1, 1]);
        assert_eq!(risks(2, Some(0)), 2);
    }
}
