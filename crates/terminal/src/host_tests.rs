//! System calls through the real machine, with small guests assembled here.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use portcullis_chipset::ChipError;
use portcullis_crypto::Ed25519SigningKey;
use portcullis_store::{ClientName, RealDisk, StoreLimits};
use portcullis_svm::abi::token;
use portcullis_svm::{Client, Event, Image, Limits, Outcome, PermitTable, ViolationKind, abi};
use portcullis_types::{ScpClientId, SuperScpId};

use super::*;
use crate::testing::FakeChip;

#[path = "host/calls_tests.rs"]
mod calls;
#[path = "host/life_tests.rs"]
mod life;

const SP: u32 = 2;
const T0: u32 = 5;
const RA: u32 = 1;
const RAM: u32 = abi::RAM_BASE;
const CLIENT: ClientName =
    ClientName { super_scp_id: SuperScpId(0xA001), client_id: ScpClientId(1) };

fn addi(rd: u32, rs1: u32, imm: i32) -> u32 {
    (imm as u32) << 20 | rs1 << 15 | rd << 7 | 0x13
}

fn sw(rs2: u32, rs1: u32, imm: u32) -> u32 {
    (imm >> 5 & 0x7F) << 25 | rs2 << 20 | rs1 << 15 | 2 << 12 | (imm & 31) << 7 | 0x23
}

fn li(rd: u32, value: u32) -> [u32; 2] {
    let low = (value as i32) << 20 >> 20;
    [value.wrapping_sub(low as u32) | rd << 7 | 0x37, addi(rd, rd, low)]
}

/// Pushes the arguments, first to last, and traps; result and status then go to `RAM + out`.
fn call(id: u16, args: &[u32], out: u32) -> Vec<u32> {
    let mut words = Vec::new();
    for arg in args {
        words.extend(li(T0, *arg));
        words.extend([addi(SP, SP, -4), sw(T0, SP, 0)]);
    }
    words.push(abi::trap_word(id));
    words.extend(li(T0, RAM + out));
    words.extend([sw(10, T0, 0), sw(11, T0, 4)]);
    words
}

/// Puts octets into guest memory, word by word.
fn poke(address: u32, octets: &[u8]) -> Vec<u32> {
    let mut words = Vec::new();
    for (i, four) in (0u32..).zip(octets.chunks(4)) {
        let mut word = [0; 4];
        word[..four.len()].copy_from_slice(four);
        words.extend(li(T0, u32::from_le_bytes(word)));
        words.extend(li(6, address + 4 * i));
        words.push(sw(T0, 6, 0));
    }
    words
}

fn ret() -> u32 {
    RA << 15 | 0x67
}

/// A guest whose handler is `handler`; the init code registers it and a buffer at RAM + 0x8000.
fn guest(handler: &[u32]) -> Client {
    guest_with(&[], handler)
}

/// The same, with something more in the init code.
fn guest_with(more: &[u32], handler: &[u32]) -> Client {
    let mut init = Vec::new();
    let init_len = call(1, &[0], 0x7000).len() + call(2, &[0, 0], 0x7000).len() + more.len() + 1;
    init.extend(call(1, &[init_len as u32 * 4], 0x7000));
    init.extend(call(2, &[RAM + 0x8000, 16], 0x7000));
    init.extend(more);
    init.push(ret());
    assert_eq!(init.len(), init_len);
    let mut words = init;
    words.extend(handler);
    words.push(ret());
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let image = Image { text_bytes: code.len() as u32, code, load_offset: 0, entry: 0 };
    let mut permits = PermitTable::deny_all();
    for event in Event::ALL {
        for id in 0..0x800 {
            permits.permit(event, id);
        }
    }
    Client::load(&image, permits, Limits::default()).unwrap()
}

/// Two packets of PIDs 0x100 and 0x101.
const CONTENT: &[u8] = b"\x00\x01\x05\x00first\x01\x01\x02\x00so";

type TestHost = Host<FakeChip, RealDisk>;

struct World {
    dir: tempfile::TempDir,
    events: Arc<Mutex<Vec<Value>>>,
    signer: Ed25519SigningKey,
}

