//! Programs that the model and the library once disagreed about, made small, and the model's own tools.

use unit_of_work::{OnError, Propagation};

use super::on_a_script;
use super::program::{Event, Hook, Nature, Planned, Program, Reaction, Replay, Sql, Step, Then, Unit, Way};
use super::seen::{Note, Said};
use Propagation::{Nested, Required, RequiresNew};

fn write() -> Step {
    Step::Write(Reaction::PassOn)
}

fn inside(unit: Unit) -> Step {
    Step::Unit(unit, Reaction::PassOn)
}

fn after_commit(id: u32, unit: Unit) -> Step {
    Step::Hook(Hook::After(id, Event::Commit, Then::Unit(Box::new(unit))))
}

fn with_fault(unit: Unit, sql: Sql, nth: usize, way: Way) -> Program {
    Program { faults: vec![Planned { sql, nth, way }], ..Program::of(unit) }
}

/// The hook's unit would join the suspended one, and be rolled back with it.
#[test]
fn s52_a_unit_in_a_hook_of_requires_new_is_fresh_although_another_is_suspended() {
    let hooked = Unit::plain(3, Required, vec![write()]);
    let inner = Unit::plain(2, RequiresNew, vec![after_commit(9, hooked), write()]);
    let program = Program::of(Unit::plain(1, Required, vec![write(), inside(inner), Step::Fail(4)]));
    let both = on_a_script(&program);
    both.assert(&program);
    assert_eq!(both.found.said, Said::Own(4));
    assert!(both.found.diary.contains(&Note::Ran { hook: 9, in_unit: false }));
    let commits = both.found.log.iter().filter(|(_, sql)| sql.starts_with("COMMIT")).count();
    assert_eq!(commits, 3, "of the inner unit, of the hook's, and of the unit after the program");
}

/// The hook belongs to a unit that may be done twice; what it opened did not say so.
#[test]
fn a_unit_in_a_hook_counts_for_the_attempt_that_waits_for_it() {
    let hooked = Unit::plain(3, Required, vec![write()]);
    let repeatable = Unit { replay: Replay::Repeatable, ..Unit::plain(2, RequiresNew, vec![after_commit(9, hooked)]) };
    let program =
        with_fault(Unit::plain(1, Required, vec![inside(repeatable), write()]), Sql::Insert, 2, Way::Deadlock);
    let both = on_a_script(&program);
    both.assert(&program);
    assert_eq!(both.found.said, Said::Work(unit_of_work::ErrorKind::Serialization));
}

/// Nothing will be committed, so nothing is to be done before it; and whoever refuses would hide who failed.
#[test]
fn s42_hooks_before_commit_neither_run_in_a_doomed_unit_nor_hide_why() {
    let failing = Step::Unit(Unit::plain(2, Required, vec![Step::Fail(3)]), Reaction::Swallow);
    let refuses = Step::Hook(Hook::BeforeCommit(4, vec![Step::Fail(5)]));
    let program = Program::of(Unit::plain(1, Required, vec![refuses, write(), failing]));
    let both = on_a_script(&program);
    both.assert(&program);
    assert_eq!(both.found.said, Said::Work(unit_of_work::ErrorKind::Doomed));
}

#[test]
fn s13_a_lock_timeout_at_commit_in_requires_new_is_not_tried_again_either() {
    let inner = Unit::plain(2, RequiresNew, vec![write()]);
    let program = with_fault(Unit::plain(1, Required, vec![inside(inner)]), Sql::Commit, 1, Way::LockTimeout);
    let both = on_a_script(&program);
    both.assert(&program);
    assert_eq!(both.found.said, Said::Work(unit_of_work::ErrorKind::LockTimeout));
}

/// An error that commits is still the body's own when a mark keeps it from being committed.
#[test]
fn s02_the_error_of_a_marked_nested_unit_is_its_bodys_own() {
    let body = vec![Step::Mark, Step::Fail(3)];
    let nested = Unit { on_error: OnError::Commit, ..Unit::plain(2, Nested, body) };
    let program = Program::of(Unit::plain(1, Required, vec![inside(nested)]));
    let both = on_a_script(&program);
    both.assert(&program);
    assert_eq!(both.found.said, Said::Own(3));
}

/// What a savepoint did must not be committed when it could not be undone; and its hooks learn of it.
#[test]
fn s02_a_savepoint_that_cannot_be_undone_dooms_the_whole() {
    let hook = Step::Hook(Hook::After(9, Event::Rollback, Then::Nothing));
    let savepoint = Step::Savepoint(vec![hook, write(), Step::Fail(3)], Reaction::Swallow);
    for way in [Way::Refused, Way::Deadlock, Way::LostBefore] {
        let unit = Unit { attempts: 1, ..Unit::plain(1, Required, vec![savepoint.clone()]) };
        let program = with_fault(unit, Sql::RollbackTo, 1, way);
        let both = on_a_script(&program);
        both.assert(&program);
        assert_ne!(both.found.said, Said::Value);
        assert!(both.found.diary.contains(&Note::Ran { hook: 9, in_unit: false }));
    }
}

#[test]
fn a_program_shrinks_to_what_makes_it_fail() {
    fn has(steps: &[Step], what: fn(&Step) -> bool) -> bool {
        steps.iter().any(|step| match step {
            step if what(step) => true,
            Step::Unit(Unit { body, .. }, _) | Step::Savepoint(body, _) => has(body, what),
            _ => false,
        })
    }
    let fails = |program: &Program| {
        has(&program.unit.body, |step| matches!(step, Step::Mark))
            && has(&program.unit.body, |step| matches!(step, Step::Panic(_)))
    };
    let mut rng = fastrand::Rng::with_seed(1);
    let program = std::iter::repeat_with(|| Program::random(&mut rng, Nature::Scripted)).find(fails);
    let least = program.expect("some program has both").shrunk(fails);
    assert_eq!(least.unit.body.len(), 2, "{least:#?}");
    assert!(least.faults.is_empty(), "{least:#?}");
}
