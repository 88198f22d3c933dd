//! The stream cipher of CSA2 on bit planes.
//!
//! Trust domain: headend and chip. The shift registers stand in memory and grow downwards, so that
//! a clock writes one nibble of each and moves nothing; after eleven octets the last ten nibbles
//! are copied back up. The S-boxes of a clock are computed when their outputs are needed, one clock
//! later, from the nibbles of then.

use alloc::vec;
use alloc::vec::Vec;

use super::{BLOCK, GROUPS, PITCH, Register, Scratch, Window, block};

const CLOCKS: usize = 4;
/// Octets between two copies: the 176 of a whole payload are 16 times as many.
const OCTETS_PER_RUN: usize = 11;
const RUN: usize = OCTETS_PER_RUN * CLOCKS;
/// Nibbles of a shift register.
const NIBBLES: usize = 10;

/// [`RUN`] and [`NIBBLES`] of them.
type ShiftRegister<V> = Vec<[V; 4]>;

/// What the clocks of one octet read and write.
type Span<V> = [[V; 4]; CLOCKS + NIBBLES];

/// The shift registers of one scratch.
pub(super) struct Registers<V> {
    a: ShiftRegister<V>,
    b: ShiftRegister<V>,
}

impl<V: Register> Registers<V> {
    pub(super) fn new() -> Self {
        let zero = || vec![[V::ZERO; 4]; RUN + NIBBLES];
        Self { a: zero(), b: zero() }
    }

    #[inline(always)]
    pub(super) fn wipe(&mut self) {
        self.a.fill([V::ZERO; 4]);
        self.b.fill([V::ZERO; 4]);
    }
}

/// What is carried from clock to clock beside the shift registers.
struct Carried<V> {
    e: [V; 4],
    f: [V; 4],
    carry: V,
}

/// XORs the key stream, which starts from the first scrambled block, over all behind it.
#[inline(always)]
pub(super) fn apply<V: Register>(scratch: &mut Scratch<V>, octets: usize) {
    if octets <= BLOCK {
        return;
    }
    let Registers { a, b } = &mut scratch.registers;
    let mut at = RUN;
    load_control_words(&scratch.keys, a, b);
    let zero = [V::ZERO; 4];
    let mut carried = Carried { e: zero, f: zero, carry: V::ZERO };
    let mut d = zero;
    for (index, planes) in scratch.planes.iter().take(BLOCK).enumerate() {
        let bits = transpose_bits(groups_of(planes));
        let [low @ .., _, _, _, _] = bits;
        let [_, _, _, _, high @ ..] = bits;
        for clock in 0..CLOCKS {
            let (to_a, to_b) = if clock % 2 == 0 { (high, low) } else { (low, high) };
            let taken_in = Some([xor_nibbles(to_a, d), to_b]);
            at -= 1;
            let Some((a, b)) = windows(a, b, at) else { return };
            let e = carried.e;
            let z = if index == 0 && clock == 0 {
                clock_with::<V, true>(a, b, &mut carried, taken_in)
            } else {
                clock_with::<V, false>(a, b, &mut carried, taken_in)
            };
            d = combined(b, &e, &z);
        }
        if at < CLOCKS {
            at = copy_up(a, b, at);
        }
    }
    for planes in scratch.planes.iter_mut().take(octets).skip(BLOCK) {
        if at < CLOCKS {
            at = copy_up(a, b, at);
        }
        at -= CLOCKS;
        let Some(a) = a.get_mut(at..).and_then(|a| a.first_chunk_mut()) else { return };
        let Some(b) = b.get_mut(at..).and_then(|b| b.first_chunk_mut()) else { return };
        let mut bits = [V::ZERO; 8];
        // One after the other with its number known: all places in memory are then constants.
        two_bits::<V, 0>(a, b, &mut carried, &mut bits);
        two_bits::<V, 1>(a, b, &mut carried, &mut bits);
        two_bits::<V, 2>(a, b, &mut carried, &mut bits);
        two_bits::<V, 3>(a, b, &mut carried, &mut bits);
        for (plane, stream) in planes.iter_mut().zip(transpose_bits(bits)) {
            *plane = plane.xor(stream);
        }
    }
}

