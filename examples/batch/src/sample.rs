//! A file of payments to try the program with: always the same one, with some rows that must be rejected.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

const PAYMENTS: u64 = 5000;

/// Rows that no ledger takes, each wrong in its own way. The last one comes right after a payment with its number.
const BAD: [&str; 7] = [
    "9000001,1,18446744073709551615,5",
    "9000002,1,1,5",
    "9000003,1,2,0",
    "9000004,1,2,1000000000000",
    "9000005,1,2,twelve",
    "9000006,1,2",
    "4998,1,2,999",
];

/// Small amounts between accounts 1 to `accounts`, drawn by arithmetic, and each bad row somewhere among them.
pub(crate) fn write(path: &Path, accounts: u64) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "id,from,to,amount")?;
    let mut bad = BAD.iter();
    for id in 1..=PAYMENTS {
        let from = id * 7919 % accounts;
        let to = (from + 1 + id % (accounts - 1)) % accounts;
        writeln!(file, "{id},{},{},{}", from + 1, to + 1, 1 + id % 20)?;
        if id % (PAYMENTS / 7) == 0 {
            bad.next().map_or(Ok(()), |row| writeln!(file, "{row}"))?;
        }
    }
    file.flush()
}
