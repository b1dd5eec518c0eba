//! Which fields of a message may cross the gateway (RFC 9110 section 7.6.1).
//!
//! Fields of one connection are dropped in both directions, and so are those that `Connection` names. `Host`, the framing
//! fields and `Expect` are dropped too, because the gateway writes its own. Nothing else is touched, in its order and spelling.

use super::head::Field;
use super::head::Name;
use super::head::nominated;

/// The fields of a message that may cross, in their order.
pub fn crossing<'a>(bytes: &'a [u8], fields: &'a [Field]) -> impl Iterator<Item = &'a Field> {
    let standard = |option: &[u8]| option.eq_ignore_ascii_case(b"close") || option.eq_ignore_ascii_case(b"keep-alive");
    let named = nominated(bytes, fields).filter(move |option| !standard(option));
    let any_named = named.clone().next().is_some();
    fields.iter().filter(move |field| {
        let ours = matches!(field.name, Name::Host | Name::ContentLength | Name::Expect);
        let is_named = || named.clone().any(|option| option.eq_ignore_ascii_case(field.spelling.of(bytes)));
        let stays = ours || field.name.is_hop_by_hop() || any_named && is_named();
        !stays
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head::RequestHead;

    #[test]
    fn fields_of_one_connection_stay() {
        let text = b"GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nConnection: x-drop, Keep-Alive\r\nX-Drop: 2\r\nKeep-Alive: 5\r\n\
            TE: trailers\r\nTrailer: t\r\nUpgrade: h2c\r\nProxy-Connection: x\r\nProxy-Authorization: y\r\nHTTP2-Settings: z\r\n\
            Expect: 100-continue\r\nB: 3\r\nCookie: c\r\n\r\n";
        let head = RequestHead::parse(text).unwrap();
        let names: Vec<_> = crossing(text, &head.fields).map(|field| field.spelling.of(text)).collect();
        assert_eq!(names, [&b"A"[..], b"B", b"Cookie"]);
    }
}
