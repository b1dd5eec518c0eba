//! The head that is put around a body, as a client would send it.

use crate::error::Error;
use crate::http::head::Name;
use crate::http::head::RequestHead;
use crate::limits;
use crate::proxy::refusal::Refusal;

/// A head that is well-formed whatever the length of the body behind it.
#[derive(Clone, Debug)]
pub(in crate::command) struct Shape {
    /// From the request line to the last field but `content-length`, each with its line end.
    lines: String,
}

impl Shape {
    /// A POST to `path` (and query). An empty `content_type` leaves the field out; `fields` are more of them, each `name: value`.
    ///
    /// # Errors
    /// A sentence: a gateway would refuse such a head whatever the body, or the body would have to be decoded first.
    pub(in crate::command) fn new(path: &str, content_type: &str, fields: &[String]) -> Result<Self, String> {
        let parts = [path, content_type].into_iter().chain(fields.iter().map(String::as_str));
        if parts.into_iter().any(|part| part.contains(char::is_control)) {
            return Err("--path, --content-type and --header hold no control characters".to_owned());
        }
        let mut lines = format!("POST {path} HTTP/1.1\r\nhost: gateway\r\n");
        if !content_type.is_empty() {
            lines.push_str(&format!("content-type: {content_type}\r\n"));
        }
        for field in fields {
            lines.push_str(&format!("{field}\r\n"));
        }
        let shape = Self { lines };
        match RequestHead::parse(&shape.head(limits::TRIED_BYTES_MAX)) {
            Ok(head) if head.fields.iter().any(|field| field.name == Name::ContentEncoding) => {
                Err("--header: bodies are given with their content coding taken off".to_owned())
            }
            Ok(_) => Ok(shape),
            Err(malformed) => Err(match Refusal::of(Error::client(malformed)) {
                Some(refusal) => format!("--path, --content-type, --header: {} ({})", refusal.message, refusal.code),
                None => "--path, --content-type, --header: not valid".to_owned(),
            }),
        }
    }

    /// The head before a body of so many bytes.
    pub(super) fn head(&self, body_bytes: usize) -> Vec<u8> {
        format!("{}content-length: {body_bytes}\r\n\r\n", self.lines).into_bytes()
    }
}
