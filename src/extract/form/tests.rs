//! Forms whole, damaged, and as generated; what a receiver could read in two ways is refused.

use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;

use super::FormReader;
use super::percent;
use crate::extract::Form;
use crate::extract::Piece;
use crate::extract::Unreadable;
use crate::limits;

/// A piece as a test writes it: key, text, what it is.
type Read = (String, String, Form);

fn text(body: &[u8], piece: &Piece) -> String {
    let raw = &body[piece.range()];
    let mut out = raw.to_vec();
    if !piece.plain {
        out.clear();
        percent::unescape(raw, &mut out);
    }
    String::from_utf8(out).unwrap()
}

fn reads(reader: &FormReader, body: &[u8]) -> Vec<Read> {
    let mut last = 0;
    let mut read = |piece: &Piece| {
        assert!(last <= piece.start && piece.start < piece.end, "in the order of the body");
        last = piece.end;
        let key = String::from_utf8(body[piece.key()].to_vec()).unwrap();
        (key, text(body, piece), piece.form)
    };
    reader.pieces.iter().map(&mut read).collect()
}

fn urlencoded(body: &[u8]) -> Result<Vec<Read>, Unreadable> {
    let mut reader = FormReader::default();
    reader.urlencoded(body).map(|()| reads(&reader, body))
}

fn multipart(body: &[u8]) -> Result<(Vec<Read>, u32), Unreadable> {
    let mut reader = FormReader::default();
    reader.multipart(body, b"b").map(|()| (reads(&reader, body), reader.media))
}

fn read(key: &str, text: &str, form: Form) -> Read {
    (key.to_owned(), text.to_owned(), form)
}

/// A form of one part: `head` without its last CRLF.
fn one_part(head: &str, content: &[u8]) -> Vec<u8> {
    [b"--b\r\n", head.as_bytes(), b"\r\n\r\n", content, b"\r\n--b--\r\n"].concat()
}

#[test]
fn pairs_are_read_as_the_url_standard_does() {
    use Form::Key;
    use Form::Text;
    let cases: &[(&str, &[Read])] = &[
        ("", &[]),
        ("&&=&", &[]),
        ("a=b", &[read("", "a", Key), read("a", "b", Text)]),
        ("a", &[read("", "a", Key)]),
        ("a=", &[read("", "a", Key)]),
        ("=b", &[read("", "b", Text)]),
        ("a=b=c&d", &[read("", "a", Key), read("a", "b=c", Text), read("", "d", Key)]),
        ("a%3D=b+%26&a=ä", &[read("", "a=", Key), read("a%3D", "b &", Text), read("", "a", Key), read("a", "ä", Text)]),
        ("a=%e4%bd%a0", &[read("", "a", Key), read("a", "你", Text)]),
    ];
    for (body, expected) in cases {
        assert_eq!(urlencoded(body.as_bytes()).as_deref(), Ok(*expected), "{body}");
    }
}

#[test]
fn pairs_that_cannot_be_decoded_are_refused() {
    let cases: &[(&[u8], Unreadable)] = &[
        (b"a=%", Unreadable::Form),
        (b"a=%4&b=1", Unreadable::Form),
        (b"%zz=1", Unreadable::Form),
        (b"a=\xff", Unreadable::Utf8),
        (b"a=%ff", Unreadable::Utf8),
        (b"a=%c3&b=%a9", Unreadable::Utf8),
        (b"a=\xc3%a9", Unreadable::Utf8),
    ];
    for (body, expected) in cases {
        assert_eq!(urlencoded(body), Err(*expected), "{}", body.escape_ascii());
    }
    let many = b"a&".repeat(limits::PIECES_MAX);
    assert_eq!(urlencoded(&many).map(|reads| reads.len()), Ok(limits::PIECES_MAX));
    assert_eq!(urlencoded(&[&many[..], b"a"].concat()), Err(Unreadable::Pieces));
}

