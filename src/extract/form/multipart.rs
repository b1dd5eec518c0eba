//! `multipart/form-data`, read strictly (RFC 7578, RFC 2046 section 5.1).
//!
//! ```text
//!  delimiter ─► CRLF ─► field lines ─► CRLF ─► content ─► CRLF delimiter ─► CRLF, or `--` and the end
//! ```
//! Lines end in CRLF; nothing stands before the first delimiter, and at most one CRLF behind the last. The bytes of a delimiter at
//! the beginning of a line are a delimiter or the form is refused, and so is one behind a bare CR or LF: some receivers would take
//! it for one. A backslash before a quote in a parameter, which some read as an escape and some do not, is refused too.

use std::ops::Range;

use memchr::memmem;
use simdutf8::basic::from_utf8;

use crate::limits;

use super::Form;
use super::FormReader;
use super::Unreadable;

/// Bytes of a delimiter: two dashes and a boundary.
const DELIMITER_BYTES_MAX: usize = 2 + 70;

/// What the head of a part says.
#[derive(Default)]
struct Head {
    /// The name between its quotes.
    name: Option<Range<usize>>,
    has_file_name: bool,
    media: Media,
    /// The value of each of these has been there.
    has_disposition: bool,
    has_type: bool,
    has_encoding: bool,
}

/// What the media type of a part says of its content.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Media {
    /// No type: text, unless it is a file.
    #[default]
    Missing,
    Json,
    Text,
    Other,
}

/// Reads the whole form.
pub(super) fn read(reader: &mut FormReader, body: &[u8], boundary: &[u8]) -> Result<(), Unreadable> {
    let mut room = [b'-'; DELIMITER_BYTES_MAX];
    let slots = room.get_mut(2..2 + boundary.len()).ok_or(Unreadable::Form)?;
    slots.copy_from_slice(boundary);
    let delimiter = room.get(..2 + boundary.len()).unwrap_or_default();
    let finder = memmem::Finder::new(delimiter);
    if boundary.is_empty() || !body.starts_with(delimiter) {
        return Err(Unreadable::Form);
    }
    let mut at = delimiter.len();
    let mut parts = 0;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        if matches!(rest, b"--" | b"--\r\n") {
            return Ok(());
        }
        if !rest.starts_with(b"\r\n") {
            return Err(Unreadable::Form);
        }
        parts += 1;
        if parts > limits::FORM_PARTS_MAX {
            return Err(Unreadable::Pieces);
        }
        let (head, content) = read_head(reader, body, delimiter, at + 2)?;
        let next = next_delimiter(&finder, body, content)?;
        read_content(reader, body, &head, content..next)?;
        at = next + 2 + delimiter.len();
    }
}

/// Where the CRLF of the next delimiter stands.
fn next_delimiter(finder: &memmem::Finder<'_>, body: &[u8], from: usize) -> Result<usize, Unreadable> {
    let mut at = from;
    loop {
        let found = finder.find(body.get(at..).unwrap_or_default()).ok_or(Unreadable::Form)?;
        let line = body.get(from..at + found).unwrap_or_default();
        if line.ends_with(b"\r\n") {
            return Ok(at + found - 2);
        }
        // At the front of a content there is the CRLF of the empty line, which is no line of the content.
        if line.is_empty() || line.ends_with(b"\n") || line.ends_with(b"\r") {
            return Err(Unreadable::Form);
        }
        at += found + 1;
    }
}

/// Reads the field lines of a part, from `at` to the empty line; the second value is where the content begins. A line that begins as a
/// delimiter does is one to many receivers (RFC 2046 section 5.1.1 forbids it), and none to the rules of fields.
fn read_head(reader: &mut FormReader, body: &[u8], delimiter: &[u8], at: usize) -> Result<(Head, usize), Unreadable> {
    let end = (at + limits::FORM_PART_HEAD_BYTES_MAX).min(body.len());
    let lines = body.get(at..end).unwrap_or_default();
    let mut head = Head::default();
    let mut start = 0;
    for _ in 0..=limits::FORM_PART_FIELDS_MAX {
        let rest = lines.get(start..).unwrap_or_default();
        let length = memmem::find(rest, b"\r\n").ok_or(Unreadable::Form)?;
        let line = at + start..at + start + length;
        start += length + 2;
        if line.is_empty() {
            let is_whole = head.has_disposition && head.name.is_some();
            return if is_whole { Ok((head, at + start)) } else { Err(Unreadable::Form) };
        }
        if rest.starts_with(delimiter) {
            return Err(Unreadable::Form);
        }
        read_field(reader, body, &mut head, line)?;
    }
    Err(Unreadable::Form)
}

