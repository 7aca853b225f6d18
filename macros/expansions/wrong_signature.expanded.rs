::core::compile_error! {
    "a unit of work talks to a database and cannot be `const`: remove `const`"
}
::core::compile_error! {
    "statements need the transaction for themselves: write `&mut Tx`"
}
pub fn place(mut order: Order) -> Result<&str, Error> {
    let tx: &mut Tx<'_> = ::unit_of_work::__private::refused();
    order.number += 1;
    Ok("placed")
}
