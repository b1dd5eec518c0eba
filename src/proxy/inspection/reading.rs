//! How a body is read: by the API whose path was called, else by its media type.

use super::Message;
use super::Stop;
use crate::extract::Api;
use crate::extract::Layer;
use crate::extract::Part;
use crate::extract::Place;
use crate::extract::Role;
use crate::extract::node::Node;
use crate::http::head::Name;
use crate::http::media_type::Charset;
use crate::http::media_type::Kind;
use crate::http::media_type::MediaType;

/// Where the text of a body stands that has no places of its own.
pub(super) const BODY: Place = Place { part: Part::Body, layer: Layer::PostTemplate, role: Role::None };

/// How a body is read.
#[derive(Clone, Copy)]
pub(super) enum Reading<'a> {
    /// There is none.
    Nothing,
    /// As JSON, by this table of places.
    Json(&'static Node),
    /// As `application/x-www-form-urlencoded`.
    Urlencoded,
    /// As `multipart/form-data` with this boundary.
    Multipart(&'a [u8]),
    /// As JSON if it is such, else as text: it does not say what it is.
    Guess,
    /// As text.
    Text,
    /// Not at all; what happens to it the policy says.
    Unread,
}

impl<'a> Reading<'a> {
    /// Decides.
    ///
    /// # Errors
    /// The body has a media type with more than one reading, or is JSON that says it is not UTF-8.
    pub(super) fn of(message: &Message<'a>) -> Result<Self, Stop> {
        let Message { head, bytes, body } = *message;
        if body.is_empty() {
            return Ok(Self::Nothing);
        }
        let api = Api::of_path(head.path.of(bytes));
        let mut types = head.fields.iter().filter(|field| field.name == Name::ContentType);
        let (first, second) = (types.next(), types.next());
        if api != Api::Other {
            return Ok(Self::Json(api.table()));
        }
        let Some(field) = first else { return Ok(Self::guess(body)) };
        let media = MediaType::of(field.value.of(bytes)).ok().filter(|_| second.is_none()).ok_or(Stop::Unsupported)?;
        match (media.kind, media.charset) {
            (Kind::Multipart, _) => Ok(Self::Multipart(media.boundary)),
            (Kind::Json, Charset::Utf8) => Ok(Self::Json(api.table())),
            (Kind::Json, Charset::Other) => Err(Stop::Unsupported),
            (Kind::Urlencoded, Charset::Utf8) => Ok(Self::Urlencoded),
            (Kind::Text | Kind::EventStream | Kind::JsonLines | Kind::JsonSequence, Charset::Utf8) => Ok(Self::Text),
            (Kind::Text | Kind::EventStream | Kind::JsonLines | Kind::JsonSequence, Charset::Other)
            | (Kind::Other | Kind::Urlencoded, _) => Ok(Self::Unread),
        }
    }

    /// Without a media type: what a receiver that guesses would take it for (RFC 9110 section 8.3).
    fn guess(body: &[u8]) -> Self {
        match simdutf8::basic::from_utf8(body) {
            Ok(_) if matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) => Self::Guess,
            Ok(text) if !text.contains('\0') => Self::Text,
            _ => Self::Unread,
        }
    }
}
