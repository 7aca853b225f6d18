//! The service as a program's client sees it. The program is started as a user starts it.

#[path = "../service/mod.rs"]
mod service;

mod any_input;
mod crowd;
mod ending;
mod faults;
mod money;
mod office;
mod problems;
