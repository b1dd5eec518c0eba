//! One TCP connection on this core's ring: readiness, then a read that cannot be lost; writes of owned buffers.
//!
//! Reads wait for readiness (a poll operation that holds no buffer and stays armed when the future that waited on it is
//! dropped) and then take what is there by a system call that never blocks. So an idle connection holds no memory, a read
//! raced against a deadline loses no byte, and the same armed poll serves the end of this exchange and the start of the
//! next. Writes are operations of the ring over owned memory, so that those of many connections enter the kernel together.
//! Why not reads in the ring as well: `docs/decisions/001-reads-by-readiness.md`.
//!
//! The only `unsafe` blocks of the program are here.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use monoio::buf::IoBuf;
use monoio::io::AsyncWriteRent;
use monoio::io::OwnedReadHalf;
use monoio::io::OwnedWriteHalf;
use monoio::io::Splitable;
use monoio::net::TcpStream;
use rustix::net::RecvFlags;
use rustix::net::SendFlags;
use rustix::net::Shutdown;

use crate::limits;

use super::buffer::Buffer;

type Readiness = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// A connected TCP socket.
pub struct Socket {
    read: OwnedReadHalf<TcpStream>,
    write: OwnedWriteHalf<TcpStream>,
    armed: Option<Readiness>,
    /// The last read filled all its room, so there is likely more: try before waiting.
    likely: bool,
    /// Reads in a row that found bytes.
    streak: u8,
}

impl Socket {
    /// Takes over a connected stream and sets `TCP_NODELAY`, since tokens must not wait for an acknowledgement.
    pub fn new(stream: TcpStream) -> Self {
        let _ = stream.set_nodelay(true);
        let (read, write) = stream.into_split();
        Self { read, write, armed: None, likely: false, streak: 0 }
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        descriptor(&self.read)
    }

    /// Ready once a read would not block. Dropping the caller's future leaves the poll armed and loses nothing.
    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let read = &self.read;
        let armed = self.armed.get_or_insert_with(|| {
            let half = OwnedReadHalf(Rc::clone(&read.0));
            Box::pin(async move { stream(&half).readable(false).await })
        });
        let result = ready!(armed.as_mut().poll(context));
        self.armed = None;
        Poll::Ready(result)
    }

    /// Waits for bytes and appends them to `into`, at most as many as there is room for. `Ok(0)`: the peer has closed its side.
    /// While it waits, `into` holds no more memory than its bytes need. A socket that always has bytes lets others have a turn.
    pub fn poll_read(&mut self, context: &mut Context<'_>, into: &mut Buffer) -> Poll<io::Result<usize>> {
        loop {
            if self.streak >= limits::READS_IN_A_ROW_MAX {
                self.streak = 0;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !self.likely {
                match self.poll_readable(context) {
                    Poll::Ready(result) => result?,
                    Poll::Pending => {
                        self.streak = 0;
                        into.shrink();
                        return Poll::Pending;
                    }
                }
            }
            match self.try_read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.likely = false,
                result => {
                    self.streak += 1;
                    return Poll::Ready(result);
                }
            }
        }
    }

    fn try_read(&mut self, into: &mut Buffer) -> io::Result<usize> {
        into.reserve(1).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let end = into.end();
        let room = end.capacity() - end.len();
        let spare = rustix::buffer::spare_capacity(end);
        let result = rustix::net::recv(self.descriptor(), spare, RecvFlags::DONTWAIT);
        let count = result.map(|(count, _)| count).map_err(io::Error::from);
        if into.is_empty() {
            into.clear();
        }
        self.likely = matches!(count, Ok(count) if count == room);
        count
    }

    /// Lets the next read try before it waits, because something may have come unseen.
    pub fn expect_bytes(&mut self) {
        self.likely = true;
        self.streak = 0;
    }

    /// As [`Socket::expect_bytes`], within a row of reads.
    pub fn expect_more(&mut self) {
        self.likely = true;
    }

    /// Writes `range` of the unread bytes of `from`, which keeps them, and adds to `written` what the kernel took. Dropping the
    /// future leaves an unknown part written and `from` empty: the connection must not be used after that.
    pub async fn write(&mut self, from: &mut Buffer, range: Range<usize>, written: &mut u64) -> io::Result<()> {
        let mut range = from.absolute(range);
        while !range.is_empty() {
            let (result, slice) = self.write.write(from.lend().slice(range.clone())).await;
            from.restore(slice.into_inner());
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    range.start += count;
                    *written += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes what the socket takes at once; for the few bytes of TLS control messages.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        rustix::net::send(self.descriptor(), bytes, flags).map_err(io::Error::from)
    }

    /// Ends our side; the peer reads an end after the last byte.
    pub fn shutdown(&self) {
        let _ = rustix::net::shutdown(self.descriptor(), Shutdown::Write);
    }

    /// Resets the connection now, so that the peer cannot take a cut message for a whole one. Dissolving the association
    /// does that on Linux; `SO_LINGER` would not, since dropping monoio's writing half sends a FIN first.
    pub fn reset(&self) {
        let _ = rustix::net::connect_unspec(self.descriptor());
    }

    /// Lets an end by the kernel, when the process goes, be a reset too; or again a proper end.
    pub fn end_in_reset(&self, yes: bool) {
        let linger = yes.then_some(std::time::Duration::ZERO);
        let _ = rustix::net::sockopt::set_socket_linger(self.descriptor(), linger);
    }

    /// The peer's address.
    ///
    /// # Errors
    /// The socket is not connected any more.
    pub fn peer(&self) -> io::Result<SocketAddr> {
        stream(&self.read).peer_addr()
    }

    /// The local address.
    ///
    /// # Errors
    /// The socket is not connected any more.
    pub fn local(&self) -> io::Result<SocketAddr> {
        stream(&self.read).local_addr()
    }
}

#[expect(unsafe_code, reason = "monoio's halves give no shared access to the stream")]
fn stream(half: &OwnedReadHalf<TcpStream>) -> &TcpStream {
    // SAFETY: the cell lives as long as the half. Only this thread has it (it is not `Send`). `TcpStream: Split` is
    // monoio's promise that what the reading half does (here: readiness and the descriptor) may overlap with a write.
    unsafe { &*half.0.get() }
}

#[expect(unsafe_code, reason = "monoio 0.2 has no `AsFd` for TcpStream")]
fn descriptor(half: &OwnedReadHalf<TcpStream>) -> BorrowedFd<'_> {
    let raw = stream(half).as_raw_fd();
    // SAFETY: the stream owns `raw` and is borrowed for the result's lifetime, so it is open and not -1.
    unsafe { BorrowedFd::borrow_raw(raw) }
}
