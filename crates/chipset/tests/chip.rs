//! The chip behind its socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_chipset::wire::{MAX_PIDS, MAX_SESSIONS, Operation, Outcome};
use portcullis_chipset::{ChipError, ChipHandle, ChipHandleError, OtpError, SessionId};
use portcullis_keyladder::LadderAlgorithm;
use portcullis_types::{MemberIndex, Parity, Pid, ScramblingMode, VendorSysId};
use support::*;

const CISSA: ScramblingMode = ScramblingMode::Cissa;

/// A session with K2 and K1 loaded and the service's PID set.
fn entitled(chip: &mut ChipHandle, test_box: &TestBox, mode: ScramblingMode) -> SessionId {
    let session = chip.open_session(VENDOR, mode).unwrap();
    chip.set_pids(session, &[Pid::from_low_bits(PID)]).unwrap();
    chip.set_ek2(session, &test_box.unique_emm(1)).unwrap();
    chip.set_ek1(session, &group_emm(EPOCH, &[test_box.member])).unwrap();
    session
}

fn load(chip: &mut ChipHandle, session: SessionId, cp_number: u16, mode: ScramblingMode) {
    chip.load_cw(session, parity(cp_number), &ecw(cp_number, mode), RIGHTS).unwrap();
}

fn refused<T: std::fmt::Debug>(result: Result<T, ChipHandleError>) -> ChipError {
    match result {
        Err(ChipHandleError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

// spec-test: D-K4 D-K5 D-K9 E-R29
#[test]
fn from_emm_to_clear_packets_in_every_mode() {
    let test_box = TestBox::burn(9);
    let (mut chip, server) = test_box.power_on();
    assert_eq!(chip.info().unwrap().chip_id, test_box.chip_id);
    for mode in [
        CISSA,
        ScramblingMode::Csa2,
        ScramblingMode::Csa2Full,
        ScramblingMode::Idsa,
        ScramblingMode::AesCbc,
        ScramblingMode::AesCtr,
    ] {
        let session = entitled(&mut chip, &test_box, mode);
        assert_eq!(chip.open_message(session, &ecm(4)).unwrap(), b"ecm body");
        load(&mut chip, session, 4, mode);
        load(&mut chip, session, 5, mode);
        let mut packets = vec![scrambled(4, mode), scrambled(4, mode), clear(), scrambled(5, mode)];
        let mut foreign = scrambled(4, mode);
        foreign[2] = 0x99;
        packets.push(foreign);
        let counts = chip.descramble(session, &mut packets).unwrap();
        assert_eq!((counts.descrambled, counts.left_scrambled), (3, 0), "{mode}");
        assert!(packets[..4].iter().all(|packet| *packet == clear()), "{mode}");
        assert_eq!(packets[4], foreign, "packets of other PIDs stay as they are");

        chip.release(session).unwrap();
        let mut packets = [scrambled(4, mode)];
        let counts = chip.descramble(session, &mut packets).unwrap();
        assert_eq!((counts.descrambled, counts.left_scrambled), (0, 1));
        assert_eq!(packets[0], scrambled(4, mode));
        chip.close_session(session).unwrap();
    }
    drop(chip);
    server.join().unwrap();
}

#[test]
fn more_packets_than_the_packet_memory_holds() {
    let test_box = TestBox::burn(1);
    let (mut chip, _server) = test_box.power_on();
    let session = entitled(&mut chip, &test_box, CISSA);
    chip.open_message(session, &ecm(0)).unwrap();
    load(&mut chip, session, 0, CISSA);
    let mut packets = vec![scrambled(0, CISSA); portcullis_chipset::PACKET_CAPACITY + 5];
    let counts = chip.descramble(session, &mut packets).unwrap();
    assert_eq!(counts.descrambled as usize, packets.len());
    assert!(packets.iter().all(|packet| *packet == clear()));
}

// attack-test: T-01 T-02
#[test]
fn what_is_for_one_chip_is_useless_in_another() {
    let (box_a, box_b) = (TestBox::burn(1), TestBox::burn(2));
    let (mut a, _server_a) = box_a.power_on();
    let (mut b, _server_b) = box_b.power_on();
    entitled(&mut a, &box_a, CISSA);
    let session = b.open_session(VENDOR, CISSA).unwrap();
    b.set_pids(session, &[Pid::from_low_bits(PID)]).unwrap();

    assert_eq!(refused(b.set_ek2(session, &box_a.unique_emm(1))), ChipError::NotForThisChip);
    // The same with the address rewritten: not authentic any more.
    let mut readdressed = box_a.unique_emm(1);
    readdressed[4..8].copy_from_slice(&box_b.unique_emm(1)[4..8]);
    assert!(matches!(refused(b.set_ek2(session, &readdressed)), ChipError::Message(_)));
    assert_eq!(refused(b.set_ek1(session, &group_emm(EPOCH, &[]))), ChipError::NoGroupKey);
    assert!(matches!(refused(b.open_message(session, &ecm(0))), ChipError::NoProductKey { .. }));
    let ecw = ecw(0, CISSA);
    assert_eq!(refused(b.load_cw(session, Parity::Even, &ecw, RIGHTS)), ChipError::NoEcmOpened);

    let sealed = a.seal("store/client", b"index 41").unwrap();
    assert_eq!(a.unseal("store/client", &sealed).unwrap(), b"index 41");
    assert_eq!(refused(b.unseal("store/client", &sealed)), ChipError::SealRefused);
    assert_eq!(refused(a.unseal("store/other", &sealed)), ChipError::SealRefused);
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        assert_eq!(refused(a.unseal("store/client", &altered)), ChipError::SealRefused);
    }
}

// attack-test: T-01
#[test]
fn a_clear_member_bit_loads_no_key_and_takes_one_away() {
    let test_box = TestBox::burn(3);
    let (mut chip, _server) = test_box.power_on();
    let session = chip.open_session(VENDOR, CISSA).unwrap();
    chip.set_ek2(session, &test_box.unique_emm(1)).unwrap();
    let others = group_emm(EPOCH, &[MemberIndex(2), MemberIndex(4)]);
    assert_eq!(refused(chip.set_ek1(session, &others)), ChipError::NotAMember);
    assert!(matches!(refused(chip.open_message(session, &ecm(0))), ChipError::NoProductKey { .. }));
    chip.set_ek1(session, &group_emm(EPOCH, &[test_box.member])).unwrap();
    chip.open_message(session, &ecm(0)).unwrap();
    assert_eq!(refused(chip.set_ek1(session, &others)), ChipError::NotAMember);
    assert!(matches!(
        refused(chip.load_cw(session, Parity::Even, &ecw(0, CISSA), RIGHTS)),
        ChipError::NoProductKey { .. }
    ));
}

// attack-test: T-05
#[test]
fn a_control_word_serves_only_its_class_and_its_rights() {
    let test_box = TestBox::burn(4);
    let (mut chip, _server) = test_box.power_on();
    let as_csa = entitled(&mut chip, &test_box, ScramblingMode::Csa2);
    chip.open_message(as_csa, &ecm(0)).unwrap();
    // Made for AES: the zero padding of an 8-octet control word does not come out.
    let error = refused(chip.load_cw(as_csa, Parity::Even, &ecw(0, CISSA), RIGHTS));
    assert_eq!(error, ChipError::WrongControlWord);

    // Made for CSA, or for other rights: a wrong key.
    let as_cissa = entitled(&mut chip, &test_box, CISSA);
    chip.open_message(as_cissa, &ecm(0)).unwrap();
    let mut other_rights = RIGHTS.to_vec();
    other_rights[9] = 0;
    for (ecw, rights) in [(ecw(0, ScramblingMode::Csa2), RIGHTS), (ecw(0, CISSA), &*other_rights)] {
        chip.load_cw(as_cissa, Parity::Even, &ecw, rights).unwrap();
        let mut packets = [scrambled(0, CISSA)];
        chip.descramble(as_cissa, &mut packets).unwrap();
        assert_ne!(packets[0], clear());
    }
    let long = [0; 257];
    assert!(matches!(
        refused(chip.load_cw(as_cissa, Parity::Even, &ecw(0, CISSA), &long)),
        ChipError::TooLong { .. }
    ));
}

// spec-test: D-K9
#[test]
fn a_next_control_word_waits_until_its_parity_is_free() {
    let test_box = TestBox::burn(5);
    let (mut chip, _server) = test_box.power_on();
    let session = entitled(&mut chip, &test_box, CISSA);
    let ecm_of = |chip: &mut ChipHandle, cp_number: u16| {
        chip.open_message(session, &ecm(cp_number)).unwrap();
        load(chip, session, cp_number, CISSA);
        load(chip, session, cp_number + 1, CISSA);
    };
    let plays = |chip: &mut ChipHandle, cp_numbers: &[u16]| {
        let mut packets: Vec<_> = cp_numbers.iter().map(|n| scrambled(*n, CISSA)).collect();
        chip.descramble(session, &mut packets).unwrap();
        assert!(packets.iter().all(|packet| *packet == clear()), "{cp_numbers:?}");
    };
    ecm_of(&mut chip, 10);
    plays(&mut chip, &[10, 10]);
    // The ECM of period 11 comes early, with the word of 12, whose parity is in use.
    ecm_of(&mut chip, 11);
    plays(&mut chip, &[10, 10, 11]);
    ecm_of(&mut chip, 11);
    plays(&mut chip, &[11, 12]);
    for period in 12..1100 {
        ecm_of(&mut chip, period + 1);
        plays(&mut chip, &[period, period + 1]);
    }
}

#[test]
fn a_missed_period_is_caught_up_by_the_current_word() {
    let test_box = TestBox::burn(6);
    let (mut chip, _server) = test_box.power_on();
    let session = entitled(&mut chip, &test_box, CISSA);
    chip.open_message(session, &ecm(20)).unwrap();
    load(&mut chip, session, 20, CISSA);
    let mut packets = [scrambled(20, CISSA)];
    chip.descramble(session, &mut packets).unwrap();
    // The signal was lost until period 22, of the same parity; its own ECM says "current".
    chip.open_message(session, &ecm(22)).unwrap();
    load(&mut chip, session, 22, CISSA);
    let mut packets = [scrambled(22, CISSA)];
    chip.descramble(session, &mut packets).unwrap();
    assert_eq!(packets[0], clear());
}

// attack-test: T-10
#[test]
fn an_older_unique_emm_is_refused_as_replayed() {
    let test_box = TestBox::burn(7);
    let (mut chip, _server) = test_box.power_on();
    let session = chip.open_session(VENDOR, CISSA).unwrap();
    chip.set_ek2(session, &test_box.unique_emm(8)).unwrap();
    chip.set_ek2(session, &test_box.unique_emm(8)).unwrap();
    assert_eq!(
        refused(chip.set_ek2(session, &test_box.unique_emm(7))),
        ChipError::Replayed { floor: 8, offered: 7 }
    );
}

// attack-test: T-03
#[test]
fn another_vendor_has_another_root_key() {
    let test_box = TestBox::burn(8);
    let (mut chip, _server) = test_box.power_on();
    let session = chip.open_session(VendorSysId(0x0B02), CISSA).unwrap();
    assert_eq!(refused(chip.set_ek2(session, &test_box.unique_emm(1))), ChipError::NotForThisChip);
    let mut readdressed = test_box.unique_emm(1);
    let address =
        portcullis_keyladder::envelope::unique_address(test_box.chip_id, VendorSysId(0x0B02));
    readdressed[4..8].copy_from_slice(&address.to_be_bytes());
    assert!(matches!(refused(chip.set_ek2(session, &readdressed)), ChipError::Message(_)));
}

// spec-test: D-K6 D-K7
#[test]
fn the_headend_knows_the_chip_by_its_answer_and_the_chip_answers_not_too_often() {
    let test_box = TestBox::burn(10);
    let (mut chip, _server) = test_box.power_on();
    let session = chip.open_session(VENDOR, CISSA).unwrap();
    assert_eq!(refused(chip.challenge(session, &[1; 16])), ChipError::NoGroupKey);
    chip.set_ek2(session, &test_box.unique_emm(1)).unwrap();
    let expected = k2().challenge_response(LadderAlgorithm::Aes, &[1; 16]);
    assert_eq!(chip.challenge(session, &[1; 16]).unwrap(), expected);
    let limited = (0..100).find_map(|_| chip.challenge(session, &[2; 16]).err()).expect("a limit");
    assert!(matches!(limited, ChipHandleError::Refused(ChipError::RateLimited)));
}

// spec-test: D-X11
// attack-test: T-38
#[test]
fn counters_never_fall_and_outlive_the_power() {
    let test_box = TestBox::burn(11);
    {
        let (mut chip, server) = test_box.power_on();
        assert_eq!(chip.counter_read("store/a").unwrap(), 0);
        chip.counter_raise("store/a", 5).unwrap();
        chip.counter_raise("store/a", 5).unwrap();
        assert_eq!(
            refused(chip.counter_raise("store/a", 4)),
            ChipError::Rollback { current: 5, offered: 4 }
        );
        for name in ["", "a b", &"x".repeat(65)] {
            assert_eq!(refused(chip.counter_raise(name, 1)), ChipError::BadName);
        }
        let boot = refused(chip.counter_raise("boot/platform", 9));
        assert_eq!(boot, ChipError::ReservedCounter);
        drop(chip);
        server.join().unwrap();
    }
    {
        let (mut chip, server) = test_box.power_on();
        assert_eq!(chip.counter_read("store/a").unwrap(), 5);
        drop(chip);
        server.join().unwrap();
    }
    // Edited, or of another chip: refused.
    let path = test_box.otp_dir().join("counters");
    let good = std::fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut edited = good.clone();
        edited[at] ^= 0x10;
        std::fs::write(&path, &edited).unwrap();
        let chip = portcullis_chipset::SoftwareChip::new(&test_box.otp_dir(), random());
        assert!(matches!(chip, Err(OtpError::Counters(_))), "octet {at}");
    }
    std::fs::copy(TestBox::burn(12).otp_dir().join("counters"), &path).unwrap();
    assert!(portcullis_chipset::SoftwareChip::new(&test_box.otp_dir(), random()).is_err());
}

// spec-test: D-S4
// attack-test: T-08
#[test]
fn a_chip_is_burnt_once_and_runs_once() {
    let test_box = TestBox::burn(13);
    let again = test_box.burn_into(&test_box.otp_dir());
    assert!(matches!(again, Err(OtpError::AlreadyBurnt { .. })));
    let running = test_box.chip();
    let second = portcullis_chipset::SoftwareChip::new(&test_box.otp_dir(), random());
    assert!(matches!(second, Err(OtpError::InUse { .. })));
    drop(running);
    let path = test_box.otp_dir().join("chip.otp");
    let good = std::fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut damaged = good.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        let chip = portcullis_chipset::SoftwareChip::new(&test_box.otp_dir(), random());
        assert!(matches!(chip, Err(OtpError::Damaged { .. })), "octet {at}");
    }
}

