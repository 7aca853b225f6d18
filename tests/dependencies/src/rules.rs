//! What is accepted, and why: licences, crates, sources. Every exception has its reason beside it.

use std::collections::BTreeMap;

use crate::licence::is_satisfied;
use crate::tree::Crate;

/// None of them asks more of a program than to keep a notice.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "ISC",
    "BSD-3-Clause",
    "Zlib",
    "Unlicense",
    // Tables made from Unicode's data.
    "Unicode-3.0",
    // The list of CAs that Mozilla trusts.
    "CDLA-Permissive-2.0",
];

/// Crates whose manifests say no licence, and what their files say.
const BY_FILE: &[(&str, &str)] = &[("webpki", "ISC")];

/// Crates that must not come in, whoever brings them; the benchmark's `peers` alone may, since nobody but it is built with them.
const BANNED: &[(&str, &str)] = &[
    ("aws-lc-sys", "compiles C with cmake; `ring` is the provider for `rustls` here and needs a C compiler alone"),
    ("libz-sys", "compiles C; the driver's `minimal-rust` compresses in Rust"),
    ("openssl-src", "compiles OpenSSL; `native-tls` is for those who want their system's"),
];

/// Crates of which the library brings two versions, and why it must.
const TWICE: &[(&str, &str)] = &[("base64", "the driver's `pem` is a version ahead of its `mysql_common`")];

/// Where crates come from: the one public registry.
const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(crate) fn licences(built: &[Crate]) -> Vec<String> {
    let accepted = |known: &&Crate| {
        let by_file = BY_FILE.iter().find(|(name, _)| known.licence.is_empty() && *name == known.name);
        !is_satisfied(by_file.map_or(&known.licence, |(_, licence)| licence), LICENCES)
    };
    let complain =
        |known: &Crate| format!("{} {}: its licence {:?} is not accepted", known.name, known.version, known.licence);
    built.iter().filter(accepted).map(complain).collect()
}

pub(crate) fn bans(built: &[Crate]) -> Vec<String> {
    let banned = BANNED.iter().filter(|(name, _)| built.iter().any(|known| known.name == *name));
    banned.map(|(name, why)| format!("{name} is banned: {why}")).collect()
}

/// Each crate once in the library as it is used by default; an exception that is none any more is complained of too.
pub(crate) fn twice(library: &[Crate]) -> Vec<String> {
    let mut versions = BTreeMap::<&str, Vec<&str>>::new();
    for known in library {
        versions.entry(&known.name).or_default().push(&known.version);
    }
    let excused = |name: &str| TWICE.iter().any(|(known, _)| *known == name);
    let complain = |(name, versions): (&str, Vec<&str>)| match (versions.len() > 1, excused(name)) {
        (true, false) => Some(format!("{name} comes in {} versions: {}", versions.len(), versions.join(", "))),
        (false, true) => Some(format!("{name} comes once only; take its excuse away")),
        (true, true) | (false, false) => None,
    };
    versions.into_iter().filter_map(complain).collect()
}

/// Every crate of the lock file is ours, or from the registry and with its checksum.
pub(crate) fn sources(lock: &str) -> Vec<String> {
    let packages = lock.split("[[package]]").skip(1);
    let complain = |package: &str| {
        let value = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        let name = value("name").unwrap_or_default();
        match (value("source"), value("checksum")) {
            (None, None) => None,
            (Some(source), Some(_)) if source == SOURCE => None,
            (Some(source), _) if source == SOURCE => Some(format!("{name} has no checksum")),
            (source, _) => Some(format!("{name} comes from {source:?}")),
        }
    };
    packages.filter_map(complain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str, version: &str, licence: &str) -> Crate {
        Crate { name: name.into(), version: version.into(), licence: licence.into() }
    }

    #[test]
    fn a_licence_must_be_said_and_accepted() {
        let built = [
            known("a", "1.0.0", "GPL-3.0 OR MIT"),
            known("b", "1.0.0", "GPL-3.0"),
            known("c", "1.0.0", ""),
            known("webpki", "0.22.4", ""),
        ];
        let said = licences(&built).concat();
        assert!(said.contains("b 1.0.0") && said.contains("c 1.0.0"), "{said}");
        assert!(!said.contains("a 1.0.0") && !said.contains("webpki"), "{said}");
    }

    #[test]
    fn a_banned_crate_is_named_with_the_reason() {
        let said = bans(&[known("aws-lc-sys", "0.30.0", "ISC"), known("ring", "0.17.14", "ISC")]);
        assert!(matches!(&said[..], [only] if only.contains("cmake")), "{said:?}");
    }

    #[test]
    fn a_second_version_needs_an_excuse_and_an_excuse_a_second_version() {
        let library = [known("a", "1.0.0", ""), known("a", "2.0.0", ""), known("base64", "0.22.1", "")];
        let said = twice(&library);
        assert!(matches!(&said[..], [a, base64] if a.starts_with("a ") && base64.starts_with("base64 ")), "{said:?}");
    }

    #[test]
    fn a_source_is_ours_or_the_registry() {
        let package = |rest: &str| format!("[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n{rest}");
        let registry = format!("source = \"{SOURCE}\"\n");
        for (rest, complaints) in [
            (String::new(), 0),
            (format!("{registry}checksum = \"00\"\n"), 0),
            (registry, 1),
            ("source = \"git+https://example.com/a\"\n".to_owned(), 1),
            ("source = \"registry+https://example.com/index\"\nchecksum = \"00\"\n".to_owned(), 1),
        ] {
            assert_eq!(sources(&package(&rest)).len(), complaints, "{rest}");
        }
    }
}