/// The nibbles of the control words become A1..A8 and B1..B8; the others are zero.
#[inline(always)]
fn load_control_words<V: Register>(keys: &[[V; PITCH]], a: &mut [[V; 4]], b: &mut [[V; 4]]) {
    let six = V::splat(6);
    // They lie meanwhile where the first clocks of A will write.
    let Some((space, a)) = a.split_at_mut_checked(RUN) else { return };
    let space = space.as_flattened_mut().as_chunks_mut().0.first_chunk_mut();
    let Some((octets, b)) = space.zip(b.get_mut(RUN..)) else { return };
    block::control_words(keys, octets);
    for (index, planes) in octets.iter_mut().enumerate() {
        let bits = transpose_bits(groups_of(planes).map(|octet| octet.xor(six)));
        let [low @ .., _, _, _, _] = bits;
        let [_, _, _, _, high @ ..] = bits;
        let nibbles = if index < 4 { &mut *a } else { &mut *b }.iter_mut().skip(index % 4 * 2);
        nibbles.zip([high, low]).for_each(|(nibble, bits)| *nibble = bits);
    }
    for register in [a, b] {
        register.iter_mut().skip(8).for_each(|nibble| *nibble = [V::ZERO; 4]);
    }
}

/// The nibbles from `at` on: the one that the next clock writes, then the ten of the register.
#[inline(always)]
fn windows<'a, V>(
    a: &'a mut [[V; 4]],
    b: &'a mut [[V; 4]],
    at: usize,
) -> Option<(&'a mut Window<V>, &'a mut Window<V>)> {
    Some((a.get_mut(at..)?.first_chunk_mut()?, b.get_mut(at..)?.first_chunk_mut()?))
}

#[inline(always)]
fn copy_up<V>(a: &mut [[V; 4]], b: &mut [[V; 4]], at: usize) -> usize
where
    V: Copy,
{
    for register in [a, b] {
        register.copy_within(at..at + NIBBLES, RUN);
    }
    RUN
}

/// One clock of an octet of key stream; the first gives the highest bits.
#[inline(always)]
fn two_bits<V: Register, const CLOCK: usize>(
    a: &mut Span<V>,
    b: &mut Span<V>,
    carried: &mut Carried<V>,
    bits: &mut [V; 8],
) {
    let Some((a, b)) = windows(a, b, CLOCKS - 1 - CLOCK) else { return };
    let e = carried.e;
    let z = clock_with::<V, false>(a, b, carried, None);
    [bits[6 - 2 * CLOCK], bits[7 - 2 * CLOCK]] = folded(b, &e, &z);
    V::pin();
}

/// One clock; what it mixes into the feedback, if a block is being taken in, and whether it is the
/// very first. Gives Z, which with E as it was before goes into the output.
#[inline(always)]
fn clock_with<V: Register, const FIRST: bool>(
    a: &mut Window<V>,
    b: &mut Window<V>,
    carried: &mut Carried<V>,
    taken_in: Option<[[V; 4]; 2]>,
) -> [V; 4] {
    let into = |nibble: [V; 4], which: usize| {
        taken_in.map_or(nibble, |taken_in| xor_nibbles(nibble, taken_in[which % 2]))
    };
    if FIRST {
        // All that the S-boxes gave before the first clock is zero, and so are E, F and carry.
        a[0] = into(a[10], 0);
        b[0] = into(xor_nibbles(b[7], b[10]), 1);
        return [V::ZERO; 4];
    }
    let Carried { e, f, carry } = carried;
    let sub = V::stream_sboxes(a);
    a[0] = into(xor_nibbles(a[10], sub.x), 0);
    let [n0, n1, n2, n3] = into(xor3_nibbles(b[7], b[10], sub.y), 1);
    let p = sub.p;
    b[0] = [p.choose(n3, n0), p.choose(n0, n1), p.choose(n1, n2), p.choose(n2, n3)];

    let mut over = *carry;
    for bit in 0..4 {
        let (was, z) = (e[bit], sub.z[bit]);
        e[bit] = f[bit];
        f[bit] = sub.q.and_xor(z.xor(over), was);
        over = was.majority(z, over);
    }
    *carry = sub.q.choose(over, *carry);
    sub.z
}

