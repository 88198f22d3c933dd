//! Instructions from anywhere: scanned, and run by every engine, which must agree in outcome,
//! count, calls and what they saw.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::{Witness, everything, image, small};
use portcullis_svm::{Client, Engine, Event, State};

fuzz_target!(|data: &[u8]| {
    let run = |engine| {
        let mut client = Client::load(&image(data), everything(), small()).ok()?;
        client.set_engine(engine);
        let mut host = Witness::default();
        let mut outcomes = Vec::new();
        for event in [Event::Initialize, Event::ChangeKey, Event::Timer] {
            if client.state() != State::End {
                outcomes.push(client.raise(event, &[1, 2, 3], &mut host));
            }
        }
        assert!(client.retired_instructions() <= 3 * small().budget);
        Some((outcomes, client.retired_instructions(), client.charged_instructions(), host.seen))
    };
    assert_eq!(run(Engine::MatchLoop), run(Engine::Threaded));
});
