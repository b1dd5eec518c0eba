//! A core's buffers: blocks that are lent, returned and used again, under one budget of bytes.
//!
//! A [`Buffer`] without bytes holds no memory, so an idle connection costs none. The first byte takes a block from the
//! core's free list; a buffer that grows past a block (a long body) is charged to the budget, and when the budget is spent
//! it refuses to grow instead of taking more. Nothing here is shared between cores.
//!
//! ```text
//!   Buffer  ┌ consumed ┬ unread ┬ spare ┐        0 <= start <= bytes.len() <= bytes.capacity()
//!           0        start   bytes.len()  capacity
//! ```

use std::cell::Cell;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use crate::limits;

/// The budget is spent; nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// One core's memory for buffers.
#[derive(Debug)]
pub struct Blocks {
    free: RefCell<Vec<Vec<u8>>>,
    /// Capacity of all buffers that are lent out, in bytes.
    lent: Cell<usize>,
    bytes_max: usize,
}

impl Blocks {
    /// A budget of `bytes_max` bytes, at least two blocks.
    #[must_use]
    pub fn new(bytes_max: usize) -> Rc<Self> {
        let bytes_max = bytes_max.max(2 * limits::BLOCK_BYTES);
        Rc::new(Self { free: RefCell::new(Vec::new()), lent: Cell::new(0), bytes_max })
    }

    /// Bytes that are lent out now.
    #[must_use]
    pub fn lent(&self) -> usize {
        self.lent.get()
    }

    fn take_block(&self) -> Result<Vec<u8>, Full> {
        self.charge(limits::BLOCK_BYTES, self.bytes_max)?;
        let free = self.free.borrow_mut().pop();
        Ok(free.unwrap_or_else(|| Vec::with_capacity(limits::BLOCK_BYTES)))
    }

    fn charge(&self, bytes: usize, bytes_max: usize) -> Result<(), Full> {
        let lent = self.lent.get().checked_add(bytes).ok_or(Full)?;
        if lent > bytes_max {
            return Err(Full);
        }
        self.lent.set(lent);
        Ok(())
    }

    /// Long bodies may take three quarters of the budget, so that single blocks, which every exchange needs to end, stay to be had.
    fn charge_growth(&self, bytes: usize) -> Result<(), Full> {
        self.charge(bytes, self.bytes_max / 4 * 3)
    }

    fn uncharge(&self, bytes: usize) {
        debug_assert!(self.lent.get() >= bytes, "more is returned than was lent");
        self.lent.set(self.lent.get().saturating_sub(bytes));
    }

    fn give_back(&self, bytes: Vec<u8>, charged: usize) {
        self.uncharge(charged);
        self.keep(bytes);
    }

    /// Keeps a block for the next buffer, if it is one and there are not enough.
    fn keep(&self, mut bytes: Vec<u8>) {
        let mut free = self.free.borrow_mut();
        if bytes.capacity() == limits::BLOCK_BYTES && free.len() < limits::FREE_BLOCKS_MAX {
            bytes.clear();
            free.push(bytes);
        }
    }
}

/// Bytes of a core's budget that are held elsewhere, such as in a decoder's window; returned when dropped.
#[derive(Debug)]
pub struct Lease {
    blocks: Rc<Blocks>,
    bytes: usize,
}

impl Lease {
    /// Charges `bytes` as a long body is charged.
    ///
    /// # Errors
    /// [`Full`] when the core's budget is spent; nothing was charged.
    pub fn new(blocks: &Rc<Blocks>, bytes: usize) -> Result<Self, Full> {
        blocks.charge_growth(bytes)?;
        Ok(Self { blocks: Rc::clone(blocks), bytes })
    }

    /// What is charged.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Charges `bytes` from now on, instead of what was charged.
    ///
    /// # Errors
    /// [`Full`] when the core's budget has no room for the difference; what was charged still is.
    pub fn change(&mut self, bytes: usize) -> Result<(), Full> {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.blocks.charge_growth(more)?,
            None => self.blocks.uncharge(self.bytes - bytes),
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.blocks.uncharge(self.bytes);
    }
}

/// Bytes that come in at the end and are consumed at the front.
#[derive(Debug)]
pub struct Buffer {
    blocks: Rc<Blocks>,
    bytes: Vec<u8>,
    start: usize,
    /// INVARIANT: what `blocks` was charged for this buffer; its capacity, also while a write has taken the bytes.
    charged: usize,
}

