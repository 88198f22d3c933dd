//! Payloads to byte planes and back, 64 lanes at a time and without a copy between.
//!
//! Trust domain: headend and chip. Turning rows of octets into planes means that each register
//! takes an octet from as many rows as it has octets. Parts of 16 octets from several rows are
//! joined in a register while they are loaded; four rounds of interleaving pairs of registers do the
//! rest. Which octet of a register a lane gets does not matter as long as it is the same in all
//! planes ([`place_of_part`]); that spares a shuffle.

use super::{GROUPS, PITCH, Payload, Register};

/// Lanes that are worked on at a time, in one group or in several.
pub(super) const LANES: usize = 64;
/// Octets of the parts that are joined, and registers that are interleaved.
pub(super) const PART: usize = 16;

/// Registers of several parts.
pub(super) trait Parts: Register {
    /// Parts of as many rows as the register has room for, from a row and an octet on.
    fn join<const N: usize>(rows: &[&[u8; N]], first: usize, at: usize) -> Self;
    /// The inverse of [`Parts::join`].
    fn part(self, rows: &mut [&mut Payload], first: usize, at: usize);
    /// In each part: the octets of the lower half in turn with those of another register.
    fn interleave_low(self, other: Self) -> Self;
    /// The same with the upper half.
    fn interleave_high(self, other: Self) -> Self;
}

/// The expression for each I, one after the other: a loop would not stay in registers.
macro_rules! sixteen {
    ($i:ident, $body:expr) => {
        sixteen!($i, $body; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    ($i:ident, $body:expr; $($n:literal)*) => {
        [$({
            const $i: usize = $n;
            $body
        }),*]
    };
}

/// Octets of 64 lanes go to the planes of the groups from `first` on; only the first so many
/// octets of the rows count.
#[inline(always)]
pub(super) fn planes_of<V: Parts, const N: usize>(
    rows: &[&[u8; N]; LANES],
    first: usize,
    planes: &mut [[V; PITCH]],
    octets: usize,
) {
    for (group, rows) in rows.chunks_exact(V::OCTETS).enumerate() {
        let group = (first + group) % GROUPS;
        for part in 0..octets.min(N).div_ceil(PART) {
            // The last part overlaps the one before.
            let at = (part * PART).min(N - PART);
            let Some(planes) = planes.get_mut(at..).and_then(|p| p.first_chunk_mut::<PART>())
            else {
                return;
            };
            let joined = sixteen!(I, V::join(rows, I * (V::OCTETS / PART), at));
            let registers = interleave(joined);
            sixteen!(I, planes[I][group] = registers[I]);
        }
    }
}

/// The inverse of [`planes_of`].
#[inline(always)]
pub(super) fn rows_of<V: Parts>(
    planes: &[[V; PITCH]],
    first: usize,
    rows: &mut [&mut Payload; LANES],
    octets: usize,
) {
    for (group, rows) in rows.chunks_exact_mut(V::OCTETS).enumerate() {
        let group = (first + group) % GROUPS;
        for part in 0..octets.min(size_of::<Payload>()).div_ceil(PART) {
            let at = (part * PART).min(size_of::<Payload>() - PART);
            let Some(planes) = planes.get(at..).and_then(|p| p.first_chunk::<PART>()) else {
                return;
            };
            let registers = interleave(sixteen!(I, planes[I][group]));
            sixteen!(I, registers[I].part(rows, I * (V::OCTETS / PART), at));
        }
    }
}

/// In each of four rounds the first bit of a register's number becomes the last of the place in a
/// part, and the first bit of that the last of the number.
#[inline(always)]
fn interleave<V: Parts>(mut r: [V; PART]) -> [V; PART] {
    for _ in 0..4 {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = r;
        let of = |x: V, y: V| (x.interleave_low(y), x.interleave_high(y));
        let (a, i) = of(a, i);
        let (b, j) = of(b, j);
        let (c, k) = of(c, k);
        let (d, l) = of(d, l);
        let (e, m) = of(e, m);
        let (f, n) = of(f, n);
        let (g, o) = of(g, o);
        let (h, p) = of(h, p);
        r = [a, i, b, j, c, k, d, l, e, m, f, n, g, o, h, p];
    }
    r
}

/// The octet of a register that a lane of its group gets.
pub(super) const fn place_of_part<V: Register>(lane: usize) -> usize {
    let parts = V::OCTETS / PART;
    lane % parts * PART + lane / parts
}

/// [`planes_of`] in plain words of eight lanes.
#[inline(always)]
pub(super) fn planes_of_words<const N: usize>(
    rows: &[&[u8; N]; LANES],
    planes: &mut [[u64; PITCH]],
) {
    for (group, rows) in rows.as_chunks::<8>().0.iter().enumerate() {
        for (block, planes) in planes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let square = rows.map(|row| {
                row.as_chunks().0.get(block).map_or(0, |octets| u64::from_le_bytes(*octets))
            });
            for (plane, octets) in planes.iter_mut().zip(transpose(square)) {
                plane[group % GROUPS] = octets;
            }
        }
    }
}

/// The inverse of [`planes_of_words`].
#[inline(always)]
pub(super) fn rows_of_words(planes: &[[u64; PITCH]], rows: &mut [&mut Payload; LANES]) {
    for (group, rows) in rows.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        for (block, planes) in planes.as_chunks::<8>().0.iter().enumerate() {
            let square = planes.map(|plane| plane[group % GROUPS]);
            for (row, octets) in rows.iter_mut().zip(transpose(square)) {
                if let Some(target) = row.as_chunks_mut().0.get_mut(block) {
                    *target = octets.to_le_bytes();
                }
            }
        }
    }
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
