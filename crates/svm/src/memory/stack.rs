//! What is read from a client's stack.
//!
//! Clause: X.1198 7.6 (parameters are popped). What must never happen: parameters from memory that
//! the client may not write, or from two regions.

use super::GuestMemory;

impl GuestMemory {
    /// [`Self::load`] from the stack alone.
    #[cfg(portcullis_threaded)]
    #[inline(always)]
    pub(crate) fn load_stack<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        self.stack.load(address)
    }

    /// The same, also where the stack is lent.
    #[inline(always)]
    pub(crate) fn load_lent_stack<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        self.stack.load_lent(address)
    }

    /// The words at a stack address: all in one region that the client may write, as a stack is.
    // defends: T-28
    pub(crate) fn stack_words(&self, address: u32, count: usize) -> Option<&[[u8; 4]]> {
        if count == 0 {
            return Some(&[]);
        }
        let len = count.checked_mul(4)?;
        let bytes = match self.stack.bytes_at(address, len) {
            Some(bytes) => bytes,
            None => self.words_elsewhere(address, len)?,
        };
        Some(bytes.as_chunks().0)
    }

    #[cold]
    fn words_elsewhere(&self, address: u32, len: usize) -> Option<&[u8]> {
        let mut writable = self.regions().filter(|region| region.writable);
        writable.find_map(|region| region.bytes_at(address, len))
    }
}
