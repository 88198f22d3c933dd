//! The address space of one guest: 4 GiB of which only the guest's own pages can be touched.
//!
//! Around it lie guards as wide as any offset of an instruction, and below the lower one the table
//! of entries. A region of the guest is a memory file that is mapped twice: here, as the guest may
//! use it, and once more for the interpreter and the system calls. A page that a region covers in
//! part is not mapped here, so an access there leaves compiled code and the interpreter decides.

#![allow(unsafe_code)]

use core::ffi::c_void;
use core::ptr;
use std::os::fd::OwnedFd;

use portcullis_svm::compiled::LentMemory;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mmap_anonymous, mprotect, munmap};

pub(crate) const PAGE: u64 = 4096;
/// Octets below and above the guest's addresses that are never mapped. Offsets of loads and stores
/// are 12 bits, so nothing reaches over it.
const GUARD: usize = 64 << 10;
/// Every address a guest can form.
const SPACE: usize = 1 << 32;
/// How wide the entries of the table are: a half word where no code is longer than that can say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Width {
    Half = 2,
    Word = 4,
}
/// Regions of one guest.
const REGIONS_MAX: usize = 64;

/// The address space of one guest.
pub(crate) struct Arena {
    start: *mut c_void,
    len: usize,
    table_octets: usize,
    width: Width,
    regions: Vec<Shared>,
}

/// A region before it is mapped for the guest.
struct Shared {
    base: u64,
    end: u64,
    writable: bool,
    file: OwnedFd,
}

// SAFETY: the pointer is to a mapping that this value owns alone, and all access through it is by
// `&mut self` or to values that do not change.
unsafe impl Send for Arena {}

impl Arena {
    /// Reserves the space, with a table of so many entries.
    pub(crate) fn new(entries: usize, width: Width) -> Option<Self> {
        let table_octets = (entries * width as usize).next_multiple_of(PAGE as usize);
        let len = table_octets + GUARD + SPACE + GUARD;
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe {
            let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
            mmap_anonymous(ptr::null_mut(), len, ProtFlags::empty(), flags).ok()?
        };
        let arena = Self { start, len, table_octets, width, regions: Vec::new() };
        // SAFETY: the range is the beginning of the mapping just made; nothing refers to it yet.
        unsafe { mprotect(start, table_octets, MprotectFlags::READ | MprotectFlags::WRITE).ok()? };
        Some(arena)
    }

    /// Octets of the table.
    pub(crate) const fn table_octets(&self) -> usize {
        self.table_octets
    }

    /// The host's address of guest address 0.
    pub(crate) fn guest(&self) -> *mut u8 {
        self.start.cast::<u8>().wrapping_add(self.table_octets + GUARD)
    }

    /// From the guest's address 0 to the table.
    pub(crate) fn table_offset(&self) -> Option<i32> {
        i32::try_from(self.table_octets + GUARD).ok().map(|octets| -octets)
    }

    /// All addresses a guest can make the host touch.
    pub(crate) fn reach(&self) -> core::ops::Range<usize> {
        let first = self.guest() as usize - GUARD;
        first..first + GUARD + SPACE + GUARD
    }

    /// Writes an entry of the table: `false` when there is no such entry, or when it is too narrow.
    pub(crate) fn set_entry(&mut self, index: usize, place: u32) -> bool {
        if index >= self.table_octets / self.width as usize {
            return false;
        }
        let narrow = u16::try_from(place);
        // SAFETY: the table begins at `start`, which is aligned to a page, and is mapped for
        // writing; the index was checked. Compiled code only reads it, and not now: entering it
        // takes `&mut` of the value that owns this one.
        unsafe {
            match (self.width, narrow) {
                (Width::Half, Ok(place)) => self.start.cast::<u16>().add(index).write(place),
                (Width::Half, Err(_)) => return false,
                (Width::Word, _) => self.start.cast::<u32>().add(index).write(place),
            }
        }
        true
    }

