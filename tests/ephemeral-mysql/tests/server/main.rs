//! What a private server promises, tried on real servers: it answers, it keeps what it should, and it goes.

mod answers;
mod death;
mod fetch;
mod restarts;
mod support;
