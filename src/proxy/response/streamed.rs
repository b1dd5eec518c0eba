//! An answer that comes in events.
//!
//! Its events are not inspected yet: they are passed on as they come, and the head says so.

use crate::client::h1::Client;
use crate::error::Error;
use crate::http::coding::Coding;
use crate::http::encode::Changed;
use crate::http::framing::Body;
use crate::proxy::Core;
use crate::proxy::Exchange;
use crate::proxy::Reuse;
use crate::proxy::enforce;
use crate::shared::counters::Coverage;

use super::Arrival;
use super::Shape;
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
    coding: Coding,
) -> Result<Reuse, Error> {
    let head = &arrival.response.head;
    let coded = coding != Coding::Identity;
    // Without its coding it has another length, which nobody knows yet.
    let body = framing(if coded { Body::UntilClose } else { head.body }, exchange.modern);
    let changed = Changed { decoded: enforce::is_coded(&head.fields), bytes: coded };
    let keep_alive = arrival.keep_alive && body != Body::UntilClose;
    let shape = Shape { body, keep_alive, coverage: Coverage::NoneStream, changed };
    let (policy, status) = (arrival.policy, head.status);
    let source = Source::plain(head.body, coding, &core.blocks)?;
    let result = passed::pump(core, client, arrival, exchange, source, shape).await;
    result.map_err(|error| if exchange.answered { error } else { refuse(core, policy, exchange, status, error) })
}
