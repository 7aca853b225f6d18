//! `exactly_once`: a COMMIT without an answer is resolved, and never guessed. On a scripted server each way that the resolution
//! can go; on a real one, behind a proxy, that what it says is what is in the database.

mod parts;
mod real;
mod scene;
mod scripted;
mod table;
mod told;