impl World {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            events: Arc::default(),
            signer: Ed25519SigningKey::from_seed(&[7; 32]),
        }
    }

    fn host(&self, mut chip: FakeChip) -> TestHost {
        let sealer = &mut ChipSealer(&mut chip);
        let limits = StoreLimits::default();
        let dir = self.dir.path();
        let (store, _) =
            SealedStore::open_or_begin_anew(RealDisk, dir, CLIENT, limits, sealer).unwrap();
        let events = Arc::clone(&self.events);
        let reporter = Reporter::new(move |event| events.lock().unwrap().push(event.clone()));
        let vendor = VendorSysId(0x0A01);
        let signer = self.signer.verifying_key().to_bytes();
        Host::new(chip, store, SessionId(3), vendor, signer, reporter)
    }

    /// Runs a handler for an EMM token and gives how it ended.
    fn run(&self, host: &mut TestHost, handler: &[u32]) -> Outcome {
        let mut client = guest(handler);
        assert_eq!(client.raise(Event::Initialize, &[], host), Outcome::Returned(0));
        host.begin_event(&[
            (token::EMM, b"the emm section"),
            (token::ECM, b"the ecm section"),
            (token::CONTENT, CONTENT),
        ]);
        client.raise(Event::Entitlement, &[15], host)
    }

    /// Runs one call and gives result and status, as the guest stored them in a record.
    fn answer(&self, host: &mut TestHost, before: &[u32], id: u16, args: &[u32]) -> (u32, i32) {
        let mut handler = before.to_vec();
        handler.extend(call(id, args, 0x100));
        // The answer leaves the guest through its storage.
        handler.extend(poke(RAM + 0x200, b"out"));
        handler.extend(call(0x061, &[RAM + 0x200, 3, RAM + 0x100, 8], 0x300));
        assert_eq!(self.run(host, &handler), Outcome::Returned(0), "call 0x{id:03x}");
        let answer = host.store.get(b"rout").unwrap();
        let word = |at: usize| u32::from_le_bytes(answer[at..at + 4].try_into().unwrap());
        (word(0), word(4) as i32)
    }
}

// spec-test: X-29
// attack-test: T-28
#[test]
fn hostile_pointers_stop_the_client_and_reach_nothing() {
    // Which arguments of which call are (pointer, fixed length or argument with the length).
    let calls: &[(u16, usize, &[usize])] = &[
        (0x011, 2, &[0]),
        (0x012, 2, &[0]),
        (0x013, 3, &[1]),
        (0x020, 3, &[1]),
        (0x030, 3, &[1]),
        (0x042, 2, &[0]),
        (0x043, 2, &[0]),
        (0x044, 5, &[2, 3]),
        (0x045, 2, &[0, 1]),
        (0x046, 4, &[0, 2]),
        (0x050, 4, &[1, 3]),
        (0x051, 4, &[1, 3]),
        (0x052, 3, &[0, 2]),
        (0x053, 4, &[1, 3]),
        (0x054, 5, &[1, 3]),
        (0x055, 2, &[0]),
        (0x060, 4, &[0, 2]),
        (0x061, 4, &[0, 2]),
        (0x070, 5, &[1, 3]),
        (0x071, 3, &[0]),
        (0x072, 3, &[1]),
        (0x080, 3, &[1]),
        (0x084, 2, &[0]),
        (0x085, 2, &[0]),
        (0x091, 3, &[1]),
        (0x092, 3, &[1]),
        (0x093, 2, &[0]),
        (0x0A0, 3, &[1]),
        (0x0A1, 5, &[1, 3]),
    ];
    let world = World::new();
    let end = RAM + Limits::default().ram_bytes;
    for (id, count, pointers) in calls {
        for pointer in *pointers {
            for hostile in [0xFFFF_FFF0, 0, end - 1, end, u32::MAX, 0x7FFF_FFFF] {
                let mut args = vec![16; *count];
                for place in *pointers {
                    args[*place] = RAM + 0x400;
                }
                match id {
                    0x030 | 0x053 => args[0] = 1,
                    0x044 => (args[0], args[1]) = (GUEST_SESSION, 0),
                    _ => {}
                }
                args[*pointer] = hostile;
                // Address 0 is code: it may be read, and 16 octets of it are no secret.
                let reads_code = hostile == 0;
                let mut host = world.host(FakeChip::new(1));
                let outcome = world.run(&mut host, &call(*id, &args, 0x100));
                match outcome {
                    Outcome::Violation(violation) => {
                        let is_pointer = match violation.kind {
                            ViolationKind::Pointer { .. } => true,
                            // The octets of the code name no host of the policy.
                            ViolationKind::NotListed { .. } => reads_code,
                            _ => false,
                        };
                        assert!(is_pointer, "0x{id:03x}: {violation}");
                        assert!(host.chip.asked.is_empty(), "0x{id:03x}: {:?}", host.chip.asked);
                    }
                    Outcome::Returned(0) if reads_code => {}
                    other => panic!("0x{id:03x} argument {pointer} 0x{hostile:08x}: {other}"),
                }
            }
        }
    }
}

