//! Where a message ends: just enough HTTP/1.1 for peers that are known to be well-behaved. It decides nothing about
//! security and is never used on traffic from elsewhere.

use std::io;

use httparse::Header;
use httparse::Status;

/// Bytes of the body of a request: the chat request of the comparison.
const REQUEST_BODY_BYTES: usize = 1024;

/// Fields that a head may have here.
const FIELDS_MAX: usize = 32;

/// A chat request for `model`, with a body of 1 KiB and the fields that an SDK sends.
pub(crate) fn request(model: &str, stream: bool, delay_ms: Option<u32>) -> Vec<u8> {
    let before = format!(r#"{{"model":"{model}","stream":{stream},"messages":[{{"role":"user","content":""#);
    let after = r#""}]}"#;
    let text = "Tell me how a proxy reads a request. ";
    let prompt: String = text.chars().cycle().take(REQUEST_BODY_BYTES - before.len() - after.len()).collect();
    let delay = delay_ms.map_or_else(String::new, |delay| format!("x-mock-delay-ms: {delay}\r\n"));
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nuser-agent: OpenAI/Python 2.8.1\r\n\
         accept: application/json\r\naccept-encoding: identity\r\ncontent-type: application/json\r\n\
         authorization: Bearer sk-mock-0123456789abcdef0123456789abcdef\r\nx-stainless-lang: python\r\n\
         {delay}content-length: {REQUEST_BODY_BYTES}\r\n\r\n{before}{prompt}{after}",
    )
    .into_bytes()
}

/// The length of the request that `bytes` begin with; none while it is not complete.
pub(crate) fn request_bytes(bytes: &[u8]) -> io::Result<Option<usize>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut head = httparse::Request::new(&mut fields);
    let Status::Complete(length) = head.parse(bytes).map_err(io::Error::other)? else { return Ok(None) };
    whole(length, head.headers, bytes)
}

/// The length of the answer that `bytes` begin with; none while it is not complete. Any status but 200 is an error.
pub(crate) fn answer_bytes(bytes: &[u8]) -> io::Result<Option<usize>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut head = httparse::Response::new(&mut fields);
    let Status::Complete(length) = head.parse(bytes).map_err(io::Error::other)? else { return Ok(None) };
    match head.code {
        Some(200) => whole(length, head.headers, bytes),
        code => Err(io::Error::other(format!("an answer with status {}", code.unwrap_or_default()))),
    }
}

fn whole(head_bytes: usize, fields: &[Header<'_>], bytes: &[u8]) -> io::Result<Option<usize>> {
    let field = fields.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
    let value = field.and_then(|field| std::str::from_utf8(field.value).ok());
    let body_bytes = value.and_then(|value| value.parse::<usize>().ok());
    let body_bytes = body_bytes.ok_or_else(|| io::Error::other("a message without a length"))?;
    let length = head_bytes + body_bytes;
    Ok((bytes.len() >= length).then_some(length))
}
