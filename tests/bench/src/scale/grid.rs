//! Units per second of so many threads over so many sessions and databases. Every cell has one slice a round; threads that it does
//! not need rest meanwhile.

use ephemeral_mysql::Server;
use serde::{Deserialize, Serialize};
use unit_of_work::{Database, Isolation};

use crate::Failure;
use crate::bank::Bank;
use crate::slices::{self, Done, Invitation, Plan, Player, Slice};
use crate::statistics::{Spread, paired, spread};
use crate::table::{Table, shown};
use crate::tally::{Taken, Tally};
use crate::variants::move_money;

/// Accounts of each database: so many that threads rarely meet.
const ROWS: u32 = 10_000;

/// What was measured of one cell.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Cell {
    threads: u32,
    /// Over all databases.
    sessions: u32,
    databases: u32,
    units_per_s: Spread,
    /// To one thread with one session, round by round.
    ratio_to_one: Spread,
}

/// How many of each: threads, sessions, databases; no more than `most` threads.
fn shapes(most: u32) -> Vec<(u32, u32, u32)> {
    const EACH: [u32; 5] = [1, 4, 16, 64, 256];
    let over_sessions = EACH.into_iter().flat_map(|threads| {
        let sessions = EACH.into_iter().filter(move |sessions| *sessions <= threads.min(64));
        sessions.map(move |sessions| (threads, sessions, 1))
    });
    let over_databases = [2, 4, 8].map(|databases| (16, 16, databases));
    over_sessions.chain(over_databases).filter(|(threads, ..)| *threads <= most).collect()
}

pub(super) fn measure(server: &Server, plan: &Plan) -> Result<Vec<Cell>, Failure> {
    let shapes = shapes(plan.threads);
    let most = shapes.iter().map(|(_, _, databases)| *databases).max().unwrap_or_default();
    let banks: Vec<_> = (0..most).map(|_| Bank::open(server, ROWS)).collect::<Result<_, _>>()?;
    let grounds: Vec<_> = shapes.iter().map(|shape| Ground::connect(*shape, &banks)).collect::<Result<_, _>>()?;
    let grounds = &grounds;
    let invite = |number| -> Invitation<'_> { Box::new(move || Ok(Box::new(Thread { number, grounds }))) };
    let taken = slices::run(plan, grounds.len(), (0..plan.threads).map(invite).collect(), banks[0].meter())?;
    banks.iter().try_for_each(Bank::check)?;
    Ok(shapes.into_iter().zip(&taken).map(|(shape, own)| Cell::of(shape, own, &taken[0])).collect())
}

/// What the threads of a cell run on.
struct Ground<'b> {
    threads: u32,
    homes: Vec<(Database, &'b Bank)>,
}

impl<'b> Ground<'b> {
    fn connect((threads, sessions, databases): (u32, u32, u32), banks: &'b [Bank]) -> Result<Self, Failure> {
        let each = usize::try_from(sessions / databases)?;
        let home = |bank: &'b Bank| -> Result<_, Failure> {
            let database = Database::builder().url(bank.url()).isolation(Isolation::Serializable).max_connections(each);
            Ok((database.connect()?, bank))
        };
        let homes = banks[..usize::try_from(databases)?].iter().map(home).collect::<Result<_, _>>()?;
        Ok(Self { threads, homes })
    }
}

struct Thread<'g> {
    number: u32,
    grounds: &'g [Ground<'g>],
}

impl Player for Thread<'_> {
    fn play(&mut self, slice: &Slice) -> Result<Tally, Failure> {
        let Ground { threads, homes } = &self.grounds[slice.variant];
        if self.number >= *threads {
            return Ok(Tally::default());
        }
        let (database, bank) = &homes[usize::try_from(self.number)? % homes.len()];
        let _entered = database.enter();
        slice.fill(|_| Ok(Done::committed(move_money(bank.draw())? - 1)))
    }
}

impl Cell {
    fn of((threads, sessions, databases): (u32, u32, u32), own: &Taken, one: &Taken) -> Self {
        let (units_per_s, ratio_to_one) = (spread(&own.rates), paired(&own.rates, &one.rates));
        Self { threads, sessions, databases, units_per_s, ratio_to_one }
    }
}

pub(super) fn text(cells: &[Cell]) -> String {
    let mut table = Table::new(["threads", "sessions", "databases", "units/s", "of one thread"]);
    for Cell { threads, sessions, databases, units_per_s, ratio_to_one } in cells {
        let [threads, sessions, databases] = [threads, sessions, databases].map(ToString::to_string);
        table.row([threads, sessions, databases, shown(*units_per_s, 0), shown(*ratio_to_one, 2)]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cell_is_one_and_no_cell_has_idle_sessions_or_too_many_threads() {
        for most in [1, 16, 256] {
            let shapes = shapes(most);
            assert_eq!(shapes[0], (1, 1, 1));
            for (threads, sessions, databases) in shapes {
                assert!(sessions <= threads && threads <= most && sessions % databases == 0);
            }
        }
    }
}
