#[unit_of_work(isolation = "repeatable read", retry(max_attempts = 3), snapshot)]
impl<'a, S: Store> Accounts<'a, S> {
    const LIMIT: usize = { 10 };

    /// Takes a transaction: a unit.
    pub fn open(&self, tx: &mut Tx<'_>, id: u64) -> Result<(), Error> {
        self.insert(tx, id)
    }

    /// What it says itself counts; the level does not fit its mode.
    #[unit_of_work(propagation = "supports", snapshot = false)]
    fn peek(&self, tx: &mut Tx<'_>) -> Result<Option<u64>, Error> {
        tx.query_first("SELECT MAX(id) FROM account")
    }

    /// Takes none, and carries the attribute.
    #[unit_of_work(snapshot = false, isolation = "serializable")]
    fn both(&self) -> Result<(), Error> {
        self.open(1)?;
        self.open(2)
    }

    #[unit_of_work(skip)]
    fn insert(&self, tx: &mut Tx<'_>, id: u64) -> Result<(), Error> {
        tx.exec_drop("INSERT INTO account VALUES (?, 0)", (id,))
    }

    fn plain(&self) -> usize {
        Self::LIMIT
    }
}
