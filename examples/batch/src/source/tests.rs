//! Files as they come, on disk because that is where they come from.

use std::fs;

use super::{LANES, Line, Payments};
use crate::rules::Payment;

fn read(bytes: &[u8]) -> Result<Payments, String> {
    let place = tempfile::tempdir().expect("a directory can be made");
    let path = place.path().join("payments.csv");
    fs::write(&path, bytes).expect("a file can be written");
    Payments::read(&path).map_err(|trouble| trouble.to_string())
}

/// In the order of the file.
fn lines(text: &[u8]) -> Vec<Line> {
    let mut lines = read(text).expect("it is a file of payments").lanes.concat();
    lines.sort_by_key(|line| line.number);
    lines
}

fn reasons(text: &[u8]) -> Vec<(u64, String)> {
    let bad = |line: Line| Some((line.number, line.entry.err()?.why.to_string()));
    lines(text).into_iter().filter_map(bad).collect()
}

#[test]
fn byte_order_mark_line_ends_spaces_quotes_and_blank_lines_change_nothing() {
    let plain = lines(b"id,from,to,amount\n1,2,3,4\n5,6,7,8\n");
    assert_eq!(plain[0].entry, Ok(Payment { id: 1, from: 2, to: 3, amount: 4 }));
    assert_eq!((plain.len(), plain[1].number), (2, 3));
    assert_eq!(lines(b"\xEF\xBB\xBFid,from,to,amount\r\n1,2,3,4\r\n5,6,7,8"), plain);
    assert_eq!(lines(b" id , from,to,\"amount\"\n 1 ,\"2\", 3,4 \n\"5\",\"6\",\"7\",\"8\"\n \n\r\n"), plain);
    assert_eq!(lines(b"id,from,to,amount\n\n1,2,3,4\n").first().expect("one").number, 3, "blank lines have numbers");
}

#[test]
fn each_bad_line_is_kept_with_its_reason_and_spoils_no_other() {
    let file =
        b"id,from,to,amount\n1,2,3\n2,2,3,-4\n3,2,3,4.50\n4,2,3,\n5,2,3,18446744073709551616\n6,\"2,3,4\n7,2,3,4\n\
                 8,2,3,\xFF\n9,2,3,4,5\n7,3,2,9\n";
    let expected = [
        (2, "3 fields instead of 4"),
        (3, "amount: `-4` is negative"),
        (4, "amount: `4.50` is not a whole number"),
        (5, "amount is missing"),
        (6, "amount: 18446744073709551616 is too large a number"),
        (7, "a quote is not closed"),
        (9, "it is not UTF-8"),
        (10, "5 fields instead of 4"),
        (11, "payment 7 stands in line 8 already"),
    ];
    assert_eq!(reasons(file), expected.map(|(line, reason)| (line, reason.to_owned())));
    assert_eq!(lines(file).len(), 10);
}

#[test]
fn a_line_of_a_megabyte_is_one_bad_line() {
    let long = [b"id,from,to,amount\n1,2,3,4\n".as_slice(), &b"9".repeat(1 << 20), b"\n5,6,7,8\n"].concat();
    assert_eq!(reasons(&long), [(3, "the line is longer than 1000 bytes".to_owned())]);
    let lines = lines(&long);
    assert_eq!(lines.len(), 3);
    assert!(lines[1].text().len() < 100, "nobody wants to see all of it");
}

#[test]
fn what_quotes_and_carriage_returns_hide_is_no_other_number_and_no_other_line() {
    let whole = "quotes are not around a whole field";
    for odd in ["1,2,3,\"4\"00", "1,2,3,\"\"400", "\"1\"0,2,3,4", "1,2,3,\"4\"\"\""] {
        let file = format!("id,from,to,amount\n{odd}\n7,8,9,1\n");
        let found = reasons(file.as_bytes());
        assert!(found.len() == 1 && found[0].0 == 2, "{odd}: {found:?}");
        assert!(found[0].1 == whole || found[0].1.ends_with("is not a whole number"), "{odd}: {found:?}");
    }
    assert_eq!(reasons(b"id,from,to,amount\n\"1\",2,3,4\r\"2\",3,4,5\n").len(), 1, "the second payment is not lost");
}

#[test]
fn what_is_shown_of_a_line_has_room_in_the_ledger() {
    let hidden = ["\u{200B}", "\u{10FFFF}", "\u{1}"].map(|char| char.repeat(200));
    for text in hidden {
        let found = lines(format!("id,from,to,amount\n1,2,3,{text}\n").as_bytes());
        let why = found[0].entry.as_ref().expect_err("no amount").why.to_string();
        assert!(found[0].text().chars().count() <= 61 && why.chars().count() <= 100, "{why}");
        assert!(found[0].text().starts_with("1,2,3,\\u{") && found[0].text().ends_with("}…"), "{}", found[0].text());
    }
}

#[test]
fn a_file_that_is_none_of_ours_is_refused() {
    for (bytes, reason) in [
        (b"".as_slice(), "the first line is empty"),
        (b"\n1,2,3,4\n", "the first line is empty"),
        (b"1,2,3,4\n", "the header is `1,2,3,4`"),
        (b"id;from;to;amount\n", "the header is `id;from;to;amount`"),
        (b"\xFF\xFEi\0d\0", "UTF-16"),
        (b"i\0d\0,\0", "UTF-16"),
        (b"id,from,to,amount\r1,2,3,4\r", "the header is `id,from,to,amount\\r1,2,3,4`"),
        (b"\x1B[2Jid", "the header is `\\u{1b}[2Jid`"),
    ] {
        let refused = read(bytes).expect_err("no payments");
        assert!(refused.contains(reason), "{refused}");
    }
}

#[test]
fn an_account_has_one_lane_and_a_file_one_fingerprint() {
    let payments = read(b"id,from,to,amount\n1,70,3,4\n2,6,70,8\n3,6,7,8\nbad\n").expect("payments");
    assert_eq!(payments.lanes.len(), LANES);
    assert_eq!(payments.lanes[6].iter().map(|line| line.number).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!((payments.lanes[5].len(), payments.count()), (1, 4), "a line that names no account has a lane too");
    let again = read(b"id,from,to,amount\n1,70,3,4\n2,6,70,8\n3,6,7,8\nbad\n").expect("payments");
    let other = read(b"id,from,to,amount\n1,70,3,4\n2,6,70,8\n3,6,7,9\nbad\n").expect("payments");
    assert!(payments.fingerprint == again.fingerprint && payments.fingerprint != other.fingerprint);
}
