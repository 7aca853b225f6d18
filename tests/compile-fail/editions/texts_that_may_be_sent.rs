//! What the check of literals leaves alone: words inside of texts and comments, texts for somebody else, texts that are not known.

use unit_of_work::{Error, Tx, unit_of_work};

#[derive(Default)]
struct Shell;

impl Shell {
    fn exec(&self, _: &str) {}
    fn query_drop(&self, _: &str) {}
}

/// From elsewhere, so that the runtime alone reads it.
const FROM_ELSEWHERE: &str = "COMMIT";

#[unit_of_work(read_only)]
fn words(tx: &mut Tx<'_>, text: &str) -> Result<(), Error> {
    tx.exec_drop("SELECT 'COMMIT; DROP TABLE account' /* ROLLBACK */ -- BEGIN", ())?;
    tx.exec_drop(r"SELECT `commit`, update_count FROM `create`", ())?;
    tx.query_drop(text)?;
    tx.query_drop(FROM_ELSEWHERE)?;
    tx.query_drop(format!("COMMIT {text}"))?;
    Shell.exec("DROP TABLE account");
    tx.local::<Shell>().query_drop("COMMIT");
    let name = "COMMIT";
    tx.exec_drop("SELECT ?", (name, "COMMIT"))?;
    println!("COMMIT {}", stringify!(tx.exec("SELECT 1")));
    tx.after_commit(|| Shell.query_drop("BEGIN"));
    Ok(())
}

#[unit_of_work(read_only, allow(write))]
fn temporary(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("CREATE TEMPORARY TABLE sums (id INT)", ())?;
    tx.exec_drop("INSERT INTO sums VALUES (1)", ())
}

#[unit_of_work]
fn another_tx(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account;", ())?;
    let tx = Shell;
    tx.exec("COMMIT");
    Ok(())
}

#[unit_of_work(read_only)]
fn somebody_elses_tx(tx: &mut Tx<'_>) -> Result<(), Error> {
    #[unit_of_work(propagation = "requires_new")]
    fn apart(tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("UPDATE account SET read_at = NOW()", ())
    }
    fn shell(tx: &Shell) {
        tx.exec("COMMIT");
    }
    apart()?;
    shell(&Shell);
    for tx in [Shell] {
        tx.exec("COMMIT");
    }
    [Shell].iter().for_each(|tx| tx.exec("COMMIT"));
    match Some(Shell) {
        Some(tx) if std::mem::size_of_val(&tx) == 0 => tx.exec("COMMIT"),
        Some(_) | None => {}
    }
    tx.exec_drop("SELECT 1", ())
}

fn main() {
    let _ = (words("").is_err(), temporary().is_err(), another_tx().is_err(), somebody_elses_tx().is_err());
}
