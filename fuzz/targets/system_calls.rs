//! System calls with any number and any arguments. Each argument is tried as a pointer, as the
//! host would: nothing outside the client's memory is read or written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::{Pointers, call_program, everything, image, small};
use portcullis_svm::{Client, Event, Outcome};

fuzz_target!(|calls: Vec<(u16, [u32; 5])>| {
    let words = call_program(&calls);
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let Ok(mut client) = Client::load(&image(&code), everything(), small()) else { return };
    let mut host = Pointers::default();
    let outcome = client.raise(Event::Initialize, &[], &mut host);
    if let Outcome::OutOfBudget { .. } = outcome {
        assert!(client.retired_instructions() + client.charged_instructions() <= small().budget);
    }
});
