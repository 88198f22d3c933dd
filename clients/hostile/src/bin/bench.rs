//! Work to measure the machine with: event Timer, parameter 0 says what, parameter 1 how often.
//! 0 a loop of arithmetic, 1 a table cipher's access pattern, 2 SHA-256-like mixing, 3 a host call.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;

use portcullis_sdk::{Client, client, sys};

struct Bench {
    table: Vec<u32>,
}

impl Client for Bench {
    fn initialize() -> Self {
        let mut table = vec![0; 4096];
        let mut x = 1_u32;
        for word in &mut table {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *word = x;
        }
        Self { table }
    }

    fn event(&mut self, _: u32, params: &[u32]) -> u32 {
        let (what, rounds) = (params[0], params[1]);
        let mut x = core::hint::black_box(0x1234_5678_u32);
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
        core::hint::black_box(x)
    }
}

client!(Bench);