// spec-test: D-X1 D-K8
#[test]
fn sck_is_in_no_file() {
    let test_box = TestBox::burn(0x77);
    for entry in std::fs::read_dir(test_box.otp_dir()).unwrap() {
        let octets = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!octets.windows(16).any(|window| window == [0x77; 16]));
    }
}

#[test]
fn limits_hold() {
    let test_box = TestBox::burn(14);
    let (mut chip, _server) = test_box.power_on();
    let sessions: Vec<_> = (0..MAX_SESSIONS)
        .map(|i| chip.open_session(VendorSysId(i as u16), CISSA).unwrap())
        .collect();
    assert_eq!(refused(chip.open_session(VENDOR, CISSA)), ChipError::TooManySessions);
    chip.close_session(sessions[0]).unwrap();
    // The place of a vendor without a session is used again.
    let session = chip.open_session(VENDOR, CISSA).unwrap();
    let pids = vec![Pid::NULL; MAX_PIDS + 1];
    assert!(matches!(refused(chip.set_pids(session, &pids)), ChipError::TooLong { .. }));
    let long = vec![1; 1022];
    assert!(matches!(refused(chip.set_ek2(session, &long)), ChipError::TooLong { .. }));
    let error = refused(chip.seal("label", &vec![0; 32 * 1024 + 1]));
    assert!(matches!(error, ChipError::TooLong { .. }));
    assert!(matches!(refused(chip.seal("label", &vec![0; 70_000])), ChipError::TooLong { .. }));
    assert_eq!(refused(chip.release(sessions[0])), ChipError::NoSuchSession);
    let far = Operation::Descramble { session, first: 4096, count: 1 };
    let outcome = chip.batch(vec![far, Operation::Info]).unwrap();
    assert_eq!(outcome, [Err(ChipError::PacketRange { first: 4096, count: 1 })]);
    assert!(matches!(refused(chip.batch(vec![Operation::Info; 17])), ChipError::TooLong { .. }));
}

