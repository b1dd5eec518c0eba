//! An answer that is inspected as it comes.
//!
//! It is not inspected yet: it is passed on, and its head says so. A document that is too long to be gathered is refused.

use crate::client::h1::Client;
use crate::error::Error;
use crate::error::Kind;
use crate::http::encode::Changed;
use crate::http::framing::Body;
use crate::proxy::Core;
use crate::proxy::Exchange;
use crate::proxy::Reuse;
use crate::proxy::enforce;
use crate::shared::counters::Coverage;

use super::Arrival;
use super::Shape;
use super::course::Flow;
use super::framing;
use super::passed;
use super::refuse;
use super::source::Source;

/// Relays it, its coding taken off.
pub(super) async fn relay(
    core: &Core,
    client: &mut Client,
    arrival: Arrival<'_>,
    exchange: &mut Exchange,
    source: Source,
    flow: Flow,
) -> Result<Reuse, Error> {
    let head = &arrival.response.head;
    let (policy, status) = (arrival.policy, head.status);
    if flow == Flow::Oversize {
        return Err(refuse(core, policy, exchange, status, Error::upstream(Kind::BodyTooLarge)));
    }
    let coded = source.is_coded();
    // Without its coding it has another length, which nobody knows yet.
    let body = framing(if coded { Body::UntilClose } else { head.body }, exchange.modern);
    let changed = Changed { decoded: enforce::is_coded(&head.fields), bytes: coded };
    let keep_alive = arrival.keep_alive && body != Body::UntilClose;
    let shape = Shape { body, keep_alive, coverage: Coverage::NoneStream, changed };
    let result = passed::pump(core, client, arrival, exchange, source, shape).await;
    result.map_err(|error| if exchange.answered { error } else { refuse(core, policy, exchange, status, error) })
}
