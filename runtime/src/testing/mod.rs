//! For tests of functions that are units of work: a scripted server, planned failures, a clock that the test moves, and a
//! transaction around a test that leaves nothing behind. They stand below the functions, which run as they are written.

mod clock;
mod sandbox;

pub use crate::backend::mysql::wire::failing::{Failures, Way};
pub use crate::backend::mysql::wire::scripted::{Reply, Script, Sent};
pub use crate::clock::Clock;
pub use clock::VirtualClock;
pub use sandbox::Sandbox;
