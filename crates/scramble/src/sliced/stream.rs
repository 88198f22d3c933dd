//! The stream cipher of CSA2 on bit planes.
//!
//! Trust domain: headend and chip. The shift registers stand in memory and grow downwards, so that
//! a clock writes one nibble of each and moves nothing; after eleven octets the last ten nibbles
//! are copied back up. The S-boxes of a clock are computed when their outputs are needed, one clock
//! later, from the nibbles of then.

use super::{BLOCK, GROUPS, Register, Scratch, Window, block};

const CLOCKS: usize = 4;
/// Octets between two copies: the 176 of a whole payload are 16 times as many.
const OCTETS_PER_RUN: usize = 11;
const RUN: usize = OCTETS_PER_RUN * CLOCKS;
/// Nibbles of a shift register.
const NIBBLES: usize = 10;

type ShiftRegister<V> = [[V; 4]; RUN + NIBBLES];

/// The shift registers of one scratch.
pub(super) struct Registers<V> {
    a: ShiftRegister<V>,
    b: ShiftRegister<V>,
}

impl<V: Register> Registers<V> {
    pub(super) fn new() -> Self {
        Self { a: [[V::ZERO; 4]; RUN + NIBBLES], b: [[V::ZERO; 4]; RUN + NIBBLES] }
    }

    #[inline(always)]
    pub(super) fn wipe(&mut self) {
        self.a = [[V::ZERO; 4]; RUN + NIBBLES];
        self.b = [[V::ZERO; 4]; RUN + NIBBLES];
    }
}

/// What is carried from clock to clock beside the shift registers.
struct Carried<V> {
    d: [V; 4],
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
    let mut carried = Carried { d: zero, e: zero, f: zero, carry: V::ZERO };
    for (index, planes) in scratch.planes.iter().take(BLOCK).enumerate() {
        let bits = transpose_bits(*planes);
        let [low @ .., _, _, _, _] = bits;
        let [_, _, _, _, high @ ..] = bits;
        for clock in 0..CLOCKS {
            let (to_a, to_b) = if clock % 2 == 0 { (high, low) } else { (low, high) };
            let to_a = xor_nibbles(to_a, carried.d);
            at -= 1;
            let Some((a, b)) = windows(a, b, at) else { return };
            if index == 0 && clock == 0 {
                clock_with::<V, true>(a, b, &mut carried, to_a, to_b);
            } else {
                clock_with::<V, false>(a, b, &mut carried, to_a, to_b);
            }
            carried.d = combined(b, &carried.d);
        }
        if at < CLOCKS {
            at = copy_up(a, b, at);
        }
    }
    for planes in scratch.planes.iter_mut().take(octets).skip(BLOCK) {
        if at < CLOCKS {
            at = copy_up(a, b, at);
        }
        let mut bits = [V::ZERO; 8];
        for pair in bits.as_chunks_mut::<2>().0.iter_mut().rev() {
            at -= 1;
            let Some((a, b)) = windows(a, b, at) else { return };
            clock_with::<V, false>(a, b, &mut carried, zero, zero);
            *pair = folded(b, &carried.d);
            V::pin();
        }
        for (plane, stream) in planes.iter_mut().zip(transpose_bits(bits)) {
            *plane = plane.xor(stream);
        }
    }
}

/// The nibbles of the control words become A1..A8 and B1..B8; the others are zero.
#[inline(always)]
fn load_control_words<V: Register>(
    keys: &[[V; GROUPS]],
    a: &mut ShiftRegister<V>,
    b: &mut ShiftRegister<V>,
) {
    let six = V::splat(6);
    for (index, planes) in block::control_words(keys).iter().enumerate() {
        let mut octets = *planes;
        for octet in &mut octets {
            *octet = octet.xor(six);
        }
        let bits = transpose_bits(octets);
        let [low @ .., _, _, _, _] = bits;
        let [_, _, _, _, high @ ..] = bits;
        let register = if index < 4 { &mut *a } else { &mut *b };
        let nibbles = register.iter_mut().skip(RUN + index % 4 * 2);
        nibbles.zip([high, low]).for_each(|(nibble, bits)| *nibble = bits);
    }
    for register in [a, b] {
        register.iter_mut().skip(RUN + 8).for_each(|nibble| *nibble = [V::ZERO; 4]);
    }
}

