//! Every border of every kind of region.

use super::*;
use crate::abi::CALL_BYTES_MAX;

const LEN: u32 = 24;
/// First address, may it be written. The first two touch; the last ends where addresses end.
const REGIONS: [(u32, bool); 5] = [
    (0x1000, true),
    (0x1000 + LEN, true),
    (0x2000, false),
    (0x3000, true),
    (u32::MAX - LEN + 1, true),
];

/// Whether all octets of a range lie in one region, octet by octet.
fn within(address: u32, len: u32, writable: bool) -> bool {
    REGIONS.iter().filter(|(_, may)| *may || !writable).any(|(base, _)| {
        (0..u64::from(len)).all(|at| {
            let octet = u64::from(address) + at;
            (u64::from(*base)..u64::from(*base) + u64::from(LEN)).contains(&octet)
        })
    })
}

fn mapped() -> GuestMemory {
    let mut memory = GuestMemory::default();
    for (base, writable) in REGIONS {
        assert!(memory.map(base, &[7; LEN as usize], LEN, writable));
    }
    memory
}

/// Every range that begins or ends near a border of a region, and every way to touch it.
// attack-test: T-28
#[test]
fn every_range_at_every_border_is_inside_or_refused() {
    let mut memory = mapped();
    for (base, _) in REGIONS {
        for offset in 0..3 * LEN {
            let address = base.wrapping_sub(LEN).wrapping_add(offset);
            for len in (1..2 * LEN + 2).chain([CALL_BYTES_MAX, CALL_BYTES_MAX + 1, u32::MAX]) {
                let (reads, writes) = (within(address, len, false), within(address, len, true));
                let what = (address, len);
                assert_eq!(GuestSlice::readable(&memory, address, len).is_ok(), reads, "{what:x?}");
                assert_eq!(
                    GuestSlice::writable(&memory, address, len).is_ok(),
                    writes,
                    "{what:x?}"
                );
                assert_eq!(memory.read(address, len).is_ok(), reads, "{what:x?}");
                assert_eq!(memory.writable(address, len).is_some(), writes, "{what:x?}");
                if len.is_multiple_of(4) && len < 64 {
                    let words = memory.stack_words(address, len as usize / 4);
                    assert_eq!(words.is_some(), writes, "{what:x?}");
                }
            }
            macro_rules! of_width {
                ($($width:literal)*) => {$(
                    let loaded = memory.load::<$width>(address);
                    assert_eq!(loaded.is_ok(), within(address, $width, false), "{address:x}");
                    let stored = memory.store(address, [7; $width]);
                    assert_eq!(stored.is_ok(), within(address, $width, true), "{address:x}");
                )*};
            }
            of_width!(1 2 4);
        }
    }
}

#[test]
fn regions_that_overlap_or_wrap_are_refused() {
    let mut memory = mapped();
    for (base, _) in REGIONS {
        assert!(!memory.map(base, &[], LEN, true));
        assert!(!memory.map(base.wrapping_sub(1), &[], 2, true));
    }
    assert!(!memory.map(0x4000, &[0; 8], 4, true), "more content than length");
    assert!(!memory.map(0xFFFF_F000, &[], 0x2000, true), "wraps");
    assert!(memory.map(0x4000, &[1], 4, true));
}
