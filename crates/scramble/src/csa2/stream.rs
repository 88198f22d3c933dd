//! The stream cipher of CSA2: two shift registers A and B of ten nibbles, seven S-boxes on A, and
//! a combiner with carry; two bits of key stream per clock.
//!
//! A register is held as a number of 40 bits with its youngest nibble (A1, B1) lowest.

use zeroize::Zeroize;

const REGISTER: u64 = (1 << 40) - 1;
/// Clocks per octet.
const CLOCKS: usize = 4;

/// The registers as a control word fills them.
pub(super) struct StreamStart {
    a: u64,
    b: u64,
}

impl StreamStart {
    pub(super) fn new(control_word: &[u8; 8]) -> Self {
        // The first nibble of each half goes to A1 / B1, and so on to A8 / B8; the rest is zero.
        let fill = |octets: &[u8]| {
            octets.iter().rev().fold(0, |register, octet| {
                register << 8 | u64::from(octet & 0x0F) << 4 | u64::from(octet >> 4)
            })
        };
        let (first, second) = control_word.split_at(4);
        Self { a: fill(first), b: fill(second) }
    }

    /// A generator that has taken in the first scrambled block.
    pub(super) fn with_first_block(&self, block: &[u8; 8]) -> Generator {
        let mut generator = Generator::default();
        (generator.a, generator.b) = (self.a, self.b);
        for octet in block {
            let (high, low) = (u64::from(octet >> 4), u64::from(octet & 0x0F));
            for clock in 0..CLOCKS {
                let (to_a, to_b) = if clock % 2 == 0 { (high, low) } else { (low, high) };
                let feedback = generator.d;
                generator.clock(to_a ^ feedback, to_b);
            }
        }
        generator
    }
}

impl Drop for StreamStart {
    fn drop(&mut self) {
        self.a.zeroize();
        self.b.zeroize();
    }
}

/// A running key stream.
#[derive(Default)]
pub(super) struct Generator {
    a: u64,
    b: u64,
    /// S-box outputs of the clock before: nibbles X, Y, Z and bits p, q.
    x: u64,
    y: u64,
    z: u64,
    p: bool,
    q: bool,
    d: u64,
    e: u64,
    f: u64,
    carry: u64,
}

impl Generator {
    pub(super) fn next_octet(&mut self) -> u8 {
        let mut octet = 0;
        for _ in 0..CLOCKS {
            self.clock(0, 0);
            let folded = self.d ^ self.d >> 1;
            octet = octet << 2 | (folded >> 1 & 2 | folded & 1) as u8;
        }
        octet
    }

    /// One clock; `to_a` and `to_b` are mixed into the feedback while the block is taken in.
    fn clock(&mut self, to_a: u64, to_b: u64) {
        let outputs = substitute(self.a);
        let combined = combine_b(self.b);

        let new_a = (self.a >> 36) ^ self.x ^ to_a;
        let mut new_b = (self.b >> 24 & 0x0F) ^ (self.b >> 36) ^ self.y ^ to_b;
        if self.p {
            new_b = (new_b << 1 | new_b >> 3) & 0x0F;
        }
        self.a = (self.a << 4 | new_a) & REGISTER;
        self.b = (self.b << 4 | new_b) & REGISTER;

        self.d = self.e ^ self.z ^ combined;
        let sum = self.z + self.e + self.carry;
        let next_e = self.f;
        if self.q {
            self.f = sum & 0x0F;
            self.carry = sum >> 4;
        } else {
            self.f = self.e;
        }
        self.e = next_e;

        self.x = outputs >> 8 & 0x0F;
        self.y = outputs >> 4 & 0x0F;
        self.z = outputs & 0x0F;
        self.p = outputs & 0x2000 != 0;
        self.q = outputs & 0x1000 != 0;
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.a.zeroize();
        self.b.zeroize();
    }
}

/// All seven S-boxes on register A: bit 13 p, bit 12 q, then the nibbles X, Y, Z.
fn substitute(a: u64) -> u64 {
    let inputs = GATHER_0[(a & 0xFFF) as usize]
        | GATHER_1[(a >> 12 & 0xFFF) as usize]
        | GATHER_2[(a >> 24 & 0xFFF) as usize];
    u64::from(
        PAIR_12[(inputs & 0x3FF) as usize]
            | PAIR_34[(inputs >> 10 & 0x3FF) as usize]
            | PAIR_56[(inputs >> 20 & 0x3FF) as usize]
            | SINGLE_7[(inputs >> 30) as usize],
    )
}

/// The four XORs of four bits of B that go into D.
fn combine_b(b: u64) -> u64 {
    u64::from(COMBINE_LOW[(b >> 8 & 0x3FFF) as usize] ^ COMBINE_HIGH[(b >> 22 & 0x3FFF) as usize])
}

/// (nibble of A counted from 1, bit) of the five inputs of each S-box, most significant first.
pub(crate) const INPUTS: [[(u8, u8); 5]; 7] = [
    [(4, 0), (1, 2), (6, 1), (7, 3), (9, 0)],
    [(2, 1), (3, 2), (6, 3), (7, 0), (9, 1)],
    [(1, 3), (2, 0), (5, 1), (5, 3), (6, 2)],
    [(3, 3), (1, 1), (2, 3), (4, 2), (8, 0)],
    [(5, 2), (4, 3), (6, 0), (8, 1), (9, 2)],
    [(3, 1), (4, 1), (5, 0), (7, 2), (9, 3)],
    [(2, 2), (3, 0), (7, 1), (8, 2), (8, 3)],
];

