//! Reads licence expressions: names, `OR`, `AND`, parentheses, and the old way of writing `OR` with a slash. Which names are
//! accepted is `rules`' matter.
//!
//! <https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/>

/// Whether a program may choose among what an expression offers so that only accepted licences apply.
pub(crate) fn is_satisfied(expression: &str, accepted: &[&str]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let satisfied = any(&mut rest, accepted);
    satisfied && rest.is_empty()
}

fn any(rest: &mut &[&str], accepted: &[&str]) -> bool {
    let mut satisfied = all(rest, accepted);
    while take(rest, "OR") {
        satisfied |= all(rest, accepted);
    }
    satisfied
}

fn all(rest: &mut &[&str], accepted: &[&str]) -> bool {
    let mut satisfied = one(rest, accepted);
    while take(rest, "AND") {
        satisfied &= one(rest, accepted);
    }
    satisfied
}

fn one(rest: &mut &[&str], accepted: &[&str]) -> bool {
    if take(rest, "(") {
        let satisfied = any(rest, accepted);
        return take(rest, ")") && satisfied;
    }
    let Some((name, behind)) = rest.split_first() else { return false };
    *rest = behind;
    if take(rest, "WITH") {
        // An exception only ever allows more.
        *rest = rest.get(1..).unwrap_or_default();
    }
    accepted.contains(name)
}

fn take(rest: &mut &[&str], word: &str) -> bool {
    match rest.split_first() {
        Some((first, behind)) if *first == word => {
            *rest = behind;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_satisfied;

    #[test]
    fn an_expression_is_satisfied_by_what_it_offers() {
        for (expression, satisfied) in [
            ("A", true),
            ("X", false),
            ("X OR A", true),
            ("X/A", true),
            ("X AND A", false),
            ("A AND B", true),
            ("(X OR A) AND B", true),
            ("(A OR B) AND X", false),
            ("X AND B OR A", true),
            ("A WITH exception OR X", true),
            ("", false),
            ("A B", false),
            ("(A", false),
        ] {
            assert_eq!(is_satisfied(expression, &["A", "B"]), satisfied, "{expression}");
        }
    }
}
