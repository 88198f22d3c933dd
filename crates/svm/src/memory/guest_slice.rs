//! Ranges of guest memory that were checked.

use super::{GuestMemory, MemoryFault};
use crate::abi::CALL_BYTES_MAX;

/// A range of guest memory that was checked: address, length and permission.
// defends: T-28
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GuestSlice {
    address: u32,
    len: u32,
}

impl GuestSlice {
    /// A readable range of at most [`CALL_BYTES_MAX`] octets. An empty range is always readable.
    ///
    /// # Errors
    /// [`MemoryFault`] when it is not all within one region.
    pub fn readable(memory: &GuestMemory, address: u32, len: u32) -> Result<Self, MemoryFault> {
        Self::bounded(len)?;
        if len != 0 && memory.readable(address, len).is_none() {
            return Err(MemoryFault::Read { address, len });
        }
        Ok(Self { address, len })
    }

    /// A writable range of at most [`CALL_BYTES_MAX`] octets. An empty range is always writable.
    ///
    /// # Errors
    /// [`MemoryFault`] when it is not all within one writable region.
    pub fn writable(memory: &GuestMemory, address: u32, len: u32) -> Result<Self, MemoryFault> {
        Self::bounded(len)?;
        let writable = memory.regions().any(|r| r.writable && r.range(address, len).is_some());
        if len != 0 && !writable {
            return Err(MemoryFault::Write { address, len });
        }
        Ok(Self { address, len })
    }

    /// First address.
    #[must_use]
    pub const fn address(self) -> u32 {
        self.address
    }

    /// Octets.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.len
    }

    /// No octets at all?
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    fn bounded(len: u32) -> Result<(), MemoryFault> {
        if len > CALL_BYTES_MAX { Err(MemoryFault::TooLong { len }) } else { Ok(()) }
    }
}
