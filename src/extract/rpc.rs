//! The id of a JSON-RPC 2.0 request (section 4), so that a refusal can be an answer to it.
//!
//! Reads nothing but the members of the outermost object, and only of bodies that are to be refused. It checks no JSON: where the body
//! is none, any answer is right.

/// The bytes of the member `id` as they stand, `null` where there is none. `None`: the body is no JSON-RPC request.
#[must_use]
pub fn request_id(body: &[u8]) -> Option<&[u8]> {
    let mut rest = body.trim_ascii().strip_prefix(b"{")?;
    let mut is_rpc = false;
    let mut id: &[u8] = b"null";
    loop {
        let (key, after) = value(rest.trim_ascii_start());
        let Some(after) = after.trim_ascii_start().strip_prefix(b":") else { break };
        let (member, after) = value(after.trim_ascii_start());
        match key {
            br#""jsonrpc""# => is_rpc = member == br#""2.0""#,
            br#""id""# => id = member,
            _ => {}
        }
        let Some(after) = after.trim_ascii_start().strip_prefix(b",") else { break };
        rest = after;
    }
    is_rpc.then_some(id)
}

/// One JSON value at the front, and what follows it.
fn value(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    let mut end = bytes.len();
    for (at, &byte) in bytes.iter().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b'}' | b']' | b',' | b':' if depth == 0 => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let (value, rest) = bytes.split_at_checked(end).unwrap_or_default();
    (value.trim_ascii_end(), rest)
}

#[cfg(test)]
mod tests {
    use super::request_id;

    #[test]
    fn the_id_is_found_where_the_body_is_json_rpc() {
        let cases: &[(&str, Option<&str>)] = &[
            (r#"{"jsonrpc":"2.0","id":7,"method":"tools/call"}"#, Some("7")),
            (r#" { "id" : "a-1" , "params":{"id":3,"x":["}",{"id":4}]}, "jsonrpc" : "2.0" } "#, Some(r#""a-1""#)),
            (r#"{"jsonrpc":"2.0","method":"notify"}"#, Some("null")),
            (r#"{"jsonrpc":"2.0","x":"a\"},\"id\":9","id":1}"#, Some("1")),
            (r#"{"jsonrpc":"1.0","id":7}"#, None),
            (r#"{"params":{"jsonrpc":"2.0"},"id":7}"#, None),
            (r#"[{"jsonrpc":"2.0","id":7}]"#, None),
            ("", None),
            ("{", None),
            (r#"{"jsonrpc"#, None),
        ];
        for (body, expected) in cases {
            let id = request_id(body.as_bytes()).map(|id| str::from_utf8(id).unwrap());
            assert_eq!(id, *expected, "{body}");
        }
    }
}
