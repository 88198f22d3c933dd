//! CSA2 on many packets at once, each with a key of its own.
//!
//! Trust domains: headend and chip. A register holds one octet of each of as many lanes as it has
//! octets (byte planes, for the block cipher), or one bit of eight times as many lanes (bit planes,
//! for the stream cipher); eight groups of byte planes are as many lanes as one bit plane. The
//! algorithm is written once over [`Register`]; what a processor does better is told by its
//! implementation, and those files alone hold `unsafe`.
//!
//! What must never happen: that a path gives other octets than the portable scalar code, or that a
//! key stays in the scratch memory behind the last batch of a run.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
mod gates;
mod look_ups;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;
mod pack;
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
mod stream;
mod taps;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::csa2::{Csa2, MERGED};

/// Lanes of the widest path: a batch of so many is full on any.
pub(crate) const LANES_MAX: usize = 512;
/// Octets of the longest payload.
const PAYLOAD_MAX: usize = 184;
type Payload = [u8; PAYLOAD_MAX];
const BLOCK: usize = 8;
/// Blocks of the longest payload.
const BLOCKS_WHOLE: u8 = (PAYLOAD_MAX / BLOCK) as u8;
/// Words of the widest register.
const WORDS_MAX: usize = 8;
/// Groups of byte planes that have as many lanes as one bit plane.
const GROUPS: usize = 8;
/// Registers from one plane of octets to the next: one more than there are groups, so that the
/// planes of a group do not all fall into the same few sets of the cache.
const PITCH: usize = GROUPS + 1;
/// Rounds of the block cipher.
const ROUNDS: usize = 56;
/// Planes of the keys; see [`MergedKeys`](crate::csa2::MergedKeys).
const KEY_PLANES: usize = MERGED;
/// Below this many packets the scalar code is not slower than a batch that is mostly empty.
const LANES_MIN_SHARE: usize = 32;

/// One packet's payload with its key.
pub(crate) struct Lane<'a> {
    pub(crate) key: &'a Csa2,
    pub(crate) payload: &'a mut [u8],
}

/// What to do with the lanes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Scramble,
    Descramble,
}

/// Lanes that a path may have; see [`limit_lanes`].
static LANES_LIMIT: AtomicUsize = AtomicUsize::new(LANES_MAX);

/// Uses no kernel with more lanes in this process from now on: 512 is all of them, 256 those that a
/// processor with AVX2 and the AES instructions has, 128 those of WebAssembly and NEON, 64 those of any
/// processor. All give the same octets; this is for measuring and testing the narrow ones on a
/// processor that has the wide ones. The kernels of samples are chosen when their key is expanded.
pub fn limit_lanes(lanes: usize) {
    LANES_LIMIT.store(lanes, Ordering::Relaxed);
}

/// What [`limit_lanes`] was told.
pub(crate) fn lanes_limit() -> usize {
    LANES_LIMIT.load(Ordering::Relaxed)
}

/// A way to compute; all give the same octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Path {
    /// 512 lanes; needs VBMI and GFNI.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 256 lanes.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 128 lanes on 64-bit ARM.
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    Neon,
    /// 128 lanes in WebAssembly; a module built for it runs nowhere else.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
    /// 64 lanes in plain words.
    Portable,
}

impl Path {
    /// The ways of this processor, the fastest first.
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let special = [(Self::Avx512, avx512::detected()), (Self::Avx2, avx2::detected())];
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        let special = [(Self::Neon, true)];
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        let special = [(Self::Simd128, true)];
        #[cfg(not(any(
            target_arch = "x86_64",
            all(target_arch = "aarch64", target_endian = "little"),
            all(target_arch = "wasm32", target_feature = "simd128")
        )))]
        let special: [(Self, bool); 0] = [];
        special
            .into_iter()
            .chain([(Self::Portable, true)])
            .filter(|(_, has)| *has)
            .map(|(path, _)| path)
    }

    const fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => 512,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => 256,
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Self::Neon => 128,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => 128,
            Self::Portable => 64,
        }
    }

    /// Works on any number of lanes.
    pub(crate) fn run(self, lanes: &mut [Lane<'_>], direction: Direction) {
        for lanes in lanes.chunks_mut(self.lanes()) {
            match self {
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => avx512::run(lanes, direction),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => avx2::run(lanes, direction),
                #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
                Self::Neon => neon::run(lanes, direction),
                #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
                Self::Simd128 => simd128::run(lanes, direction),
                Self::Portable => portable::run(lanes, direction),
            }
        }
    }
}

