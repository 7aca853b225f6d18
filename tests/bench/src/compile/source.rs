//! The crates that are compared: the same units, spelt with the attribute, as the attribute's own output, and with the builder.
//! Each unit reads, decides and writes, and takes arguments of three kinds.

use std::fmt::Write;
use std::path::Path;

/// How the units of a crate are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    Annotated,
    Expanded,
    Builder,
}

impl Spelling {
    pub(crate) const ALL: [Self; 3] = [Self::Annotated, Self::Expanded, Self::Builder];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Annotated => "annotated",
            Self::Expanded => "expanded",
            Self::Builder => "builder",
        }
    }
}

/// The `Cargo.toml` of a crate that depends on the library in `runtime`.
pub(crate) fn manifest(spelling: Spelling, runtime: &Path) -> String {
    format!(
        "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nunit-of-work = {{ path = '{}' }}\n",
        spelling.name(),
        runtime.display()
    )
}

/// The `lib.rs` of a crate with so many units.
pub(crate) fn library(spelling: Spelling, functions: u32) -> String {
    let mut source = String::from(
        "#![allow(unused_imports)]\nuse unit_of_work::{Database, Error, Isolation, Tx, unit_of_work};\n\n",
    );
    for number in 0..functions {
        let unit = match spelling {
            Spelling::Annotated => annotated(number),
            Spelling::Expanded => expanded(number),
            Spelling::Builder => builder(number),
        };
        write!(source, "{unit}\n\n").expect("a string takes what is written to it");
    }
    source
}

const BODY: &str = r#"{
    let balance: Option<i64> = tx.exec_first("SELECT balance FROM account WHERE id = ?", (from,))?;
    if balance.unwrap_or(0) < amount {
        return Ok(false);
    }
    tx.exec_drop("UPDATE account SET balance = balance - ? WHERE id = ?", (amount, from))?;
    tx.exec_drop("INSERT INTO note (account, text) VALUES (?, ?)", (from, &note))?;
    Ok(true)
}"#;

fn annotated(number: u32) -> String {
    format!(
        "#[unit_of_work(isolation = \"repeatable read\", timeout = \"2s\")]\n\
         pub fn unit_{number}(tx: &mut Tx<'_>, from: u64, amount: i64, note: String) -> Result<bool, Error> {BODY}"
    )
}

fn expanded(number: u32) -> String {
    format!(
        "pub fn unit_{number}(from: u64, amount: i64, note: String) -> Result<bool, Error> {{
    ::unit_of_work::__private::run::<_, Result<bool, Error>, _, _, _>(
        {{
            static __UNIT_OF_WORK: ::unit_of_work::__private::Unit =
                ::unit_of_work::__private::Unit::new(\"unit_{number}\", ::core::file!(), ::core::line!())
                    .isolation(::unit_of_work::Isolation::RepeatableRead)
                    .timeout(::core::time::Duration::new(2u64, 0u32));
            &__UNIT_OF_WORK
        }},
        (
            ::unit_of_work::__private::replayable::<u64>(from),
            (
                ::unit_of_work::__private::replayable::<i64>(amount),
                (::unit_of_work::__private::replayable::<String>(note), ()),
            ),
        ),
        |tx: &mut Tx<'_>,
         (
            ::unit_of_work::__private::Again(from, _),
            (::unit_of_work::__private::Again(amount, _), (::unit_of_work::__private::Again(note, _), ())),
        )|
         -> Result<bool, Error> {BODY},
        ::unit_of_work::__private::roll_back,
    )
}}"
    )
}

fn builder(number: u32) -> String {
    format!(
        "pub fn unit_{number}(db: &Database, from: u64, amount: i64, note: String) -> Result<bool, Error> {{
    db.unit(\"unit_{number}\")
        .isolation(Isolation::RepeatableRead)
        .timeout(std::time::Duration::from_secs(2))
        .run::<_, Error>(|tx| {BODY})
}}"
    )
}
