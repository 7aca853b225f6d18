//! Behaviour.
#[test]
fn smoke() {
    let server = ephemeral_mysql::shared();
    let home = server.database();
    let db = unit_of_work::Database::connect(&home.url()).unwrap();
    db.session(|s| { s.query_drop("CREATE TABLE t (id INT PRIMARY KEY, v INT)")?; s.query_drop("INSERT INTO t VALUES (1, 5)") }).unwrap();
    let v: i32 = db.unit("read").run::<_, unit_of_work::Error>(|tx| {
        tx.exec_drop("UPDATE t SET v = v + ? WHERE id = ?", (2, 1))?;
        Ok(tx.exec_first("SELECT v FROM t WHERE id = ?", (1,))?.unwrap())
    }).unwrap();
    assert_eq!(v, 7);
    let e = db.unit("bad").run::<(), unit_of_work::Error>(|tx| tx.query_drop("SELECT * FROM nope")).unwrap_err();
    println!("{e}");
    println!("{e:?}");
}
