//! The TRAP instruction.
//!
//! Clause: X.1198 7.6. Parameters are pushed first to last, so that the first lies highest; TRAP
//! stores the PC in x31, the machine pops the parameters; x10 and x11 hold result and status.

/// Makes the system call `ID` with `N` parameters (at most 5); result and status come back.
///
/// A wrong pointer among the parameters stops the client; it cannot harm the program otherwise,
/// but the machine writes where an output pointer says: that must be memory the caller owns.
#[inline(always)]
pub fn trap<const ID: u16, const N: usize>(args: [u32; N]) -> (u32, i32) {
    const { assert!(N <= 5 && ID < 0x800) };
    let arg = |i: usize| args.get(i).copied().unwrap_or(0);
    let (result, status): (u32, i32);
    // Safety: sp is lowered by the pushes and raised again by the machine's pops; x31 is named as
    // clobbered; all memory may change.
    macro_rules! push_and_trap {
        ($($push:literal),* ; $($name:ident = $i:literal),*) => {
            unsafe {
                core::arch::asm!(
                    $($push,)*
                    ".insn i 0x0B, 0, x31, x2, {id}",
                    id = const ID,
                    $($name = in(reg) arg($i),)*
                    lateout("x10") result,
                    lateout("x11") status,
                    out("x31") _,
                )
            }
        };
    }
    match N {
        0 => push_and_trap!(;),
        1 => push_and_trap!("addi sp, sp, -4", "sw {a}, 0(sp)"; a = 0),
        2 => push_and_trap!("addi sp, sp, -8", "sw {a}, 4(sp)", "sw {b}, 0(sp)"; a = 0, b = 1),
        3 => push_and_trap!(
            "addi sp, sp, -12", "sw {a}, 8(sp)", "sw {b}, 4(sp)", "sw {c}, 0(sp)";
            a = 0, b = 1, c = 2),
        4 => push_and_trap!(
            "addi sp, sp, -16", "sw {a}, 12(sp)", "sw {b}, 8(sp)", "sw {c}, 4(sp)", "sw {d}, 0(sp)";
            a = 0, b = 1, c = 2, d = 3),
        _ => push_and_trap!(
            "addi sp, sp, -20", "sw {a}, 16(sp)", "sw {b}, 12(sp)", "sw {c}, 8(sp)",
            "sw {d}, 4(sp)", "sw {e}, 0(sp)";
            a = 0, b = 1, c = 2, d = 3, e = 4),
    }
    (result, status)
}
