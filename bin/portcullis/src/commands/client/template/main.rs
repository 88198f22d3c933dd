//! A client that reads a toy ECM: table_id, two octets of length, the parity, and 16 octets that
//! are masked with 0x5A. A real ECM is sealed for the chip; see KlOpenMessage in the manual.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;

use portcullis_sdk::abi::{reason, status, token};
use portcullis_sdk::{Client, client, sys};

const MASK: u8 = 0x5A;

struct Decoder {
    service_id: u32,
}

impl Client for Decoder {
    fn initialize() -> Self {
        Self { service_id: 0 }
    }

    fn select_content(&mut self, _session: u32, service_id: u32) -> u32 {
        self.service_id = service_id;
        reason::OK
    }

    fn change_key(&mut self, session: u32, _token_len: u32) -> u32 {
        let Ok(section) = sys::get_token(token::ECM) else { return reason::BAD_MESSAGE };
        let [0x80 | 0x81, _, _, parity, masked @ ..] = &section[..] else {
            return reason::BAD_MESSAGE;
        };
        let Ok(masked) = <[u8; 16]>::try_from(masked) else { return reason::BAD_MESSAGE };
        let word = masked.map(|octet| octet ^ MASK);
        // The harness has no chip: there the control word is only told.
        match sys::kl_load_cw(session, u32::from(*parity), &word, &[]) {
            Ok(()) => {}
            Err(error) if error.0 == status::UNSUPPORTED => {}
            Err(_) => return reason::NO_KEY,
        }
        let line = format!("service {}, parity {parity}, word {word:02x?}", self.service_id);
        match sys::put_message(line.as_bytes()) {
            Ok(()) => reason::OK,
            Err(_) => reason::BAD_MESSAGE,
        }
    }
}

client!(Decoder);