/// Reads one field line.
fn read_field(reader: &mut FormReader, body: &[u8], head: &mut Head, line: Range<usize>) -> Result<(), Unreadable> {
    let text = body.get(line.clone()).unwrap_or_default();
    from_utf8(text).map_err(|_| Unreadable::Utf8)?;
    let colon = text.iter().position(|&byte| !is_token_byte(byte)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(colon).unwrap_or_default();
    let raw = rest.strip_prefix(b":").ok_or(Unreadable::Form)?;
    if name.is_empty() || raw.iter().any(|byte| matches!(byte, 0..=8 | 10..=31 | 127)) {
        return Err(Unreadable::Form);
    }
    let value = raw.trim_ascii();
    let value_start = line.end - raw.trim_ascii_start().len();
    let once = |seen: &mut bool| if std::mem::replace(seen, true) { Err(Unreadable::Form) } else { Ok(()) };
    if name.eq_ignore_ascii_case(b"content-disposition") {
        once(&mut head.has_disposition)?;
        read_disposition(reader, body, head, value_start..value_start + value.len())
    } else if name.eq_ignore_ascii_case(b"content-type") {
        once(&mut head.has_type)?;
        head.media = media_of(value).ok_or(Unreadable::Form)?;
        Ok(())
    } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
        once(&mut head.has_encoding)?;
        let known: [&[u8]; 3] = [b"7bit", b"8bit", b"binary"];
        let is_known = known.iter().any(|known| value.eq_ignore_ascii_case(known));
        if is_known { Ok(()) } else { Err(Unreadable::Form) }
    } else {
        // It means nothing in a form (RFC 7578 section 4.8), but somebody may read it.
        reader.push(value_start..value_start + value.len(), line.start..line.start + colon, Form::Text, true)
    }
}

/// Reads `form-data; name="…"; filename="…"`.
fn read_disposition(
    reader: &mut FormReader,
    body: &[u8],
    head: &mut Head,
    value: Range<usize>,
) -> Result<(), Unreadable> {
    let text = body.get(..value.end).unwrap_or_default();
    let mut at = value.start + token_length(text.get(value.start..).unwrap_or_default());
    let kind = text.get(value.start..at).unwrap_or_default();
    if !kind.eq_ignore_ascii_case(b"form-data") {
        return Err(Unreadable::Form);
    }
    let (mut has_plain, mut has_encoded) = (false, false);
    while let Some((name, value, next)) = parameter(text, at)? {
        at = next;
        let spelled = text.get(name.clone()).unwrap_or_default();
        if spelled.eq_ignore_ascii_case(b"name") && head.name.is_none() {
            head.name = Some(value.clone());
            reader.push(value, 0..0, Form::Key, true)?;
        } else if spelled.eq_ignore_ascii_case(b"filename") && !has_plain {
            has_plain = true;
            reader.push(value, name, Form::Text, true)?;
        } else if spelled.eq_ignore_ascii_case(b"filename*") && !has_encoded {
            has_encoded = true;
            let encoded = encoded_value(text, value)?;
            reader.encoded(body, encoded, name, Form::Text)?;
        } else {
            return Err(Unreadable::Form);
        }
    }
    head.has_file_name = has_plain || has_encoded;
    Ok(())
}

/// Name, value (between its quotes) and what is behind them.
type Parameter = (Range<usize>, Range<usize>, usize);

