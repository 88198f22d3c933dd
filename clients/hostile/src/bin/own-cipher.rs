//! A client with a scrambling algorithm of its own, as X.1198 7.1 allows: it asks the chip for
//! nothing and takes its keystream from a generator that anybody can read here. A toy.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, abi, client, sys};

struct OwnCipher;

impl Client for OwnCipher {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, id: u32, params: &[u32]) -> u32 {
        if id != abi::event::DESCRAMBLE {
            return abi::reason::OK;
        }
        let &[_, parity, ..] = params else { return abi::reason::BAD_MESSAGE };
        let Ok(mut content) = sys::get_token(abi::token::CONTENT) else {
            return abi::reason::BAD_MESSAGE;
        };
        let mut rest = content.as_mut_slice();
        while rest.len() >= abi::CONTENT_HEAD as usize {
            let (head, body) = rest.split_at_mut(abi::CONTENT_HEAD as usize);
            let pid = u32::from(u16::from_le_bytes([head[0], head[1]]));
            let len = usize::from(u16::from_le_bytes([head[2], head[3]]));
            let Some((payload, after)) = body.split_at_mut_checked(len) else { break };
            let mut state = 0x9E37_79B9 ^ pid << 8 ^ parity;
            for octet in payload {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                *octet ^= state as u8;
            }
            rest = after;
        }
        match sys::put_content(&content) {
            Ok(()) => abi::reason::OK,
            Err(_) => abi::reason::BAD_MESSAGE,
        }
    }
}

client!(OwnCipher);
