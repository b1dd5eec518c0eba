//! Inspection on the way: takes a body's content coding off, has the request inspected, and does what the policy says.
//!
//! Between the last byte received and the first byte sent there is no wait: a request is decided about in one go. What is redacted is
//! changed where it is held, so that whatever comes later sees one request.

use crate::client::h1::Client;
use crate::client::h1::Content;
use crate::client::h1::Request;
use crate::error::Error;
use crate::error::Kind;
use crate::http::coding::Coding;
use crate::http::coding::CodingError;
use crate::http::coding::Decoder;
use crate::http::coding::Unsupported;
use crate::http::head::Field;
use crate::http::head::Name;
use crate::http::head::RequestHead;
use crate::limits;
use crate::net::buffer::Buffer;
use crate::net::buffer::Full;
use crate::policy::Action;
use crate::policy::Policy;
use crate::shared::counters::Verdict;

use super::Core;
use super::Exchange;
use super::inspection::Inspector;
use super::inspection::Message;
use super::inspection::Target;
use super::inspection::redact::Redaction;
use super::refusal::Reasoned;
use super::report;
use super::report::Subject;

fn full(_: Full) -> Error {
    Error::client(Kind::Memory)
}

/// Decides about a request that was received whole, and redacts it where a rule says so.
///
/// # Errors
/// The request is refused.
pub(super) fn enforce(
    core: &Core,
    client: &mut Client,
    request: &mut Request,
    exchange: &mut Exchange,
    policy: &Policy,
) -> Result<(), Error> {
    decode(core, client, request, exchange)?;
    let mut inspector = core.inspector.borrow_mut();
    let message = message(client, request);
    #[cfg(test)]
    assert!(!message.body.starts_with(super::PANIC), "on purpose: {}", String::from_utf8_lossy(message.body));
    let result = inspector.inspect(policy, &message);
    // Taken whatever comes: what is not put back is not kept.
    let vault = inspector.take_vault();
    let counters = core.counters();
    counters.inspected_bytes.add(inspector.bytes());
    counters.uninspected.add(u64::from(inspector.unread()));
    let action = result.map_err(Error::client)?;
    if action == Action::Allow {
        counters.count_verdict(Verdict::Allow);
        return Ok(());
    }
    counters.matches.add(inspector.hits().len() as u64);
    report::hits(core, policy, &Subject::of(&message), inspector.hits(), action);
    match action {
        Action::Block => {
            exchange.reasoned = inspector.reason(policy).map(|rule| Reasoned::of(policy, rule.code));
            Err(Error::client(Kind::Blocked))
        }
        Action::Redact | Action::Tokenise => {
            let redacted = redact(core, client, request, exchange, (policy, &mut *inspector))?;
            exchange.redacted = redacted;
            if let Some(vault) = vault {
                counters.vault_values.add(vault.len() as u64);
                counters.vault_left_out.add(u64::from(vault.left_out()));
                exchange.vault = Some(vault).filter(|vault| !vault.is_empty());
            }
            counters.redactions.add(u64::from(redacted));
            counters.count_verdict(Verdict::Redact);
            Ok(())
        }
        Action::Warn | Action::Allow => {
            counters.count_verdict(Verdict::Warn);
            Ok(())
        }
    }
}

/// The request as it is held.
pub(super) fn message<'a>(client: &'a Client, request: &'a Request) -> Message<'a> {
    let received = client.stream.received.as_slice();
    let body = match &request.body {
        Content::Decoded(body) => body.as_slice(),
        Content::Empty | Content::Received(_) => received.get(request.received_body()).unwrap_or_default(),
    };
    Message { head: &request.head, bytes: received.get(..request.head_length).unwrap_or_default(), body }
}

