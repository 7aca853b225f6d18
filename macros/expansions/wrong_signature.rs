#[unit_of_work]
pub const fn place(tx: &Tx<'_>, mut order: Order) -> Result<&str, Error> {
    order.number += 1;
    Ok("placed")
}
