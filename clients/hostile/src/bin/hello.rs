//! Says hello and ends with code 0.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, client, sys};

struct Hello;

impl Client for Hello {
    fn initialize() -> Self {
        let _ = sys::put_message(b"hello from the guest");
        sys::exit(0)
    }
}

client!(Hello);
