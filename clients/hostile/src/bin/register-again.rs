//! Registers its handler a second time.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, client, trap};

struct RegisterAgain;

impl Client for RegisterAgain {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, id: u32, params: &[u32]) -> u32 {
        if id == portcullis_sdk::abi::event::TERMINATE {
            return 0;
        }
        let _ = params;
        trap::<0x001, 1>([__portcullis_event as *const () as u32]).0
    }
}

client!(RegisterAgain);
