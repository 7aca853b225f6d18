//! The checker on histories written by hand: each anomaly is found by its name, and nothing is found where nothing is.

use super::check::{Anomaly, check};
use super::history::read;

fn found(history: &str) -> Vec<Anomaly> {
    check(&read(history)).counts().into_keys().collect()
}

#[test]
fn a_serial_history_has_no_anomaly() {
    let history = r#"
        {"type":"ok","ops":[["append",1,1],["r",1,[1]],["append",1,2]]}
        {"type":"ok","ops":[["r",1,[1,2]],["append",1,3],["r",1,[1,2,3]],["r",2,[]]]}
        {"type":"ok","ops":[["append",2,1]]}
        {"type":"fail","ops":[["append",2,2],["r",1,null]]}
        {"type":"info","ops":[["append",2,3]]}
        {"type":"ok","ops":[["r",2,[1,3]],["r",1,[1,2,3]]]}
        {"type":"info","ops":[["append",2,4]]}"#;
    assert_eq!(found(history), []);
}

#[test]
fn an_element_twice_in_a_read_or_in_the_appends() {
    assert!(
        found(
            r#"{"type":"ok","ops":[["append",1,1]]}
        {"type":"ok","ops":[["r",1,[1,1]]]}"#
        )
        .contains(&Anomaly::Duplicate)
    );
    assert!(
        found(
            r#"{"type":"ok","ops":[["append",1,1]]}
        {"type":"ok","ops":[["append",1,1]]}"#
        )
        .contains(&Anomaly::Duplicate)
    );
}

#[test]
fn reads_that_do_not_continue_each_other() {
    let history = r#"
        {"type":"ok","ops":[["append",1,1]]}
        {"type":"ok","ops":[["append",1,2]]}
        {"type":"ok","ops":[["r",1,[1,2]]]}
        {"type":"ok","ops":[["r",1,[2]]]}"#;
    assert!(found(history).contains(&Anomaly::IncompatibleOrder));
}

#[test]
fn a_transaction_that_does_not_see_its_own_work_or_sees_a_list_move() {
    for ops in [
        r#"["append",1,1],["r",1,[]]"#,
        r#"["r",1,[]],["append",1,1],["r",1,[2,1]]"#,
        r#"["r",1,[]],["r",1,[2]]"#,
        r#"["append",1,1],["r",1,[1,2]]"#,
    ] {
        let history = format!(
            r#"{{"type":"ok","ops":[{ops}]}}
               {{"type":"ok","ops":[["append",1,2]]}}"#
        );
        assert!(found(&history).contains(&Anomaly::Internal), "{ops}");
    }
    let fine = r#"
        {"type":"ok","ops":[["append",1,2]]}
        {"type":"ok","ops":[["append",1,1],["r",1,[2,1]]]}"#;
    assert_eq!(found(fine), []);
}

#[test]
fn g1a_a_read_of_what_failed_or_of_what_nobody_wrote() {
    let history = r#"
        {"type":"fail","ops":[["append",1,1]]}
        {"type":"ok","ops":[["r",1,[1]]]}"#;
    assert_eq!(found(history), [Anomaly::G1a]);
    assert_eq!(found(r#"{"type":"ok","ops":[["r",1,[7]]]}"#), [Anomaly::G1a]);
}

#[test]
fn g1b_a_read_of_what_was_changed_once_more() {
    let history = r#"
        {"type":"ok","ops":[["append",1,1],["append",1,2]]}
        {"type":"ok","ops":[["r",1,[1]]]}"#;
    assert!(found(history).contains(&Anomaly::G1b));
}

#[test]
fn a_dirty_update() {
    let history = r#"
        {"type":"fail","ops":[["append",1,1]]}
        {"type":"ok","ops":[["append",1,2]]}
        {"type":"ok","ops":[["r",1,[1,2]]]}"#;
    assert!(found(history).contains(&Anomaly::DirtyUpdate));
}

#[test]
fn g0_writes_in_both_orders() {
    let history = r#"
        {"type":"ok","ops":[["append",1,1],["append",2,1]]}
        {"type":"ok","ops":[["append",1,2],["append",2,2]]}
        {"type":"ok","ops":[["r",1,[1,2]],["r",2,[2,1]]]}"#;
    assert_eq!(found(history), [Anomaly::G0]);
}

#[test]
fn g1c_two_that_read_each_other() {
    let history = r#"
        {"type":"ok","ops":[["append",1,1],["r",2,[1]]]}
        {"type":"ok","ops":[["append",2,1],["r",1,[1]]]}"#;
    assert_eq!(found(history), [Anomaly::G1c]);
}

#[test]
fn g_single_a_read_from_before_and_one_from_after() {
    let read_skew = r#"
        {"type":"ok","ops":[["append",1,1],["append",2,1]]}
        {"type":"ok","ops":[["r",1,[]],["r",2,[1]]]}
        {"type":"ok","ops":[["r",1,[1]]]}"#;
    assert_eq!(found(read_skew), [Anomaly::GSingle]);
    let lost_update = r#"
        {"type":"ok","ops":[["r",1,[]],["append",1,1]]}
        {"type":"ok","ops":[["r",1,[]],["append",1,2]]}
        {"type":"ok","ops":[["r",1,[1,2]]]}"#;
    assert_eq!(found(lost_update), [Anomaly::GSingle]);
}

#[test]
fn g_nonadjacent_two_such_reads_with_something_between() {
    // T0 did not see T1, whose 1 in list 2 T2 read; T2 did not see T3, whose 1 in list 4 T0 read.
    let history = r#"
        {"type":"ok","ops":[["r",1,[]],["r",4,[1]]]}
        {"type":"ok","ops":[["append",1,1],["append",2,1]]}
        {"type":"ok","ops":[["r",2,[1]],["r",3,[]]]}
        {"type":"ok","ops":[["append",3,1],["append",4,1]]}"#;
    assert_eq!(found(history), [Anomaly::GNonadjacent]);
}

#[test]
fn g2_item_write_skew() {
    let history = r#"
        {"type":"ok","ops":[["r",1,[]],["append",2,1]]}
        {"type":"ok","ops":[["r",2,[]],["append",1,1]]}
        {"type":"ok","ops":[["r",1,[1]],["r",2,[1]]]}"#;
    assert_eq!(found(history), [Anomaly::G2Item]);
}

#[test]
fn of_what_nobody_knows_only_what_was_seen_counts() {
    // The write skew again, with one that is unknown: it happened if somebody saw it.
    let unseen = r#"
        {"type":"ok","ops":[["r",1,[]],["append",2,1]]}
        {"type":"info","ops":[["r",2,null],["append",1,1]]}"#;
    assert_eq!(found(unseen), []);
    let seen = r#"
        {"type":"info","ops":[["append",1,1],["append",2,1]]}
        {"type":"ok","ops":[["r",1,[]],["r",2,[1]]]}
        {"type":"ok","ops":[["r",1,[1]]]}"#;
    assert_eq!(found(seen), [Anomaly::GSingle]);
}
