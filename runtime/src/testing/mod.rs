//! For tests of functions that are units of work: a scripted server, planned failures, and a clock that the test moves. They
//! stand below the engine, so the functions run as they are written.

mod clock;

pub use crate::backend::mysql::wire::failing::{Failures, Way};
pub use crate::backend::mysql::wire::scripted::{Reply, Script, Sent};
pub use crate::clock::Clock;
pub use clock::VirtualClock;
