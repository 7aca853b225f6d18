//! What people and programs write, and what it is read as.

use super::guests::Name;
use super::{Customer, Hall, Key, Seat};

#[test]
fn a_seat_is_read_as_it_is_written_and_no_other_way() {
    for seat in (Hall { rows: 26, seats_per_row: 255 }).seats() {
        assert_eq!(seat.to_string().parse(), Ok(seat));
    }
    for wrong in
        ["", "A", "A1", "a-1", "A-0", "A-01", "A-+1", "A--1", "A-256", "AA-1", "A-1 ", "Ä-1", "-1", "A-", "[-1"]
    {
        assert!(wrong.parse::<Seat>().is_err(), "{wrong}");
    }
}

const QUOTED: &str = "\"ada\"@example.org";

#[test]
fn a_customer_is_one_address_however_it_is_written() {
    let ada: Customer = "ada@example.org".parse().expect("it is an address");
    assert_eq!(" Ada@Example.ORG ".parse(), Ok(ada));
    let long = format!("{}@example.org", "a".repeat(64));
    assert!(long.parse::<Customer>().is_ok());
    let longest = format!("ada@{}example.org", "abcdefgh.".repeat(40));
    for wrong in
        ["", "ada", "@example.org", "ada@", "ada@example", "a b@example.org", "Ada <ada@example.org>", QUOTED, &longest]
    {
        assert!(wrong.parse::<Customer>().is_err(), "{wrong}");
    }
}

#[test]
fn a_key_is_short_and_visible() {
    assert!("k".repeat(64).parse::<Key>().is_ok());
    for wrong in ["", "a b", "ä", "a\n", &"k".repeat(65)] {
        assert!(wrong.parse::<Key>().is_err(), "{wrong}");
    }
}

#[test]
fn a_guest_has_a_name_of_one_line() {
    assert_eq!(" Ada Löwe ".parse::<Name>(), "Ada Löwe".parse());
    assert!("ö".repeat(100).parse::<Name>().is_ok());
    for wrong in ["", " ", "a\nb", "a\0", "a\u{2028}b", &"ö".repeat(101)] {
        assert!(wrong.parse::<Name>().is_err(), "{wrong}");
    }
}