#[test]
fn one_batch_brings_the_whole_ladder() {
    let test_box = TestBox::burn(15);
    let (mut chip, _server) = test_box.power_on();
    let session = chip.open_session(VENDOR, CISSA).unwrap();
    let outcomes = chip
        .batch(vec![
            Operation::SetPids { session, pids: vec![PID] },
            Operation::SetEk2 { session, message: test_box.unique_emm(1) },
            Operation::SetEk1 { session, message: group_emm(EPOCH, &[test_box.member]) },
            Operation::OpenMessage { session, message: ecm(0) },
            Operation::LoadCw {
                session,
                parity: Parity::Even,
                ecw: ecw(0, CISSA),
                usage_rights: RIGHTS.to_vec(),
            },
        ])
        .unwrap();
    assert_eq!(outcomes.last(), Some(&Ok(Outcome::Done)));
    let mut packets = [scrambled(0, CISSA)];
    assert_eq!(chip.descramble(session, &mut packets).unwrap().descrambled, 1);
    assert_eq!(packets[0], clear());
}

#[test]
fn a_chip_that_is_gone_is_said_to_be_gone() {
    let (chip_end, terminal_end) = portcullis_chipset::pair().unwrap();
    drop(chip_end);
    let gone = ChipHandle::connect(terminal_end);
    assert!(matches!(gone, Err(ChipHandleError::ChipGone)));
    let file = tempfile::tempfile().unwrap();
    assert!(matches!(ChipHandle::connect(file.into()), Err(ChipHandleError::NotAChip)));
}