/// The nibbles from `at` on: the one that the next clock writes, then the ten of the register.
#[inline(always)]
fn windows<'a, V>(
    a: &'a mut ShiftRegister<V>,
    b: &'a mut ShiftRegister<V>,
    at: usize,
) -> Option<(&'a mut Window<V>, &'a mut Window<V>)> {
    Some((a.get_mut(at..)?.first_chunk_mut()?, b.get_mut(at..)?.first_chunk_mut()?))
}

#[inline(always)]
fn copy_up<V>(a: &mut ShiftRegister<V>, b: &mut ShiftRegister<V>, at: usize) -> usize
where
    V: Copy,
{
    for register in [a, b] {
        register.copy_within(at..at + NIBBLES, RUN);
    }
    RUN
}

/// One clock. Afterwards `d` holds E ^ Z, to which [`combined`] or [`folded`] adds the taps on B.
#[inline(always)]
fn clock_with<V: Register, const FIRST: bool>(
    a: &mut Window<V>,
    b: &mut Window<V>,
    carried: &mut Carried<V>,
    to_a: [V; 4],
    to_b: [V; 4],
) {
    let zero = [V::ZERO; 4];
    let Carried { d, e, f, carry } = carried;
    if FIRST {
        // All that the S-boxes gave before the first clock is zero, and so are E, F and carry.
        a[0] = xor_nibbles(a[10], to_a);
        b[0] = xor3_nibbles(b[7], b[10], to_b);
        *d = zero;
        return;
    }
    let sub = V::stream_sboxes(a);
    a[0] = xor3_nibbles(a[10], sub.x, to_a);
    let new = xor3_nibbles(xor3_nibbles(b[7], b[10], sub.y), to_b, zero);
    let [n0, n1, n2, n3] = new;
    let p = sub.p;
    b[0] = [p.choose(n3, n0), p.choose(n0, n1), p.choose(n1, n2), p.choose(n2, n3)];

    let mut sum = zero;
    let mut over = *carry;
    for bit in 0..4 {
        let (e, z) = (e[bit], sub.z[bit]);
        d[bit] = e.xor(z);
        sum[bit] = e.xor3(z, over);
        over = e.majority(z, over);
    }
    for bit in 0..4 {
        let before = f[bit];
        f[bit] = sub.q.choose(sum[bit], e[bit]);
        e[bit] = before;
    }
    *carry = sub.q.choose(over, *carry);
}

/// D: `partial` with the combiner's taps on B as it was before the clock.
#[inline(always)]
fn combined<V: Register>(b: &Window<V>, partial: &[V; 4]) -> [V; 4] {
    [
        partial[0].xor3(b[9][2], b[6][3]).xor3(b[3][1], b[8][0]),
        partial[1].xor3(b[5][3], b[8][2]).xor3(b[4][0], b[5][1]),
        partial[2].xor3(b[6][0], b[8][1]).xor3(b[3][3], b[4][2]),
        partial[3].xor3(b[3][0], b[6][1]).xor3(b[7][2], b[9][3]),
    ]
}

/// The two bits of key stream of a clock, the lower first: D0 ^ D1 and D2 ^ D3.
#[inline(always)]
fn folded<V: Register>(b: &Window<V>, partial: &[V; 4]) -> [V; 2] {
    let low = partial[0].xor3(partial[1], b[9][2]).xor3(b[6][3], b[3][1]);
    let high = partial[2].xor3(partial[3], b[6][0]).xor3(b[8][1], b[3][3]);
    [
        low.xor3(b[8][0], b[5][3]).xor3(b[8][2], b[4][0]).xor(b[5][1]),
        high.xor3(b[4][2], b[3][0]).xor3(b[6][1], b[7][2]).xor(b[9][3]),
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
