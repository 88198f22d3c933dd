//! Starts every timer as fast as it may, and all of them anew in every event.
#![no_std]
#![no_main]

use portcullis_sdk::abi::{TIMER_MIN_MS, TIMERS};
use portcullis_sdk::{Client, client, sys};

struct TimerStorm;

fn storm() {
    for number in 0..TIMERS + 8 {
        // Too fast, too many, then as fast as there is.
        for time in [0, 1, TIMER_MIN_MS] {
            let _ = sys::set_timer(number, time, time);
        }
    }
}

impl Client for TimerStorm {
    fn initialize() -> Self {
        storm();
        Self
    }

    fn timer(&mut self, _: u32, _: u32) -> u32 {
        storm();
        0
    }
}

client!(TimerStorm);