/// Works on all lanes in the fastest way that this processor has.
pub(crate) fn run(lanes: &mut [Lane<'_>], direction: Direction) {
    let limit = lanes_limit();
    let narrow = |path: &Path| path.lanes() <= limit;
    let Some(best) = Path::available().find(narrow) else { return };
    let full = lanes.len() / best.lanes() * best.lanes();
    let (whole, rest) = lanes.split_at_mut(full);
    best.run(whole, direction);
    // A batch costs the same however few lanes are in use.
    if rest.len() * LANES_MIN_SHARE >= best.lanes() {
        best.run(rest, direction);
        return;
    }
    for lane in rest {
        match direction {
            Direction::Scramble => lane.key.scramble(lane.payload),
            Direction::Descramble => lane.key.descramble(lane.payload),
        }
    }
}

/// Wipes what [`run`] left of keys in the memory of this thread.
pub(crate) fn wipe() {
    #[cfg(target_arch = "x86_64")]
    {
        avx512::wipe();
        avx2::wipe();
    }
}

/// The last eleven nibbles of a shift register, the youngest first.
type Window<V> = [[V; 4]; 11];

/// Outputs of the S-boxes.
struct Substituted<V> {
    x: [V; 4],
    y: [V; 4],
    z: [V; 4],
    p: V,
    q: V,
}

/// A vector register, as bits and as octets.
trait Register: Copy {
    const ZERO: Self;
    /// Octets, which is lanes of one group.
    const OCTETS: usize = size_of::<Self>();

    fn xor(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn and_not(self, other: Self) -> Self;
    /// Each octet shifted; what crosses the border of an octet may be anything.
    fn shift_left<const BITS: u32>(self) -> Self;
    /// See [`Register::shift_left`].
    fn shift_right<const BITS: u32>(self) -> Self;
    fn splat(octet: u8) -> Self;
    /// All ones in every octet that is greater.
    fn greater_than(self, octet: u8) -> Self;
    fn set_word(&mut self, index: usize, word: u64);
    /// The S-box of the block cipher on every octet.
    fn block_sbox(self) -> Self;
    /// The bit permutation of the block cipher on every octet.
    fn block_permutation(self) -> Self;
    /// The S-boxes of the stream cipher.
    fn stream_sboxes(a: &Window<Self>) -> Substituted<Self>;

    #[inline(always)]
    fn not(self) -> Self {
        Self::splat(0xFF).xor(self)
    }
    /// Any function of three bits: bit 4a + 2b + c of the table.
    #[inline(always)]
    fn lut<const TABLE: i32>(a: Self, b: Self, c: Self) -> Self {
        let mut out = Self::ZERO;
        for input in 0..8 {
            if TABLE >> input & 1 == 1 {
                let a = if input & 4 == 0 { a.not() } else { a };
                let b = if input & 2 == 0 { b.not() } else { b };
                let c = if input & 1 == 0 { c.not() } else { c };
                out = out.or(a.and(b).and(c));
            }
        }
        out
    }
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }
    /// `then` where this bit is set.
    #[inline(always)]
    fn choose(self, then: Self, otherwise: Self) -> Self {
        otherwise.xor(self.and(then.xor(otherwise)))
    }
    /// `then` XORed where this bit is set.
    #[inline(always)]
    fn and_xor(self, then: Self, to: Self) -> Self {
        to.xor(self.and(then))
    }
    /// The sum of b and c is one that an adder needs anyway.
    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        b.xor(self.xor(b).and(b.xor(c)))
    }
    /// Keeps the compiler from carrying memory in registers over this point: stores are dear, but
    /// spills are dearer.
    #[inline(always)]
    fn pin() {}
    #[inline(always)]
    fn scramble_blocks(scratch: &mut Scratch<Self>, lengths: &Lengths) {
        block::scramble::<Self, 1>(scratch, lengths);
    }
    #[inline(always)]
    fn descramble_blocks(scratch: &mut Scratch<Self>, lengths: &Lengths) {
        block::descramble::<Self, 1>(scratch, lengths);
    }
    #[inline(always)]
    fn apply_stream(scratch: &mut Scratch<Self>, octets: usize) {
        stream::apply(scratch, octets);
    }
    /// Turns rows into byte planes; see `pack`.
    fn planes_of<const N: usize>(
        rows: &[&[u8; N]; pack::LANES],
        first: usize,
        planes: &mut [[Self; PITCH]],
        octets: usize,
    );
    /// The inverse of [`Register::planes_of`].
    fn rows_of(
        planes: &[[Self; PITCH]],
        first: usize,
        rows: &mut [&mut Payload; pack::LANES],
        octets: usize,
    );
    /// The octet that a lane of a group has in a register.
    fn place(lane: usize) -> usize;
}

