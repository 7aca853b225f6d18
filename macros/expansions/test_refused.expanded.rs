::core::compile_error! {
    "unknown argument `sandbx`; did you mean `sandbox`?"
}
::core::compile_error! {
    "`schema` is given twice: keep one of them"
}
::core::compile_error! {
    "a unit of work is synchronous, and so is its test: leave `async` out"
}
::core::compile_error! {
    "a test is no unit: take `db: &Database` or nothing, and call units"
}
#[allow(dead_code)]
async fn transfers(tx: &mut Tx<'_>) {}
