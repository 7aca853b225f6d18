//! The pages in a real browser: Chromium without a screen, driven by its own `chromedriver`. With feature `browser`, since both must be
//! installed. What it saw is in `target/screenshots`, or in the directory that `SCREENSHOTS` names.

#[path = "../service/mod.rs"]
mod service;

mod buying;
mod laboratory;
mod looks;
mod window;
