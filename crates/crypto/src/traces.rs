//! Leaving no trace of a key behind: the stack that a computation used, and the vector registers.
//! One of the files with `unsafe`.
//!
//! Trust domain: all that hold keys. What has a name is zeroised by its type; what a compiler puts
//! on the stack on its own account (registers that did not fit, values on their way from one
//! function to the next) has none. It lies below the frame that called, so that is overwritten.
//!
//! What must never happen: that a computation uses more stack than is overwritten behind it. The
//! tests of `portcullis-scramble` look through the memory of a process for that.
//!
//! Safety of the whole file. The two blocks of assembly read and write no memory; the registers
//! that they change are those that a called function may change. The wide one is reached when the
//! processor was asked. [`Wiped`] holds a value from its making until it is dropped.

#![allow(unsafe_code)]

use alloc::boxed::Box;
use core::mem::MaybeUninit;
use core::ops::Deref;

/// Octets of stack for one packet, one message or the expansion of a key.
pub const SHALLOW: usize = 8 * 1024;
/// Octets of stack for the kernels that work on many packets at once.
pub const DEEP: usize = 16 * 1024;

/// Does the work, then overwrites so many octets of stack, in which the work has to find room, and
/// the vector registers. What the work returns must not be a secret by value: it is handed on
/// through frames that stay.
// defends: T-39
#[inline]
pub fn leaving_no_trace<const STACK: usize, R>(work: impl FnOnce() -> R) -> R {
    let result = apart(work);
    overwrite_stack::<STACK>();
    clear_registers();
    result
}

/// Begins where the frame of [`overwrite_stack`] begins.
#[inline(never)]
fn apart<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[inline(never)]
fn overwrite_stack<const STACK: usize>() {
    // A constant that nobody may change would be no memory of this frame.
    core::hint::black_box(&mut [0_u8; STACK]);
}

/// A key that lies in one place however often its owner moves, and whose place is overwritten when
/// it is dropped: all of it, for a value on its way takes along what the stack held between its
/// fields.
// defends: T-39
pub struct Wiped<T>(Box<MaybeUninit<T>>);

impl<T> Wiped<T> {
    /// Puts a value where it stays.
    pub fn new(value: T) -> Self {
        Self(Box::new(MaybeUninit::new(value)))
    }
}

impl<T> Deref for Wiped<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: there is a value until this is dropped.
        unsafe { self.0.assume_init_ref() }
    }
}

impl<T> Drop for Wiped<T> {
    fn drop(&mut self) {
        // SAFETY: there is a value, nobody reads it after this, and its place is that long.
        unsafe {
            self.0.assume_init_drop();
            self.0.as_mut_ptr().write_bytes(0, 1);
        }
        core::hint::black_box(&mut self.0);
    }
}

#[cfg(target_arch = "x86_64")]
fn clear_registers() {
    use core::arch::asm;

    #[target_feature(enable = "avx512f")]
    fn clear_all() {
        // SAFETY: see the top of the file.
        unsafe {
            asm!(
                "vzeroall",
                "vpxord zmm16, zmm16, zmm16",
                "vpxord zmm17, zmm17, zmm17",
                "vpxord zmm18, zmm18, zmm18",
                "vpxord zmm19, zmm19, zmm19",
                "vpxord zmm20, zmm20, zmm20",
                "vpxord zmm21, zmm21, zmm21",
                "vpxord zmm22, zmm22, zmm22",
                "vpxord zmm23, zmm23, zmm23",
                "vpxord zmm24, zmm24, zmm24",
                "vpxord zmm25, zmm25, zmm25",
                "vpxord zmm26, zmm26, zmm26",
                "vpxord zmm27, zmm27, zmm27",
                "vpxord zmm28, zmm28, zmm28",
                "vpxord zmm29, zmm29, zmm29",
                "vpxord zmm30, zmm30, zmm30",
                "vpxord zmm31, zmm31, zmm31",
                "kxorw k1, k1, k1",
                "kxorw k2, k2, k2",
                "kxorw k3, k3, k3",
                "kxorw k4, k4, k4",
                "kxorw k5, k5, k5",
                "kxorw k6, k6, k6",
                "kxorw k7, k7, k7",
                clobber_abi("C"),
                options(nomem, nostack, preserves_flags),
            );
        }
    }

    #[target_feature(enable = "avx")]
    fn clear_lower() {
        // SAFETY: see the top of the file.
        unsafe {
            asm!("vzeroall", clobber_abi("C"), options(nomem, nostack, preserves_flags));
        }
    }

    if std::is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has the feature that the function is compiled for.
        unsafe { clear_all() }
    } else if std::is_x86_feature_detected!("avx") {
        // SAFETY: as above.
        unsafe { clear_lower() }
    }
}

/// Other processors keep their vector registers as they are: nothing reads them but what runs next.
#[cfg(not(target_arch = "x86_64"))]
const fn clear_registers() {}
