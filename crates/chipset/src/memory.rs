//! Packet memory: a memfd that terminal and chip both map. The only file here with `unsafe`.
//!
//! Neither side ever makes a reference to the shared octets. Each copies packets into memory of
//! its own before it looks at them, so the other side, hostile or not, can change them at any
//! time without changing what was checked.

#![allow(unsafe_code)]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use memmap2::{MmapOptions, MmapRaw};
use portcullis_ts::packet::PACKET_SIZE;
use rustix::fs::memfd_create;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate};

/// Packets in the packet memory.
pub const PACKET_CAPACITY: usize = 4096;

const LENGTH: usize = PACKET_CAPACITY * PACKET_SIZE;

/// The packet memory of one side.
pub(crate) struct PacketMemory {
    fd: OwnedFd,
    map: MmapRaw,
}

impl PacketMemory {
    /// A new one, whose size nobody can change.
    pub(crate) fn create() -> std::io::Result<Self> {
        let fd =
            memfd_create("portcullis-packets", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&fd, LENGTH as u64)?;
        fcntl_add_seals(&fd, SIZE_SEALS)?;
        Self::attach(fd)
    }

    /// The memory behind a descriptor that the other side sent.
    pub(crate) fn attach(fd: OwnedFd) -> std::io::Result<Self> {
        // Without the seals the other side could cut the file and kill us with SIGBUS.
        let sealed = fcntl_get_seals(&fd)?.contains(SIZE_SEALS);
        if !sealed || fstat(&fd)?.st_size != LENGTH as i64 {
            return Err(std::io::Error::other("not a packet memory"));
        }
        let map = MmapOptions::new().len(LENGTH).map_raw(&fd)?;
        Ok(Self { fd, map })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Copies packets out; `false` when they are not all inside.
    #[must_use]
    pub(crate) fn read(&self, first: usize, packets: &mut [[u8; PACKET_SIZE]]) -> bool {
        let Some(offset) = offset(first, packets.len()) else { return false };
        // SAFETY: `offset` checked that `first + len` packets lie inside the mapping, which is
        // LENGTH octets long, lives as long as `self` and cannot shrink (F_SEAL_SHRINK).
        // `packets` is memory of our own, so the two do not overlap. The octets may be written
        // by the other process meanwhile; we read them as plain octets, for which every value
        // is valid, through a raw pointer, without ever forming a reference to them.
        unsafe {
            let from = self.map.as_ptr().add(offset);
            core::ptr::copy_nonoverlapping(
                from,
                packets.as_mut_ptr().cast::<u8>(),
                packets.len() * PACKET_SIZE,
            );
        }
        true
    }

    /// Copies packets in; `false` when they would not all be inside.
    #[must_use]
    pub(crate) fn write(&mut self, first: usize, packets: &[[u8; PACKET_SIZE]]) -> bool {
        let Some(offset) = offset(first, packets.len()) else { return false };
        // SAFETY: as in `read`; the mapping is writable, and `&mut self` keeps this process from
        // writing it twice at a time.
        unsafe {
            let to = self.map.as_mut_ptr().add(offset);
            core::ptr::copy_nonoverlapping(
                packets.as_ptr().cast::<u8>(),
                to,
                packets.len() * PACKET_SIZE,
            );
        }
        true
    }
}

/// Octet offset of packet `first` when `count` packets from there on are inside.
fn offset(first: usize, count: usize) -> Option<usize> {
    let end = first.checked_add(count)?;
    (end <= PACKET_CAPACITY).then_some(first * PACKET_SIZE)
}

const SIZE_SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_see_the_packets_and_nothing_outside() {
        let mut ours = PacketMemory::create().unwrap();
        let theirs = PacketMemory::attach(ours.fd().try_clone_to_owned().unwrap()).unwrap();
        assert!(ours.write(PACKET_CAPACITY - 1, &[[0x47; PACKET_SIZE]]));
        let mut got = [[0; PACKET_SIZE]];
        assert!(theirs.read(PACKET_CAPACITY - 1, &mut got));
        assert_eq!(got[0], [0x47; PACKET_SIZE]);
        assert!(!ours.write(PACKET_CAPACITY, &[[0; PACKET_SIZE]]));
        assert!(!theirs.read(PACKET_CAPACITY - 1, &mut [[0; PACKET_SIZE]; 2]));
        assert!(!theirs.read(usize::MAX, &mut got));
    }

    #[test]
    fn its_size_cannot_be_changed_and_other_files_are_refused() {
        let memory = PacketMemory::create().unwrap();
        assert!(ftruncate(memory.fd(), 0).is_err());
        let file = tempfile::tempfile().unwrap();
        assert!(PacketMemory::attach(file.into()).is_err());
    }
}
