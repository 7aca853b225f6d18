//! Lifetimes wherever they can stand: left out, named, of a type, of an `impl`, higher-ranked, in what is returned.

use std::borrow::Cow;
use std::fmt::Debug;

use unit_of_work::{Error, Tx, unit_of_work};

struct Names<'n> {
    all: &'n [String],
}

impl<'n> Names<'n> {
    #[unit_of_work]
    fn first(&self, tx: &mut Tx<'_>) -> Result<Option<&'n str>, Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(self.all.first().map(String::as_str))
    }

    #[unit_of_work]
    fn of_self(&self, tx: &mut Tx<'_>, _other: &str) -> Result<&str, Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(self.all.first().map_or("", String::as_str))
    }

    #[unit_of_work]
    fn longer<'a>(&'a self, tx: &mut Tx<'_>, other: &'a str) -> Result<Cow<'a, str>, Error>
    where
        'n: 'a,
    {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(Cow::Borrowed(self.all.first().map_or(other, String::as_str)))
    }

    #[unit_of_work]
    fn all(&self, tx: &mut Tx<'_>) -> Result<impl Iterator<Item = &'n str> + Debug + 'n, Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(self.all.iter().map(String::as_str as fn(&'n String) -> &'n str))
    }
}

#[unit_of_work]
fn higher_ranked<F>(tx: &mut Tx<'_>, name: &str, shorten: F) -> Result<usize, Error>
where
    F: for<'s> Fn(&'s str) -> &'s str + Copy,
{
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(shorten(name).len())
}

#[unit_of_work]
fn in_both<'a, 'b: 'a>(tx: &mut Tx<'_>, one: &'a str, other: &'b str) -> Result<(&'a str, &'b str), Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok((one, other))
}

#[unit_of_work]
fn of_a_nested_type<'a>(tx: &mut Tx<'_>, names: &[Names<'a>]) -> Result<Vec<&'a str>, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(names.iter().flat_map(|names| names.all).map(String::as_str).collect())
}

#[unit_of_work]
fn of_an_object(tx: &mut Tx<'_>, object: &(dyn Debug + '_)) -> Result<Box<dyn Debug>, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(Box::new(format!("{object:?}")))
}

fn main() {
    let all = [String::from("Ada")];
    let first = {
        let names = Names { all: &all };
        let _ = (names.of_self("").is_err(), names.longer("").is_err(), of_a_nested_type(&[]).is_err());
        let _ = names.all().is_err();
        names.first()
    };
    let _ = (first.is_err(), higher_ranked("", |name| name).is_err(), in_both("", "").is_err());
    let _ = of_an_object(&1).is_err();
}
