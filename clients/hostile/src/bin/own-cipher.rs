//! A client with a scrambling algorithm of its own, as X.1198 7.1 allows: it asks the chip for
//! nothing and takes its keystream from a generator that anybody can read here. A toy.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, abi::reason, client, content};

struct OwnCipher;

impl Client for OwnCipher {
    fn initialize() -> Self {
        Self
    }

    fn descramble(&mut self, _: u32, parity: u32, _: u32) -> u32 {
        let done = content::each(|pid, payload| {
            let mut state = 0x9E37_79B9 ^ u32::from(pid) << 8 ^ parity;
            for octet in payload {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                *octet ^= state as u8;
            }
        });
        done.map_or(reason::BAD_MESSAGE, |()| reason::OK)
    }
}

client!(OwnCipher);
