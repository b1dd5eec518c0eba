//! The body of an answer that is read as it comes, its framing and its content coding taken off.

use std::rc::Rc;

use crate::error::Error;
use crate::error::Kind;
use crate::http::coding::Coding;
use crate::http::coding::Decoder;
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
    /// It has ended with its connection.
    ended: bool,
}

/// A decoder, and what the core is charged for it.
struct Coded {
    decoder: Decoder,
    _charged: Lease,
}

impl Source {
    /// The rest of a body that `reader` reads, with its coding taken off as it comes.
    ///
    /// # Errors
    /// The core's budget has no room for a decoder.
    pub(super) fn plain(reader: Reader, coding: Coding, blocks: &Rc<Blocks>) -> Result<Self, Error> {
        if coding == Coding::Identity {
            return Ok(Self { reader, coding: None, ended: false });
        }
        let lease = Lease::new(blocks, Decoder::memory_max(coding)).map_err(|_| Error::upstream(Kind::Memory))?;
        let coded = Coded { decoder: Decoder::endless(coding), _charged: lease };
        Ok(Self { reader, coding: Some(coded), ended: false })
    }

    /// Hands all data that `received` holds to `sink`, run by run, and consumes it.
    ///
    /// # Errors
    /// The framing or the coding is broken, or whatever the sink says.
    pub(super) fn take(
        &mut self,
        received: &mut Buffer,
        mut sink: impl FnMut(&[u8]) -> Result<(), Kind>,
    ) -> Result<(), Error> {
        let Self { reader, coding, .. } = self;
        match coding {
            None => reader.read(received, sink),
            Some(coded) => reader.read(received, |data| enforce::decode_into(&mut coded.decoder, data, &mut sink)),
        }
    }

    /// Whether the body is complete, the connection being still open.
    pub(super) fn is_done(&self) -> bool {
        self.ended || self.reader.is_done()
    }

    /// Notes that it has ended with its connection.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Takes the coding off bytes that have come before, their framing gone already.
    ///
    /// # Errors
    /// As for [`Self::take`].
    pub(super) fn unwrap(
        &mut self,
        first: &mut Buffer,
        mut sink: impl FnMut(&[u8]) -> Result<(), Kind>,
    ) -> Result<(), Error> {
        if first.is_empty() {
            return Ok(());
        }
        let result = match &mut self.coding {
            None => sink(first.as_slice()),
            Some(coded) => enforce::decode_into(&mut coded.decoder, first.as_slice(), &mut sink),
        };
        result.map_err(Error::upstream)
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
