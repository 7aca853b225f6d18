//! Units and blocks of units that macros of the user's write, from every kind of fragment.

use unit_of_work::{Error, Tx, unit_of_work};

macro_rules! deletes {
    ($(#[$attr:meta])* $vis:vis $name:ident($($arg:ident: $ty:ty),*) from $sql:literal) => {
        $(#[$attr])*
        #[unit_of_work(isolation = "serializable")]
        $vis fn $name(tx: &mut Tx<'_>, $($arg: $ty),*) -> Result<(), Error> {
            tx.exec_drop($sql, ($($arg,)*))
        }
    };
}

deletes!(
    /// Closes an account.
    pub(crate) close(id: u64) from "DELETE FROM account WHERE id = ?"
);
deletes!(close_two(id: u64, other: u64) from "DELETE FROM account WHERE id IN (?, ?)");

macro_rules! unit {
    ($name:ident, $tx:ident, $arg:pat, $ty:ty, $level:expr, $out:ty, $body:block) => {
        #[unit_of_work(isolation = $level)]
        fn $name($tx: &mut Tx<'_>, $arg: $ty) -> $out $body
    };
}

unit!(by_fragments, tx, (from, to), (u64, u64), unit_of_work::Isolation::Serializable, Result<u64, Error>, {
    tx.exec_drop("UPDATE account SET id = ? WHERE id = ?", (to, from))?;
    Ok(from)
});

macro_rules! table {
    ($name:ident<$key:ident>, $read:item) => {
        struct $name<$key>($key);

        #[unit_of_work(read_only)]
        impl<$key: Clone> $name<$key> {
            $read

            fn first(&self, tx: &mut Tx<'_>, key: $key) -> Result<Option<$key>, Error> {
                let found: Option<u64> = tx.exec_first(concat!("SELECT id FROM ", stringify!($name)), ())?;
                Ok(found.map(|_| key))
            }
        }
    };
}

table!(
    Account<K>,
    fn key(&self) -> &K {
        &self.0
    }
);

macro_rules! with_any_tokens {
    ($($item:tt)*) => {
        #[unit_of_work]
        $($item)*
    };
}

with_any_tokens! {
    fn any(tx: &mut Tx<'_>, all: &[u64]) -> Result<usize, Error> {
        for id in all {
            tx.exec_drop("DELETE FROM account WHERE id = ?", (id,))?;
        }
        Ok(all.len())
    }
}

macro_rules! with_a_transaction {
    ($name:ident, $self:ty, $tx:ty) => {
        impl Lender {
            #[unit_of_work]
            fn $name(self: $self, tx: $tx) -> Result<(), Error> {
                tx.exec_drop("DELETE FROM account", ())
            }
        }
    };
}

struct Lender;
with_a_transaction!(lend, &Self, &mut Tx<'_>);

fn main() {
    let _ = Lender.lend().is_err();
    let _ = (close(1).is_err(), close_two(1, 2).is_err(), by_fragments((1, 2)).is_err(), any(&[]).is_err());
    let account = Account(1);
    let _ = (account.key(), account.first(2).is_err());
}
