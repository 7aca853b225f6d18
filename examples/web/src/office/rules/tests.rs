//! The rules against a checker that knows rows only as letters, on random situations.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::{Broken, MOST_SEATS, Situation, may_invite, may_take};
use crate::office::{Customer, Hall, Seat};

const CASES: u32 = 30_000;

#[derive(Debug)]
struct Case {
    situation: Situation,
    customer: Customer,
    wanted: Vec<Seat>,
}

fn customer(number: u8) -> Customer {
    Customer::known(format!("{number}@example.org"))
}

fn any_seat(hall: Hall, random: &mut Rng) -> Seat {
    Seat::new(random.u8(0..hall.rows), random.u8(1..=hall.seats_per_row))
}

fn any_case(random: &mut Rng) -> Case {
    let hall = Hall { rows: random.u8(1..=3), seats_per_row: random.u8(1..=9) };
    let density = random.u8(0..10);
    let mut taken: Vec<_> = hall.seats().filter(|_| random.u8(0..10) < density).collect();
    random.shuffle(&mut taken);
    let taken: Vec<_> = taken.into_iter().map(|seat| (seat, customer(random.u8(0..9)))).collect();
    let guests = random.u32(0..4);
    let quota = u32::try_from(taken.len()).expect("few") + guests + random.u32(0..12);
    Case {
        wanted: any_wish(hall, random),
        customer: customer(random.u8(0..9)),
        situation: Situation { hall, quota, guests, taken },
    }
}

/// Mostly seats side by side; now and then one that is not there, or one twice.
fn any_wish(hall: Hall, random: &mut Rng) -> Vec<Seat> {
    let first = any_seat(hall, random);
    let many = random.u8(0..=u8::try_from(MOST_SEATS).expect("few"));
    let mut wanted: Vec<_> = (0..many).map(|step| Seat::new(first.row(), first.number() + step)).collect();
    match random.u8(0..20) {
        0 => wanted.push(first),
        1..6 => wanted.retain(|seat| hall.has(*seat)),
        6..10 => wanted = vec![any_seat(hall, random), any_seat(hall, random)],
        _ => {}
    }
    wanted
}

/// All rules that are broken, by name.
fn naive(case: &Case) -> Vec<&'static str> {
    let Case { situation: Situation { hall, quota, guests, taken }, customer, wanted } = case;
    let mut rows = vec![vec!['.'; usize::from(hall.seats_per_row)]; usize::from(hall.rows)];
    for (seat, _) in taken {
        rows[usize::from(seat.row())][usize::from(seat.number()) - 1] = 'x';
    }
    let mut broken = Vec::new();
    if wanted.is_empty() {
        broken.push("nothing");
    }
    if wanted.iter().collect::<BTreeSet<_>>().len() < wanted.len() {
        broken.push("twice");
    }
    for seat in wanted {
        let place = rows.get_mut(usize::from(seat.row())).and_then(|row| row.get_mut(usize::from(seat.number()) - 1));
        match place {
            None => broken.push("no such seat"),
            Some(letter @ '.') => *letter = 'o',
            Some('x') => broken.push("taken"),
            Some(_) => {}
        }
    }
    if taken.iter().filter(|(_, owner)| owner == customer).count() + wanted.len() > 4 {
        broken.push("too many");
    }
    if taken.len() + wanted.len() + usize::try_from(*guests).expect("few") > usize::try_from(*quota).expect("few") {
        broken.push("full");
    }
    for row in rows {
        let text: String = ["#", &row.into_iter().collect::<String>(), "#"].concat();
        let alone = ["o.o", "o.x", "x.o", "#.o", "o.#"];
        if alone.iter().any(|gap| text.contains(gap)) {
            broken.push("stranded");
        }
    }
    broken
}

fn name(broken: &Broken) -> &'static str {
    match broken {
        Broken::NoSuchSeat(_) => "no such seat",
        Broken::Twice(_) => "twice",
        Broken::Nothing => "nothing",
        Broken::Taken(_) => "taken",
        Broken::TooMany { .. } => "too many",
        Broken::Full { .. } => "full",
        Broken::Stranded(_) => "stranded",
    }
}

#[test]
fn a_naive_checker_says_the_same() {
    let mut random = Rng::with_seed(8);
    let mut seen = BTreeMap::<&str, u32>::new();
    for _ in 0..CASES {
        let case = any_case(&mut random);
        let expected = naive(&case);
        let said = may_take(&case.situation, &case.customer, &case.wanted).as_ref().map_err(name).err();
        match said {
            None => assert!(expected.is_empty(), "allowed, but {expected:?}: {case:?}"),
            Some(broken) => assert!(expected.contains(&broken), "{broken}, but {expected:?}: {case:?}"),
        }
        *seen.entry(said.unwrap_or("allowed")).or_default() += 1;
    }
    assert!(seen.len() == 8 && seen.values().all(|times| *times > 100), "each answer is tried often: {seen:?}");
}

#[test]
fn a_guest_is_welcome_while_there_is_room() {
    let mut random = Rng::with_seed(8);
    for _ in 0..CASES {
        let situation = any_case(&mut random).situation;
        let inside = situation.taken.len() + usize::try_from(situation.guests).expect("few");
        let room = inside < usize::try_from(situation.quota).expect("few");
        assert_eq!(may_invite(&situation).is_ok(), room, "{situation:?}");
    }
}
