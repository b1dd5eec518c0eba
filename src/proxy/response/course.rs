//! What is done with an answer, by its head alone.

use crate::error::Error;
use crate::error::Kind;
use crate::http::coding::Coding;
use crate::http::framing::Body;
use crate::http::lines;
use crate::http::media_type;
use crate::http::media_type::Charset;
use crate::policy::Policy;
use crate::policy::Unread;
use crate::proxy::Core;
use crate::proxy::Exchange;
use crate::proxy::enforce;
use crate::proxy::inspection;
use crate::proxy::inspection::stream::Framing;
use crate::shared::counters::Coverage;

use super::Arrival;

/// What is done with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// It is passed on unread, for what that is worth: all of nothing, or nothing of it.
    Pass(Coverage),
    /// It is a whole document in this coding: gathered and inspected.
    Gather(Coding),
    /// It is a stream in this coding, cut into events like this: inspected as it comes.
    Stream(Coding, Framing),
}

/// Decides.
///
/// # Errors
/// It cannot be inspected, and the policy does not let that through.
pub(super) fn of(core: &Core, arrival: &Arrival<'_>, exchange: &Exchange) -> Result<Course, Error> {
    let Arrival { policy, response, .. } = arrival;
    if !exchange.reads(policy) {
        return Ok(Course::Pass(Coverage::NoneNoRules));
    }
    let (head, bytes) = (&response.head, arrival.head_bytes());
    if head.body == Body::Empty {
        return Ok(Course::Pass(Coverage::Full));
    }
    let media = inspection::media_type(&head.fields, bytes).map_err(|stop| Error::upstream(Kind::from(stop)))?;
    let unsupported = Error::upstream(Kind::UnsupportedContent);
    let kind = match media.map(|media| (media.kind, media.charset)) {
        Some((media_type::Kind::Multipart, _)) | None => media.map(|media| media.kind),
        Some((media_type::Kind::Json, Charset::Other)) => return Err(unsupported),
        Some((media_type::Kind::Other, _) | (_, Charset::Other)) => {
            core.counters().uninspected.increment();
            return unread(policy);
        }
        Some((kind, Charset::Utf8)) => Some(kind),
    };
    if head.status == 206 {
        // A part of a document, whose ends the caller chose: what a rule looks for may be cut in two.
        return Err(unsupported);
    }
    let coding = enforce::coding(&head.fields, bytes).map_err(Error::upstream)?;
    let is_open = matches!(head.body, Body::Chunked | Body::UntilClose);
    Ok(match kind {
        Some(media_type::Kind::EventStream) => Course::Stream(coding, Framing::Events),
        Some(media_type::Kind::JsonLines) => Course::Stream(coding, Framing::Lines(lines::Form::Lines)),
        Some(media_type::Kind::JsonSequence) => Course::Stream(coding, Framing::Lines(lines::Form::Sequence)),
        Some(media_type::Kind::Text) if is_open && head.status < 300 => Course::Stream(coding, Framing::Text),
        _ => Course::Gather(coding),
    })
}

/// A media type that inspection does not read.
fn unread(policy: &Policy) -> Result<Course, Error> {
    match policy.content() {
        Unread::Forward => Ok(Course::Pass(Coverage::NoneContentType)),
        Unread::Refuse => Err(Error::upstream(Kind::UnsupportedContent)),
    }
}
