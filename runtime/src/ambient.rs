//! The unit that is active on the calling thread, for code that is not handed one: libraries deep down, and guards against
//! being called inside a unit, or against joining somebody else's.

use crate::backend::Backend;
use crate::backend::mysql::MySql;
use crate::error::{Error, ErrorKind};
use crate::hooks::{HookFailure, HookKind, HookResult, NO_UNIT};
use crate::observe;
use crate::registry;
use crate::tx::Tx;

/// Gives `work` the innermost unit that is active on this thread.
///
/// # Errors
/// `NotInUnit` when none is.
///
/// ```no_run
/// # use unit_of_work::{Error, Tx};
/// fn log(line: &str) -> Result<(), Error> {
///     unit_of_work::with_current(|tx: &mut Tx| tx.exec_drop("INSERT INTO log (line) VALUES (?)", (line,)))?
/// }
/// ```
pub fn with_current<B: Backend, R>(work: impl FnOnce(&mut Tx<'_, B>) -> R) -> Result<R, Error> {
    let transaction = registry::innermost::<B>().ok_or_else(|| {
        let detail = "no unit of work is active on this thread; call this from a function that is one, or make it one";
        Error::new(ErrorKind::NotInUnit, detail)
    })?;
    let label = transaction.unit.clone();
    Ok(work(&mut Tx::new(transaction, &label)))
}

/// Whether a unit is active on this thread, of whatever database.
pub fn in_unit() -> bool {
    registry::innermost_unit().is_some()
}

/// Refuses to go on inside a unit: for functions that must not run in one, because they take long or talk to others.
///
/// # Errors
/// `Propagation`, naming the unit, when one is active on this thread.
///
/// ```no_run
/// fn send_mail(to: &str) -> Result<(), unit_of_work::Error> {
///     unit_of_work::forbid_in_unit()?;
///     println!("to {to}: …");
///     Ok(())
/// }
/// ```
pub fn forbid_in_unit() -> Result<(), Error> {
    let Some(unit) = registry::innermost_unit() else { return Ok(()) };
    let detail = format!(
        "this must not be called inside a unit, and unit {unit} is active; call it before or in `after_commit`"
    );
    Err(Error::new(ErrorKind::Propagation, detail))
}

/// Hides the thread's units while `work` runs: units that it calls begin for themselves.
///
/// For work that is not the body's own: a body that waits in a work-stealing pool (rayon's `join`, `par_iter`) may run somebody
/// else's job on this thread, and that job's units would join the body's transaction.
///
/// ```no_run
/// # fn job() {}
/// unit_of_work::outside(|| job());
/// ```
pub fn outside<R>(work: impl FnOnce() -> R) -> R {
    let _hidden = registry::hide();
    work()
}

/// Runs `hook` after the active unit's COMMIT; at once when no unit is active on this thread.
///
/// What a hook that runs at once returns as its failure is reported where those of units are: to
/// [`on_hook_error`](crate::DatabaseBuilder::on_hook_error) of the thread's database, and as an event.
///
/// ```no_run
/// fn notify(whom: String) {
///     // in a unit: only if it is committed; outside: now
///     unit_of_work::after_commit(move || println!("news for {whom}"));
/// }
/// ```
pub fn after_commit<R: HookResult>(hook: impl FnOnce() -> R + 'static) {
    if let Some(transaction) = registry::innermost::<MySql>() {
        return transaction.with_level(|level| level.hooks.after_commit(hook));
    }
    if let Some(message) = hook().failure() {
        report(&HookFailure { unit: NO_UNIT.to_owned(), hook: HookKind::AfterCommit, message });
    }
}

fn report(failure: &HookFailure) {
    match registry::current::<MySql>() {
        Ok(database) => database.report(failure),
        Err(_no_database) => observe::hook_failed(failure),
    }
}