/// The S-boxes: five bits to two.
pub(crate) const SBOXES: [[u8; 32]; 7] = [
    [
        2, 0, 1, 1, 2, 3, 3, 0, 3, 2, 2, 0, 1, 1, 0, 3, 0, 3, 3, 0, 2, 2, 1, 1, 2, 2, 0, 3, 1, 1,
        3, 0,
    ],
    [
        3, 1, 0, 2, 2, 3, 3, 0, 1, 3, 2, 1, 0, 0, 1, 2, 3, 1, 0, 3, 3, 2, 0, 2, 0, 0, 1, 2, 2, 1,
        3, 1,
    ],
    [
        2, 0, 1, 2, 2, 3, 3, 1, 1, 1, 0, 3, 3, 0, 2, 0, 1, 3, 0, 1, 3, 0, 2, 2, 2, 0, 1, 2, 0, 3,
        3, 1,
    ],
    [
        3, 1, 2, 3, 0, 2, 1, 2, 1, 2, 0, 1, 3, 0, 0, 3, 1, 0, 3, 1, 2, 3, 0, 3, 0, 3, 2, 0, 1, 2,
        2, 1,
    ],
    [
        2, 0, 0, 1, 3, 2, 3, 2, 0, 1, 3, 3, 1, 0, 2, 1, 2, 3, 2, 0, 0, 3, 1, 1, 1, 0, 3, 2, 3, 1,
        0, 2,
    ],
    [
        0, 1, 2, 3, 1, 2, 2, 0, 0, 1, 3, 0, 2, 3, 1, 3, 2, 3, 0, 2, 3, 0, 1, 1, 2, 1, 1, 2, 0, 3,
        3, 0,
    ],
    [
        0, 3, 2, 2, 3, 0, 0, 1, 3, 0, 1, 3, 1, 2, 2, 1, 1, 0, 3, 3, 0, 1, 1, 2, 2, 3, 1, 0, 2, 3,
        0, 2,
    ],
];

/// Where the low and high output bit of each S-box go: X at 8, Y at 4, Z at 0, p at 13, q at 12.
const OUTPUTS: [(u8, u8); 7] = [
    // s1: bit 1 -> X0, bit 0 -> Z2;  s2: bit 1 -> X1, bit 0 -> Z3
    (2, 8),
    (3, 9),
    // s3: bit 0 -> X2, bit 1 -> Y0;  s4: bit 0 -> X3, bit 1 -> Y1
    (10, 4),
    (11, 5),
    // s5: bit 0 -> Y2, bit 1 -> Z0;  s6: bit 0 -> Y3, bit 1 -> Z1
    (6, 0),
    (7, 1),
    // s7: bit 0 -> q, bit 1 -> p
    (12, 13),
];

/// (nibble of B counted from 1, bit) of the four bits that make each bit of the combiner's input.
const COMBINE: [[(u8, u8); 4]; 4] = [
    [(9, 2), (6, 3), (3, 1), (8, 0)],
    [(5, 3), (8, 2), (4, 0), (5, 1)],
    [(6, 0), (8, 1), (3, 3), (4, 2)],
    [(3, 0), (6, 1), (7, 2), (9, 3)],
];

static GATHER_0: [u64; 4096] = gather(0);
static GATHER_1: [u64; 4096] = gather(12);
static GATHER_2: [u64; 4096] = gather(24);

/// For 12 bits of A from bit `first` on: the bits of the 35-bit vector of S-box inputs they are.
const fn gather(first: u32) -> [u64; 4096] {
    let mut table = [0; 4096];
    let mut sbox = 0;
    while sbox < 7 {
        let mut input = 0;
        while input < 5 {
            let (nibble, bit) = INPUTS[sbox][input];
            let place = (nibble as u32 - 1) * 4 + bit as u32;
            if place >= first && place < first + 12 {
                let to = sbox * 5 + (4 - input);
                let mut value = 0;
                while value < 4096 {
                    table[value] |= (value as u64 >> (place - first) & 1) << to;
                    value += 1;
                }
            }
            input += 1;
        }
        sbox += 1;
    }
    table
}

static PAIR_12: [u16; 1024] = pair(0);
static PAIR_34: [u16; 1024] = pair(2);
static PAIR_56: [u16; 1024] = pair(4);
static SINGLE_7: [u16; 32] = single(6);

const fn single(sbox: usize) -> [u16; 32] {
    let mut table = [0; 32];
    let (low, high) = OUTPUTS[sbox];
    let mut input = 0;
    while input < 32 {
        let output = SBOXES[sbox][input] as u16;
        table[input] = (output & 1) << low | (output >> 1) << high;
        input += 1;
    }
    table
}

/// Two S-boxes at once.
const fn pair(sbox: usize) -> [u16; 1024] {
    let (lower, upper) = (single(sbox), single(sbox + 1));
    let mut table = [0; 1024];
    let mut input = 0;
    while input < 1024 {
        table[input] = lower[input & 31] | upper[input >> 5];
        input += 1;
    }
    table
}

static COMBINE_LOW: [u8; 1 << 14] = combine(8);
static COMBINE_HIGH: [u8; 1 << 14] = combine(22);

/// For 14 bits of B from bit `first` on: what they add to the combiner's input.
const fn combine(first: u32) -> [u8; 1 << 14] {
    let mut table = [0; 1 << 14];
    let mut out = 0;
    while out < 4 {
        let mut term = 0;
        while term < 4 {
            let (nibble, bit) = COMBINE[out][term];
            let place = (nibble as u32 - 1) * 4 + bit as u32;
            if place >= first && place < first + 14 {
                let mut value = 0;
                while value < 1 << 14 {
                    table[value] ^= ((value >> (place - first) & 1) << out) as u8;
                    value += 1;
                }
            }
            term += 1;
        }
        out += 1;
    }
    table
}
