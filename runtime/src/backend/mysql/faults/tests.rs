//! What is asked first, and what is left to whom. Each row of the table is checked by what units do with it: `classification` in
//! `tests/behaviour`.

use super::table::{REFUSING, TABLE, UNLISTED};
use super::*;
use crate::fault::{Again, AtCommit};

fn server(code: u16, state: &str, message: &str) -> Fault {
    of_server(&MySqlError { code, state: state.into(), message: message.into() })
}

#[test]
fn no_number_stands_in_the_table_twice() {
    let mut numbers: Vec<_> = TABLE.iter().map(|(number, _)| number).collect();
    numbers.sort_unstable();
    let all = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), all);
}

#[test]
fn a_number_wins_over_its_sqlstate_and_a_text_over_its_number() {
    assert_eq!(server(1020, "HY000", "Record has changed"), SERIALIZATION);
    assert_eq!(server(1205, "HY000", "Lock wait timeout").again, Again::Once);
    assert_eq!(server(1180, "HY000", "Got error 149 - 'Lock deadlock' during COMMIT"), SERIALIZATION);
    assert_eq!(server(1180, "HY000", "Got error 28 during COMMIT").at_commit, AtCommit::Unknown);
    assert_eq!(server(1290, "HY000", "running with the --read-only option"), REFUSING);
    assert_eq!(server(1290, "HY000", "running with the --secure-file-priv option"), STATEMENT);
}

#[test]
fn an_unknown_number_goes_by_its_class() {
    assert_eq!(server(60_000, "40001", ""), SERIALIZATION);
    assert_eq!(server(60_001, "08S01", ""), LOST);
    assert_eq!(server(60_002, "23000", ""), STATEMENT);
    assert_eq!(server(60_003, "", ""), UNLISTED);
}

#[test]
fn what_s19_never_retries_is_never_retried() {
    for code in [1062, 1586, 1451, 1452, 1048, 1364, 3819, 4025, 1317, 1153, 1064, 1146, 1792] {
        assert_eq!(server(code, "HY000", "").again, Again::Never, "{code}");
    }
}

#[test]
fn only_wrong_parameters_leave_a_driver_error_harmless() {
    assert_eq!(of_driver(&DriverError::MismatchedStmtParams(1, 2)).undone, Undone::Statement);
    assert_eq!(of_driver(&DriverError::PacketOutOfSync), LOST);
    assert_eq!(of(&Error::IoError(std::io::ErrorKind::WouldBlock.into())), LOST);
}

#[test]
fn where_the_servers_words_do_not_say_what_to_do_ours_do() {
    let told = |code| {
        let error = MySqlError { code, state: "HY000".into(), message: "as the server says".into() };
        failed(Error::MySqlError(error)).detail
    };
    for (code, word) in [(1461, "max_prepared_stmt_count"), (1665, "binlog_format"), (3098, "InnoDB"), (8048, "TiDB")] {
        let detail = told(code);
        assert!(detail.contains(word) && detail.contains("as the server says"), "{detail}");
    }
}
