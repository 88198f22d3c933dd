//! The memory of one client, and the only way to touch it.
//!
//! Clauses: X.1198 6.2.2 (system calls resist pointer overflow), 7.1. Regions never overlap; all
//! sums are checked in 64 bits. Decoded code lives elsewhere, so that no store can change what
//! runs. What must never happen: an access outside a region, a store to code, host memory in sight.

mod guest_slice;
mod region;
mod stack;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use serde::{Deserialize, Serialize};

pub use self::guest_slice::GuestSlice;
use self::region::Region;
use crate::compiled::LentMemory;
use crate::snapshot::Spare;

/// An access outside the client's memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MemoryFault {
    /// Nothing readable there.
    #[error("read of {len} octets at 0x{address:08x} outside the client's memory")]
    Read {
        /// First address.
        address: u32,
        /// Octets.
        len: u32,
    },
    /// Nothing writable there.
    #[error("write of {len} octets at 0x{address:08x} outside the client's writable memory")]
    Write {
        /// First address.
        address: u32,
        /// Octets.
        len: u32,
    },
    /// More than one call may move.
    #[error("{len} octets are more than one call may move")]
    TooLong {
        /// Octets asked for.
        len: u32,
    },
}

/// The memory of one client: code image, RAM and stack as separate regions.
///
/// Three regions have a place of their own, so that the engines find them at once; an absent one
/// is empty.
#[derive(Debug, Default)]
pub struct GuestMemory {
    /// The first writable region mapped.
    stack: Region,
    /// The second writable region mapped.
    data: Region,
    /// The first region mapped that is not writable.
    constants: Region,
    rest: Vec<Region>,
    /// What the host reads and writes, while somebody wants to know.
    watched: Option<RefCell<Vec<Access>>>,
}

/// One access of the host to guest memory, through the checked copies below.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Access {
    /// Octets were copied in.
    Read {
        /// First address.
        address: u32,
        /// What was there.
        octets: Vec<u8>,
    },
    /// Octets were copied out.
    Write {
        /// First address.
        address: u32,
        /// What is there now.
        octets: Vec<u8>,
    },
}

impl GuestMemory {
    /// Adds a region, zero-filled up to `len` after `content`. Regions that overlap or wrap are
    /// refused.
    pub(crate) fn map(&mut self, base: u32, content: &[u8], len: u32, writable: bool) -> bool {
        let end = u64::from(base) + u64::from(len);
        let overlaps = self.regions().any(|r| {
            u64::from(r.base) < end && u64::from(base) < u64::from(r.base) + r.octets().len() as u64
        });
        if end > 1 << 32 || content.len() > len as usize || overlaps {
            return false;
        }
        let mut bytes = vec![0; len as usize];
        if let Some(head) = bytes.get_mut(..content.len()) {
            head.copy_from_slice(content);
        }
        self.put(base, bytes, writable);
        true
    }

    /// Adds a region that was checked, in the place that its turn gives it.
    pub(crate) fn put(&mut self, base: u32, bytes: Vec<u8>, writable: bool) {
        let region = Region { base, writable, bytes, lent: None };
        let place = match writable {
            true if self.stack.bytes.is_empty() => &mut self.stack,
            true if self.data.bytes.is_empty() => &mut self.data,
            false if self.constants.bytes.is_empty() => &mut self.constants,
            _ => return self.rest.push(region),
        };
        *place = region;
    }

    /// Overwrites all memory and gives it back.
    // spec: X-S12
    pub(crate) fn clear(&mut self) {
        self.regions_mut().for_each(Region::wipe);
        *self = Self::default();
    }

    /// Overwrites all memory and keeps it for the next client.
    pub(crate) fn clear_into(&mut self, spare: &mut Spare) {
        self.regions_mut().for_each(Region::wipe);
        let Self { stack, data, constants, rest, .. } = core::mem::take(self);
        for region in [stack, data, constants].into_iter().chain(rest) {
            spare.keep(region.bytes);
        }
    }