/// Memory of one thread for one width.
struct Scratch<V> {
    /// Payloads that are not whole, and room for the lanes that are not in use.
    rows: Vec<Payload>,
    planes: Vec<[V; PITCH]>,
    keys: Vec<[V; PITCH]>,
    /// Whether there may be something of keys in here.
    keyed: bool,
    /// Whole blocks of each lane.
    blocks: [V; GROUPS],
    registers: stream::Registers<V>,
}

impl<V: Register> Scratch<V> {
    fn new() -> Self {
        Self {
            rows: alloc::vec![[0; PAYLOAD_MAX]; GROUPS * V::OCTETS],
            planes: alloc::vec![[V::ZERO; PITCH]; PAYLOAD_MAX],
            keys: alloc::vec![[V::ZERO; PITCH]; KEY_PLANES],
            keyed: false,
            blocks: [V::ZERO; GROUPS],
            registers: stream::Registers::new(),
        }
    }

    /// Works on up to as many lanes as the width has.
    #[inline(always)]
    fn run(&mut self, lanes: &mut [Lane<'_>], direction: Direction) {
        self.keyed = true;
        self.load_keys(lanes);
        let lengths = self.load_payloads(lanes);
        match direction {
            Direction::Scramble => {
                V::scramble_blocks(self, &lengths);
                V::apply_stream(self, lengths.octets);
            }
            Direction::Descramble => {
                V::apply_stream(self, lengths.octets);
                V::descramble_blocks(self, &lengths);
            }
        }
        self.store_payloads(lanes, &lengths);
    }

    #[inline(always)]
    fn load_keys(&mut self, lanes: &[Lane<'_>]) {
        let Some(first) = lanes.first() else { return };
        if lanes.iter().all(|lane| core::ptr::eq(lane.key, first.key)) {
            for (plane, key) in self.keys.iter_mut().zip(first.key.merged_keys().octets()) {
                *plane = [V::splat(*key); PITCH];
            }
            return;
        }
        for (chunk, lanes) in lanes.chunks(pack::LANES).enumerate() {
            let mut lanes = lanes.iter();
            let keys = core::array::from_fn(|_| {
                lanes.next().map_or(&[0; MERGED], |lane| lane.key.merged_keys().octets())
            });
            V::planes_of(&keys, chunk * pack::LANES / V::OCTETS, &mut self.keys, MERGED);
        }
    }

    #[inline(always)]
    fn load_payloads(&mut self, lanes: &[Lane<'_>]) -> Lengths {
        let groups = lanes.len().div_ceil(V::OCTETS).min(GROUPS);
        let mut lengths = Lengths { octets: 0, blocks_min: PAYLOAD_MAX / BLOCK, groups };
        for (row, lane) in self.rows.iter_mut().zip(lanes) {
            let length = lane.payload.len();
            lengths.octets = lengths.octets.max(length);
            if length < PAYLOAD_MAX {
                lengths.blocks_min = lengths.blocks_min.min(length / BLOCK);
                *row = [0; PAYLOAD_MAX];
                row.iter_mut().zip(&*lane.payload).for_each(|(octet, of)| *octet = *of);
            }
        }
        if lengths.blocks_min < PAYLOAD_MAX / BLOCK {
            // Lanes that are not in use count as whole: nobody reads them. Few lanes are short, and
            // what is written in parts to a register is slow to read as a whole.
            let mut words = [[u64::from_le_bytes([BLOCKS_WHOLE; 8]); WORDS_MAX]; GROUPS];
            for (index, lane) in lanes.iter().enumerate() {
                if lane.payload.len() >= PAYLOAD_MAX {
                    continue;
                }
                let (group, place) = (index / V::OCTETS, V::place(index % V::OCTETS));
                let word = words.get_mut(group).and_then(|group| group.get_mut(place / 8));
                if let Some(word) = word {
                    let shift = place % 8 * 8;
                    let blocks = (lane.payload.len() / BLOCK) as u64;
                    *word = *word & !(0xFF << shift) | blocks << shift;
                }
            }
            for (group, words) in self.blocks.iter_mut().zip(&words) {
                for (index, word) in words.iter().take(V::OCTETS / 8).enumerate() {
                    group.set_word(index, *word);
                }
            }
        }
        let rows = self.rows.as_chunks::<{ pack::LANES }>().0.iter();
        for (chunk, (rows, lanes)) in rows.zip(lanes.chunks(pack::LANES)).enumerate() {
            let mut lanes = lanes.iter();
            let sources = rows.each_ref().map(|row| {
                lanes.next().and_then(|lane| (&*lane.payload).try_into().ok()).unwrap_or(row)
            });
            let first = chunk * pack::LANES / V::OCTETS;
            V::planes_of(&sources, first, &mut self.planes, lengths.octets);
        }
        lengths
    }

    #[inline(always)]
    fn store_payloads(&mut self, lanes: &mut [Lane<'_>], lengths: &Lengths) {
        let rows = self.rows.as_chunks_mut::<{ pack::LANES }>().0.iter_mut();
        for (chunk, (rows, lanes)) in rows.zip(lanes.chunks_mut(pack::LANES)).enumerate() {
            let mut lanes = lanes.iter_mut();
            let mut targets = rows.each_mut().map(|row| {
                lanes.next().and_then(|lane| (&mut *lane.payload).try_into().ok()).unwrap_or(row)
            });
            let first = chunk * pack::LANES / V::OCTETS;
            V::rows_of(&self.planes, first, &mut targets, lengths.octets);
        }
        for (row, lane) in self.rows.iter().zip(lanes) {
            if (BLOCK..PAYLOAD_MAX).contains(&lane.payload.len()) {
                lane.payload.iter_mut().zip(row).for_each(|(octet, of)| *octet = *of);
            }
        }
    }

    /// Nothing derived from a key stays; see [`wipe`].
    fn wipe(&mut self) {
        if core::mem::take(&mut self.keyed) {
            self.keys.fill([V::ZERO; PITCH]);
            self.registers.wipe();
            core::hint::black_box(self);
        }
    }
}

/// What is common to the lanes of a batch.
struct Lengths {
    /// The longest payload.
    octets: usize,
    /// Whole blocks of the shortest payload.
    blocks_min: usize,
    /// Groups that have lanes in use.
    groups: usize,
}
