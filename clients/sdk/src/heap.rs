//! The heap: first fit over a free list in ascending order of address, neighbours are joined.
//!
//! It spans from the end of .bss over as many octets as `HeapSize` grants. A client lives for
//! months, so what is freed must be found again.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr::null_mut;

use crate::sys;

/// Every block is a multiple of this and aligned to it.
const UNIT: usize = 16;

/// The one heap of a client.
pub struct Heap {
    first: Cell<*mut Free>,
    ready: Cell<bool>,
}

/// A free block: its header lies in the block itself.
struct Free {
    len: usize,
    next: *mut Free,
}

// Safety: the machine has one thread.
unsafe impl Sync for Heap {}

unsafe extern "C" {
    static __heap_start: u8;
}

impl Heap {
    pub(crate) const fn new() -> Self {
        Self { first: Cell::new(null_mut()), ready: Cell::new(false) }
    }

    fn make_ready(&self) {
        if self.ready.replace(true) {
            return;
        }
        let start = (&raw const __heap_start) as usize;
        let len = sys::heap_size() as usize & !(UNIT - 1);
        if len != 0 {
            // Safety: from the end of .bss over `len` octets the memory is the heap's alone.
            unsafe { self.release(start as *mut Free, len) };
        }
    }

    /// Puts a block into the list and joins it with its neighbours.
    ///
    /// # Safety
    /// The block is `len` octets, aligned to [`UNIT`], and nobody else's.
    unsafe fn release(&self, block: *mut Free, len: usize) {
        unsafe {
            let (mut before, mut after) = (null_mut::<Free>(), self.first.get());
            while !after.is_null() && after < block {
                before = after;
                after = (*after).next;
            }
            block.write(Free { len, next: after });
            if block as usize + len == after as usize {
                (*block).len += (*after).len;
                (*block).next = (*after).next;
            }
            if before.is_null() {
                self.first.set(block);
            } else if before as usize + (*before).len == block as usize {
                (*before).len += (*block).len;
                (*before).next = (*block).next;
            } else {
                (*before).next = block;
            }
        }
    }
}

fn rounded(layout: Layout) -> usize {
    layout.size().max(1).saturating_add(UNIT - 1) & !(UNIT - 1)
}

// Safety: blocks come from the list, are at least as long as asked, and aligned to UNIT; larger
// alignments are refused.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.make_ready();
        let len = rounded(layout);
        if layout.align() > UNIT || len < layout.size() {
            return null_mut();
        }
        let (mut before, mut block) = (null_mut::<Free>(), self.first.get());
        unsafe {
            while !block.is_null() && (*block).len < len {
                before = block;
                block = (*block).next;
            }
            if block.is_null() {
                return null_mut();
            }
            let rest = (*block).len - len;
            let next = if rest == 0 {
                (*block).next
            } else {
                let tail = (block as usize + len) as *mut Free;
                tail.write(Free { len: rest, next: (*block).next });
                tail
            };
            if before.is_null() {
                self.first.set(next);
            } else {
                (*before).next = next;
            }
        }
        block.cast()
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { self.release(pointer.cast(), rounded(layout)) };
    }
}
