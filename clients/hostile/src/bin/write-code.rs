//! Writes to its own code.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, client};

struct WriteCode;

impl Client for WriteCode {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, id: u32, params: &[u32]) -> u32 {
        if id == portcullis_sdk::abi::event::TERMINATE {
            return 0;
        }
        let _ = params;
        let target = client_text() as *mut u32;
        // Safety: none; the machine has to stop this.
        unsafe { target.write_volatile(0x0000_0073) };
        0
    }
}

client!(WriteCode);

fn client_text() -> usize {
    __portcullis_event as *const () as usize
}