impl Buffer {
    /// A buffer without memory.
    #[must_use]
    pub fn new(blocks: &Rc<Blocks>) -> Self {
        Self { blocks: Rc::clone(blocks), bytes: Vec::new(), start: 0, charged: 0 }
    }

    /// The bytes that were not consumed.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// The bytes that were not consumed.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..).unwrap_or_default()
    }

    /// How many bytes were not consumed.
    #[must_use]
    pub fn len(&self) -> usize {
        // While a write has the bytes, or was dropped with them, there are none here.
        self.bytes.len().saturating_sub(self.start)
    }

    /// Whether all bytes were consumed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops `count` bytes at the front (all, if there are fewer). The last one returns the memory.
    pub fn consume(&mut self, count: usize) {
        self.start = self.bytes.len().min(self.start + count);
        if self.start == self.bytes.len() {
            self.clear();
        }
    }

    /// Takes an unread range out of the middle.
    pub fn remove(&mut self, range: Range<usize>) {
        let range = self.absolute(range);
        let end = range.end.min(self.bytes.len());
        self.bytes.drain(range.start.min(end)..end);
    }

    /// Drops all bytes and returns the memory.
    pub fn clear(&mut self) {
        self.start = 0;
        if self.charged > 0 {
            self.blocks.give_back(std::mem::take(&mut self.bytes), self.charged);
            self.charged = 0;
        }
    }

    /// Makes room for `additional` more bytes.
    ///
    /// # Errors
    /// [`Full`] when the core's budget is spent; the buffer is as it was.
    pub fn reserve(&mut self, additional: usize) -> Result<(), Full> {
        self.reserve_within(additional, usize::MAX)
    }

    /// As [`Buffer::reserve`] for a buffer that will not hold more than `bytes_max` bytes in the end: it does not grow past that.
    ///
    /// # Errors
    /// As [`Buffer::reserve`].
    pub fn reserve_within(&mut self, additional: usize, bytes_max: usize) -> Result<(), Full> {
        if self.charged > 0 && self.bytes.capacity() - self.bytes.len() >= additional {
            return Ok(());
        }
        if self.charged < limits::BLOCK_BYTES && self.len() + additional <= limits::BLOCK_BYTES {
            let mut block = self.blocks.take_block()?;
            block.extend_from_slice(self.as_slice());
            self.replace(block, limits::BLOCK_BYTES);
            return Ok(());
        }
        self.bytes.drain(..self.start);
        self.start = 0;
        if self.bytes.capacity() - self.bytes.len() >= additional {
            return Ok(());
        }
        let needed = self.bytes.len() + additional;
        let capacity = needed.max(bytes_max.min(2 * self.bytes.capacity()));
        self.blocks.charge_growth(capacity - self.charged)?;
        self.bytes.reserve_exact(capacity - self.bytes.len());
        self.charged = capacity;
        Ok(())
    }

    /// Moves a few unread bytes, which may have to wait for long, out of their block.
    pub fn shrink(&mut self) {
        let capacity = self.len().next_power_of_two().max(limits::SMALL_BYTES_MIN);
        if self.charged != limits::BLOCK_BYTES || 2 * capacity > limits::BLOCK_BYTES || self.is_empty() {
            return;
        }
        let mut small = Vec::with_capacity(capacity);
        small.extend_from_slice(self.as_slice());
        // Cannot fail: the block that is given back is larger. Charged first would be more than the budget for a moment.
        self.blocks.uncharge(limits::BLOCK_BYTES - capacity);
        self.charged = capacity;
        let block = std::mem::replace(&mut self.bytes, small);
        self.blocks.keep(block);
        self.start = 0;
    }

    /// Puts other memory, which was charged for, in place of what is there.
    fn replace(&mut self, bytes: Vec<u8>, charged: usize) {
        let old = std::mem::replace(&mut self.bytes, bytes);
        self.blocks.give_back(old, self.charged);
        self.charged = charged;
        self.start = 0;
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// As [`Buffer::reserve`].
    pub fn extend(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.reserve(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// The end of the buffer, to append to; no further than `reserve` made room for.
    pub fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Where an unread range stands in the memory that [`Buffer::lend`] gives.
    pub(super) fn absolute(&self, range: Range<usize>) -> Range<usize> {
        self.start + range.start..self.start + range.end
    }

    /// Lends the memory to the kernel; it stays charged until [`Buffer::restore`] or drop.
    pub(super) fn lend(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    pub(super) fn restore(&mut self, bytes: Vec<u8>) {
        debug_assert!(self.bytes.capacity() == 0, "the memory was not lent");
        self.bytes = bytes;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_buffer_holds_no_memory() {
        let blocks = Blocks::new(1 << 20);
        let mut buffer = Buffer::new(&blocks);
        assert_eq!(blocks.lent(), 0);
        buffer.extend(b"abc").unwrap();
        assert_eq!(blocks.lent(), limits::BLOCK_BYTES);
        buffer.consume(1);
        assert_eq!(buffer.as_slice(), b"bc");
        buffer.consume(2);
        assert_eq!((blocks.lent(), buffer.len()), (0, 0));
        buffer.extend(b"d").unwrap();
        drop(buffer);
        assert_eq!(blocks.lent(), 0);
    }

    #[test]
    fn a_few_waiting_bytes_do_not_hold_a_block() {
        let blocks = Blocks::new(1 << 20);
        let mut buffer = Buffer::new(&blocks);
        buffer.extend(b"xyz").unwrap();
        buffer.consume(1);
        buffer.shrink();
        assert_eq!((buffer.as_slice(), blocks.lent()), (&b"yz"[..], limits::SMALL_BYTES_MIN));
        buffer.extend(&[b'a'; 2000]).unwrap();
        assert_eq!((buffer.len(), blocks.lent()), (2002, limits::BLOCK_BYTES));
        assert!(buffer.as_slice().starts_with(b"yzaa"));
        buffer.shrink();
        assert_eq!((buffer.len(), blocks.lent()), (2002, 2048));
        buffer.consume(2002);
        buffer.shrink();
        assert_eq!(blocks.lent(), 0);
    }

    #[test]
    fn a_lease_is_charged_and_returned() {
        let blocks = Blocks::new(8 * limits::BLOCK_BYTES);
        let lease = Lease::new(&blocks, 5 * limits::BLOCK_BYTES).unwrap();
        assert_eq!(blocks.lent(), 5 * limits::BLOCK_BYTES);
        assert_eq!(Lease::new(&blocks, 2 * limits::BLOCK_BYTES).err(), Some(Full));
        drop(lease);
        assert_eq!(blocks.lent(), 0);
    }

    #[test]
    fn a_known_length_is_not_grown_past() {
        let blocks = Blocks::new(4 << 20);
        let mut buffer = Buffer::new(&blocks);
        let length = (3 << 20) - 1000;
        while buffer.len() < length {
            let ahead = (length - buffer.len()).min(buffer.len().max(1000));
            buffer.reserve_within(ahead, length).unwrap();
            buffer.extend(&vec![1; ahead]).unwrap();
        }
        assert_eq!(blocks.lent(), length);
    }

    #[test]
    fn a_spent_budget_refuses_growth_and_keeps_the_bytes() {
        let blocks = Blocks::new(8 * limits::BLOCK_BYTES);
        let mut body = Buffer::new(&blocks);
        let piece = vec![7; limits::BLOCK_BYTES];
        let mut taken = 0;
        while body.extend(&piece).is_ok() {
            taken += 1;
            assert!(taken < 8);
        }
        assert_eq!(body.len(), taken * piece.len());
        let mut other = Buffer::new(&blocks);
        assert_eq!(other.extend(b"x"), Ok(()), "single blocks are still to be had");
        drop((body, other));
        assert_eq!(blocks.lent(), 0);
    }

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let blocks = Blocks::new(1 << 24);
        let mut buffer = Buffer::new(&blocks);
        let (mut written, mut read) = (0_u32, 0_u32);
        for step in 1..600_usize {
            let piece: Vec<u8> = (0..step * 7 % 3001)
                .map(|_| {
                    written += 1;
                    written.to_le_bytes()[0]
                })
                .collect();
            buffer.extend(&piece).unwrap();
            let count = (step * 13 % 2999).min(buffer.len());
            for byte in &buffer.as_slice()[..count] {
                read += 1;
                assert_eq!(*byte, read.to_le_bytes()[0]);
            }
            buffer.consume(count);
        }
    }
}
