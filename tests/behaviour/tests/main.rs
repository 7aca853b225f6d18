//! What the library promises, statement by statement: the number in a test's name is the statement's, and `statements` sees to
//! it that each has a test or is written down as missing.

mod any_sequence;
mod busy;
mod cases;
mod distribution;
mod errors_that_commit;
mod failure_points;
mod faults;
mod hooks;
mod inside;
mod joining;
mod lost_connection;
mod model;
mod never_again;
mod one_unit;
mod retry;
mod rival;
mod round_trips;
mod scripted;
mod server_says;
mod statements;
mod strict_server;
mod threads;
mod world;
