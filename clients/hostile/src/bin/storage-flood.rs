//! Fills its storage with new records in every event, and counts as high as it can.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, client, sys};

struct StorageFlood {
    next: u32,
}

impl Client for StorageFlood {
    fn initialize() -> Self {
        Self { next: 0 }
    }

    fn entitlement(&mut self, _: u32) -> u32 {
        for _ in 0..200 {
            self.next += 1;
            let _ = sys::nv_write(&self.next.to_le_bytes(), &[0xFF; 1024]);
            let _ = sys::nv_monotonic_inc(self.next);
        }
        0
    }
}

client!(StorageFlood);
