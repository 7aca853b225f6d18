//! MySQL and MariaDB, by the driver's raw `Conn`: never its `Pool`, `Transaction` or `TxOpts`, which send what we do not know of.
//! What opens a connection is `connector`, `tls` and `opening`, what it knows and does is `connection`, what an error means is
//! `faults`, that no file is sent is `local_files`, what a text is says the crate `unit-of-work-sql`, what bodies call is
//! `vocabulary` and `lent`, what they put off is `deferred`, where outcomes are written down is `outcomes`; `wire` is all that is needed of the driver.

mod administration;
mod by_text;
pub(crate) mod connection;
pub(crate) mod connector;
mod deferred;
mod durability;
pub(crate) mod faults;
mod in_words;
mod lent;
mod local_files;
mod opening;
mod outcomes;
mod queryable;
mod sizes;
mod texts;
mod tls;
mod vocabulary;
pub(crate) mod wire;

pub use administration::Session;
pub use lent::Lent;
pub use tls::Tls;

use super::Backend;

/// The engine behind MySQL, MariaDB and what speaks their protocol.
#[derive(Debug)]
pub enum MySql {}

impl Backend for MySql {
    type Connector = connector::MySqlConnector;
    type Connection = connection::MySqlConnection;
}
