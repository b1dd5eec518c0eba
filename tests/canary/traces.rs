//! Looks for the canary in what a gateway told, in every spelling in which a careless line could have written it.
//!
//! Case does not count. Percent, `\u` and `\x` escapes are undone first; hexadecimal, lists of byte values (as `{:?}` writes a slice)
//! and base64 at each of its three alignments are looked for as they stand. A part of the canary is a trace as well.

/// Letters and digits of base32, so that it can be the end of an AWS key; of no word that anything would say by itself.
pub const CANARY: &str = "QXCANARY7ZVTWLKM";

/// Bytes of the canary that are enough to know it by.
const PART_BYTES: usize = 8;

/// The first trace of the canary, with what stands around it.
pub fn trace(told: &[u8]) -> Option<String> {
    let lower = told.to_ascii_lowercase();
    let undone = undo_escapes(&lower);
    let found = plain_parts().iter().find_map(|part| around(&lower, part).or_else(|| around(&undone, part)));
    found
        .or_else(|| listed_parts().iter().find_map(|part| around(&lower, part)))
        .or_else(|| base64_parts().iter().find_map(|part| around(told, part)))
}

fn around(told: &[u8], part: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(told, part)?;
    let part = &told[at.saturating_sub(120)..(at + 120).min(told.len())];
    Some(String::from_utf8_lossy(part).into_owned())
}

fn parts_of(text: &[u8]) -> Vec<Vec<u8>> {
    text.windows(PART_BYTES).map(<[u8]>::to_vec).collect()
}

fn plain_parts() -> Vec<Vec<u8>> {
    parts_of(CANARY.to_ascii_lowercase().as_bytes())
}

/// As bytes are listed: `5158…` and `81, 88, …`, of both cases.
fn listed_parts() -> Vec<Vec<u8>> {
    let texts = [CANARY.to_owned(), CANARY.to_ascii_lowercase()];
    let windows = texts.iter().flat_map(|text| parts_of(text.as_bytes()));
    let written = windows.flat_map(|part| {
        let decimal: Vec<String> = part.iter().map(u8::to_string).collect();
        [hexadecimal(&part), decimal.join(", "), decimal.join(",")]
    });
    written.map(String::into_bytes).collect()
}

/// What is the same in the base64 of every text that holds the canary at this alignment.
fn base64_parts() -> Vec<Vec<u8>> {
    let texts = [CANARY.to_owned(), CANARY.to_ascii_lowercase()];
    let aligned = texts.iter().flat_map(|text| (0..3).map(move |shift| base64(&format!("{}{text}", &"???"[..shift]))));
    aligned.map(|text| text.as_bytes()[4..16].to_vec()).collect()
}

/// Percent, `\u00`, `\x` and `&#x…;` written back as bytes.
fn undo_escapes(lower: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(lower.len());
    let mut rest = lower;
    while let Some((first, after)) = rest.split_first() {
        let mark = [&b"%"[..], b"\\u00", b"\\x", b"\\u{", b"&#x"].into_iter().find(|mark| rest.starts_with(mark));
        let digits = mark.and_then(|mark| rest.get(mark.len()..mark.len() + 2));
        let value = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match (mark, value) {
            (Some(mark), Some(value)) => {
                out.push(value.to_ascii_lowercase());
                rest = &rest[mark.len() + 2..];
                rest = rest.strip_prefix(b";").or_else(|| rest.strip_prefix(b"}")).unwrap_or(rest);
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// With padding, in the alphabet of RFC 4648 section 4.
pub fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let quad = |group: &[u8]| {
        let bits = (0..3).fold(0_usize, |bits, at| bits << 8 | usize::from(group.get(at).copied().unwrap_or(0)));
        let letter = |at: usize| char::from(ALPHABET[bits >> (18 - 6 * at) & 63]);
        (0..4).map(|at| if at <= group.len() { letter(at) } else { '=' }).collect::<String>()
    };
    text.as_bytes().chunks(3).map(quad).collect()
}

#[test]
fn every_spelling_of_the_canary_is_a_trace() {
    let escaped =
        |mark: &str, end: &str| CANARY.bytes().map(|byte| format!("{mark}{byte:02X}{end}")).collect::<String>();
    let cases = [
        CANARY.to_owned(),
        CANARY.to_lowercase(),
        format!("cut {}", &CANARY[..9]),
        format!("cut {}", &CANARY[7..]),
        escaped("%", ""),
        escaped("\\u00", ""),
        escaped("\\x", ""),
        escaped("\\u{", "}"),
        escaped("&#x", ";"),
        format!("{}%41{}", &CANARY[..3], &CANARY[4..]),
        escaped("", ""),
        format!("{:?}", CANARY.as_bytes()),
        format!("{:?}", CANARY.to_lowercase().as_bytes()),
        base64(CANARY),
        base64(&format!("a{CANARY}")),
        base64(&format!("to{CANARY} and on")),
        base64(&format!("Bearer {}", CANARY.to_lowercase())),
    ];
    for case in cases {
        let line = format!("{{\"message\":\"before {case} after\"}}");
        assert!(trace(line.as_bytes()).is_some(), "{line}");
    }
    for innocent in ["", "a canary sang", "%zz \\u00 &#x \\x", "QXCANAR Y7ZVTWL KM"] {
        assert_eq!(trace(innocent.as_bytes()), None, "{innocent}");
    }
}
