//! Work to measure the machine with: event Timer, parameter 0 says what, parameter 1 how often.
//! 0 arithmetic, 1 table accesses, 2 mixing, 3 a host call, 4 AES-128 of one block with tables,
//! 5 SHA-256 of one block, 6 a mix of lists, matrices and a state machine, 7 nothing, 8 what
//! `benches/guests/sha256.c` does: real SHA-256, to the same sum.
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
            8 => return sha256_sum(rounds),
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

/// 16 KiB in each round, changed by what came before; all digests go into one sum.
fn sha256_sum(rounds: u32) -> u32 {
    let (mut sum, mut x) = (0_u32, 1_u32);
    let mut data = vec![[0_u32; 16]; 256];
    for word in data.iter_mut().flatten() {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *word = x;
    }
    let mut end = [0; 16];
    (end[0], end[15]) = (0x8000_0000, 16_384 * 8);
    for _ in 0..rounds {
        let mut state = SHA_START;
        for block in data.iter().chain([&end]) {
            compress_really(&mut state, block);
        }
        sum = state.iter().fold(sum, |sum, word| sum.rotate_right(27) ^ word);
        data[0][0] ^= sum;
    }
    sum
}

#[rustfmt::skip]
const SHA_K: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1,
    0x923f_82a4, 0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3,
    0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786,
    0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147,
    0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13,
    0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
    0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a,
    0x5b9c_ca4f, 0x682e_6ff3, 0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208,
    0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// SHA-256 of one block as FIPS 180-4 has it, with the schedule made first.
fn compress_really(state: &mut [u32; 8], block: &[u32; 16]) {
    let mut w = [0; 64];
    w[..16].copy_from_slice(block);
    for i in 16..64 {
        let (x, y) = (w[i - 15], w[i - 2]);
        let s0 = x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3);
        let s1 = y.rotate_right(17) ^ y.rotate_right(19) ^ (y >> 10);
        w[i] = w[i - 16].wrapping_add(w[i - 7]).wrapping_add(s0).wrapping_add(s1);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (k, w) in SHA_K.iter().zip(&w) {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = g ^ (e & (f ^ g));
        let t1 = h.wrapping_add(s1).wrapping_add(choice).wrapping_add(*k).wrapping_add(*w);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let t2 = s0.wrapping_add((a & b) | (c & (a | b)));
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
    }
    for (sum, value) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *sum = sum.wrapping_add(value);
    }
}

client!(Bench);