/// The parameter at `at`: `OWS ";" OWS name "=" value`; `None` at the end.
fn parameter(text: &[u8], at: usize) -> Result<Option<Parameter>, Unreadable> {
    let from = |at: usize| text.get(at..).unwrap_or_default();
    let at = at + blanks(from(at));
    if from(at).is_empty() {
        return Ok(None);
    }
    let rest = from(at).strip_prefix(b";").ok_or(Unreadable::Form)?;
    let name_start = at + 1 + blanks(rest);
    let name = name_start..name_start + token_length(from(name_start));
    let rest = from(name.end).strip_prefix(b"=").ok_or(Unreadable::Form)?;
    let start = name.end + 1;
    if let Some(quoted) = rest.strip_prefix(b"\"") {
        let length = memchr::memchr(b'"', quoted).ok_or(Unreadable::Form)?;
        if quoted.get(..length).is_some_and(|inside| inside.ends_with(b"\\")) {
            return Err(Unreadable::Form);
        }
        return Ok(Some((name, start + 1..start + 1 + length, start + length + 2)));
    }
    let end = start + token_length(rest);
    if end == start { Err(Unreadable::Form) } else { Ok(Some((name, start..end, end))) }
}

/// The encoded part of `UTF-8'language'encoded` (RFC 8187 section 3.2).
fn encoded_value(text: &[u8], value: Range<usize>) -> Result<Range<usize>, Unreadable> {
    let raw = text.get(value.clone()).unwrap_or_default();
    let mut fields = raw.splitn(3, |&byte| byte == b'\'');
    let charset = fields.next().unwrap_or_default();
    let encoded = fields.nth(1).ok_or(Unreadable::Form)?;
    if !charset.eq_ignore_ascii_case(b"utf-8") {
        return Err(Unreadable::Form);
    }
    Ok(value.end - encoded.len()..value.end)
}

/// What a media type says of a content; `None`: malformed, another multipart, or text that is not UTF-8.
fn media_of(value: &[u8]) -> Option<Media> {
    let essence = value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    let slash = essence.iter().position(|&byte| byte == b'/')?;
    let (top, sub) = (essence.get(..slash)?, essence.get(slash + 1..)?);
    let is_token = |bytes: &[u8]| !bytes.is_empty() && token_length(bytes) == bytes.len();
    if !is_token(top) || !is_token(sub) || top.eq_ignore_ascii_case(b"multipart") {
        return None;
    }
    if !charset_is_utf8(value, essence.len())? {
        return None;
    }
    let suffix = sub.len().checked_sub(5).and_then(|at| sub.get(at..)).unwrap_or_default();
    if sub.eq_ignore_ascii_case(b"json") || suffix.eq_ignore_ascii_case(b"+json") {
        return Some(Media::Json);
    }
    Some(if top.eq_ignore_ascii_case(b"text") { Media::Text } else { Media::Other })
}

/// Whether the parameters behind the essence name no charset but UTF-8 and its subset; `None`: malformed.
fn charset_is_utf8(value: &[u8], mut at: usize) -> Option<bool> {
    let mut is_utf8 = true;
    while let Some((name, charset, next)) = parameter(value, at).ok()? {
        at = next;
        let charset = value.get(charset)?;
        let known: [&[u8]; 4] = [b"utf-8", b"utf8", b"us-ascii", b"ascii"];
        if value.get(name)?.eq_ignore_ascii_case(b"charset") {
            is_utf8 &= known.iter().any(|known| charset.eq_ignore_ascii_case(known));
        }
    }
    Some(is_utf8)
}

/// Makes a piece of a content, or counts it.
fn read_content(reader: &mut FormReader, body: &[u8], head: &Head, content: Range<usize>) -> Result<(), Unreadable> {
    let bytes = body.get(content.clone()).unwrap_or_default();
    let name = head.name.clone().unwrap_or_default();
    // A field of this name says how all others are encoded (RFC 7578 section 4.6).
    if body.get(name.clone()) == Some(b"_charset_") && !bytes.eq_ignore_ascii_case(b"utf-8") {
        return Err(Unreadable::Form);
    }
    let must_be_text = match head.media {
        Media::Json | Media::Text => true,
        Media::Missing => !head.has_file_name,
        Media::Other => false,
    };
    let is_utf8 = from_utf8(bytes).is_ok();
    if must_be_text && !is_utf8 {
        return Err(Unreadable::Utf8);
    }
    if !must_be_text && (!is_utf8 || memchr::memchr(0, bytes).is_some()) {
        reader.media = reader.media.saturating_add(1);
        return Ok(());
    }
    let form = if head.media == Media::Json { Form::Json } else { Form::Text };
    reader.push(content, name, form, true)
}

/// `tchar` of RFC 9110 section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn token_length(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| !is_token_byte(byte)).unwrap_or(bytes.len())
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(bytes.len())
}
