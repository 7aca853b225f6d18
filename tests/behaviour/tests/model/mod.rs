//! The library against a model of it: random programs of units in units run on both, and everything that can be seen must be
//! the same. The programs are `program`'s, what they must do is said by `reference`, what they do is found out by `real`.

mod program;
mod real;
mod reference;
mod seen;

use std::collections::BTreeMap;

use fastrand::Rng;
use unit_of_work::Propagation;

use program::{Nature, Program, Reaction, Step, Unit};
use real::Stage;
use reference::Reference;
use seen::{Note, Said, Seen};

/// What must work after every program: a unit that does nothing, and one that writes.
fn next() -> [Unit; 2] {
    [
        Unit::plain(1001, Propagation::Required, Vec::new()),
        Unit::plain(1002, Propagation::Required, vec![Step::Write(Reaction::PassOn)]),
    ]
}

fn found_on_a_script(program: &Program) -> Seen {
    let (stage, script) = Stage::scripted(program);
    let said = stage.run(&program.unit);
    assert!(!unit_of_work::in_unit(), "a unit is still bound to the thread");
    let next = next().map(|unit| stage.run(&unit));
    let log = script.take_sent().into_iter().map(|sent| (sent.connection, sent.text)).collect();
    Seen { said, next, diary: stage.take_diary(), log, rows: Vec::new(), figures: stage.figures() }
}

fn expected_of_a_script(program: &Program) -> Seen {
    let mut model = Reference::new(program, Nature::Scripted);
    let said = model.run(&program.unit);
    let next = next().map(|unit| model.run(&unit));
    let (diary, log, figures) = (model.take_diary(), model.take_log(), model.figures());
    Seen { said, next, diary, log, rows: Vec::new(), figures }
}

/// A number to begin with, so that a failure can be seen again: `UNIT_OF_WORK_SEED=<number> cargo test model`.
fn seed() -> u64 {
    match std::env::var("UNIT_OF_WORK_SEED") {
        Ok(given) => given.parse().expect("UNIT_OF_WORK_SEED is a number"),
        Err(_) => fastrand::u64(..),
    }
}

#[test]
fn s09_scripted_programs_do_what_the_model_says() {
    let seed = seed();
    println!("UNIT_OF_WORK_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    for _ in 0..20_000 {
        let program = Program::random(&mut rng, Nature::Scripted);
        if found_on_a_script(&program) != expected_of_a_script(&program) {
            let least = program.shrunk(|less| found_on_a_script(less) != expected_of_a_script(less));
            panic!("{least:#?}\nfound {:#?}\nexpected {:#?}", found_on_a_script(&least), expected_of_a_script(&least));
        }
    }
}
