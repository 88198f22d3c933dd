//! Never checks a right: loads every K1 it is sent and asks for every control word.
#![no_std]
#![no_main]

extern crate alloc;

use portcullis_messages::{CaSection, TableId, vendor_a};
use portcullis_sdk::abi::{reason, token};
use portcullis_sdk::{Client, client, sys};

struct Greedy;

impl Greedy {
    fn emm(&mut self) -> Option<()> {
        let section = sys::get_token(token::EMM).ok()?;
        let section = CaSection::parse(&section).ok()?;
        match section.table_id {
            TableId::UniqueEmm => sys::kl_set_ek2(section.payload).ok(),
            _ => sys::kl_set_ek1(section.payload).ok(),
        }
    }

    fn ecm(&mut self, session: u32) -> Option<()> {
        let section = sys::get_token(token::ECM).ok()?;
        let section = CaSection::parse(&section).ok()?;
        let body = sys::kl_open_message(section.payload).ok()?;
        let ecm = vendor_a::decode_ecm(&body).ok()?;
        sys::kl_load_cw(session, 0, &ecm.ecw_even, &ecm.usage_rights).ok()?;
        sys::kl_load_cw(session, 1, &ecm.ecw_odd, &ecm.usage_rights).ok()
    }
}

fn answer(done: Option<()>) -> u32 {
    if done.is_some() { reason::OK } else { reason::NO_KEY }
}

impl Client for Greedy {
    fn initialize() -> Self {
        let _ = sys::kl_set_vendor(0x0A01);
        Self
    }

    fn entitlement(&mut self, _: u32) -> u32 {
        answer(self.emm())
    }

    fn change_key(&mut self, session: u32, _: u32) -> u32 {
        answer(self.ecm(session))
    }
}

client!(Greedy);
