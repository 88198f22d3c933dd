//! The C library functions of the `CLib` call, for guests in languages without a library.
//!
//! Clause: J.1013 (SYS_CLIB, by role). The machine answers them itself: they touch the client's
//! own memory and nothing else, and they are charged by their length like any other call.

use crate::abi::{clib, status};
use crate::memory::{GuestMemory, GuestSlice};
use crate::syscall::{HostFault, Reply};

/// Answers `CLib(function, a, b, len)`.
// defends: T-28
pub(crate) fn answer(args: &[u32], memory: &mut GuestMemory) -> Result<Reply, HostFault> {
    let &[function, a, b, len] = args else { return Err(HostFault::NoSuchCall) };
    match function {
        clib::MEMMOVE => {
            let octets = memory.read(b, len)?;
            memory.write(a, &octets)?;
            Ok(Reply::ok(a))
        }
        clib::MEMSET => {
            let place = GuestSlice::writable(memory, a, len)?;
            let octets = alloc::vec![b as u8; place.len() as usize];
            memory.write(place.address(), &octets)?;
            Ok(Reply::ok(a))
        }
        clib::MEMCMP => {
            let order = memory.read(a, len)?.cmp(&memory.read(b, len)?);
            Ok(Reply::ok(order as i32 as u32))
        }
        clib::STRNLEN => {
            let text = memory.read(a, len)?;
            let end = text.iter().position(|octet| *octet == 0).unwrap_or(text.len());
            Ok(Reply::ok(end as u32))
        }
        _ => Ok(Reply::error(status::BAD_ARGUMENT)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::abi::RAM_BASE as RAM;

    fn memory() -> GuestMemory {
        let mut memory = GuestMemory::default();
        assert!(memory.map(0x2000_0000, &[], 64, true));
        assert!(memory.map(RAM, b"abcdef\0h", 64, true));
        memory
    }

    #[test]
    fn they_do_what_the_c_library_does() {
        let mut memory = memory();
        let mut call = |args: [u32; 4]| answer(&args, &mut memory).map(|reply| reply.result as i32);
        assert_eq!(call([clib::STRNLEN, RAM, 0, 64]), Ok(6));
        assert_eq!(call([clib::STRNLEN, RAM, 0, 3]), Ok(3));
        // Overlapping, upwards.
        assert_eq!(call([clib::MEMMOVE, RAM + 2, RAM, 4]), Ok(RAM as i32 + 2));
        assert_eq!(call([clib::MEMCMP, RAM, RAM + 2, 2]), Ok(0));
        assert_eq!(call([clib::MEMCMP, RAM, RAM + 2, 4]), Ok(-1));
        assert_eq!(call([clib::MEMCMP, RAM + 2, RAM, 4]), Ok(1));
        assert_eq!(call([clib::MEMSET, RAM, 0x1_0041, 8]), Ok(RAM as i32));
        assert_eq!(memory.read(RAM, 9).unwrap(), b"AAAAAAAA\0");
    }

    // attack-test: T-28
    #[test]
    fn a_range_that_is_not_the_clients_is_a_violation() {
        for args in [
            [clib::MEMMOVE, 0, RAM, 4],
            [clib::MEMMOVE, RAM, RAM + 61, 4],
            [clib::MEMSET, RAM + 61, 0, 4],
            [clib::MEMSET, RAM, 0, u32::MAX],
            [clib::MEMCMP, RAM, u32::MAX, 4],
            [clib::STRNLEN, RAM, 0, 65],
        ] {
            let answer = answer(&args, &mut memory());
            assert!(matches!(answer, Err(HostFault::Memory(_))), "{args:x?} {answer:?}");
        }
        let reply = answer(&[9, 0, 0, 0], &mut memory()).unwrap();
        assert_eq!(reply.status, status::BAD_ARGUMENT);
    }
}