// spec-test: X-32
// attack-test: T-33
#[test]
fn tokens_are_copies_with_their_length() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1));
    assert_eq!(world.answer(&mut host, &[], 0x031, &[token::EMM]), (15, 0));
    assert_eq!(world.answer(&mut host, &[], 0x031, &[token::SIGNER]), (32, 0));
    assert_eq!(world.answer(&mut host, &[], 0x031, &[9]), (0, status::NOT_FOUND));
    let get = |kind, cap| [kind, RAM + 0x400, cap];
    assert_eq!(world.answer(&mut host, &[], 0x030, &get(token::EMM, 64)), (15, 0));
    assert_eq!(world.answer(&mut host, &[], 0x030, &get(token::ECM, 4)), (15, status::TOO_SMALL));
    assert_eq!(host.emm.as_deref(), Some(&b"the emm section"[..]));
}

// spec-test: X-47 X-62
// attack-test: T-28
#[test]
fn content_comes_back_with_the_packets_it_went_out_with() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1));
    let length = CONTENT.len() as u32;
    let get = [token::CONTENT, RAM + 0x400, 64];
    assert_eq!(world.answer(&mut host, &[], 0x030, &get), (length, 0));
    let mut give = |octets: &[u8]| {
        let (before, args) = (poke(RAM + 0x400, octets), [RAM + 0x400, octets.len() as u32]);
        let (_, code) = world.answer(&mut host, &before, 0x032, &args);
        (code, host.take_descrambled())
    };
    let clear = b"\x00\x01\x05\x00FIRST\x01\x01\x02\x00SO";
    assert_eq!(give(clear), (0, Some(clear.to_vec())));
    for other in [
        // Another PID, another length, a packet less, a packet more, an octet more, nothing.
        &b"\x02\x01\x05\x00FIRST\x01\x01\x02\x00SO"[..],
        b"\x00\x01\x04\x00FIRS\x01\x01\x03\x00TSO",
        b"\x00\x01\x05\x00FIRST",
        b"\x00\x01\x05\x00FIRST\x01\x01\x02\x00SO\x01\x01\x00\x00",
        b"\x00\x01\x05\x00FIRST\x01\x01\x02\x00SO!",
        b"",
    ] {
        assert_eq!(give(other), (status::BAD_ARGUMENT, None), "{other:?}");
    }
}

// spec-test: X-28
// attack-test: T-03
#[test]
fn the_ladder_is_the_verified_vendors_and_refusals_are_statuses() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1));
    assert_eq!(world.answer(&mut host, &[], 0x040, &[0x0A01]), (0, 0));
    assert_eq!(world.answer(&mut host, &[], 0x040, &[0x0B02]), (0, status::WRONG_VENDOR));
    let load = |session, parity| [session, parity, RAM + 0x400, RAM + 0x420, 10];
    assert_eq!(world.answer(&mut host, &[], 0x044, &load(1, 0)), (0, 0));
    assert!(host.loaded_control_word());
    assert_eq!(world.answer(&mut host, &[], 0x044, &load(2, 0)), (0, status::NOT_FOUND));
    assert_eq!(world.answer(&mut host, &[], 0x044, &load(1, 2)), (0, status::BAD_ARGUMENT));
    assert_eq!(world.answer(&mut host, &[], 0x047, &[7]), (0, status::NOT_FOUND));
    assert_eq!(host.chip.asked, ["cw Even 10"]);
    for (error, expected) in [
        (ChipError::NotAMember, status::NOT_MEMBER),
        (ChipError::NoGroupKey, status::NO_KEY),
        (ChipError::Message("message not authentic".into()), status::BAD_MAC),
        (ChipError::RateLimited, status::QUOTA),
    ] {
        let mut chip = FakeChip::new(1);
        chip.refuse = Some(error);
        let mut host = World::new().host(chip);
        let world = World::new();
        assert_eq!(world.answer(&mut host, &[], 0x043, &[RAM + 0x400, 32]), (0, expected));
    }
}

#[test]
fn a_chip_that_is_gone_stops_the_client() {
    let world = World::new();
    let mut chip = FakeChip::new(1);
    chip.gone = true;
    let mut host = world.host(chip);
    let outcome = world.run(&mut host, &call(0x042, &[RAM + 0x400, 32], 0x100));
    assert!(matches!(outcome, Outcome::Fault(_)), "{outcome}");
    assert!(host.chip_is_gone());
}

