//! Rows to byte planes and back, eight lanes by eight octets at a time.

use super::{GROUPS, Register, Row};

/// See [`Register::planes_of`].
#[inline(always)]
pub(super) fn planes_of<V: Register>(rows: &[Row], column: usize, planes: &mut [[V; GROUPS]]) {
    for (lanes, rows) in rows.as_chunks::<8>().0.iter().enumerate() {
        let (group, word) = place::<V>(lanes);
        for (block, planes) in planes.as_chunks_mut::<8>().0.iter_mut().take(8).enumerate() {
            let square = rows.each_ref().map(|row| octets(row, column * 8 + block));
            for (plane, octets) in planes.iter_mut().zip(transpose(square)) {
                if let Some(group) = plane.get_mut(group) {
                    group.set_word(word, octets);
                }
            }
        }
    }
}

/// See [`Register::rows_of`].
#[inline(always)]
pub(super) fn rows_of<V: Register>(planes: &[[V; GROUPS]], column: usize, rows: &mut [Row]) {
    for (lanes, rows) in rows.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let (group, word) = place::<V>(lanes);
        for (block, planes) in planes.as_chunks::<8>().0.iter().take(8).enumerate() {
            let square =
                planes.each_ref().map(|plane| plane.get(group).map_or(0, |group| group.word(word)));
            for (row, octets) in rows.iter_mut().zip(transpose(square)) {
                if let Some(target) = row.0.as_chunks_mut::<8>().0.get_mut(column * 8 + block) {
                    *target = octets.to_le_bytes();
                }
            }
        }
    }
}

/// Group and word of eight lanes.
#[inline(always)]
const fn place<V: Register>(lanes: usize) -> (usize, usize) {
    let words = V::OCTETS / 8;
    (lanes / words, lanes % words)
}

#[inline(always)]
fn octets(row: &Row, block: usize) -> u64 {
    row.0.as_chunks::<8>().0.get(block).map_or(0, |octets| u64::from_le_bytes(*octets))
}

/// Octet j of word i goes to octet i of word j.
#[inline(always)]
const fn transpose(mut w: [u64; 8]) -> [u64; 8] {
    let mut step = 4;
    while step > 0 {
        let mask = match step {
            4 => 0x0000_0000_FFFF_FFFF,
            2 => 0x0000_FFFF_0000_FFFF,
            _ => 0x00FF_00FF_00FF_00FF,
        };
        let mut low = 0;
        while low < 8 {
            if low & step == 0 {
                let high = low + step;
                let swapped = (w[low] >> (8 * step) ^ w[high]) & mask;
                w[low] ^= swapped << (8 * step);
                w[high] ^= swapped;
            }
            low += 1;
        }
        step /= 2;
    }
    w
}
