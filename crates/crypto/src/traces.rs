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

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use core::arch::asm;

    use super::*;

    const SECRET: u64 = 0x5EC2_E77E_D15C_0DE5;
    /// Octets of the 32 registers, and of the masks behind them.
    const SPACE: usize = 32 * 64 + 8 * 2;

    #[target_feature(enable = "avx512f")]
    fn fill_all() {
        // SAFETY: no memory is written, and a called function may change these registers.
        unsafe {
            asm!(
                ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                "vpbroadcastq zmm\\n, {secret}",
                ".endr",
                ".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
                "vpbroadcastq zmm\\n, {secret}",
                ".endr",
                ".irp n,1,2,3,4,5,6,7",
                "kmovw k\\n, {secret:e}",
                ".endr",
                secret = in(reg) SECRET,
                clobber_abi("C"),
                options(nomem, nostack, preserves_flags),
            );
        }
    }

    #[target_feature(enable = "avx512f")]
    fn read_all(space: &mut [u8; SPACE]) {
        // SAFETY: there is room for 32 registers of 64 octets and 8 of 2.
        unsafe {
            asm!(
                ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                "vmovdqu64 [{to} + 64 * \\n], zmm\\n",
                ".endr",
                ".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
                "vmovdqu64 [{to} + 64 * \\n], zmm\\n",
                ".endr",
                ".irp n,1,2,3,4,5,6,7",
                "kmovw [{to} + 2048 + 2 * \\n], k\\n",
                ".endr",
                to = in(reg) space,
                options(nostack, preserves_flags),
            );
        }
    }

    #[target_feature(enable = "avx")]
    fn fill_lower() {
        // SAFETY: as above.
        unsafe {
            asm!(
                ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                "vmovq xmm\\n, {secret}",
                ".endr",
                secret = in(reg) SECRET,
                clobber_abi("C"),
                options(nomem, nostack, preserves_flags),
            );
        }
    }

    #[target_feature(enable = "avx")]
    fn read_lower(space: &mut [u8; SPACE]) {
        // SAFETY: there is room for 16 registers, 64 octets apart.
        unsafe {
            asm!(
                ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                "vmovdqu [{to} + 64 * \\n], ymm\\n",
                ".endr",
                to = in(reg) space,
                options(nostack, preserves_flags),
            );
        }
    }

    /// Registers and masks in which the secret still is.
    fn found(space: &[u8; SPACE]) -> usize {
        let (registers, masks) = space.split_at(32 * 64);
        let in_registers = registers.chunks(64).filter(|register| {
            register.chunks(8).any(|word| word == SECRET.to_le_bytes().as_slice())
        });
        let low = (SECRET as u16).to_le_bytes();
        in_registers.count() + masks.chunks(2).filter(|mask| *mask == low.as_slice()).count()
    }

    // attack-test: T-39
    #[test]
    fn no_vector_register_keeps_what_the_work_left_in_it() {
        type Halves = (unsafe fn(), unsafe fn(&mut [u8; SPACE]), usize);
        let (fill, read, all): Halves = if std::is_x86_feature_detected!("avx512f") {
            (fill_all, read_all, 32 + 7)
        } else if std::is_x86_feature_detected!("avx") {
            (fill_lower, read_lower, 16)
        } else {
            return; // nothing is cleared here
        };
        let mut space = [0; SPACE];
        // SAFETY: here and below, the processor has what the functions are compiled for.
        unsafe {
            fill();
            read(&mut space);
        }
        assert_eq!(found(&space), all, "this test would see what is left");
        space = [0; SPACE];
        // SAFETY: as above.
        leaving_no_trace::<SHALLOW, _>(|| unsafe { fill() });
        // SAFETY: as above.
        unsafe { read(&mut space) };
        assert_eq!(found(&space), 0);
    }
}