// spec-test: D-X12
#[test]
fn storage_is_durable_after_the_event_and_forgotten_after_a_fault() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1));
    assert_eq!(world.answer(&mut host, &[], 0x062, &[5]), (1, 0));
    assert_eq!(world.answer(&mut host, &[], 0x062, &[5]), (2, 0));
    assert_eq!(world.answer(&mut host, &[], 0x062, &[6]), (1, 0));
    host.end_event(true).unwrap();
    assert_eq!(world.answer(&mut host, &[], 0x062, &[5]), (3, 0));
    host.end_event(false).unwrap();
    let chip = host.into_chip();
    // A restart: the third increment was in an event that did not end well.
    let mut host = world.host(chip);
    assert_eq!(world.answer(&mut host, &[], 0x062, &[5]), (3, 0));
    let key = poke(RAM + 0x600, b"nothing here");
    let read = [RAM + 0x600, 12, RAM + 0x400, 64];
    assert_eq!(world.answer(&mut host, &key, 0x060, &read), (0, status::NOT_FOUND));
    let write = [RAM + 0x600, 65, RAM + 0x400, 4];
    assert_eq!(world.answer(&mut host, &[], 0x061, &write), (0, status::BAD_ARGUMENT));
    let write = [RAM + 0x600, 4, RAM + 0x400, 65_536];
    assert_eq!(world.answer(&mut host, &[], 0x061, &write), (0, status::QUOTA));
}

#[test]
fn signatures_verify_under_the_operators_key_only() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1));
    let mut before = poke(RAM + 0x400, b"global emm");
    before.extend(poke(RAM + 0x500, &world.signer.sign(b"global emm")));
    let verify = |key, len| [key, RAM + 0x400, len, RAM + 0x500];
    assert_eq!(world.answer(&mut host, &before, 0x053, &verify(1, 10)), (0, 0));
    assert_eq!(world.answer(&mut host, &before, 0x053, &verify(1, 9)), (0, status::BAD_SIGNATURE));
    assert_eq!(world.answer(&mut host, &before, 0x053, &verify(2, 10)), (0, status::NOT_FOUND));
}

// spec-test: X-48
#[test]
fn a_status_is_an_event_and_no_more_than_json() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1));
    let said = br#"{"state":"not entitled","product":1}"#;
    let before = poke(RAM + 0x400, said);
    let status_call = |len: usize| [RAM + 0x400, len as u32];
    assert_eq!(world.answer(&mut host, &before, 0x084, &status_call(said.len())), (0, 0));
    assert_eq!(
        world.answer(&mut host, &before, 0x084, &status_call(said.len() - 1)),
        (0, status::MALFORMED)
    );
    let events = world.events.lock().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["event"], "entitlement");
    assert_eq!(events[0]["product"], 1);
    drop(events);
    let twice: Vec<u32> =
        std::iter::repeat_n(call(0x084, &status_call(said.len()), 0x100), 9).flatten().collect();
    let handler = [before, twice].concat();
    assert_eq!(world.run(&mut host, &handler), Outcome::Returned(0));
    assert_eq!(world.events.lock().unwrap().len(), 1 + 8, "eight in one event");
}

// attack-test: T-10 T-12 T-38
#[test]
fn floors_only_rise_and_outlive_the_storage() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1));
    let (key, value, out) = (RAM + 0x400, RAM + 0x420, RAM + 0x440);
    let store = |host: &mut TestHost, name: &[u8], floor: u64, len: u32| {
        let before = [poke(key, name), poke(value, &floor.to_be_bytes())].concat();
        let answer = world.answer(host, &before, 0x061, &[key, name.len() as u32, value, len]).1;
        host.end_event(true).unwrap();
        answer
    };
    assert_eq!(store(&mut host, b"floor/0", 500, 8), status::OK);
    assert_eq!(store(&mut host, b"floor/0", 499, 8), status::BAD_ARGUMENT);
    assert_eq!(store(&mut host, b"floor/0", 501, 7), status::BAD_ARGUMENT);
    for bad in [&b"floor/4"[..], b"floor/", b"floor/00", b"floor/x"] {
        assert_eq!(store(&mut host, bad, 9, 8), status::BAD_ARGUMENT, "{bad:?}");
    }

    // The file goes, the chip stays.
    let chip = host.into_chip();
    for entry in std::fs::read_dir(world.dir.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let mut host = world.host(chip);
    let before = poke(key, b"floor/0");
    assert_eq!(world.answer(&mut host, &before, 0x060, &[key, 7, out, 8]), (8, status::OK));
    assert_eq!(host.store.floor(0), 500);
    let before = poke(key, b"floor/1");
    let unset = world.answer(&mut host, &before, 0x060, &[key, 7, out, 8]);
    assert_eq!(unset.1, status::NOT_FOUND);
}
