//! Asks the chip the same thing again and again, far beyond what its policy permits.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, client, sys};

struct CallStorm;

impl Client for CallStorm {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, id: u32, _: &[u32]) -> u32 {
        if id == portcullis_sdk::abi::event::TERMINATE {
            return 0;
        }
        loop {
            let _ = sys::kl_open_message(&[0; 64]);
        }
    }
}

client!(CallStorm);
