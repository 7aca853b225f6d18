//! The pages as people use them who run no scripts, over plain HTTP: what they are shown, what happens, and what is refused.

#[path = "../service/mod.rs"]
mod service;

mod flow;
mod limits;
mod markup;
mod security;
mod visitor;
