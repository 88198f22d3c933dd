//! What a client for the Portcullis SVM is written with: start code, heap, system calls and the
//! event loop.
//!
//! Trust domain: a CA vendor's client, inside the virtual machine. A program implements
//! [`Client`] and names it in [`client!`]. There is one thread and one event at a time (X.1198
//! 7.7); a panic ends the client with code [`PANIC`].
#![no_std]

extern crate alloc;

#[path = "../../../crates/svm/src/abi.rs"]
pub mod abi;
pub mod content;
mod event;
mod heap;
mod start;
pub mod sys;
mod trap;

pub use event::{Client, Events};
pub use sys::Status;
pub use trap::trap;

/// Exit code of a client that panicked.
pub const PANIC: u32 = 101;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    sys::exit(PANIC)
}

#[global_allocator]
static HEAP: heap::Heap = heap::Heap::new();
