//! What was tokenised, put back: a value in the place of its placeholder, written as the place wants it.
//!
//! ```text
//!  vault     [NAME_1] is  O"Hara
//!  text      "content": "Dear [NAME_1]"                      ─►  "Dear O\"Hara"              escaped once
//!  arguments "arguments": "{\"to\": \"[NAME_1]\"}"           ─►  "{\"to\": \"O\\\"Hara\"}"   JSON in JSON: twice
//! ```
//! A stream is restored fragment by fragment, by what [`Vault::find`], [`Vault::open_at_end`] and [`write_escaped`] say; an answer in one
//! piece by [`edits`] and [`splice`]. All bytes outside a placeholder stay as they are.

use super::vault::Found;
use super::vault::Vault;
use crate::extract::Form;
use crate::extract::Piece;
use crate::extract::json;
use crate::extract::json::Walker;
use crate::extract::node;

/// A value to be written into a document.
#[derive(Clone, Copy, Debug)]
pub struct Edit<'v> {
    /// Which placeholder; where it stands in the document, escapes counted.
    pub found: Found<'v>,
    /// How often the value is escaped: see [`write_escaped`].
    pub depth: u8,
}

/// Memory that finding placeholders needs, lent by whoever inspects.
pub struct Scratch<'a> {
    /// For a string without its escapes.
    pub text: &'a mut Vec<u8>,
    /// For a document inside a string.
    pub walker: &'a mut Walker,
}

/// Writes a value for the inside of a JSON string (`depth` 1), of a JSON string inside the text of another (2), or as it is (0).
///
/// # Errors
/// That of `write`.
pub fn write_escaped<E>(value: &[u8], depth: u8, write: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let is_special = |byte: &u8| depth > 0 && matches!(byte, 0..0x20 | b'"' | b'\\');
    let mut rest = value;
    while let Some((plain, special)) = rest.iter().position(is_special).and_then(|at| rest.split_at_checked(at)) {
        write(plain)?;
        let Some((byte, behind)) = special.split_first() else { break };
        write_byte(*byte, depth, write)?;
        rest = behind;
    }
    write(rest)
}

/// One byte that needs an escape. Each level further out escapes the backslashes of the one within, which doubles them, and a quote
/// once more.
fn write_byte<E>(byte: u8, depth: u8, write: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let quotes = matches!(byte, b'"' | b'\\');
    let doubled = 1_u32 << depth.min(8);
    for _ in 0..if quotes { doubled - 1 } else { doubled / 2 } {
        write(b"\\")?;
    }
    let short = match byte {
        0x8 => b'b',
        0xc => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ if quotes => byte,
        _ => {
            let hexadecimal = |digit: u8| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
            return write(&[b'u', b'0', b'0', hexadecimal(byte >> 4), hexadecimal(byte & 15)]);
        }
    };
    write(&[short])
}

/// The placeholders in a JSON document whose strings `pieces` are, in the order in which they stand. `scratch` is empty memory.
///
/// A string that is a JSON document itself has the values in it escaped twice. It is one text here: what is JSON still deeper inside it is
/// escaped as if it was not.
#[must_use]
pub fn edits<'v>(vault: &'v Vault, document: &[u8], pieces: &[Piece], scratch: &mut Scratch<'_>) -> Vec<Edit<'v>> {
    let mut edits = Vec::new();
    let Scratch { text, walker } = scratch;
    for piece in pieces.iter().filter(|piece| piece.form != Form::Number) {
        let raw = document.get(piece.range()).unwrap_or_default();
        let start = piece.start as usize;
        let before = edits.len();
        let inner: &[u8] = if piece.plain {
            found(vault, raw, |at| start + at, 1, &mut edits);
            raw
        } else {
            text.clear();
            json::unescape(raw, text);
            let mut offsets = json::offsets(raw);
            found(vault, text, |at| start + offsets.to_raw(at), 1, &mut edits);
            text
        };
        // Arguments, and what a model was asked to write as JSON. What only should be a document is a text like any other.
        if edits.len() > before && piece.form != Form::Key && walker.walk(inner, &node::ANY).is_ok() {
            edits.iter_mut().skip(before).for_each(|edit| edit.depth = 2);
        }
    }
    edits
}

fn found<'v>(
    vault: &'v Vault,
    text: &[u8],
    mut to_document: impl FnMut(usize) -> usize,
    depth: u8,
    edits: &mut Vec<Edit<'v>>,
) {
    let mut from = 0;
    while let Some(Found { start, end, value }) = vault.find(text, from) {
        from = end;
        let found = Found { start: to_document(start), end: to_document(end), value };
        edits.push(Edit { found, depth });
    }
}

/// The placeholders in a text that is no JSON.
#[must_use]
pub fn edits_of_text<'v>(vault: &'v Vault, text: &[u8]) -> Vec<Edit<'v>> {
    let mut edits = Vec::new();
    found(vault, text, |at| at, 0, &mut edits);
    edits
}

/// Writes a document with its edits made, by calls of `write`.
///
/// # Errors
/// That of `write`.
pub fn splice<E>(document: &[u8], edits: &[Edit<'_>], mut write: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let mut at = 0;
    for Edit { found: Found { start, end, value }, depth } in edits {
        write(document.get(at..*start).unwrap_or_default())?;
        write_escaped(value, *depth, &mut write)?;
        at = *end;
    }
    write(document.get(at..).unwrap_or_default())
}