#[test]
fn parts_are_text_json_or_media() {
    use Form::Json;
    use Form::Key;
    use Form::Text;
    let name = || read("", "n", Key);
    let file = |name: &str| read("filename", name, Text);
    let disposition = "Content-Disposition: form-data; name=\"n\"";
    let cases: &[(&str, &[u8], &[Read], u32)] = &[
        ("", b"text", &[name(), read("n", "text", Text)], 0),
        ("", b"", &[name()], 0),
        ("", b"a\r\n-b\r\n--\r\n x--b", &[name(), read("n", "a\r\n-b\r\n--\r\n x--b", Text)], 0),
        ("\r\nContent-Type: application/json", b"{}", &[name(), read("n", "{}", Json)], 0),
        (
            "; filename=\"f\"\r\ncontent-type:text/plain; charset=UTF-8",
            b"t",
            &[name(), file("f"), read("n", "t", Text)],
            0,
        ),
        ("; filename=f", b"t", &[name(), file("f"), read("n", "t", Text)], 0),
        (
            "; filename=\"f\"\r\nContent-Type: application/octet-stream",
            b"{\"a\":1}\n",
            &[name(), file("f"), read("n", "{\"a\":1}\n", Text)],
            0,
        ),
        ("; filename=\"f.png\"\r\nContent-Type: image/png", b"\x89PNG\r\n\x1a\n\0", &[name(), file("f.png")], 1),
        ("; filename=\"f\"", b"a\0b", &[name(), file("f")], 1),
        ("; filename=\"ä\\x;y.txt\"", b"", &[name(), file("ä\\x;y.txt")], 0),
        ("; filename=\"a\"; filename*=UTF-8'en'%c3%a4+b", b"", &[name(), file("a"), read("filename*", "ä b", Text)], 0),
        ("\r\nX-Other: \tvalue ", b"", &[name(), read("X-Other", "value", Text)], 0),
        ("\r\nContent-Transfer-Encoding: BINARY\r\nX: ", b"x", &[name(), read("n", "x", Text)], 0),
    ];
    for (head, content, expected, media) in cases {
        let body = one_part(&format!("{disposition}{head}"), content);
        assert_eq!(multipart(&body), Ok((expected.to_vec(), *media)), "{head}");
    }
    assert_eq!(multipart(b"--b--\r\n"), Ok((Vec::new(), 0)));
    assert_eq!(multipart(b"--b--"), Ok((Vec::new(), 0)));
    let two = b"--b\r\nContent-Disposition: form-data; name=n\r\n\r\n1\r\n--b\r\ncontent-disposition: FORM-DATA;NAME=\"n\"\r\n\r\n2\r\n--b--";
    assert_eq!(multipart(two), Ok((vec![name(), read("n", "1", Text), name(), read("n", "2", Text)], 0)));
}

#[test]
fn forms_with_two_readings_are_refused() {
    let ok = one_part("Content-Disposition: form-data; name=n", b"x");
    assert!(multipart(&ok).is_ok());
    let framing: &[&[u8]] = &[
        b"",
        b"--b",
        b"--b\r\n",
        b"--c--\r\n",
        b"--b--\r\n ",
        b"--b--\r\n\r\n",
        b"--b--x",
        b"--b --\r\n",
        b"\r\n--b--\r\n",
        b"preamble\r\n--b--\r\n",
        b"--b\nContent-Disposition: form-data; name=n\n\nx\n--b--\n",
        b"--b\r\nContent-Disposition: form-data; name=n\r\n\r\nx\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=n\r\n\r\nx\r--b\r\n\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=n\r\n\r\nx\r\n--b \r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=n\r\n\r\nx\r\n--bc\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=n\r\n\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=n\r\n--b--\r\n",
        b"--b\r\n\r\nx\r\n--b--\r\n",
    ];
    for body in framing {
        assert_eq!(multipart(body), Err(Unreadable::Form), "{}", body.escape_ascii());
    }
    let heads = [
        "Content-Disposition: form-data",
        "Content-Disposition: form-data; filename=f",
        "Content-Disposition: attachment; name=n",
        "Content-Disposition: form-data; name=n; name=m",
        "Content-Disposition: form-data; name=n; Name=n",
        "Content-Disposition: form-data; name=n; filename=a; filename=b",
        "Content-Disposition: form-data; name=n; filename*=UTF-8''a; filename*=UTF-8''b",
        "Content-Disposition: form-data; name=n; filename*=utf-16''a",
        "Content-Disposition: form-data; name=n; filename*=UTF-8''a%",
        "Content-Disposition: form-data; name=n; filename*=a",
        "Content-Disposition: form-data; name=n; size=1",
        "Content-Disposition: form-data; name=\"a\\\"b\"",
        "Content-Disposition: form-data; name=\"a",
        "Content-Disposition: form-data; name=",
        "Content-Disposition: form-data; name=\"a\"b",
        "Content-Disposition: form-data; name =a",
        "Content-Disposition: form-data name=a",
        "Content-Disposition: form-data; name=n;",
        "Content-Disposition: form-data; name=n\r\nContent-Disposition: form-data; name=n",
        "Content-Disposition: form-data; name=n\r\nContent-Type: text/plain\r\nContent-Type: text/html",
        "Content-Disposition: form-data; name=n\r\nContent-Type: multipart/mixed; boundary=c",
        "Content-Disposition: form-data; name=n\r\nContent-Type: text/plain; charset=utf-7",
        "Content-Disposition: form-data; name=n\r\nContent-Type: text",
        "Content-Disposition: form-data; name=n\r\nContent-Transfer-Encoding: base64",
        "Content-Disposition: form-data; name=n\r\nContent-Transfer-Encoding: quoted-printable",
        "Content-Disposition: form-data; name=n\r\n folded",
        "Content-Disposition: form-data; name=n\r\nX : a",
        "Content-Disposition: form-data; name=n\r\nX",
        "Content-Disposition: form-data; name=n\r\nX: a\nY: b",
        "Content-Disposition: form-data; name=n\r\nX: a\0",
        "Content-Disposition: form-data; name=_charset_",
    ];
    for head in heads {
        assert_eq!(multipart(&one_part(head, b"x")), Err(Unreadable::Form), "{head}");
    }
    let name = "Content-Disposition: form-data; name=n";
    assert_eq!(multipart(&one_part(name, b"\xff")), Err(Unreadable::Utf8));
    assert_eq!(multipart(&one_part(&format!("{name}\r\nContent-Type: text/plain"), b"\xff")), Err(Unreadable::Utf8));
    let raw_name = one_part(name, b"").iter().map(|&byte| if byte == b'n' { 0xff } else { byte }).collect::<Vec<_>>();
    assert!(multipart(&raw_name).is_err());
    assert!(multipart(&one_part("Content-Disposition: form-data; name=_charset_", b"UTF-8")).is_ok());
}