    /// First address, may the client write it, octets of each region that is there, in the order
    /// in which [`Self::put`] takes them.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (u32, bool, &[u8])> {
        let all = [&self.stack, &self.data, &self.constants].into_iter().chain(&self.rest);
        all.map(|region| (region.base, region.writable, region.octets()))
            .filter(|(_, _, octets)| !octets.is_empty())
    }

    /// Moves every region into memory that a tier lends: (base, octets, writable). `false` when
    /// it lends none for one of them; then that one stays where it was.
    pub(crate) fn borrow_from(
        &mut self,
        lend: &mut dyn FnMut(u32, u32, bool) -> Option<Box<dyn LentMemory>>,
    ) -> bool {
        self.regions_mut().filter(|region| !region.bytes.is_empty()).all(|region| {
            let lent = lend(region.base, region.bytes.len() as u32, region.writable);
            let Some(mut lent) = lent.filter(|lent| lent.octets().len() == region.bytes.len())
            else {
                return false;
            };
            lent.octets_mut().copy_from_slice(&region.bytes);
            region.wipe();
            region.bytes = Vec::new();
            region.lent = Some(lent);
            true
        })
    }

    /// Takes every region back from the tier that lent it.
    pub(crate) fn take_back(&mut self) {
        for region in self.regions_mut() {
            if let Some(mut lent) = region.lent.take() {
                region.bytes = lent.octets().to_vec();
                lent.octets_mut().fill(0);
            }
        }
    }

    /// Copies a range in, once.
    ///
    /// # Errors
    /// [`MemoryFault`] when the range is not readable or too long.
    // defends: T-29
    pub fn read(&self, address: u32, len: u32) -> Result<Vec<u8>, MemoryFault> {
        GuestSlice::readable(self, address, len)?;
        if len == 0 {
            return Ok(Vec::new());
        }
        let bytes = self.readable(address, len).ok_or(MemoryFault::Read { address, len })?;
        self.note(|| Access::Read { address, octets: bytes.to_vec() });
        Ok(bytes.to_vec())
    }

    /// Copies a range of fixed length in.
    ///
    /// # Errors
    /// [`MemoryFault`] when the range is not readable.
    pub fn read_array<const N: usize>(&self, address: u32) -> Result<[u8; N], MemoryFault> {
        let fault = MemoryFault::Read { address, len: N as u32 };
        let bytes = self.readable(address, N as u32).ok_or(fault)?;
        self.note(|| Access::Read { address, octets: bytes.to_vec() });
        bytes.try_into().map_err(|_| fault)
    }

    /// Copies octets out to the client.
    ///
    /// # Errors
    /// [`MemoryFault`] when the range is not writable or too long; then nothing is written.
    pub fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), MemoryFault> {
        let len = u32::try_from(bytes.len()).map_err(|_| MemoryFault::TooLong { len: u32::MAX })?;
        GuestSlice::writable(self, address, len)?;
        if len == 0 {
            return Ok(());
        }
        self.writable(address, len)
            .ok_or(MemoryFault::Write { address, len })?
            .copy_from_slice(bytes);
        self.note(|| Access::Write { address, octets: bytes.to_vec() });
        Ok(())
    }

    /// Answers a call that gives variable data: writes it when it fits `cap`. The whole of the
    /// offered buffer must be the client's, even the part that stays unused.
    ///
    /// # Errors
    /// [`MemoryFault`] when the offered buffer is not writable.
    pub fn reply_with(
        &mut self,
        address: u32,
        cap: u32,
        bytes: &[u8],
    ) -> Result<crate::Reply, MemoryFault> {
        GuestSlice::writable(self, address, cap)?;
        let len = u32::try_from(bytes.len()).map_err(|_| MemoryFault::TooLong { len: u32::MAX })?;
        if len > cap {
            return Ok(crate::Reply { result: len, status: crate::abi::status::TOO_SMALL });
        }
        self.write(address, bytes)?;
        Ok(crate::Reply::ok(len))
    }

    /// A little-endian word.
    ///
    /// # Errors
    /// [`MemoryFault`] when it is not readable.
    pub fn read_u32(&self, address: u32) -> Result<u32, MemoryFault> {
        self.read_array(address).map(u32::from_le_bytes)
    }

    /// Writes a little-endian word.
    ///
    /// # Errors
    /// [`MemoryFault`] when it is not writable.
    pub fn write_u32(&mut self, address: u32, value: u32) -> Result<(), MemoryFault> {
        self.write(address, &value.to_le_bytes())
    }

    /// From here on every access of the host is kept, until [`Self::take_watched`].
    pub(crate) fn watch(&mut self) {
        self.watched = Some(RefCell::default());
    }

    /// What the host did since [`Self::watch`], in order.
    pub(crate) fn take_watched(&mut self) -> Vec<Access> {
        self.watched.take().map(RefCell::into_inner).unwrap_or_default()
    }

    fn note(&self, access: impl FnOnce() -> Access) {
        if let Some(watched) = &self.watched {
            watched.borrow_mut().push(access());
        }
    }

    #[inline]
    pub(crate) fn load<const N: usize>(&self, address: u32) -> Result<[u8; N], MemoryFault> {
        self.regions()
            .find_map(|region| region.load(address))
            .or_else(|| self.load_lent(address))
            .ok_or(MemoryFault::Read { address, len: N as u32 })
    }

    #[cold]
    fn load_lent<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        match self.data.load_lent(address) {
            Some(bytes) => Some(bytes),
            None => self.readable(address, N as u32)?.try_into().ok(),
        }
    }

    #[cold]
    fn store_lent<const N: usize>(&mut self, address: u32, value: [u8; N]) -> Option<()> {
        self.writable(address, N as u32)?.copy_from_slice(&value);
        Some(())
    }

    #[inline]
    pub(crate) fn store<const N: usize>(
        &mut self,
        address: u32,
        value: [u8; N],
    ) -> Result<(), MemoryFault> {
        let stored = self
            .regions_mut()
            .filter(|region| region.writable)
            .find_map(|region| region.store(address, value));
        stored
            .or_else(|| self.store_lent(address, value))
            .ok_or(MemoryFault::Write { address, len: N as u32 })
    }

    /// [`Self::load`] where most data lie; `None` says nothing about other places.
    #[cfg(portcullis_threaded)]
    #[inline(always)]
    pub(crate) fn load_common<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        match self.data.load(address) {
            Some(bytes) => Some(bytes),
            None => match self.stack.load(address) {
                Some(bytes) => Some(bytes),
                None => self.constants.load(address),
            },
        }
    }

    /// [`Self::store`] where most data lie.
    #[cfg(portcullis_threaded)]
    #[inline(always)]
    pub(crate) fn store_common<const N: usize>(
        &mut self,
        address: u32,
        value: [u8; N],
    ) -> Option<()> {
        match self.data.store(address, value) {
            Some(()) => Some(()),
            None => self.stack.store(address, value),
        }
    }

    /// [`Self::store`] to the stack alone.
    #[cfg(portcullis_threaded)]
    #[inline(always)]
    pub(crate) fn store_stack<const N: usize>(
        &mut self,
        address: u32,
        value: [u8; N],
    ) -> Option<()> {
        self.stack.store(address, value)
    }

    /// A copy of everything, for tests that compare.
    #[cfg(all(test, portcullis_threaded))]
    pub(crate) fn dump(&self) -> Vec<(u32, Vec<u8>)> {
        self.regions().map(|region| (region.base, region.octets().to_vec())).collect()
    }

    #[inline(always)]
    fn regions(&self) -> impl Iterator<Item = &Region> {
        [&self.data, &self.stack, &self.constants].into_iter().chain(&self.rest)
    }

    #[inline(always)]
    fn regions_mut(&mut self) -> impl Iterator<Item = &mut Region> {
        [&mut self.data, &mut self.stack, &mut self.constants].into_iter().chain(&mut self.rest)
    }

    /// The octets of a range that lies in one region.
    #[inline]
    pub(crate) fn readable(&self, address: u32, len: u32) -> Option<&[u8]> {
        // Mostly it is here.
        if len != 0
            && let Some(range) = self.data.range(address, len)
        {
            return self.data.octets().get(range);
        }
        self.regions().find_map(|r| r.octets().get(r.range(address, len)?))
    }

    /// So many words that the client may write.
    #[inline(always)]
    pub(crate) fn words_mut(&mut self, address: u32, count: u32) -> Option<&mut [[u8; 4]]> {
        let len = count.checked_mul(4)?;
        let bytes = match self.data.has(address, len) {
            true => self.data.bytes_mut_at(address, len as usize)?,
            false => self.writable(address, len)?,
        };
        Some(bytes.as_chunks_mut().0)
    }

    #[inline(never)]
    pub(crate) fn writable(&mut self, address: u32, len: u32) -> Option<&mut [u8]> {
        // Mostly it is here. The second region that may be written holds the data.
        if len != 0
            && let Some(range) = self.data.range(address, len)
        {
            return self.data.octets_mut().get_mut(range);
        }
        self.regions_mut().filter(|r| r.writable).find_map(|r| {
            let range = r.range(address, len)?;
            r.octets_mut().get_mut(range)
        })
    }
}
