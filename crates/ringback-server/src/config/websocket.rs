//! Whom WebSockets are opened with, as a configuration file names them.

use std::str::FromStr;

use ringback_transport::websocket::Admission;

use super::reader::Reader;
use super::show::{array, comment, line, quoted};

pub(super) fn read(reader: &mut Reader<'_, '_>, admission: &mut Admission) {
    admission.path = reader.text("path").map(|WebSocketPath(path)| path);
    if let Some(origins) = reader.texts("origins") {
        admission.origins = origins.into();
    }
}

pub(super) fn show(out: &mut String, admission: &Admission) {
    match &admission.path {
        Some(path) => line(out, "path", &quoted(path)),
        None => comment(out, "path: any"),
    }
    line(out, "origins", &array(admission.origins.iter().map(ToString::to_string)));
}

/// What a client asks for, without a query.
struct WebSocketPath(Box<str>);

impl FromStr for WebSocketPath {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<WebSocketPath, &'static str> {
        if !text.starts_with('/') {
            return Err("expected a path that begins with a slash, such as /ws");
        }
        if text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte)) {
            Ok(WebSocketPath(text.into()))
        } else {
            Err("expected a path without blanks, ? and #, such as /ws: whatever query is behind it doesn't matter")
        }
    }
}