/// D: E and Z with the combiner's taps on B, all as they were before the clock.
#[inline(always)]
fn combined<V: Register>(b: &Window<V>, e: &[V; 4], z: &[V; 4]) -> [V; 4] {
    let partial = xor_nibbles(*e, *z);
    [
        partial[0].xor3(b[9][2], b[6][3]).xor3(b[3][1], b[8][0]),
        partial[1].xor3(b[5][3], b[8][2]).xor3(b[4][0], b[5][1]),
        partial[2].xor3(b[6][0], b[8][1]).xor3(b[3][3], b[4][2]),
        partial[3].xor3(b[3][0], b[6][1]).xor3(b[7][2], b[9][3]),
    ]
}

/// The two bits of key stream of a clock, the lower first: D0 ^ D1 and D2 ^ D3.
#[inline(always)]
fn folded<V: Register>(b: &Window<V>, e: &[V; 4], z: &[V; 4]) -> [V; 2] {
    let low = e[0].xor3(e[1], b[9][2]).xor3(b[6][3], b[3][1]).xor3(b[8][0], b[5][3]);
    let high = e[2].xor3(e[3], b[6][0]).xor3(b[8][1], b[3][3]).xor3(b[4][2], b[3][0]);
    [
        low.xor3(b[8][2], b[4][0]).xor3(b[5][1], z[0]).xor(z[1]),
        high.xor3(b[6][1], b[7][2]).xor3(b[9][3], z[2]).xor(z[3]),
    ]
}

#[inline(always)]
fn xor_nibbles<V: Register>(a: [V; 4], b: [V; 4]) -> [V; 4] {
    [a[0].xor(b[0]), a[1].xor(b[1]), a[2].xor(b[2]), a[3].xor(b[3])]
}

#[inline(always)]
fn xor3_nibbles<V: Register>(a: [V; 4], b: [V; 4], c: [V; 4]) -> [V; 4] {
    [a[0].xor3(b[0], c[0]), a[1].xor3(b[1], c[1]), a[2].xor3(b[2], c[2]), a[3].xor3(b[3], c[3])]
}

#[inline(always)]
const fn groups_of<V: Register>(plane: &[V; PITCH]) -> [V; GROUPS] {
    let [groups @ .., _] = *plane;
    groups
}

/// Between octets and bits: bit i of octet n in register k goes to bit k of octet n in register i.
/// Lane n of group g is bit g of octet n of a bit plane, so nothing else has to move.
#[inline(always)]
fn transpose_bits<V: Register>(mut r: [V; 8]) -> [V; 8] {
    let mask = V::splat(0x0F);
    for (low, high) in [(0, 4), (1, 5), (2, 6), (3, 7)] {
        (r[low], r[high]) = (
            mask.choose(r[low], r[high].shift_left::<4>()),
            mask.choose(r[low].shift_right::<4>(), r[high]),
        );
    }
    let mask = V::splat(0x33);
    for (low, high) in [(0, 2), (1, 3), (4, 6), (5, 7)] {
        (r[low], r[high]) = (
            mask.choose(r[low], r[high].shift_left::<2>()),
            mask.choose(r[low].shift_right::<2>(), r[high]),
        );
    }
    let mask = V::splat(0x55);
    for (low, high) in [(0, 1), (2, 3), (4, 5), (6, 7)] {
        (r[low], r[high]) = (
            mask.choose(r[low], r[high].shift_left::<1>()),
            mask.choose(r[low].shift_right::<1>(), r[high]),
        );
    }
    r
}
