//! What the gateway itself answers: the one table from an error to the wire, and its body in the dialect of the caller.
//!
//! SDKs parse error bodies and decide by the status whether to try again, so both follow the provider whose path was called.
//! Nothing of the request is repeated in an answer, except a request id that was checked.

use crate::error::Error;
use crate::error::Kind;
use crate::error::Side;
use crate::extract::Api;
use crate::extract::Unreadable;
use crate::extract::rpc;
use crate::http::Malformed;
use crate::http::encode;
use crate::http::lines;
use crate::http::sse;
use crate::limits;
use crate::policy::Policy;
use crate::policy::code::Code;
use crate::shared::counters::Refusal as Reason;

use super::inspection::stream::Framing;

/// How an API writes its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's error object; also for paths of no API that is known.
    OpenAi,
    /// Anthropic's error object.
    Anthropic,
    /// Google's error object.
    Gemini,
    /// A JSON-RPC 2.0 error (MCP), to the request with this id.
    JsonRpc(RpcId),
}

/// The id of a JSON-RPC request as it may be repeated in an answer: a whole number, a short plain string, or `null` for all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpcId {
    // INVARIANT: the first `length` bytes are a JSON value of ASCII letters, digits and `-_.`, in quotes if it is a string.
    bytes: [u8; limits::RPC_ID_BYTES_MAX],
    length: u8,
}

impl RpcId {
    /// Takes an id over, as it stands in the request.
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        let inside = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let good = match inside {
            Some(inside) => inside.iter().all(plain),
            None => !value.is_empty() && value.len() <= 15 && value.iter().all(u8::is_ascii_digit),
        };
        let value = if good && value.len() <= limits::RPC_ID_BYTES_MAX { value } else { b"null" };
        let mut bytes = [0; limits::RPC_ID_BYTES_MAX];
        bytes.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
        Self { bytes, length: u8::try_from(value.len()).unwrap_or_default() }
    }

    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or("null")
    }
}

impl Dialect {
    /// The dialect of a request path.
    #[must_use]
    pub fn of_path(path: &[u8]) -> Self {
        let path = path.split(|&byte| byte == b'?').next().unwrap_or_default();
        let holds = |part: &[u8]| memchr::memmem::find(path, part).is_some();
        if holds(b"/v1/messages") {
            Self::Anthropic
        } else if holds(b":generateContent") || holds(b":streamGenerateContent") {
            Self::Gemini
        } else {
            Self::OpenAi
        }
    }

    /// The dialect of an answer to this body: JSON-RPC where it is a JSON-RPC request to a path of no API that is known.
    #[must_use]
    pub fn of_body(self, body: &[u8]) -> Self {
        if self != Self::OpenAi {
            return self;
        }
        rpc::request_id(body).map_or(self, |id| Self::JsonRpc(RpcId::of(id)))
    }

    /// A guess for a request that could not be parsed: by what stands behind its first space.
    #[must_use]
    pub fn of_bytes(received: &[u8]) -> Self {
        let target = received.splitn(3, |&byte| byte == b' ').nth(1);
        Self::of_path(target.unwrap_or_default())
    }
}

/// What every answer of the gateway's own says beside its body.
pub struct Own {
    /// The request id.
    pub request_id: String,
    /// The time.
    pub date: String,
    /// Whether the connection is used again.
    pub keep_alive: bool,
    /// Whether the body is written, or only its length: an answer to HEAD.
    pub with_body: bool,
}

impl Own {
    /// Writes what follows the status line.
    fn write(&self, content_type: &[u8], body: &str, out: &mut Vec<u8>) {
        encode::line(out, &[b"date: ", self.date.as_bytes()]);
        encode::line(out, &[b"content-type: ", content_type]);
        encode::line(out, &[b"x-request-id: ", self.request_id.as_bytes()]);
        encode::content_length(body.len() as u64, out);
        if !self.keep_alive {
            encode::line(out, &[b"connection: close"]);
        }
        out.extend_from_slice(b"\r\n");
        if self.with_body {
            out.extend_from_slice(body.as_bytes());
        }
    }
}

