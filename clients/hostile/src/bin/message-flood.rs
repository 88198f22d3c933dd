//! Sends to everybody, asks for everything and takes nothing, in every event.
#![no_std]
#![no_main]

use portcullis_sdk::abi::service;
use portcullis_sdk::{Client, client, sys, trap};

struct MessageFlood;

impl Client for MessageFlood {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, id: u32, _: &[u32]) -> u32 {
        if id == portcullis_sdk::abi::event::TERMINATE {
            return 0;
        }
        let text = [b'x'; 512];
        for channel in 1..200 {
            let _ = sys::channel_send(channel % 3, &text);
            let _ = sys::parental_check(channel % 18);
            let _ = sys::put_message(&text);
            let _ = sys::ui_message(1, "flood");
            // The answer is left where it is.
            trap::<{ portcullis_sdk::abi::call::SYNC_CALL }, 3>([service::TIME, 0, 0]);
        }
        0
    }
}

client!(MessageFlood);
