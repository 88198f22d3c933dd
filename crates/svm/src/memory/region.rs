//! One stretch of guest memory. Offsets are counted from its base, so that one comparison says
//! whether an access lies inside.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::compiled::LentMemory;

#[derive(Debug, Default)]
pub(super) struct Region {
    pub(super) base: u32,
    pub(super) writable: bool,
    pub(super) bytes: Vec<u8>,
    /// The octets are here instead when a compiled tier has lent the memory.
    pub(super) lent: Option<Box<dyn LentMemory>>,
}

impl Region {
    pub(super) fn octets(&self) -> &[u8] {
        self.lent.as_ref().map_or(&self.bytes, |lent| lent.octets())
    }

    pub(super) fn octets_mut(&mut self) -> &mut [u8] {
        self.lent.as_mut().map_or(&mut self.bytes, |lent| lent.octets_mut())
    }

    pub(super) fn range(&self, address: u32, len: u32) -> Option<core::ops::Range<usize>> {
        let offset = address.checked_sub(self.base)? as usize;
        let end = offset.checked_add(len as usize)?;
        (end <= self.octets().len()).then_some(offset..end)
    }

    /// Overwrites the octets.
    pub(super) fn wipe(&mut self) {
        self.octets_mut().fill(0);
        // They are read once more, so that the fill is not dropped as a dead store.
        core::hint::black_box(self.octets());
    }

    #[inline(always)]
    pub(super) fn bytes_at(&self, address: u32, len: usize) -> Option<&[u8]> {
        let offset = address.wrapping_sub(self.base) as usize;
        self.octets().get(offset..offset.checked_add(len)?)
    }

    /// Whether so many octets lie here, and are not lent.
    #[inline(always)]
    pub(super) fn has(&self, address: u32, len: u32) -> bool {
        let offset = address.wrapping_sub(self.base) as usize;
        offset + len as usize <= self.bytes.len()
    }

    #[inline(always)]
    pub(super) fn bytes_mut_at(&mut self, address: u32, len: usize) -> Option<&mut [u8]> {
        let offset = address.wrapping_sub(self.base) as usize;
        self.bytes.get_mut(offset..offset + len)
    }

    /// `N` octets when all of them lie here: one comparison.
    #[inline(always)]
    pub(super) fn load<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        let offset = address.wrapping_sub(self.base) as usize;
        self.bytes.get(offset..offset + N)?.try_into().ok()
    }

    /// The same, also where the octets are lent.
    #[inline(always)]
    pub(super) fn load_lent<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        let offset = address.wrapping_sub(self.base) as usize;
        self.octets().get(offset..offset + N)?.try_into().ok()
    }

    /// Writes when all of them lie here. The caller knows that the region is writable.
    #[inline(always)]
    pub(super) fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) -> Option<()> {
        let offset = address.wrapping_sub(self.base) as usize;
        self.bytes.get_mut(offset..offset + N)?.copy_from_slice(&value);
        Some(())
    }
}
