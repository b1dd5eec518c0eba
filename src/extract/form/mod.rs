//! Forms: the texts of `application/x-www-form-urlencoded` and `multipart/form-data` bodies, with their ranges in the body.
//!
//! ```text
//!   urlencoded   name=value&name=value        key ► piece, value ► piece; text by `percent::unescape` unless `plain`
//!   multipart    --b CRLF head CRLF CRLF content CRLF --b--        names, file names, contents that are text ► pieces
//! ```
//! A form has exactly one reading or is refused: two receivers must not find two sets of fields in it. It never copies a content
//! and never looks for anything in a text.

#[doc(hidden)]
pub mod fuzz;
mod multipart;
pub mod percent;

use std::ops::Range;

use simdutf8::basic::from_utf8;

use crate::limits;

use super::Form;
use super::Layer;
use super::Part;
use super::Piece;
use super::Place;
use super::Role;
use super::Unreadable;

/// Reads one form after another. What it holds between two is memory to be used again.
#[derive(Debug, Default)]
pub struct FormReader {
    /// The texts of the last form, in the order of the body.
    pub pieces: Vec<Piece>,
    /// Files that are no text and were left out.
    pub media: u32,
    /// Room to decode a text, to see whether it is UTF-8.
    decoded: Vec<u8>,
}

impl FormReader {
    /// Reads `application/x-www-form-urlencoded` (WHATWG URL, section 5.1).
    ///
    /// A `plain` piece is text as it stands; the others are to be decoded by [`percent::unescape`].
    ///
    /// # Errors
    /// [`Unreadable::Form`] for a `%` without two hexadecimal digits, [`Unreadable::Utf8`] for text that is not UTF-8 before or
    /// after decoding, [`Unreadable::Pieces`] for more than `limits::PIECES_MAX` names and values, or a body above 4 GiB.
    pub fn urlencoded(&mut self, body: &[u8]) -> Result<(), Unreadable> {
        self.begin(body)?;
        from_utf8(body).map_err(|_| Unreadable::Utf8)?;
        let mut start = 0;
        while start < body.len() {
            let rest = body.get(start..).unwrap_or_default();
            let length = memchr::memchr(b'&', rest).unwrap_or(rest.len());
            let pair = rest.get(..length).unwrap_or_default();
            let name = memchr::memchr(b'=', pair).unwrap_or(length);
            let name = start..start + name;
            let value = (name.end + 1).min(start + length)..start + length;
            self.encoded(body, name.clone(), 0..0, Form::Key)?;
            self.encoded(body, value, name, Form::Text)?;
            start += length + 1;
        }
        Ok(())
    }

    /// Reads `multipart/form-data` (RFC 7578) whose parts `boundary` divides, 1 to 70 bytes of RFC 2046 section 5.1.1.
    ///
    /// A content is a piece if it has no file name, or a text or JSON media type, or looks like text (UTF-8 without NUL); other files
    /// are counted in `media`. Names, file names and the values of fields that have no meaning here are pieces too. All pieces are
    /// `plain` but an encoded `filename*`.
    ///
    /// # Errors
    /// [`Unreadable::Form`] for a form that breaks the rules or has two readings, [`Unreadable::Utf8`] for a text that is not UTF-8,
    /// [`Unreadable::Pieces`] for more than `limits::FORM_PARTS_MAX` parts, or a body above 4 GiB.
    pub fn multipart(&mut self, body: &[u8], boundary: &[u8]) -> Result<(), Unreadable> {
        self.begin(body)?;
        multipart::read(self, body, boundary)
    }

    /// Forgets the last form, and gives back what each list holds beyond `bytes`.
    pub fn shrink(&mut self, bytes: usize) {
        self.pieces.clear();
        self.pieces.shrink_to(bytes / size_of::<Piece>());
        self.decoded.clear();
        self.decoded.shrink_to(bytes);
    }

    fn begin(&mut self, body: &[u8]) -> Result<(), Unreadable> {
        self.pieces.clear();
        self.media = 0;
        // Offsets of a piece are 32 bits wide.
        u32::try_from(body.len()).map(|_| ()).map_err(|_| Unreadable::Pieces)
    }

    /// Adds a piece that is percent-encoded, checked.
    fn encoded(&mut self, body: &[u8], range: Range<usize>, key: Range<usize>, form: Form) -> Result<(), Unreadable> {
        let raw = body.get(range.clone()).unwrap_or_default();
        let plain = memchr::memchr2(b'%', b'+', raw).is_none();
        if !plain {
            if !percent::is_well_formed(raw) {
                return Err(Unreadable::Form);
            }
            self.decoded.clear();
            percent::unescape(raw, &mut self.decoded);
            from_utf8(&self.decoded).map_err(|_| Unreadable::Utf8)?;
        }
        self.push(range, key, form, plain)
    }

    /// Adds a piece; nothing, if it is empty.
    fn push(&mut self, range: Range<usize>, key: Range<usize>, form: Form, plain: bool) -> Result<(), Unreadable> {
        if range.is_empty() {
            return Ok(());
        }
        if self.pieces.len() >= limits::PIECES_MAX {
            return Err(Unreadable::Pieces);
        }
        let offset = |at: usize| u32::try_from(at).map_err(|_| Unreadable::Pieces);
        self.pieces.push(Piece {
            start: offset(range.start)?,
            end: offset(range.end)?,
            key_start: offset(key.start)?,
            key_end: offset(key.end)?,
            place: Place { part: Part::Body, layer: Layer::PostTemplate, role: Role::None },
            form,
            joined: false,
            plain,
            fragment: false,
            tool_name: false,
            channel: 0,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
