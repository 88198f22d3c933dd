//! Requests that no terminal would make.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_chipset::ChipError;
use portcullis_chipset::wire::{
    BootOperation, Operation, PlatformReport, Reply, Request, decode, encode,
};
use proptest::prelude::*;
use support::TestBox;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    // attack-test: T-06
    #[test]
    fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(request) = decode::<Request>(&octets) {
            prop_assert!(encode(&request).is_ok());
        }
    }
}

#[test]
fn random_requests_get_an_answer_and_no_key() {
    let test_box = TestBox::burn(1);
    let mut chip = test_box.chip();
    let mut random = support::random();
    let mut octets = [0; 96];
    let mut understood = 0;
    for round in 0..20_000usize {
        random(&mut octets);
        octets[0] = 1;
        octets[1] %= 16;
        let length = 2 + (round % 90);
        let Ok((request, _)) = postcard_prefix(&octets[..length]) else { continue };
        understood += 1;
        let reply = chip.handle(request);
        assert!(encode(&reply).unwrap().len() < 64 * 1024);
    }
    assert!(understood > 100, "{understood} requests were understood");
}

/// Random requests are rarely exactly as long as their datagram; take what decodes.
fn postcard_prefix(octets: &[u8]) -> Result<(Request, usize), ()> {
    (0..octets.len())
        .rev()
        .find_map(|length| Some((decode::<Request>(octets.get(..length)?).ok()?, length)))
        .ok_or(())
}

// attack-test: T-37
#[test]
fn boot_operations_are_refused_while_the_platform_runs() {
    let test_box = TestBox::burn(2);
    let mut chip = test_box.chip();
    let report = PlatformReport {
        links: Vec::new(),
        good: true,
        trust_anchor: vec![1],
        floors: Default::default(),
    };
    for operation in [BootOperation::Keys, BootOperation::Report(report)] {
        let reply = chip.handle(Request::Boot(operation));
        assert_eq!(reply, Reply::Boot(Err(ChipError::BootPhaseOver)));
    }
    let reply = chip.handle(Request::One(Operation::TrustAnchor));
    assert_eq!(reply, Reply::One(Ok(portcullis_chipset::wire::Outcome::TrustAnchor(Vec::new()))));
}

#[test]
fn a_deep_nest_of_octets_is_not_a_request() {
    for octet in 0..=255u8 {
        assert!(decode::<Request>(&vec![octet; 64 * 1024]).is_err());
    }
    assert!(matches!(decode::<Request>(&vec![0; 64 * 1024 + 1]), Err(ChipError::TooLong { .. })));
}
