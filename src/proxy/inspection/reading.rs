//! How a body is read: by the API whose path was called, else by its media type.

use super::Answer;
use super::Message;
use super::Stop;
use crate::extract::Api;
use crate::extract::Layer;
use crate::extract::Part;
use crate::extract::Place;
use crate::extract::Role;
use crate::extract::node::Node;
use crate::http::head::Field;
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
        if api != Api::Other {
            return Ok(Self::Json(api.table()));
        }
        let Some(media) = media_type(&head.fields, bytes)? else { return Ok(Self::guess(body)) };
        match (media.kind, media.charset) {
            (Kind::Multipart, _) => Ok(Self::Multipart(media.boundary)),
            (Kind::Json, Charset::Utf8) => Ok(Self::Json(api.table())),
            (Kind::Json, Charset::Other) => Err(Stop::Unsupported),
            (Kind::Urlencoded, Charset::Utf8) => Ok(Self::Urlencoded),
            (Kind::Text | Kind::EventStream | Kind::JsonLines | Kind::JsonSequence, Charset::Utf8) => Ok(Self::Text),
            (_, _) => Ok(Self::Unread),
        }
    }

    /// Decides for an answer: by its media type, since a path may be answered by what stands in front of the provider too. Its
    /// own error documents have no places of their own.
    ///
    /// # Errors
    /// As for requests.
    pub(super) fn of_answer(answer: &Answer<'a>) -> Result<Self, Stop> {
        let Answer { api, head, bytes, body } = *answer;
        if body.is_empty() {
            return Ok(Self::Nothing);
        }
        let Some(media) = media_type(&head.fields, bytes)? else { return Ok(Self::guess(body)) };
        let is_document = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
        match (media.kind, media.charset) {
            (Kind::Multipart, _) => Ok(Self::Multipart(media.boundary)),
            (Kind::Json, Charset::Utf8) => Ok(Self::Json(answer_table(api, head.status))),
            (Kind::Json, Charset::Other) => Err(Stop::Unsupported),
            (Kind::Urlencoded, Charset::Utf8) => Ok(Self::Urlencoded),
            // Many a reader takes what looks like JSON for JSON, whatever it says it is.
            (Kind::Text | Kind::EventStream, Charset::Utf8) if is_document => Ok(Self::Guess),
            (Kind::Text | Kind::EventStream | Kind::JsonLines | Kind::JsonSequence, Charset::Utf8) => Ok(Self::Text),
            (_, _) => Ok(Self::Unread),
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

/// What the one `Content-Type` of a message says; none where it has none.
///
/// # Errors
/// It has two, or one that is no media type.
pub(in crate::proxy) fn media_type<'a>(fields: &[Field], bytes: &'a [u8]) -> Result<Option<MediaType<'a>>, Stop> {
    let mut types = fields.iter().filter(|field| field.name == Name::ContentType);
    let (first, second) = (types.next(), types.next());
    let Some(field) = first else { return Ok(None) };
    MediaType::of(field.value.of(bytes)).ok().filter(|_| second.is_none()).map(Some).ok_or(Stop::Unsupported)
}

/// Where the texts of a whole answer are. An error is the same for all APIs: every string.
fn answer_table(api: Api, status: u16) -> &'static Node {
    let api = if status >= 400 { Api::Other } else { api };
    api.answer_table()
}
