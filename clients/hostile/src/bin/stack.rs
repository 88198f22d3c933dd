//! Recurses until the stack is gone.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, client};

struct Stack;

impl Client for Stack {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, id: u32, params: &[u32]) -> u32 {
        if id == portcullis_sdk::abi::event::TERMINATE {
            return 0;
        }
        #[inline(never)]
        #[allow(unconditional_recursion)]
        fn deeper(n: u32) -> u32 {
            let frame = core::hint::black_box([n; 64]);
            deeper(n + 1).wrapping_add(frame[(n % 64) as usize])
        }
        deeper(params.len() as u32)
    }
}

client!(Stack);
