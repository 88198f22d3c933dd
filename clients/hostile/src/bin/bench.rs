//! Work to measure the machine with: event Timer, parameter 0 says what, parameter 1 how often.
//! 0 arithmetic, 1 table accesses, 2 mixing, 3 a host call, 4 AES-128 of one block with tables,
//! 5 SHA-256 of one block, 6 a mix of lists, matrices and a state machine, 7 nothing.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use portcullis_sdk::{Client, client, sys};

struct Bench {
    table: Vec<u32>,
    aes: Box<[u32; 256]>,
    keys: [u32; 44],
    next: Vec<u16>,
    matrices: [[i16; 64]; 3],
}

impl Client for Bench {
    fn initialize() -> Self {
        let mut table = vec![0; 4096];
        let mut x = 1_u32;
        for word in &mut table {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *word = x;
        }
        let aes = Box::new(core::array::from_fn(encryption_table));
        let keys = key_schedule(&aes);
        let mut next: Vec<u16> = (0..256).map(|i| i + 1).collect();
        next[255] = 0;
        let mut matrices = [[0; 64]; 3];
        for (i, cell) in matrices.iter_mut().flatten().enumerate() {
            *cell = (i * 37 % 101) as i16;
        }
        Self { table, aes, keys, next, matrices }
    }

    fn event(&mut self, _: u32, params: &[u32]) -> u32 {
        let (what, rounds) = (params[0], params[1]);
        let mut x = core::hint::black_box(0x1234_5678_u32);
        match what {
            4 => {
                let mut state = [x, 1, 2, 3];
                for _ in 0..rounds {
                    state = encrypt(&self.aes, &self.keys, state);
                }
                x = state[0];
            }
            5 => {
                let mut state = SHA_START;
                let block = [x; 16];
                for _ in 0..rounds {
                    compress(&mut state, &block);
                }
                x = state[0];
            }
            6 => {
                for i in 0..rounds {
                    x = x.wrapping_add(self.mixed_work(i));
                }
            }
            7 => {}
            _ => {
                for i in 0..rounds {
                    x = match what {
                        0 => x.wrapping_mul(0x9E37_79B9).wrapping_add(i) ^ (x >> 15),
                        1 => {
                            let at = (x >> 7) as usize % self.table.len();
                            let word = self.table[at];
                            self.table[at] = word.rotate_left(3);
                            word ^ x.rotate_left(5)
                        }
                        2 => {
                            let s = x.rotate_right(6) ^ x.rotate_right(11) ^ x.rotate_right(25);
                            s.wrapping_add(i ^ x)
                        }
                        _ => x ^ sys::stack_size(),
                    };
                }
            }
        }
        core::hint::black_box(x)
    }
}

impl Bench {
    /// Finds in a list and turns it round, multiplies matrices, reads numbers, sums it all up.
    fn mixed_work(&mut self, seed: u32) -> u32 {
        let mut sum = 0_u32;
        // A list that is linked by indices: search, then reversal.
        let (mut at, mut before) = (usize::from(self.next[0]), 0_u16);
        while at != 0 {
            let here = at as u16;
            sum = sum.wrapping_add(u32::from(here) ^ seed);
            at = usize::from(core::mem::replace(&mut self.next[at], before));
            before = here;
        }
        self.next[0] = before;
        // An 8 x 8 product.
        let [a, b, c] = &mut self.matrices;
        for row in 0..8 {
            for column in 0..8 {
                let cell = (0..8).map(|k| i32::from(a[row * 8 + k]) * i32::from(b[k * 8 + column]));
                c[row * 8 + column] = cell.sum::<i32>() as i16;
            }
        }
        sum = sum.wrapping_add(c[(seed & 63) as usize] as u32);
        // A machine that tells numbers from words.
        let text = b"5012, 1.75, -17, T0.3e-1F, 2.7182818, ;;, 99e9, -.5, 0x3, ab, 12e, 4.4.4 ";
        let (mut state, mut counts) = (0_u8, [0_u32; 8]);
        for &octet in text {
            state = match (state, octet) {
                (_, b',' | b' ') => 0,
                (0, b'0'..=b'9') => 1,
                (0, b'+' | b'-') => 2,
                (0 | 1 | 2, b'.') => 3,
                (1 | 2, b'0'..=b'9') => 1,
                (1 | 3, b'e' | b'E') => 4,
                (3, b'0'..=b'9') => 3,
                (4, b'+' | b'-') => 5,
                (4 | 5 | 6, b'0'..=b'9') => 6,
                _ => 7,
            };
            counts[usize::from(state & 7)] += 1;
            sum = crc(sum, octet);
        }
        counts.iter().fold(sum, |sum, n| sum.rotate_left(3) ^ n)
    }
}

