//! Error types that hold any error (as those of `anyhow` and `eyre` do), boxes, and error types by way of aliases and traits.

use std::error::Error as StdError;
use std::fmt;

use unit_of_work::{Error, Tx, unit_of_work};

/// Any error, but no error itself.
struct Any(Box<dyn StdError + Send + Sync>);

impl fmt::Debug for Any {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Any {
    fn from(error: E) -> Self {
        Any(Box::new(error))
    }
}

type Result<T, E = Any> = std::result::Result<T, E>;

trait Storage {
    type Failure: From<Error> + fmt::Debug;

    #[unit_of_work]
    fn touch(&self, tx: &mut Tx<'_>) -> Result<(), Self::Failure> {
        Ok(tx.exec_drop("DELETE FROM account", ())?)
    }
}

struct Table;

impl Storage for Table {
    type Failure = Any;
}

#[unit_of_work(retry_on(error if error.0.is::<fmt::Error>()))]
fn any(tx: &mut Tx<'_>, text: &str) -> Result<u64> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(text.parse()?)
}

#[unit_of_work]
fn boxed(tx: &mut Tx<'_>, text: &str) -> Result<u64, Box<dyn StdError>> {
    tx.exec_drop("DELETE FROM account", ())?;
    if text.is_empty() {
        return Err("no text".into());
    }
    Ok(text.parse()?)
}

#[unit_of_work]
fn of_the_caller<E>(tx: &mut Tx<'_>) -> Result<(), E>
where
    E: From<Error> + fmt::Debug,
{
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(())
}

fn main() {
    let _ = (any("7").is_err(), boxed("7").is_err(), of_the_caller::<Any>().is_err(), Table.touch().is_err());
}
