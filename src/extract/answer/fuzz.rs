//! What must hold for the channels of every event: part of the target `walk` of `fuzz/`. The gateway itself never calls into this file.

use super::super::Piece;
use super::super::Role;
use super::super::fuzz::APIS;
use super::super::json::Walker;

/// Fragments and their channels, in some order: of two documents that differ in nothing but the order of keys they are the same.
type Fragments = Vec<(Vec<u8>, u32, Role, bool)>;

/// The order of an object's keys tells nothing, whichever table is used. `bytes` are a valid document.
///
/// # Panics
/// It does tell something.
pub fn check_channels(bytes: &[u8]) {
    let mut at = 0;
    let mut backwards = Vec::new();
    value_backwards(bytes, &mut at, &mut backwards);
    let mut walker = Walker::default();
    for table in APIS.iter().map(|api| api.event_table()) {
        let mut fragments = |body: &[u8]| {
            let walked = walker.walk(body, table);
            let is_fragment = |piece: &&Piece| piece.fragment;
            let fragment = |piece: &Piece| {
                let text = body.get(piece.range()).expect("a piece lies in the body").to_vec();
                (text, piece.channel, piece.place.role, piece.tool_name)
            };
            let mut found: Fragments = walker.pieces.iter().filter(is_fragment).map(fragment).collect();
            found.sort_unstable_by_key(|(text, channel, role, _)| (*channel, text.clone(), *role as u8));
            (walked, found)
        };
        assert_eq!(fragments(bytes), fragments(&backwards));
    }
}

/// Copies the value at hand, the members of each object in it from the last to the first.
fn value_backwards(bytes: &[u8], at: &mut usize, out: &mut Vec<u8>) {
    blanks(bytes, at);
    let Some(&open @ (b'{' | b'[')) = bytes.get(*at) else { return scalar(bytes, at, out) };
    *at += 1;
    let mut members = Vec::new();
    loop {
        blanks(bytes, at);
        match bytes.get(*at) {
            Some(b',' | b':') => *at += 1,
            Some(b'}' | b']') | None => break,
            Some(_) => {
                let mut member = Vec::new();
                if open == b'{' {
                    scalar(bytes, at, &mut member);
                    member.push(b':');
                    blanks(bytes, at);
                    *at += 1;
                }
                value_backwards(bytes, at, &mut member);
                members.push(member);
            }
        }
    }
    *at += 1;
    if open == b'{' {
        members.reverse();
    }
    out.push(open);
    out.extend(members.join(&b','));
    out.push(if open == b'{' { b'}' } else { b']' });
}

/// Copies a string, a number or a literal.
fn scalar(bytes: &[u8], at: &mut usize, out: &mut Vec<u8>) {
    let rest = bytes.get(*at..).unwrap_or_default();
    let length = if rest.first() == Some(&b'"') {
        let mut escaped = false;
        let closes = |byte: &u8| {
            let is_end = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            is_end
        };
        rest.iter().skip(1).position(closes).map_or(rest.len(), |length| length + 2)
    } else {
        rest.iter().position(|byte| b",:]} \t\r\n".contains(byte)).unwrap_or(rest.len())
    };
    out.extend_from_slice(rest.get(..length).unwrap_or_default());
    *at += length;
}

fn blanks(bytes: &[u8], at: &mut usize) {
    while matches!(bytes.get(*at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        *at += 1;
    }
}
