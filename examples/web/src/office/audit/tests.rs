//! The audit against the rules: random histories in which each hold was allowed have nothing broken in them, and in one in which
//! a single hold was made against a rule that rule is counted.

use fastrand::Rng;

use super::{Audit, Past, judge};
use crate::office::moment::Moment;
use crate::office::rules::{self, Broken, Situation};
use crate::office::{Customer, Hall, Seat};

const HALL: Hall = Hall { rows: 2, seats_per_row: 8 };
const QUOTA: u32 = 9;
const HISTORIES: u32 = 400;
const LENGTH: u32 = 60;

fn moment(at: u32) -> Moment {
    Moment::known(format!("{at:010}"))
}

fn situation(history: &[Past], at: &Moment) -> Situation {
    let lasting = history.iter().filter(|hold| hold.until > *at);
    let taken = lasting.flat_map(|hold| hold.seats.iter().map(|seat| (*seat, hold.customer.clone()))).collect();
    Situation { hall: HALL, quota: QUOTA, guests: 0, taken }
}

fn any_hold(at: u32, random: &mut Rng) -> Past {
    let (row, first) = (random.u8(0..HALL.rows), random.u8(1..=HALL.seats_per_row));
    let last = (first + random.u8(0..3)).min(HALL.seats_per_row);
    let customer = Customer::known(format!("{}@example.org", random.u8(0..6)));
    let until = if random.bool() { at + random.u32(1..40) } else { u32::MAX };
    let seats = (first..=last).map(|number| Seat::new(row, number)).collect();
    Past { customer, from: moment(at), until: moment(until), seats }
}

/// Makes holds and gives some back, until `refused` says that one may be made all the same.
fn live(random: &mut Rng, mut all_the_same: impl FnMut(&Broken) -> bool) -> (Vec<Past>, u32) {
    let mut history: Vec<Past> = Vec::new();
    for at in 1..=LENGTH {
        let hold = any_hold(at, random);
        match rules::may_take(&situation(&history, &hold.from), &hold.customer, &hold.seats) {
            Ok(()) => history.push(hold),
            Err(broken) if all_the_same(&broken) => {
                history.push(hold);
                return (history, at);
            }
            Err(_) if random.u8(0..4) > 0 => {}
            Err(_) => {
                let lasting = history.iter_mut().filter(|hold| hold.until > moment(at));
                if let Some(hold) = random.choice(lasting.collect::<Vec<_>>()) {
                    hold.until = moment(at);
                }
            }
        }
    }
    (history, LENGTH)
}

#[test]
fn what_the_rules_allow_breaks_none() {
    let mut random = Rng::with_seed(8);
    for _ in 0..HISTORIES {
        let (history, now) = live(&mut random, |_| false);
        assert_eq!(judge(HALL, QUOTA, 0, &moment(now), &history), Audit::default(), "{history:#?}");
    }
}

/// Whether it is this rule, and how often the audit found it broken.
type Counted = (fn(&Broken) -> bool, fn(&Audit) -> u32);

#[test]
fn what_is_done_against_a_rule_is_counted() {
    let mut random = Rng::with_seed(8);
    let kinds: [Counted; 4] = [
        (|broken| matches!(broken, Broken::Taken(_)), |audit| audit.sold_twice),
        (|broken| matches!(broken, Broken::TooMany { .. }), |audit| audit.too_many),
        (|broken| matches!(broken, Broken::Stranded(_)), |audit| audit.stranded),
        (|broken| matches!(broken, Broken::Full { .. }), |audit| audit.above_quota),
    ];
    for (is_it, counted) in kinds {
        let mut times = 0;
        for _ in 0..HISTORIES {
            let mut happened = false;
            let (history, now) = live(&mut random, |broken| {
                happened = is_it(broken);
                happened
            });
            if happened {
                times += 1;
                let audit = judge(HALL, QUOTA, 0, &moment(now), &history);
                assert!(counted(&audit) > 0, "{audit:?} {history:#?}");
            }
        }
        assert!(times > 20, "it was tried {times} times");
    }
}
