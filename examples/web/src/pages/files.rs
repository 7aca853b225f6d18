//! The files of the pages, compiled in: a row for each. Browsers keep them and ask whether they are still good, by a hash of what is
//! in them, so that nobody has yesterday's script with today's page.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::shell::hex;

struct File {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    tag: String,
}

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A row of the table: the file's name in `static/`, and what it is.
macro_rules! files {
    ($($name:literal $kind:ident)*) => {
        [$(File::new($name, $kind, include_bytes!(concat!("../../static/", $name)))),*]
    };
}

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    files! {
        "office.css" CSS
        "office.js" SCRIPT
        "icon.svg" SVG
        "laboratory.css" CSS
        "laboratory.js" SCRIPT
        "vendor/uplot/uPlot.min.css" CSS
        "vendor/uplot/uPlot.iife.min.js" SCRIPT
    }
    .into()
});

impl File {
    fn new(name: &'static str, kind: &'static str, bytes: &'static [u8]) -> Self {
        let hash = Sha256::digest(bytes);
        Self { name, kind, bytes, tag: format!("\"{}\"", hex(&hash[..8])) }
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let about =
            [(CONTENT_TYPE, self.kind), (CACHE_CONTROL, "public, max-age=0, must-revalidate"), (ETAG, &self.tag)];
        let has = asked.get(IF_NONE_MATCH).is_some_and(|tags| contains(tags.as_bytes(), self.tag.as_bytes()));
        if has { (StatusCode::NOT_MODIFIED, about).into_response() } else { (about, self.bytes).into_response() }
    }
}

/// `/static/{*name}`
pub(super) async fn file(name: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Result<Response, Failure> {
    let Path(name) = name?;
    let file = FILES.iter().find(|file| file.name == name).ok_or(Failure::NoSuchPath)?;
    Ok(file.answer(&headers))
}

/// A client may name several tags.
fn contains(tags: &[u8], tag: &[u8]) -> bool {
    tags.windows(tag.len()).any(|window| window == tag)
}
