//! Makes a call that no policy of a CA client permits: TLS is for the network only.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, client, trap};

struct Forbidden;

impl Client for Forbidden {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, id: u32, params: &[u32]) -> u32 {
        if id == portcullis_sdk::abi::event::TERMINATE {
            return 0;
        }
        let _ = params;
        trap::<0x071, 0>([]).0
    }
}

client!(Forbidden);
