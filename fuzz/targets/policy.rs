//! The policy of a client: any text at all. What is accepted must be within the machine's bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_package::parse_policy;
use portcullis_svm::{Event, Limits};

fuzz_target!(|data: &[u8]| {
    let Ok(policy) = parse_policy(data) else { return };
    assert!(policy.lifetime.not_before <= policy.lifetime.not_after);
    let table = policy.permit_table();
    for permits in &policy.events {
        for call in &permits.calls {
            assert!(table.permits(permits.event, call.id));
        }
    }
    for event in Event::ALL {
        if !policy.events.iter().any(|permits| permits.event == event) {
            assert!((0..0x800).all(|id| !table.permits(event, id)), "default is to deny");
        }
    }
    let capped = policy.limits.capped_by(&Limits::terminal_maximum());
    assert!(capped.ram_bytes <= Limits::terminal_maximum().ram_bytes);
});