/// The reason code of a policy's refusal, and which policy it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reasoned {
    /// The code that is told, counted and reported.
    pub code: Code,
    /// The version of the policy that decided.
    pub policy_version: u64,
}

impl Reasoned {
    /// A reason under a policy.
    #[must_use]
    pub const fn of(policy: &Policy, code: Code) -> Self {
        Self { code, policy_version: policy.version() }
    }
}

/// The reason code of an inspection that cannot be done or not finished. A rule that blocks has a code of its own.
#[must_use]
pub const fn bound_code(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Blocked => Some("POLICY.SCAN_LIMIT"),
        Kind::BodyTooLarge => Some("POLICY.BODY_TOO_LARGE"),
        Kind::UnsupportedContent => Some("POLICY.UNSUPPORTED_CONTENT"),
        Kind::DecodeLimit | Kind::Unreadable(Unreadable::Pieces) => Some("POLICY.DECODE_LIMIT"),
        _ => None,
    }
}

/// An answer of the gateway's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// A stable code for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: &'static str,
    /// What it counts as.
    pub reason: Reason,
}

impl Refusal {
    const fn new(status: u16, reason: Reason, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, reason }
    }

    /// The table. `None`: the peer that would read the answer has gone.
    #[must_use]
    pub fn of(error: Error) -> Option<Self> {
        if error.side == Side::Upstream
            && let Some(refusal) = Self::of_answer(error.kind)
        {
            return Some(refusal);
        }
        let refusal = match (error.side, error.kind) {
            (Side::Client, Kind::Malformed(malformed)) => Self::of_malformed(malformed),
            (Side::Client, Kind::BodyTooLarge) => Self::new(
                413,
                Reason::PayloadTooLarge,
                "body_too_large",
                "The request body is larger than this gateway allows.",
            ),
            (_, Kind::Blocked) => {
                Self::new(403, Reason::Blocked, "policy_blocked", "This request is blocked by policy.")
            }
            (_, Kind::Unreadable(Unreadable::Pieces)) | (_, Kind::DecodeLimit) => Self::new(
                413,
                Reason::PayloadTooLarge,
                "decode_limit",
                "The request body holds more than this gateway inspects.",
            ),
            (_, Kind::Unreadable(unreadable)) => Self::of_unreadable(unreadable),
            (_, Kind::UnsupportedContent) => Self::new(
                415,
                Reason::UnsupportedMediaType,
                "unsupported_content",
                "This content type or content coding is not inspected here and not let through by policy.",
            ),
            (_, Kind::Encoding) => bad_request("content_coding", "The body is not what its content coding says."),
            (_, Kind::NoPolicy) => {
                Self::new(503, Reason::Unavailable, "policy_missing", "No policy is in force at this gateway.")
            }
            (_, Kind::DotSegment) => {
                Self::new(400, Reason::BadRequest, "dot_segment", "The request path must not contain dot segments.")
            }
            (Side::Client, Kind::Timeout) => {
                Self::new(408, Reason::RequestTimeout, "request_timeout", "The request did not arrive in time.")
            }
            (_, Kind::Plaintext) => {
                Self::new(421, Reason::Misdirected, "tls_required", "This gateway serves this path over TLS only.")
            }
            (_, Kind::Memory) | (Side::Gateway, _) => {
                Self::new(503, Reason::Unavailable, "gateway_busy", "The gateway is at its limit. Try again shortly.")
            }
            (Side::Client, Kind::Closed | Kind::Truncated | Kind::Tls | Kind::Protocol) => return None,
            (Side::Upstream, Kind::Timeout) => {
                Self::new(504, Reason::GatewayTimeout, "upstream_timeout", "The provider did not answer in time.")
            }
            (_, Kind::Unresolved) => {
                Self::new(502, Reason::BadGateway, "upstream_unresolved", "The provider's name has no address.")
            }
            (_, Kind::Connect) => {
                Self::new(502, Reason::BadGateway, "upstream_unreachable", "The provider cannot be reached.")
            }
            (Side::Upstream, Kind::Tls) => {
                Self::new(502, Reason::BadGateway, "upstream_tls", "The TLS connection to the provider failed.")
            }
            (Side::Upstream, Kind::Closed | Kind::Truncated) => Self::new(
                502,
                Reason::BadGateway,
                "upstream_closed",
                "The provider closed the connection without an answer.",
            ),
            (Side::Upstream, Kind::Malformed(_) | Kind::Protocol | Kind::BodyTooLarge) => {
                Self::new(502, Reason::BadGateway, "upstream_malformed", "The provider's answer is not valid HTTP.")
            }
        };
        Some(refusal)
    }

    /// An answer that the policy forbids, or that cannot be inspected: 403, since an SDK asks again after a 5xx, and pays for the same
    /// answer.
    const fn of_answer(kind: Kind) -> Option<Self> {
        let (reason, code, message) = match kind {
            Kind::Blocked => (Reason::Blocked, "policy_blocked", "The answer to this request is blocked by policy."),
            Kind::BodyTooLarge | Kind::DecodeLimit | Kind::Unreadable(Unreadable::Pieces) => (
                Reason::AnswerRefused,
                "answer_too_large",
                "The provider's answer is larger than this gateway inspects.",
            ),
            Kind::Unreadable(_) | Kind::UnsupportedContent | Kind::Encoding => (
                Reason::AnswerRefused,
                "answer_unreadable",
                "The provider's answer cannot be inspected, and is not let through by policy.",
            ),
            _ => return None,
        };
        Some(Self::new(403, reason, code, message))
    }

    const fn of_malformed(malformed: Malformed) -> Self {
        match malformed {
            Malformed::TargetTooLong => Self::new(
                414,
                Reason::UriTooLong,
                "uri_too_long",
                "The request line is longer than this gateway allows.",
            ),
            Malformed::HeadTooLarge | Malformed::TooManyFields => Self::new(
                431,
                Reason::HeaderFieldsTooLarge,
                "head_too_large",
                "The request head is larger than this gateway allows.",
            ),
            Malformed::Version => Self::new(
                505,
                Reason::VersionNotSupported,
                "http_version",
                "This gateway speaks HTTP/1.1 and HTTP/1.0.",
            ),
            Malformed::TransferCoding => {
                Self::new(501, Reason::NotImplemented, "transfer_coding", "The only transfer coding served is chunked.")
            }
            Malformed::Method => {
                Self::new(501, Reason::NotImplemented, "method", "This gateway does not serve CONNECT.")
            }
            Malformed::Expectation => {
                Self::new(417, Reason::ExpectationFailed, "expectation", "The only expectation met is 100-continue.")
            }
            Malformed::Host => {
                bad_request("host", "The request needs exactly one valid Host that agrees with its target.")
            }
            Malformed::Target => bad_request("target", "The request target is not valid."),
            Malformed::StartLine | Malformed::LineEnd | Malformed::Status => {
                bad_request("syntax", "The request is not valid HTTP/1.1.")
            }
            Malformed::FieldName | Malformed::FieldValue => bad_request("field", "A header field is not valid."),
            Malformed::ContentLength
            | Malformed::TransferEncoding
            | Malformed::LengthAndCoding
            | Malformed::Nominated => bad_request("framing", "The length of the request body is ambiguous."),
            Malformed::UnexpectedBody => bad_request("unexpected_body", "This method has no body."),
            Malformed::Chunk | Malformed::ChunkTooLarge | Malformed::Trailer => {
                bad_request("chunked", "The chunked request body is not valid.")
            }
        }
    }

    const fn of_unreadable(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Depth => bad_request("json_depth", "The JSON body is nested too deeply."),
            Unreadable::DuplicateKey => {
                bad_request("json_duplicate_key", "The JSON body has a key twice in one object.")
            }
            Unreadable::Form => bad_request("form", "The form body is not valid."),
            Unreadable::Syntax | Unreadable::Utf8 | Unreadable::Surrogate | Unreadable::Pieces => {
                bad_request("invalid_json", "The body is not valid JSON.")
            }
        }
    }

    /// Writes the whole answer. `reasoned` where a policy is the reason.
    pub fn write(&self, dialect: Dialect, reasoned: Option<&Reasoned>, own: &Own, out: &mut Vec<u8>) {
        encode::status_line(self.status, reason_phrase(self.status), out);
        if self.status == 503 {
            out.extend_from_slice(b"retry-after: ");
            encode::decimal(u64::from(limits::RETRY_AFTER_SECONDS), out);
            out.extend_from_slice(b"\r\n");
        }
        if dialect == Dialect::Anthropic {
            // Where the SDKs of that API look for the id.
            encode::line(out, &[b"request-id: ", own.request_id.as_bytes()]);
        }
        own.write(b"application/json", &self.body(dialect, reasoned, &own.request_id), out);
    }

    /// Writes the event that ends a stream, where its framing has one; false where it has none, so that only a cut tells.
    ///
    /// The Responses API's clients know the error by `type`, and its SDKs raise what stands under `error`.
    pub fn write_event(
        &self,
        framing: Framing,
        dialect: Dialect,
        api: Api,
        reasoned: Option<&Reasoned>,
        request_id: &str,
        out: &mut Vec<u8>,
    ) -> bool {
        let body = self.body(dialect, reasoned, request_id);
        match (framing, api, dialect) {
            (Framing::Text | Framing::Document, ..) => return false,
            (Framing::Lines(form), ..) => {
                if form == lines::Form::Sequence {
                    out.push(0x1E);
                }
                out.extend_from_slice(body.as_bytes());
                out.push(b'\n');
            }
            (Framing::Events, Api::OpenAiResponses, _) => {
                let code = reasoned.map_or(self.code, |reasoned| reasoned.code.as_str());
                let inside = body.strip_prefix('{').unwrap_or_default();
                let message = self.message;
                let body = format!(r#"{{"type":"error","code":"{code}","message":"{message}","param":null,{inside}"#);
                sse::write_event(Some(b"error"), body.as_bytes(), out);
            }
            (Framing::Events, _, Dialect::Anthropic) => sse::write_event(Some(b"error"), body.as_bytes(), out),
            (Framing::Events, _, Dialect::JsonRpc(_)) => sse::write_event(Some(b"message"), body.as_bytes(), out),
            (Framing::Events, ..) => sse::write_event(None, body.as_bytes(), out),
        }
        true
    }

    /// All parts are constants of this file, checked ids, numbers and reason codes, so nothing needs escaping.
    fn body(&self, dialect: Dialect, reasoned: Option<&Reasoned>, request_id: &str) -> String {
        let code = reasoned.map_or(self.code, |reasoned| reasoned.code.as_str());
        let message = match reasoned {
            Some(_) => format!("{} Reason: {code}. Request: {request_id}.", self.message),
            None => self.message.to_owned(),
        };
        let policy = reasoned.map_or(String::new(), |reasoned| {
            format!(r#","reason_code":"{code}","policy_version":{}"#, reasoned.policy_version)
        });
        match dialect {
            Dialect::OpenAi => {
                let kind = match self.status {
                    403 => "permission_error",
                    ..500 => "invalid_request_error",
                    500.. => "server_error",
                };
                let request =
                    if reasoned.is_some() { format!(r#","request_id":"{request_id}"{policy}"#) } else { policy };
                format!(
                    r#"{{"error":{{"message":"{message}","type":"{kind}","param":null,"code":"{code}"{request}}}}}"#
                )
            }
            Dialect::Anthropic => {
                let kind = match self.status {
                    403 => "permission_error",
                    413 => "request_too_large",
                    503 => "overloaded_error",
                    504 => "timeout_error",
                    500.. => "api_error",
                    _ => "invalid_request_error",
                };
                let message = if reasoned.is_some() { message } else { format!("{message} ({code})") };
                let error = format!(r#"{{"type":"{kind}","message":"{message}"{policy}}}"#);
                format!(r#"{{"type":"error","error":{error},"request_id":"{request_id}"}}"#)
            }
            Dialect::Gemini => {
                let status = match self.status {
                    403 => "PERMISSION_DENIED",
                    503 => "UNAVAILABLE",
                    504 => "DEADLINE_EXCEEDED",
                    500.. => "INTERNAL",
                    _ => "INVALID_ARGUMENT",
                };
                let number = self.status;
                let detail = format!(r#"{{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"{code}"}}"#);
                format!(
                    r#"{{"error":{{"code":{number},"message":"{message}","status":"{status}","details":[{detail}]{policy}}}}}"#
                )
            }
            Dialect::JsonRpc(id) => {
                // From the range that JSON-RPC 2.0 section 5.1 leaves to implementations; parse errors have their own number.
                let number = if self.code == "invalid_json" { -32_700 } else { -32_001 };
                let data = format!(r#"{{"code":"{code}","request_id":"{request_id}"{policy}}}"#);
                let id = id.as_str();
                format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{number},"message":"{message}","data":{data}}}}}"#
                )
            }
        }
    }
}

const fn bad_request(code: &'static str, message: &'static str) -> Refusal {
    Refusal::new(400, Reason::BadRequest, code, message)
}

/// Writes the answer to a probe.
pub fn write_probe(status: u16, body: &str, own: &Own, out: &mut Vec<u8>) {
    encode::status_line(status, reason_phrase(status), out);
    encode::line(out, &[b"cache-control: no-store"]);
    own.write(b"text/plain", body, out);
}

/// The phrases of RFC 9110 section 15 for what this gateway answers itself.
const fn reason_phrase(status: u16) -> &'static [u8] {
    match status {
        200 => b"OK",
        400 => b"Bad Request",
        403 => b"Forbidden",
        408 => b"Request Timeout",
        413 => b"Content Too Large",
        414 => b"URI Too Long",
        415 => b"Unsupported Media Type",
        417 => b"Expectation Failed",
        421 => b"Misdirected Request",
        431 => b"Request Header Fields Too Large",
        501 => b"Not Implemented",
        502 => b"Bad Gateway",
        503 => b"Service Unavailable",
        504 => b"Gateway Timeout",
        505 => b"HTTP Version Not Supported",
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(request_id: &str, keep_alive: bool) -> Own {
        Own { request_id: request_id.to_owned(), date: "now".to_owned(), keep_alive, with_body: true }
    }

    fn parse(out: &[u8]) -> (String, serde_json::Value) {
        let text = String::from_utf8(out.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), serde_json::from_str(body).unwrap())
    }

    #[test]
    fn errors_are_written_in_the_dialect_of_the_path() {
        let error = Error::client(Malformed::Host);
        let refusal = Refusal::of(error).unwrap();
        let mut out = Vec::new();
        refusal.write(Dialect::of_path(b"/v1/chat/completions"), None, &own("id-1", false), &mut out);
        let (head, body) = parse(&out);
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        assert!(head.contains("\r\nx-request-id: id-1\r\n") && head.contains("connection: close"), "{head}");
        assert_eq!(body["error"]["type"], "invalid_request_error");
        assert_eq!(body["error"]["code"], "host");
        assert!(body["error"]["param"].is_null());

        let mut out = Vec::new();
        refusal.write(Dialect::of_bytes(b"POST /v1/messages?x HTTP/1.1\r\nHo"), None, &own("id-2", true), &mut out);
        let (head, body) = parse(&out);
        assert!(!head.contains("connection"), "{head}");
        assert!(head.contains("\r\nrequest-id: id-2\r\n") && head.contains("\r\nx-request-id: id-2\r\n"), "{head}");
        assert_eq!(body["type"], "error");
        assert_eq!(body["error"]["type"], "invalid_request_error");
        assert_eq!(body["request_id"], "id-2");
    }

    #[test]
    fn a_full_gateway_says_when_to_try_again() {
        let refusal = Refusal::of(Error::client(Kind::Memory)).unwrap();
        let mut out = Vec::new();
        refusal.write(Dialect::OpenAi, None, &own("id", false), &mut out);
        let (head, _) = parse(&out);
        assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: 1"), "{head}");
    }

    #[test]
    fn a_block_names_its_reason_in_every_dialect() {
        let refusal = Refusal::of(Error::client(Kind::Blocked)).unwrap();
        let reasoned = Reasoned { code: Code::new("DLP.SECRET.JWT").unwrap(), policy_version: 7 };
        let answer = |dialect| {
            let mut out = Vec::new();
            refusal.write(dialect, Some(&reasoned), &own("id-1", true), &mut out);
            let (head, body) = parse(&out);
            assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\n") && !head.contains("retry-after"), "{head}");
            let text = body.to_string();
            assert!(text.contains("DLP.SECRET.JWT") && text.contains("id-1") && text.contains("7"), "{text}");
            body
        };
        let body = answer(Dialect::of_path(b"/v1/responses"));
        assert_eq!(body["error"]["code"], "DLP.SECRET.JWT");
        assert_eq!((&body["error"]["policy_version"], &body["error"]["request_id"]), (&7.into(), &"id-1".into()));
        let body = answer(Dialect::of_path(b"/proxy/v1/messages/count_tokens?beta=true"));
        assert_eq!((&body["type"], &body["error"]["type"]), (&"error".into(), &"permission_error".into()));
        let body = answer(Dialect::of_path(b"/v1beta/models/m:streamGenerateContent?alt=sse"));
        assert_eq!((&body["error"]["code"], &body["error"]["status"]), (&403.into(), &"PERMISSION_DENIED".into()));
        let body = answer(Dialect::JsonRpc(RpcId::of(b"\"a-1\"")));
        assert_eq!((&body["id"], &body["error"]["code"]), (&"a-1".into(), &(-32_001).into()));
        assert_eq!(body["error"]["data"]["code"], "DLP.SECRET.JWT");
    }

    #[test]
    fn an_id_that_could_carry_a_text_is_not_repeated() {
        let long = format!("\"{}\"", "a".repeat(limits::RPC_ID_BYTES_MAX - 1));
        let cases: &[(&[u8], &str)] = &[
            (b"7", "7"),
            (b"\"a-1_2.x\"", "\"a-1_2.x\""),
            (b"\"\"", "\"\""),
            (b"null", "null"),
            (b"1.5", "null"),
            (b"-1", "null"),
            (b"1234567890123456", "null"),
            (b"\"a b\"", "null"),
            (b"\"a\\u0041\"", "null"),
            (b"\"", "null"),
            (b"", "null"),
            (b"{}", "null"),
            (long.as_bytes(), "null"),
        ];
        for (value, expected) in cases {
            assert_eq!(RpcId::of(value).as_str(), *expected, "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn an_answer_that_cannot_be_inspected_is_not_asked_for_again() {
        let kinds = [
            Kind::Blocked,
            Kind::BodyTooLarge,
            Kind::DecodeLimit,
            Kind::Encoding,
            Kind::UnsupportedContent,
            Kind::Unreadable(Unreadable::Syntax),
            Kind::Unreadable(Unreadable::Pieces),
        ];
        for kind in kinds {
            assert_eq!(Refusal::of(Error::upstream(kind)).unwrap().status, 403, "{kind:?}: SDKs retry 5xx");
        }
        assert_eq!(Refusal::of(Error::upstream(Malformed::Chunk)).unwrap().status, 502, "this may be better next time");
    }

    #[test]
    fn nobody_answers_a_client_that_has_gone() {
        for kind in [Kind::Closed, Kind::Truncated, Kind::Tls] {
            assert_eq!(Refusal::of(Error::client(kind)), None);
        }
    }
}
