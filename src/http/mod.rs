//! HTTP/1.1 on the wire, as pure functions over bytes (RFC 9110, RFC 9112).
//!
//! The parser is the security boundary of a proxy: what it accepts must have exactly one reading, and what it writes must
//! be what it read. So the tokenising is httparse's, and every decision (where a head ends, how a body is framed, which
//! field may cross) is made here, once, for requests and responses. This room holds no socket, no clock and no `async`.
//!
//! ```text
//!  bytes ─► head (Scan, RequestHead, ResponseHead) ─► framing (Body) ─► chunked (Decoder)
//!                                                         body ─► media_type (what it is) ─► coding (what it is wrapped in)
//!                                                         body ─► sse, lines (the events of a stream)
//!  bytes ◄─ encode ◄─ forward (which fields may cross)
//! ```

#![deny(clippy::indexing_slicing, clippy::string_slice)]

pub mod chunked;
pub mod coding;
pub mod encode;
pub mod forward;
pub mod framing;
#[doc(hidden)]
pub mod fuzz;
pub mod head;
pub mod lines;
pub mod media_type;
pub mod sse;
pub mod target;

/// Why a message is refused. The side that sent it is at fault; which status that is, `proxy/refusal.rs` decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// A line that ends with LF alone, or a CR that is not followed by LF (RFC 9112 section 2.2).
    LineEnd,
    /// A start line that is not `method SP target SP version` or `version SP status SP reason`.
    StartLine,
    /// A version other than HTTP/1.0 and HTTP/1.1.
    Version,
    /// A request target that is no RFC 3986 reference of a form that the method allows.
    Target,
    /// A request line longer than `REQUEST_LINE_BYTES_MAX`.
    TargetTooLong,
    /// A field name with a byte outside `token`, an empty one, white space before the colon, or a folded line.
    FieldName,
    /// A field value with a control byte.
    FieldValue,
    /// A head longer than `HEAD_BYTES_MAX`.
    HeadTooLarge,
    /// A head with more than `HEAD_FIELDS_MAX` fields.
    TooManyFields,
    /// No `Host`, several, one that is no authority, or one that disagrees with the target.
    Host,
    /// A `Content-Length` that is not one plain decimal number, or several.
    ContentLength,
    /// A `Transfer-Encoding` that is not exactly `chunked`, once, in HTTP/1.1.
    TransferEncoding,
    /// A transfer coding that is well-formed and unknown here.
    TransferCoding,
    /// `Content-Length` beside `Transfer-Encoding`.
    LengthAndCoding,
    /// A `Connection` field that names a field which frames or routes the message.
    Nominated,
    /// An expectation other than `100-continue`.
    Expectation,
    /// A method that a reverse proxy does not serve: CONNECT.
    Method,
    /// A body where the method has none: TRACE.
    UnexpectedBody,
    /// A status outside 100..=599.
    Status,
    /// A chunk that breaks RFC 9112 section 7.1.
    Chunk,
    /// A chunk line, its extensions or the trailers over their bounds.
    ChunkTooLarge,
    /// A trailer section that is not made of field lines.
    Trailer,
}
