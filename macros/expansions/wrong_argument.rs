#[unit_of_work(isolaton = "serializable", read_only)]
fn place(tx: &mut Tx<'_>, order: Order, all: &mut Orders) -> Result<(), Error> {
    all.push(order.clone());
    tx.exec_drop("INSERT INTO purchase VALUES (?)", (order.id,))
}