    /// An entry of the table; all are 0 at first.
    pub(crate) fn entry(&self, index: usize) -> Option<u32> {
        // SAFETY: as above, and all octets are values.
        let entry = || unsafe {
            match self.width {
                Width::Half => self.start.cast::<u16>().add(index).read().into(),
                Width::Word => self.start.cast::<u32>().add(index).read(),
            }
        };
        (index < self.table_octets / self.width as usize).then(entry)
    }

    /// Makes memory for a region and gives the host's view of it.
    pub(crate) fn lend(&mut self, base: u32, len: u32, writable: bool) -> Option<HostView> {
        let base = u64::from(base);
        let end = base + u64::from(len);
        if len == 0 || end > SPACE as u64 || self.regions.len() == REGIONS_MAX {
            return None;
        }
        let offset = (base % PAGE) as usize;
        let file = memfd_create("portcullis-guest", MemfdFlags::CLOEXEC).ok()?;
        let octets = (offset + len as usize).next_multiple_of(PAGE as usize);
        ftruncate(&file, octets as u64).ok()?;
        // SAFETY: a new mapping at an address of the kernel's choice. The file is ours alone: its
        // descriptor is not given away and it is not cut while it is mapped.
        let start = unsafe {
            mmap(ptr::null_mut(), octets, protection(true), MapFlags::SHARED, &file, 0).ok()?
        };
        self.regions.push(Shared { base, end, writable, file });
        Some(HostView { start, octets, offset, len: len as usize })
    }

    /// Maps every region's whole pages for the guest; `false` when the host refuses.
    pub(crate) fn open(&mut self) -> bool {
        let regions = core::mem::take(&mut self.regions);
        let is_begin = |at: u64| regions.iter().any(|region| region.base == at);
        regions.iter().all(|region| {
            let first = region.base.next_multiple_of(PAGE);
            let mut last = region.end / PAGE * PAGE;
            // No access may run from one region into the next, as it may not in the interpreter:
            // then the last page before the border is the interpreter's.
            if last == region.end && is_begin(region.end) {
                last = last.saturating_sub(PAGE);
            }
            if first >= last {
                return true;
            }
            let place = self.guest().wrapping_add(first as usize).cast();
            let offset = first - region.base / PAGE * PAGE;
            let flags = MapFlags::SHARED | MapFlags::FIXED;
            // SAFETY: the range lies in the reservation, since `lend` checked that the region ends
            // within 2^32, so the fixed mapping replaces pages of ours that nothing refers to. The
            // file reaches as far, by the length `lend` gave it.
            let mapped = unsafe {
                mmap(
                    place,
                    (last - first) as usize,
                    protection(region.writable),
                    flags,
                    &region.file,
                    offset,
                )
            };
            mapped.is_ok()
        })
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and compiled code that knows its address is not entered
        // any more: who enters it owns this value.
        let _ = unsafe { munmap(self.start, self.len) };
    }
}

fn protection(writable: bool) -> ProtFlags {
    if writable { ProtFlags::READ | ProtFlags::WRITE } else { ProtFlags::READ }
}

/// The host's view of one region.
#[derive(Debug)]
pub(crate) struct HostView {
    start: *mut c_void,
    octets: usize,
    offset: usize,
    len: usize,
}

// SAFETY: the mapping is owned by this value alone.
unsafe impl Send for HostView {}

impl LentMemory for HostView {
    fn octets(&self) -> &[u8] {
        // SAFETY: `offset + len` octets are mapped and initialised (a new file is zero), for as
        // long as `self` lives. Compiled code changes the same octets through the guest's view,
        // but only where compiled code is entered, inside `CompiledTier::run`. The machine calls that
        // while it has all of the guest's memory to itself, and the tier reads its text by
        // `ScannedText::read`, which gives copies; so no such slice is alive then.
        unsafe { core::slice::from_raw_parts(self.start.cast::<u8>().add(self.offset), self.len) }
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `&mut self` makes it the only slice.
        unsafe {
            core::slice::from_raw_parts_mut(self.start.cast::<u8>().add(self.offset), self.len)
        }
    }
}

impl Drop for HostView {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and no slice of it outlives `self`.
        let _ = unsafe { munmap(self.start, self.octets) };
    }
}
