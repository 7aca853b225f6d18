//! Names in a body, around a function and in its parameters never meet the names that the attribute writes.

use unit_of_work::{Error, Tx, unit_of_work};

static __UNIT_OF_WORK: u8 = 7;
#[allow(non_upper_case_globals)]
const error: &str = "a constant would turn a binding of that name into a pattern";

#[derive(Debug)]
struct Failed(Error);

impl From<Error> for Failed {
    fn from(cause: Error) -> Self {
        Failed(cause)
    }
}

#[unit_of_work(commit_on(Failed(cause) if argument_0 > 0 && !error.is_empty() && cause.attempts() < 7))]
fn names(
    tx: &mut Tx<'_>,
    argument_0: u8,
    (argument_1, unit): (u8, u8),
    [arguments, body]: [u8; 2],
    judge: u8,
) -> Result<u64, Failed> {
    tx.exec_drop("DELETE FROM account", ())?;
    let sum = [argument_0, argument_1, unit, arguments, body, judge].iter().map(|n| u64::from(*n)).sum::<u64>();
    Ok(u64::from(__UNIT_OF_WORK) + sum)
}

#[unit_of_work]
fn items_in_the_body(tx: &mut Tx<'_>, id: Id) -> Result<u64, Error> {
    use inner::Id as Inner;
    #[derive(Clone)]
    struct Id(Inner);
    mod inner {
        pub(super) type Id = u64;
    }
    impl Id {
        const START: Inner = 1;
    }
    fn double(id: &Id) -> Inner {
        id.0 * 2
    }
    tx.exec_drop("DELETE FROM account WHERE id = ?", (id.0,))?;
    Ok(double(&Id(Id::START)))
}

struct Id(u64);

impl Clone for Id {
    fn clone(&self) -> Self {
        Id(self.0)
    }
}

#[unit_of_work]
fn flow(tx: &mut Tx<'_>, all: Vec<u64>) -> Result<Vec<u64>, Error> {
    'outer: loop {
        for id in &all {
            if *id > 7 {
                break 'outer;
            }
            tx.exec_drop("DELETE FROM account WHERE id = ?", (id,))?;
        }
        return Ok(all);
    }
    (|| Ok::<_, Error>(tx.exec_drop("DELETE FROM account", ())?))()?;
    Ok(Vec::new())
}

fn main() {
    let _ = (names(1, (2, 3), [4, 5], 6).is_err(), items_in_the_body(Id(1)).is_err(), flow(Vec::new()).is_err());
}
