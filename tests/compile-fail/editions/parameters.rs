//! More parameters than there are tuples with traits, in every kind of pattern.

use unit_of_work::{Error, Tx, unit_of_work};

#[derive(Clone)]
enum Only {
    One { id: u64 },
}

#[unit_of_work]
fn many(
    tx: &mut Tx<'_>,
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
    h: u8,
    i: u8,
    j: u8,
    k: u8,
    l: u8,
    m: u8,
    n: u8,
    o: u8,
    p: u8,
) -> Result<[u8; 16], Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
}

#[unit_of_work]
fn patterns(
    tx: &mut Tx<'_>,
    ref lent: String,
    ref mut changed: Vec<u64>,
    Only::One { id }: Only,
    (): (),
    [.., last]: [u64; 3],
    mut sum: u64,
    mut again: u64,
) -> Result<u64, Error> {
    tx.exec_drop("DELETE FROM account WHERE id = ?", (id,))?;
    changed.push(last);
    sum += lent.len() as u64;
    again += sum;
    Ok(again)
}

#[unit_of_work]
fn by_reference(mut tx: &mut Tx<'_>, id: u64) -> Result<(), Error> {
    let again = &mut tx;
    again.exec_drop("DELETE FROM account WHERE id = ?", (id,))
}

#[unit_of_work(retry = "never")]
fn mutable(
    tx: &mut Tx<'_>,
    all: &mut [u64],
    (left, right): (&mut u64, &mut u64),
    object: &mut dyn FnMut(),
) -> Result<(), Error> {
    all.sort_unstable();
    std::mem::swap(left, right);
    object();
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16).is_err();
    let _ = patterns(String::new(), Vec::new(), Only::One { id: 1 }, (), [1, 2, 3], 4, 5).is_err();
    let _ = (by_reference(1).is_err(), mutable(&mut [], (&mut 1, &mut 2), &mut || ()).is_err());
}
