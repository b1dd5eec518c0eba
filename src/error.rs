//! What can go wrong in an exchange: on which side, and what. For code that does I/O.
//!
//! An error has no text and no bytes of a message: what it means on the wire is one table, in `proxy/refusal.rs`.

use crate::extract::Unreadable;
use crate::http::Malformed;

/// Who is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The application that called us.
    Client,
    /// The provider behind us.
    Upstream,
    /// This program or its machine.
    Gateway,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message that has no, or more than one, reading.
    Malformed(Malformed),
    /// A body over `body-max`, or an answer over `answer-max`.
    BodyTooLarge,
    /// The policy forbids the request or the answer; which rule, the exchange knows.
    Blocked,
    /// A body that cannot be read, and so not be inspected.
    Unreadable(Unreadable),
    /// A content type or content coding that is not inspected here and not let through by the policy.
    UnsupportedContent,
    /// A content coding that the body's bytes break.
    Encoding,
    /// A body that is larger, once its content coding is taken off, than it may be, or holds more strings.
    DecodeLimit,
    /// No policy is in force: none was loaded, or its time is over.
    NoPolicy,
    /// A path with dot segments, where the upstream has a path prefix that they could leave.
    DotSegment,
    /// A protocol switch, or a message that nobody asked for.
    Protocol,
    /// A wait that reached its deadline.
    Timeout,
    /// The budget for buffers is spent.
    Memory,
    /// The peer has ended or reset the connection before the message was complete.
    Closed,
    /// TLS ended without `close_notify`: the message may be cut.
    Truncated,
    /// TLS failed.
    Tls,
    /// No address of the upstream could be connected to.
    Connect,
    /// The name of the upstream has no address (yet).
    Unresolved,
    /// Plain HTTP where it is not proxied.
    Plaintext,
}

/// An error of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// Who is at fault.
    pub side: Side,
    /// What went wrong.
    pub kind: Kind,
}

impl Error {
    /// The client's fault.
    pub fn client(kind: impl Into<Kind>) -> Self {
        Self::on(Side::Client, kind.into())
    }

    /// The upstream's fault.
    pub fn upstream(kind: impl Into<Kind>) -> Self {
        Self::on(Side::Upstream, kind.into())
    }

    /// A spent budget is the gateway's own, whichever side's bytes met it.
    fn on(side: Side, kind: Kind) -> Self {
        let side = if kind == Kind::Memory { Side::Gateway } else { side };
        Self { side, kind }
    }
}

impl From<Malformed> for Kind {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}
