// The guide: chapters for people, beside the items' own documentation. Which chapters there are and in which order is decided here; each
// text is a file in `docs/guide`, named as its module. The table of contents is `docs/guide/contents.md`.
#![doc = include_str!("../docs/guide/contents.md")]

#[doc = include_str!("../docs/guide/first_unit.md")]
pub mod first_unit {}

#[doc = include_str!("../docs/guide/isolation.md")]
pub mod isolation {}

#[doc = include_str!("../docs/guide/retry.md")]
pub mod retry {}

#[doc = include_str!("../docs/guide/nesting.md")]
pub mod nesting {}

#[doc = include_str!("../docs/guide/hooks.md")]
pub mod hooks {}

#[doc = include_str!("../docs/guide/deadlines.md")]
pub mod deadlines {}

#[doc = include_str!("../docs/guide/threads.md")]
pub mod threads {}

#[doc = include_str!("../docs/guide/asynchronous.md")]
pub mod asynchronous {}

#[doc = include_str!("../docs/guide/clusters.md")]
pub mod clusters {}

#[doc = include_str!("../docs/guide/migrations.md")]
pub mod migrations {}

#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/guide/operating.md")]
pub mod operating {}

#[doc = include_str!("../docs/guide/coming_from.md")]
pub mod coming_from {}

#[doc = include_str!("../docs/guide/limits.md")]
pub mod limits {}

#[doc = include_str!("../docs/guide/errors.md")]
pub mod errors {}
