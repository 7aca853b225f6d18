//! To come: see the file's tests.
