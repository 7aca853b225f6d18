//! Which of a block's arguments count for one of its functions: those that the function's own attribute does not decide, and that
//! fit its mode. What then still contradicts is decided by `rules`.

use proc_macro2::Span;

use crate::args::{Args, Mode};
use crate::errors::Errors;
use crate::keys::Meaning;
use crate::list::Clause;
use crate::rules;

/// A block's arguments, without those that speak of one function only.
pub(crate) fn of_a_block(mut clauses: Vec<Clause<Meaning>>, errors: &mut Errors) -> Vec<Clause<Meaning>> {
    rules::check_block(&Args::unchecked(clauses.clone(), Vec::new()), errors);
    clauses.retain(|clause| {
        let speaks_of_one = clause.decides == "name";
        if speaks_of_one {
            let message = format!(
                "each function of the block is a unit of its own: put `{0}` on one of them, `#[unit_of_work({0} = …)]`",
                clause.name
            );
            errors.push(syn::Error::new(clause.name.span(), message));
        }
        !speaks_of_one
    });
    clauses
}

/// What a function inherits. Messages about it stand at `place`, since the block has other functions too.
pub(crate) fn inherited(own: &[Clause<Meaning>], block: &[Clause<Meaning>], place: Span) -> Vec<Clause<Meaning>> {
    let open = block.iter().filter(|clause| !own.iter().any(|own| own.decides == clause.decides));
    let open: Vec<_> = open.collect();
    let all: Vec<_> = own.iter().chain(open.iter().copied()).collect();
    let fitting = open.iter().filter(|clause| fits(clause, &all));
    fitting
        .map(|clause| {
            let mut clause = Clause::clone(clause);
            clause.name.set_span(place);
            clause
        })
        .collect()
}

/// A default for many functions is left out of the one that it says nothing to.
fn fits(clause: &Clause<Meaning>, all: &[&Clause<Meaning>]) -> bool {
    let mode = mode(all);
    let says = |what: &str| all.iter().any(|clause| clause.decides == what && !matches!(clause.meaning, Meaning::Off));
    let never = all.iter().any(|clause| matches!(clause.meaning, Meaning::Never));
    match clause.decides {
        "isolation" => mode != Mode::Without && !says("snapshot"),
        "retry" => mode.may_own_a_transaction() && !(says("retry_on") && matches!(clause.meaning, Meaning::Never)),
        "retry_on" => mode.may_own_a_transaction() && !never,
        "contention" => mode.may_own_a_transaction(),
        "repeatable" => mode.may_end_inside_another() || says("db"),
        "allow" => all.iter().any(|clause| is_read_only(&clause.meaning)),
        _ => true,
    }
}

fn mode(all: &[&Clause<Meaning>]) -> Mode {
    let mode = all.iter().find_map(|clause| match &clause.meaning {
        Meaning::Mode(value) => Some(Mode::of(value)),
        _ => None,
    });
    mode.unwrap_or(Mode::Begins)
}

fn is_read_only(meaning: &Meaning) -> bool {
    matches!(meaning, Meaning::Set(setting) if setting.method == "access" && setting.value.constant() != Some("ReadWrite"))
}
