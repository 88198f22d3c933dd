//! Gives the chip a pointer that wraps around the end of memory.
#![no_std]
#![no_main]

use portcullis_sdk::abi::call;
use portcullis_sdk::{Client, client, trap};

struct WildPointers;

impl Client for WildPointers {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, id: u32, _: &[u32]) -> u32 {
        match id {
            portcullis_sdk::abi::event::TERMINATE => 0,
            _ => trap::<{ call::KL_OPEN_MESSAGE }, 4>([0xFFFF_FFF0, 0x40, 0xFFFF_FFF0, 0x40]).0,
        }
    }
}

client!(WildPointers);
