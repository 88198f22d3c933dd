//! Memory that holds compiled code: writable or executable, never both.

#![allow(unsafe_code)]

use core::ffi::c_void;
use core::ptr;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

use crate::entry::{Frame, Routines};

/// What the routine at the start of the code memory is called with, and what it gives back.
type Enter = unsafe extern "sysv64" fn(
    registers: *mut u32,
    guest: *mut u8,
    frame: *mut Frame,
    target: usize,
) -> u64;

/// Code of one client.
pub(crate) struct CodeMemory {
    start: *mut c_void,
    capacity: usize,
    used: usize,
    /// Where the routine lies that is called.
    enter: usize,
}

// SAFETY: the mapping is owned by this value alone.
unsafe impl Send for CodeMemory {}

impl CodeMemory {
    /// Room for so many octets.
    pub(crate) fn new(capacity: usize) -> Option<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe {
            let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
            mmap_anonymous(ptr::null_mut(), capacity, ProtFlags::empty(), flags).ok()?
        };
        Some(Self { start, capacity, used: 0, enter: 0 })
    }

    /// Where the next code will go, from the start.
    pub(crate) const fn used(&self) -> usize {
        self.used
    }

    /// The host's address of a place in the code.
    pub(crate) fn address(&self, offset: usize) -> usize {
        self.start as usize + offset
    }

    /// Where code can lie.
    pub(crate) fn range(&self) -> core::ops::Range<usize> {
        self.address(0)..self.address(self.capacity)
    }

    /// The routines of `crate::entry`, first of all; [`Routines::enter`] is what is called.
    pub(crate) fn append_routines(&mut self, routines: &Routines) -> Option<()> {
        self.enter = routines.enter as usize;
        self.append(&routines.code)
    }

    /// Adds code. It can be executed afterwards and not be written; meanwhile the other way round.
    pub(crate) fn append(&mut self, code: &[u8]) -> Option<()> {
        let end = self.used.checked_add(code.len()).filter(|end| *end <= self.capacity)?;
        self.protect(MprotectFlags::READ | MprotectFlags::WRITE)?;
        // SAFETY: the destination lies in the mapping, which is writable now; `code` is elsewhere.
        unsafe {
            let to = self.start.cast::<u8>().add(self.used);
            ptr::copy_nonoverlapping(code.as_ptr(), to, code.len());
        }
        self.used = end;
        self.protect(MprotectFlags::READ | MprotectFlags::EXEC)
    }

    fn protect(&self, protection: MprotectFlags) -> Option<()> {
        // SAFETY: the whole mapping is ours. Nobody executes it meanwhile: entering it takes
        // `&mut self`, and so does this.
        unsafe { mprotect(self.start, self.capacity, protection).ok() }
    }

    /// Enters the code at `target`, a place that is counted from the start: the beginning of a
    /// block. Returns what the code left in RAX; `frame` says what is left of the budget.
    ///
    /// `guest` is the host's address of guest address 0 in an [`super::arena::Arena`] that the
    /// code was compiled for.
    pub(crate) fn enter(
        &mut self,
        registers: &mut [u32; 32],
        guest: *mut u8,
        frame: &mut Frame,
        target: usize,
    ) -> Option<u64> {
        if target >= self.used {
            return None;
        }
        frame.code = self.address(0);
        let target = self.address(target);
        // SAFETY: `append` has made the mapping executable, and at `enter` lies the routine of
        // `crate::entry`, which has this signature and keeps every register that the convention
        // tells it to keep. Compiled code writes to `registers`, to `frame`, below the stack pointer
        // and through `guest` with offsets that the guards of the arena bound; faults there come
        // back through the routine too (`super::fault`). The target is in the mapping.
        Some(unsafe {
            let routine = self.start.cast::<u8>().add(self.enter).cast::<c_void>();
            let enter: Enter = core::mem::transmute::<*mut c_void, Enter>(routine);
            enter(registers.as_mut_ptr(), guest, frame, target)
        })
    }
}

impl Drop for CodeMemory {
    /// Overwrites the code and gives the memory back.
    fn drop(&mut self) {
        if self.protect(MprotectFlags::READ | MprotectFlags::WRITE).is_some() {
            // SAFETY: `used` octets of the mapping were written before and are writable now. The
            // write is volatile so that it is not dropped as a dead store.
            for at in 0..self.used {
                unsafe { self.start.cast::<u8>().add(at).write_volatile(0xCC) };
            }
        }
        // SAFETY: the mapping is ours and not entered any more.
        let _ = unsafe { munmap(self.start, self.capacity) };
    }
}
