//! Each argument is documented where people look: at the attribute.

use crate::keys;

/// Where the attribute for units ends in the file, and the one for tests begins.
const BORDER: &str = "\npub fn unit_of_work(";

/// An attribute's documentation by its headings.
fn sections(documentation: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    let mut is_code = false;
    for line in documentation.lines().filter_map(|line| line.strip_prefix("///").map(str::trim_start)) {
        is_code ^= line.starts_with("```");
        match line.strip_prefix("# ") {
            // In code it is a line that readers do not see.
            Some(heading) if !is_code => sections.push(heading.to_owned()),
            Some(_) | None => sections.last_mut().expect("there is one").push_str(line),
        }
        sections.last_mut().expect("there is one").push('\n');
    }
    sections
}

#[test]
fn every_argument_has_a_heading_its_default_and_an_example_that_is_compiled() {
    let (units, tests) = include_str!("../lib.rs").split_once(BORDER).expect("both attributes are there");
    let (units, tests) = (sections(units), sections(tests));
    for key in keys::KEYS {
        check(key.name, "unit_of_work(", &units);
    }
    for key in crate::test::KEYS {
        check(key.name, "::test(", &tests);
    }
}

fn check(key: &str, attribute: &str, sections: &[String]) {
    let name = format!("`{key}`");
    let of_this = |section: &&String| section.lines().next().is_some_and(|heading| heading.contains(&name));
    let section = sections.iter().find(of_this).unwrap_or_else(|| panic!("{name} has no heading"));
    assert!(section.contains("Default"), "{name}: what holds without it?\n{section}");
    // With its own spelling, in code: a fence without a word is Rust, and compiled as a test.
    let examples: Vec<&str> = section.split("```").skip(1).step_by(2).collect();
    let is_compiled =
        |example: &&str| ["\n", "compile_fail\n", "no_run\n"].iter().any(|fence| example.starts_with(fence));
    let shows = |example: &&str| example.lines().any(|line| line.contains(attribute) && line.contains(key));
    assert!(
        examples.iter().copied().filter(|example| is_compiled(example)).any(|example| shows(&example)),
        "{name}\n{section}"
    );
}