/// Takes the content coding off (RFC 9110 section 8.4): what is inspected is what is forwarded.
fn decode(core: &Core, client: &mut Client, request: &mut Request, exchange: &mut Exchange) -> Result<(), Error> {
    let Message { head, bytes, body } = message(client, request);
    let coding = coding(&head.fields, bytes).map_err(Error::client)?;
    exchange.changed.decoded = is_coded(&head.fields);
    if coding == Coding::Identity || body.is_empty() {
        return Ok(());
    }
    let decoded = decoded(core, coding, body, core.settings.body_bytes_max).map_err(Error::client)?;
    exchange.changed.bytes = true;
    replace_body(client, request, decoded);
    Ok(())
}

/// A whole body without its content coding, `bytes_max` bytes at most.
pub(super) fn decoded(core: &Core, coding: Coding, body: &[u8], bytes_max: usize) -> Result<Buffer, Kind> {
    let mut decoder = Decoder::new(coding, body.len(), bytes_max);
    let mut decoded = Buffer::new(&core.blocks);
    decode_into(&mut decoder, body, &mut |data| decoded.extend(data).map_err(|_| Kind::Memory))?;
    decoder.finish().map_err(of_coding)?;
    Ok(decoded)
}

/// Hands all that `coded` decodes to to `sink`, step by step.
pub(super) fn decode_into(
    decoder: &mut Decoder,
    mut coded: &[u8],
    sink: &mut impl FnMut(&[u8]) -> Result<(), Kind>,
) -> Result<(), Kind> {
    let mut step = [0; limits::CODING_STEP_BYTES];
    loop {
        let moved = decoder.decode(coded, &mut step).map_err(of_coding)?;
        if moved.is_idle() {
            return Ok(());
        }
        if moved.written > 0 {
            sink(step.get(..moved.written).unwrap_or_default())?;
        }
        coded = coded.get(moved.read..).unwrap_or_default();
    }
}

/// What an error of a decoder is here.
pub(super) const fn of_coding(error: CodingError) -> Kind {
    match error {
        CodingError::Malformed => Kind::Encoding,
        CodingError::Unsupported => Kind::UnsupportedContent,
        CodingError::TooLarge | CodingError::Ratio => Kind::DecodeLimit,
    }
}

/// The content coding of a message's body, `bytes` being its head.
pub(super) fn coding(fields: &[Field], bytes: &[u8]) -> Result<Coding, Kind> {
    let values = fields.iter().filter(|field| field.name == Name::ContentEncoding).map(|field| field.value.of(bytes));
    Coding::of(values).map_err(|Unsupported| Kind::UnsupportedContent)
}

/// Whether a message says anything of a content coding.
pub(super) fn is_coded(fields: &[Field]) -> bool {
    fields.iter().any(|field| field.name == Name::ContentEncoding)
}

fn replace_body(client: &mut Client, request: &mut Request, body: Buffer) {
    client.stream.received.remove(request.received_body());
    request.body = Content::Decoded(body);
}

/// Puts placeholders in, and says how many. What comes out must have the one reading that the rules were applied to.
fn redact(
    core: &Core,
    client: &mut Client,
    request: &mut Request,
    exchange: &mut Exchange,
    (policy, inspector): (&Policy, &mut Inspector),
) -> Result<u32, Error> {
    let of = |target| Redaction::new(policy, inspector.hits(), target);
    let (head, body) = (of(Target::Head), of(Target::Body));
    let mut count = 0;
    if !body.is_empty() {
        let mut changed = Buffer::new(&core.blocks);
        count += body.write(message(client, request).body, |bytes| changed.extend(bytes)).map_err(full)?;
        exchange.changed.bytes = true;
        replace_body(client, request, changed);
    }
    if !head.is_empty() {
        let mut changed = Buffer::new(&core.blocks);
        let received = client.stream.received.as_slice();
        let (bytes, rest) = received.split_at_checked(request.head_length).unwrap_or_default();
        count += head.write(bytes, |bytes| changed.extend(bytes)).map_err(full)?;
        request.head_length = changed.len();
        request.head = RequestHead::parse(changed.as_slice()).map_err(Error::client)?;
        changed.extend(rest).map_err(full)?;
        client.stream.received = changed;
    }
    if inspector.reads(&message(client, request)) { Ok(count) } else { Err(Error::client(Kind::Blocked)) }
}