#[test]
fn parts_and_their_heads_are_bounded() {
    let part = "--b\r\nContent-Disposition: form-data; name=n\r\n\r\n\r\n";
    let parts = |count: usize| format!("{}--b--", part.repeat(count)).into_bytes();
    assert!(multipart(&parts(limits::FORM_PARTS_MAX)).is_ok());
    assert_eq!(multipart(&parts(limits::FORM_PARTS_MAX + 1)), Err(Unreadable::Pieces));
    let fields = |count: usize| format!("Content-Disposition: form-data; name=n{}", "\r\nX: y".repeat(count - 1));
    assert!(multipart(&one_part(&fields(limits::FORM_PART_FIELDS_MAX), b"")).is_ok());
    assert_eq!(multipart(&one_part(&fields(limits::FORM_PART_FIELDS_MAX + 1), b"")), Err(Unreadable::Form));
    let long = |length: usize| {
        let head = "Content-Disposition: form-data; name=";
        format!("{head}{}", "n".repeat(length - head.len() - 4))
    };
    assert!(multipart(&one_part(&long(limits::FORM_PART_HEAD_BYTES_MAX), b"")).is_ok());
    assert_eq!(multipart(&one_part(&long(limits::FORM_PART_HEAD_BYTES_MAX + 1), b"")), Err(Unreadable::Form));
    for boundary in [&b""[..], &[b'b'; 71]] {
        let body = [b"--", boundary, b"--"].concat();
        assert_eq!(FormReader::default().multipart(&body, boundary), Err(Unreadable::Form));
    }
}

#[test]
fn a_form_cut_anywhere_is_refused() {
    let body = one_part("Content-Disposition: form-data; name=n", b"some text");
    for cut in 0..body.len() - 2 {
        assert_eq!(multipart(&body[..cut]), Err(Unreadable::Form), "cut at {cut}");
    }
}

/// Contents that are made of what delimiters are made of.
fn content() -> impl Strategy<Value = String> {
    let atom =
        prop_oneof![Just("-"), Just("--b"), Just("\r"), Just("\n"), Just("\r\n"), Just("b"), Just("--"), Just("x")];
    proptest::collection::vec(atom, 0..12).prop_map(|atoms| atoms.concat())
}

proptest! {
    #[test]
    fn a_part_is_what_was_put_in_or_the_form_is_refused(first in content(), second in content()) {
        let head = "Content-Disposition: form-data; name=n\r\n\r\n";
        let body = format!("--b\r\n{head}{first}\r\n--b\r\n{head}{second}\r\n--b--\r\n");
        // At the front of a line, whatever ends the line, stands what may be taken for a delimiter.
        let is_ambiguous = [&first, &second].iter().any(|text| {
            text.starts_with("--b") || text.contains("\n--b") || text.contains("\r--b")
        });
        match multipart(body.as_bytes()) {
            Ok((reads, 0)) => {
                let texts: Vec<_> = reads.iter().filter(|read| read.2 == Form::Text).map(|read| read.1.clone()).collect();
                let expected: Vec<_> = [first, second].into_iter().filter(|text| !text.is_empty()).collect();
                prop_assert_eq!(texts, expected);
                prop_assert!(!is_ambiguous);
            }
            other => prop_assert!(is_ambiguous, "{:?}", other),
        }
    }

    #[test]
    fn pairs_come_back_as_they_were_encoded(pairs in proptest::collection::vec(("[a-z &=%+ä]{1,5}", "[ -~ä]{0,20}"), 0..6)) {
        let mut body = Vec::new();
        for (name, value) in &pairs {
            percent::escape(name.as_bytes(), &mut body);
            body.push(b'=');
            percent::escape(value.as_bytes(), &mut body);
            body.push(b'&');
        }
        let expected: Vec<_> = pairs.into_iter().flat_map(|(name, value)| [name, value]).filter(|text| !text.is_empty()).collect();
        let texts: Vec<_> = urlencoded(&body).unwrap().into_iter().map(|read| read.1).collect();
        prop_assert_eq!(texts, expected);
    }
}