fn crc(mut crc: u32, octet: u8) -> u32 {
    let mut octet = u32::from(octet);
    for _ in 0..8 {
        let carry = (octet ^ crc) & 1;
        octet >>= 1;
        crc >>= 1;
        if carry != 0 {
            crc ^= 0xA001;
        }
    }
    crc
}

fn sbox(value: u8) -> u8 {
    // The inverse in the field of AES is the 254th power.
    let mut inverse = 1;
    for bit in (0..8).rev() {
        inverse = multiply(inverse, inverse);
        if 254 >> bit & 1 == 1 {
            inverse = multiply(inverse, value);
        }
    }
    let i = inverse;
    i ^ i.rotate_left(1) ^ i.rotate_left(2) ^ i.rotate_left(3) ^ i.rotate_left(4) ^ 0x63
}

fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 == 1 {
            product ^= a;
        }
        a = (a << 1) ^ if a & 0x80 != 0 { 0x1B } else { 0 };
        b >>= 1;
    }
    product
}

fn encryption_table(index: usize) -> u32 {
    let s = sbox(index as u8);
    u32::from_be_bytes([multiply(s, 2), s, s, multiply(s, 3)])
}

fn key_schedule(table: &[u32; 256]) -> [u32; 44] {
    let mut keys = [0x0001_0203_u32; 44];
    for i in 4..44 {
        let turned = keys[i - 1].rotate_left(8 * u32::from(i % 4 == 0));
        keys[i] = keys[i - 4] ^ (table[(turned & 0xFF) as usize] >> 8 & 0xFF) ^ turned;
    }
    keys
}

fn encrypt(table: &[u32; 256], keys: &[u32; 44], block: [u32; 4]) -> [u32; 4] {
    let mut s = block;
    for round in keys.chunks_exact(4) {
        let t = |i: usize| {
            table[(s[i] >> 24) as usize]
                ^ table[(s[(i + 1) % 4] >> 16 & 0xFF) as usize].rotate_right(8)
                ^ table[(s[(i + 2) % 4] >> 8 & 0xFF) as usize].rotate_right(16)
                ^ table[(s[(i + 3) % 4] & 0xFF) as usize].rotate_right(24)
                ^ round[i]
        };
        s = [t(0), t(1), t(2), t(3)];
    }
    s
}

const SHA_START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// SHA-256 of one block; the round constants are made up, their values change no speed.
fn compress(state: &mut [u32; 8], block: &[u32; 16]) {
    let mut w = *block;
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for i in 0..64_usize {
        if i >= 16 {
            let (x, y) = (w[(i + 1) & 15], w[(i + 14) & 15]);
            let s0 = x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3);
            let s1 = y.rotate_right(17) ^ y.rotate_right(19) ^ (y >> 10);
            w[i & 15] = w[i & 15].wrapping_add(s0).wrapping_add(w[(i + 9) & 15]).wrapping_add(s1);
        }
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let t1 = h
            .wrapping_add(s1)
            .wrapping_add(g ^ (e & (f ^ g)))
            .wrapping_add(0x428a_2f98 ^ i as u32)
            .wrapping_add(w[i & 15]);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let t2 = s0.wrapping_add((a & b) | (c & (a | b)));
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
    }
    for (sum, value) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *sum = sum.wrapping_add(value);
    }
}

client!(Bench);
