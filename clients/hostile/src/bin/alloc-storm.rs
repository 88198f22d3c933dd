//! Allocates until nothing is left, then some more.
#![no_std]
#![no_main]

extern crate alloc;

use portcullis_sdk::{Client, client};

struct AllocStorm;

impl Client for AllocStorm {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, id: u32, params: &[u32]) -> u32 {
        if id == portcullis_sdk::abi::event::TERMINATE {
            return 0;
        }
        let _ = params;
        let mut all = alloc::vec::Vec::new();
        loop {
            all.push(alloc::vec![0_u8; 4096]);
        }
    }
}

client!(AllocStorm);
