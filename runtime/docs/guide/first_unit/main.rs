use unit_of_work::{Database, Tx, unit_of_work};

#[derive(Debug, thiserror::Error)]
enum BankError {
    #[error("insufficient funds")]
    Insufficient,
    #[error(transparent)]
    Work(#[from] unit_of_work::Error), // what the database, or the unit itself, reports
}

#[unit_of_work]
fn transfer(tx: &mut Tx, from: u64, to: u64, amount: i64) -> Result<(), BankError> {
    let take = "UPDATE account SET balance = balance - ? WHERE id = ? AND balance >= ?";
    tx.exec_drop(take, (amount, from, amount))?;
    if tx.affected_rows() == 0 {
        return Err(BankError::Insufficient); // rolled back
    }
    tx.exec_drop("UPDATE account SET balance = balance + ? WHERE id = ?", (amount, to))?;
    Ok(()) // committed
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = ephemeral_mysql::Server::start()?; // gone with the program
    let bank = server.database();
    // With a server of yours: "mysql://user:password@host:3306/bank".
    let db = Database::connect(&bank.url())?;
    db.session(|session| {
        session.query_drop("CREATE TABLE account (id BIGINT PRIMARY KEY, balance BIGINT)")?;
        session.query_drop("INSERT INTO account VALUES (1, 100), (2, 100)")
    })?;
    db.install()?; // from here on units run on it
    transfer(1, 2, 50)?;
    assert!(matches!(transfer(1, 2, 80), Err(BankError::Insufficient)));
    println!("{}", unit_of_work::units()); // two runs: one committed, one rolled back
    Ok(())
}
