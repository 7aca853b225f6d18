// The guide: chapters for people, beside the items' own documentation. Which chapters there are and in which order is decided here; each
// text is a file in `docs/guide`, named as its module. The table of contents is `docs/guide/contents.md`. What stands in `isolation/` is
// drawn by the tests of `tests/faults`; the first program is a file of its own, because README shows it too. Where one text ends in a
// paragraph and the next begins with a picture or a fence, an empty line is put between them: `doc` takes away the one at an end.
#![doc = include_str!("../docs/guide/contents.md")]

#[doc = include_str!("../docs/guide/first_unit.md")]
#[doc = "```toml"]
#[doc = include_str!("../docs/guide/first_unit/dependencies.toml")]
#[doc = "```"]
#[doc = ""]
#[doc = include_str!("../docs/guide/first_unit/program.md")]
#[doc = "```rust"]
#[doc = include_str!("../docs/guide/first_unit/main.rs")]
#[doc = "```"]
#[doc = ""]
#[doc = include_str!("../docs/guide/first_unit/after.md")]
#[cfg_attr(feature = "testing", doc = include_str!("../docs/guide/first_unit/test.md"))]
pub mod first_unit {}

#[doc = include_str!("../docs/guide/isolation.md")]
#[doc = ""]
#[doc = include_str!("../docs/guide/isolation/levels.svg")]
#[doc = ""]
#[doc = include_str!("../docs/guide/isolation/reading.md")]
#[doc = "```text"]
#[doc = include_str!("../docs/guide/isolation/lost_update.txt")]
#[doc = "```"]
#[doc = include_str!("../docs/guide/isolation/lost_update_snapshot.md")]
#[doc = "```text"]
#[doc = include_str!("../docs/guide/isolation/lost_update_snapshot.txt")]
#[doc = "```"]
#[doc = include_str!("../docs/guide/isolation/lost_update_serializable.md")]
#[doc = "```text"]
#[doc = include_str!("../docs/guide/isolation/lost_update_serializable.txt")]
#[doc = "```"]
#[doc = include_str!("../docs/guide/isolation/write_skew.md")]
#[doc = "```text"]
#[doc = include_str!("../docs/guide/isolation/write_skew.txt")]
#[doc = "```"]
#[doc = include_str!("../docs/guide/isolation/write_skew_serializable.md")]
#[doc = "```text"]
#[doc = include_str!("../docs/guide/isolation/write_skew_serializable.txt")]
#[doc = "```"]
#[doc = include_str!("../docs/guide/isolation/read_skew.md")]
#[doc = "```text"]
#[doc = include_str!("../docs/guide/isolation/read_skew.txt")]
#[doc = "```"]
#[doc = include_str!("../docs/guide/isolation/choosing.md")]
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

#[cfg_attr(feature = "tokio", doc = include_str!("../docs/guide/asynchronous.md"))]
#[cfg_attr(all(feature = "tokio", feature = "testing"), doc = include_str!("../docs/guide/asynchronous/test.md"))]
#[cfg_attr(
    not(feature = "tokio"),
    doc = "Units on blocking threads: this chapter, as what it describes, needs the feature `tokio`."
)]
pub mod asynchronous {}

#[doc = include_str!("../docs/guide/clusters.md")]
pub mod clusters {}

#[doc = include_str!("../docs/guide/migrations.md")]
pub mod migrations {}

#[allow(clippy::test_attr_in_doctest, reason = "they are run: by a `main` that is not shown")]
#[cfg_attr(feature = "testing", doc = include_str!("../docs/guide/testing.md"))]
#[cfg_attr(
    not(feature = "testing"),
    doc = "Tests with a database, without one, and of every failure: see the documentation with the feature `testing`."
)]
pub mod testing {}

#[doc = include_str!("../docs/guide/operating.md")]
pub mod operating {}

#[doc = include_str!("../docs/guide/coming_from.md")]
pub mod coming_from {}

#[doc = include_str!("../docs/guide/more.md")]
pub mod more {}

#[doc = include_str!("../docs/guide/limits.md")]
pub mod limits {}

#[doc = include_str!("../docs/guide/errors.md")]
pub mod errors {}

#[cfg(test)]
mod tests {
    const README: &str = include_str!("../../README.md");

    #[test]
    fn the_readme_has_the_guide_s_first_program() {
        for text in [
            include_str!("../docs/guide/first_unit/main.rs"),
            include_str!("../docs/guide/first_unit/dependencies.toml"),
        ] {
            assert!(README.contains(text), "README.md does not have this as it is in `docs/guide/first_unit`:\n{text}");
        }
    }

    /// Its heading in the table of contents links to it.
    #[test]
    fn the_table_of_contents_has_every_chapter() {
        let contents = include_str!("../docs/guide/contents.md");
        let chapters =
            include_str!("guide.rs").lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(" {}"));
        let mut count = 0;
        for chapter in chapters {
            assert!(contents.contains(&format!("]({chapter}) | ")), "{chapter} is not in the table of contents");
            count += 1;
        }
        assert_eq!(count, contents.matches(") | ").count(), "the table of contents has a chapter that is not there");
    }

    #[test]
    fn the_chapter_of_errors_has_every_kind() {
        let (_, kinds) = include_str!("kind.rs").split_once("pub enum ErrorKind {\n").expect("it is here");
        let (kinds, _) = kinds.split_once("\n}\n").expect("it ends");
        let chapter = include_str!("../docs/guide/errors.md");
        let kinds = kinds.lines().filter(|line| !line.contains("///"));
        for kind in kinds.filter_map(|line| line.trim_start().strip_suffix(',')) {
            assert!(chapter.contains(&format!("[`{kind}`](crate::ErrorKind::{kind})")), "{kind} is not in the chapter");
        }
    }
}
