//! The body of an answer as it comes, its framing taken off, and its content coding where it is to be read.

use std::rc::Rc;

use crate::error::Error;
use crate::error::Kind;
use crate::http::coding::Coding;
use crate::http::coding::Decoder;
use crate::limits;
use crate::net::buffer::Blocks;
use crate::net::buffer::Buffer;
use crate::net::buffer::Lease;
use crate::proxy::enforce;
use crate::upstream::h1::Reader;

/// Where an answer's bytes come from.
pub(super) struct Source {
    /// What takes the framing off.
    pub(super) reader: Reader,
    coding: Option<Coded>,
    /// What was read before it was known that the answer is not gathered; still in its coding.
    held: Option<Buffer>,
}

/// A decoder, and what the core is charged for it.
struct Coded {
    decoder: Decoder,
    _charged: Lease,
}

impl Source {
    /// A body in whatever coding it was sent.
    pub(super) fn as_sent(reader: Reader) -> Self {
        Self { reader, coding: None, held: None }
    }

    /// The same with its coding taken off as it comes.
    ///
    /// # Errors
    /// The core's budget has no room for a decoder.
    pub(super) fn plain(reader: Reader, coding: Coding, blocks: &Rc<Blocks>) -> Result<Self, Error> {
        if coding == Coding::Identity {
            return Ok(Self::as_sent(reader));
        }
        let lease = Lease::new(blocks, Decoder::memory_max(coding)).map_err(|_| Error::upstream(Kind::Memory))?;
        let coded = Coded { decoder: Decoder::endless(coding), _charged: lease };
        Ok(Self { reader, coding: Some(coded), held: None })
    }

    /// The same with the beginning of the body, which was read by `reader` before.
    pub(super) fn behind(self, held: Buffer) -> Self {
        Self { held: Some(held), ..self }
    }

    /// Whether a coding is taken off.
    pub(super) fn is_coded(&self) -> bool {
        self.coding.is_some()
    }

    /// Hands all data that is here to `sink`, run by run, and consumes it: what was held at first, then what `received` holds.
    ///
    /// # Errors
    /// The framing or the coding is broken, or whatever the sink says.
    pub(super) fn take(
        &mut self,
        received: &mut Buffer,
        mut sink: impl FnMut(&[u8]) -> Result<(), Kind>,
    ) -> Result<(), Error> {
        let Self { reader, coding, held } = self;
        let mut plain = |data: &[u8]| match coding {
            None => sink(data),
            Some(coded) => decode(&mut coded.decoder, data, &mut sink),
        };
        if let Some(held) = held.take() {
            plain(held.as_slice()).map_err(Error::upstream)?;
        }
        reader.read(received, plain)
    }

    /// Whether the body is complete, the connection being still open.
    pub(super) fn is_done(&self) -> bool {
        self.reader.is_done()
    }

    /// Says that the body has ended.
    ///
    /// # Errors
    /// Its coding has not.
    pub(super) fn finish(&self) -> Result<(), Error> {
        let ended = self.coding.as_ref().map_or(Ok(()), |coded| coded.decoder.finish());
        ended.map_err(|error| Error::upstream(enforce::of_coding(error)))
    }
}

fn decode(
    decoder: &mut Decoder,
    mut data: &[u8],
    sink: &mut impl FnMut(&[u8]) -> Result<(), Kind>,
) -> Result<(), Kind> {
    let mut step = [0; limits::CODING_STEP_BYTES];
    loop {
        let moved = decoder.decode(data, &mut step).map_err(enforce::of_coding)?;
        if moved.is_idle() {
            return Ok(());
        }
        if moved.written > 0 {
            sink(step.get(..moved.written).unwrap_or_default())?;
        }
        data = data.get(moved.read..).unwrap_or_default();
    }
}
