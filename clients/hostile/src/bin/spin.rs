//! Loops for ever.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, client};

struct Spin;

impl Client for Spin {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, id: u32, params: &[u32]) -> u32 {
        if id == portcullis_sdk::abi::event::TERMINATE {
            return 0;
        }
        let _ = params;
        loop {
            core::hint::spin_loop();
        }
    }
}

client!(Spin);
