//! Puts an instruction into RAM and jumps to it.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, client};

struct JumpRam;

impl Client for JumpRam {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, id: u32, params: &[u32]) -> u32 {
        if id == portcullis_sdk::abi::event::TERMINATE {
            return 0;
        }
        let _ = params;
        // jalr x0, 0(ra)
        let code = core::hint::black_box([0x0000_8067_u32; 4]);
        // Safety: none; the machine has to stop this.
        let function: extern "C" fn() = unsafe { core::mem::transmute(code.as_ptr()) };
        function();
        0
    }
}

client!(JumpRam);
