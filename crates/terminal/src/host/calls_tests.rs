//! The calls beyond tokens, ladder and storage, through the real machine.

use std::collections::BTreeMap;

use portcullis_crypto::{Key128, cmac, hkdf_sha256, hmac_sha256};
use portcullis_svm::abi::{clib, key, parental, service, source};

use super::*;
use crate::embedded_scp::channels::Broker;
use crate::host::card::{CardError, SmartCard};
use crate::host::user::MediaHooks;

const DATA: u32 = RAM + 0x400;
const OUT: u32 = RAM + 0x800;

/// What the guest's memory holds at `OUT`, as it says itself through its storage.
fn output(world: &World, host: &mut TestHost, before: &[u32], id: u16, args: &[u32]) -> Vec<u8> {
    let mut handler = before.to_vec();
    handler.extend(call(id, args, 0x100));
    handler.extend(poke(RAM + 0x200, b"mem"));
    handler.extend(call(0x061, &[RAM + 0x200, 3, OUT, 64], 0x300));
    assert_eq!(world.run(host, &handler), Outcome::Returned(0), "call 0x{id:03x}");
    host.store.get(b"rmem").unwrap().to_vec()
}

// spec-test: X-28
#[test]
fn macs_are_those_of_the_standards_under_keys_that_stay_outside() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1));
    // Before: the client secret is made when it is first used.
    assert_eq!(host.store.get(b"k"), None);
    let text = poke(DATA, b"salt and info and data");
    let derive = [key::CLIENT_SECRET, DATA, 4, DATA + 9, 4];
    let (handle, code) = world.answer(&mut host, &text, 0x054, &derive);
    assert_eq!((handle, code), (key::FIRST_DERIVED, 0));
    let secret: Vec<u8> = host.store.get(b"k").unwrap().to_vec();
    let mut derived = [0; 32];
    hkdf_sha256(&secret, b"salt", b"info", &mut derived).unwrap();

    let mac = output(&world, &mut host, &text, 0x051, &[handle, DATA, 22, OUT]);
    assert_eq!(mac[..32], hmac_sha256(&derived, &[b"salt and info and data"]));
    let mac = output(&world, &mut host, &text, 0x050, &[handle, DATA, 22, OUT]);
    let half = Key128::new(*derived.first_chunk().unwrap());
    assert_eq!(mac[..16], cmac(&half, &[b"salt and info and data"]));
    assert_eq!(mac[16..], [0; 48], "16 octets and no more");
    let mac = output(&world, &mut host, &text, 0x051, &[key::CLIENT_SECRET, DATA, 4, OUT]);
    assert_eq!(mac[..32], hmac_sha256(&secret, &[b"salt"]));

    // The operator's key is for verification, others there are none.
    for wrong in [key::OPERATOR_EMM, 0, handle + 1, u32::MAX] {
        let refused = (0, status::NOT_FOUND);
        for (call, args) in [
            (0x050, vec![wrong, DATA, 4, OUT]),
            (0x051, vec![wrong, DATA, 4, OUT]),
            (0x054, vec![wrong, DATA, 4, DATA, 4]),
            (0x056, vec![wrong]),
        ] {
            assert_eq!(world.answer(&mut host, &[], call, &args), refused, "0x{call:03x} {wrong}");
        }
    }
    assert_eq!(world.answer(&mut host, &[], 0x056, &[handle]), (0, 0));
    assert_eq!(world.answer(&mut host, &[], 0x056, &[handle]), (0, status::NOT_FOUND));
    assert_eq!(world.answer(&mut host, &[], 0x056, &[key::CLIENT_SECRET]).1, status::NOT_FOUND);
}

// attack-test: T-31
#[test]
fn derived_keys_have_a_limit_and_the_secret_is_no_record_of_the_client() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1));
    let derive = [key::CLIENT_SECRET, DATA, 0, DATA, 0];
    for _ in 0..host.limits.keys {
        assert_eq!(world.answer(&mut host, &[], 0x054, &derive).1, status::OK);
    }
    assert_eq!(world.answer(&mut host, &[], 0x054, &derive).1, status::QUOTA);
    let name = poke(DATA, b"k");
    let read = [DATA, 1, OUT, 64];
    assert_eq!(world.answer(&mut host, &name, 0x060, &read).1, status::NOT_FOUND);
    // A secret of an event that did not end well is not the secret of the next one.
    let mut host = world.host(FakeChip::new(2));
    world.answer(&mut host, &[], 0x054, &derive);
    host.end_event(false).unwrap();
    assert_eq!(host.store.get(b"k"), None);
}

#[test]
fn services_answer_with_the_next_message() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1)).with_scp_id(ScpId([0x5C; 32]));
    let ask = |number| [number, DATA, 0];
    assert_eq!(world.answer(&mut host, &[], 0x013, &ask(service::SCP_ID)), (40, 0));
    assert_eq!(world.answer(&mut host, &[], 0x012, &[OUT, 39]), (40, status::TOO_SMALL));
    let message = output(&world, &mut host, &[], 0x012, &[OUT, 64]);
    assert_eq!(message[..8], [source::SERVICE as u8, 0, 0, 0, service::SCP_ID as u8, 0, 0, 0]);
    assert_eq!(message[8..40], [0x5C; 32]);
    assert_eq!(world.answer(&mut host, &[], 0x012, &[OUT, 64]), (0, status::NOT_FOUND));
    assert_eq!(world.answer(&mut host, &[], 0x013, &ask(service::TIME)), (16, 0));
    assert_eq!(world.answer(&mut host, &[], 0x013, &ask(99)), (0, status::NOT_FOUND));
    let args = [service::TIME, DATA, 1];
    assert_eq!(world.answer(&mut host, &[], 0x013, &args), (0, status::BAD_ARGUMENT));
    // Answers that nobody takes are not kept for ever.
    let mut refused = 0;
    for _ in 0..40 {
        let (_, code) = world.answer(&mut host, &[], 0x013, &ask(service::TIME));
        refused += u32::from(code == status::QUOTA);
    }
    assert_eq!(refused, 9, "31 and the one before");
}

#[test]
fn the_c_library_works_on_the_clients_own_memory() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1));
    let text = poke(DATA, b"portcullis\0\0");
    let copied = output(&world, &mut host, &text, 0x016, &[clib::MEMMOVE, OUT, DATA, 11]);
    assert_eq!(&copied[..11], b"portcullis\0");
    assert_eq!(world.answer(&mut host, &text, 0x016, &[clib::STRNLEN, DATA, 0, 64]), (10, 0));
    let outcome = world.run(&mut host, &call(0x016, &[clib::MEMSET, 0, 1, 4], 0x100));
    assert!(matches!(outcome, Outcome::Violation(_)), "{outcome}");
}

#[derive(Clone, Default)]
struct Hooks(Arc<Mutex<Vec<String>>>);

impl MediaHooks for Hooks {
    fn show(&mut self, text: &str) {
        self.0.lock().unwrap().push(format!("show {text}"));
    }

    fn watermark(&mut self, payload: &[u8]) -> bool {
        self.0.lock().unwrap().push(format!("mark {}", hex::encode(payload)));
        true
    }

    fn parental(&mut self, age: u8) -> bool {
        age < 16
    }

    fn export(&mut self, session: u32, target: &[u8]) -> Option<u32> {
        (session == 1 && target == b"dlna").then_some(7)
    }

    fn import(&mut self, offer: &[u8]) -> Option<u32> {
        (offer == b"dlna").then_some(8)
    }
}

// spec-test: X-48
#[test]
fn the_media_client_shows_marks_and_is_asked() {
    let world = World::new();
    let hooks = Hooks::default();
    let mut host = world.host(FakeChip::new(1)).with_media(hooks.clone());
    let text = poke(DATA, b"dlna\x07now");
    assert_eq!(world.answer(&mut host, &text, 0x080, &[1, DATA, 8]), (0, 0));
    assert_eq!(world.answer(&mut host, &text, 0x080, &[4, DATA, 8]).1, status::BAD_ARGUMENT);
    assert_eq!(world.answer(&mut host, &text, 0x080, &[1, DATA, 513]).1, status::QUOTA);
    assert_eq!(world.answer(&mut host, &text, 0x085, &[DATA, 4]), (0, 0));
    assert_eq!(world.answer(&mut host, &text, 0x085, &[DATA, 65]).1, status::QUOTA);
    assert_eq!(world.answer(&mut host, &text, 0x092, &[1, DATA, 4]), (7, 0));
    assert_eq!(world.answer(&mut host, &text, 0x092, &[1, DATA, 3]).1, status::UNSUPPORTED);
    assert_eq!(world.answer(&mut host, &text, 0x093, &[DATA, 4]), (8, 0));
    assert_eq!(*hooks.0.lock().unwrap(), ["show dlna now", "mark 646c6e61"]);
    assert_eq!(world.events.lock().unwrap()[0]["text"], "dlna now");
    // The answer of a parental check is a message, of which an event tells.
    for (age, expected) in [(6, parental::ALLOWED), (16, parental::DENIED)] {
        let (number, code) = world.answer(&mut host, &[], 0x083, &[age]);
        assert_eq!(code, 0);
        assert_eq!(host.poll_timeout(), Some(0));
        assert_eq!(host.message_came(), Some([source::PARENTAL, number, 12]));
        let message = output(&world, &mut host, &[], 0x012, &[OUT, 64]);
        assert_eq!((message[0], message[8]), (source::PARENTAL as u8, expected as u8));
    }
    assert_eq!(world.answer(&mut host, &[], 0x083, &[100]).1, status::BAD_ARGUMENT);
    assert_eq!(host.message_came(), None);

    // A terminal that has none of it says so.
    let mut host = world.host(FakeChip::new(2));
    for (call, args) in [(0x085, vec![DATA, 4]), (0x092, vec![1, DATA, 4]), (0x093, vec![DATA, 4])]
    {
        assert_eq!(world.answer(&mut host, &text, call, &args), (0, status::UNSUPPORTED));
    }
}

/// A card with one file: SELECT it, then READ BINARY.
#[derive(Default)]
struct VirtualCard {
    files: BTreeMap<[u8; 2], Vec<u8>>,
    selected: Option<[u8; 2]>,
    mute: bool,
}

impl SmartCard for VirtualCard {
    fn reset(&mut self) -> Result<Vec<u8>, CardError> {
        self.selected = None;
        Ok(vec![0x3B, 0x00])
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, CardError> {
        if self.mute {
            return Err(CardError::Mute);
        }
        Ok(match command {
            [0, 0xA4, 0, 0, 2, high, low] if self.files.contains_key(&[*high, *low]) => {
                self.selected = Some([*high, *low]);
                vec![0x90, 0x00]
            }
            [0, 0xA4, ..] => vec![0x6A, 0x82],
            [0, 0xB0, 0, 0, le] => match self.selected.and_then(|file| self.files.get(&file)) {
                Some(file) => [&file[..file.len().min(usize::from(*le))], &[0x90, 0x00]].concat(),
                None => vec![0x69, 0x86],
            },
            _ => vec![0x6D, 0x00],
        })
    }
}

#[test]
fn a_card_answers_with_its_status_words() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1));
    assert_eq!(world.answer(&mut host, &[], 0x0A0, &[0, OUT, 33]), (0, status::NO_CARD));
    let command = [0, 0xA4, 0, 0, 2, 0x2F, 0x00];
    let apdu = |len| [0, DATA, len, OUT, 64];
    let before = poke(DATA, &command);
    // Not before a reset, and not to an empty slot.
    assert_eq!(world.answer(&mut host, &before, 0x0A1, &apdu(7)), (0, status::BAD_ARGUMENT));

    let mut card = VirtualCard::default();
    card.files.insert([0x2F, 0x00], b"directory".to_vec());
    let mut host = world.host(FakeChip::new(2)).with_card(card);
    assert_eq!(world.answer(&mut host, &[], 0x0A0, &[1, OUT, 33]), (0, status::NOT_FOUND));
    assert_eq!(output(&world, &mut host, &[], 0x0A0, &[0, OUT, 33])[..2], [0x3B, 0x00]);
    let answer = |host: &mut TestHost, command: &[u8]| {
        let before = poke(DATA, command);
        output(&world, host, &before, 0x0A1, &apdu(command.len() as u32))
    };
    assert_eq!(answer(&mut host, &[0, 0xB0, 0, 0, 4])[..2], [0x69, 0x86], "nothing selected");
    assert_eq!(answer(&mut host, &[0, 0xA4, 0, 0, 2, 9, 9])[..2], [0x6A, 0x82], "no such file");
    assert_eq!(answer(&mut host, &command)[..2], [0x90, 0x00]);
    assert_eq!(answer(&mut host, &[0, 0xB0, 0, 0, 4])[..6], *b"dire\x90\x00");
    assert_eq!(answer(&mut host, &[0, 0x20, 0, 0])[..2], [0x6D, 0x00]);
    assert_eq!(world.answer(&mut host, &before, 0x0A1, &apdu(3)), (0, status::BAD_ARGUMENT));
    let mute = VirtualCard { mute: true, ..VirtualCard::default() };
    let mut host = world.host(FakeChip::new(3)).with_card(mute);
    assert_eq!(world.answer(&mut host, &[], 0x0A0, &[0, OUT, 33]).1, status::OK);
    assert_eq!(world.answer(&mut host, &before, 0x0A1, &apdu(7)), (0, status::DEVICE));
    assert_eq!(world.answer(&mut host, &before, 0x0A1, &apdu(7)), (0, status::BAD_ARGUMENT));
}

/// Two clients whose policies name each other.
fn neighbours(world: &World) -> (TestHost, TestHost) {
    let broker = Broker::default();
    let other = ClientName { super_scp_id: SuperScpId(0xB002), client_id: ScpClientId(2) };
    let join = |name, peer: ClientName| {
        let ClientName { super_scp_id, client_id } = peer;
        broker.join(name, &[portcullis_package::ChannelPeer { super_scp_id, client_id }])
    };
    let a = world.host(FakeChip::new(1)).with_channel(join(CLIENT, other));
    let b = World::new().host(FakeChip::new(2)).with_channel(join(other, CLIENT));
    (a, b)
}

// spec-test: X-21
// attack-test: T-32
#[test]
fn clients_talk_by_the_broker_and_only_where_both_policies_say_so() {
    let world = World::new();
    let (mut a, mut b) = neighbours(&world);
    assert_eq!(world.answer(&mut a, &[], 0x090, &[0xB002, 2]), (1, 0));
    let text = poke(DATA, b"hello, neighbour");
    assert_eq!(world.answer(&mut a, &text, 0x091, &[1, DATA, 16]), (16, 0));
    assert_eq!(world.answer(&mut a, &text, 0x091, &[2, DATA, 16]), (0, status::NOT_FOUND));
    assert_eq!(world.answer(&mut a, &text, 0x091, &[1, DATA, 4097]), (0, status::QUOTA));
    assert_eq!(b.message_came(), Some([source::CLIENT, 1, 24]));
    let message = output(&world, &mut b, &[], 0x012, &[OUT, 64]);
    assert_eq!(&message[8..24], b"hello, neighbour");

    // A client that the policy does not name: a violation, not a status.
    let outcome = world.run(&mut a, &call(0x090, &[0xC003, 3], 0x100));
    let Outcome::Violation(violation) = outcome else { panic!("{outcome}") };
    assert!(matches!(violation.kind, ViolationKind::NotListed { .. }), "{violation}");
    // Without any peer in the policy there is nobody.
    let mut c = World::new().host(FakeChip::new(3));
    assert_eq!(world.answer(&mut c, &text, 0x091, &[1, DATA, 16]), (0, status::NOT_FOUND));
}

// attack-test: T-31
#[test]
fn a_full_inbox_takes_nothing_from_a_neighbour_and_nothing_is_lost() {
    const WAITING: u32 = 32;
    let world = World::new();
    let (mut a, mut b) = neighbours(&world);
    // The answers of parental checks fill the inbox of B, then A writes to it.
    for age in 0..WAITING {
        assert_eq!(World::new().answer(&mut b, &[], 0x083, &[age]).1, 0);
    }
    assert_eq!(World::new().answer(&mut b, &[], 0x083, &[0]).1, status::QUOTA);
    let text = poke(DATA, b"hello");
    assert_eq!(world.answer(&mut a, &text, 0x091, &[1, DATA, 5]), (5, 0));
    let mut told = Vec::new();
    while let Some([source, ..]) = b.message_came() {
        told.push(source);
    }
    assert_eq!(told, vec![source::PARENTAL; WAITING as usize]);
    // One is taken; there is room for the neighbour's, and it is still there.
    let first = output(&World::new(), &mut b, &[], 0x012, &[OUT, 64]);
    assert_eq!(first[0], source::PARENTAL as u8);
    assert_eq!(b.message_came(), Some([source::CLIENT, 1, 13]));
}

// attack-test: T-31
#[test]
fn floods_end_at_the_limits_of_an_event() {
    let world = World::new();
    let mut host = world.host(FakeChip::new(1));
    let name = poke(DATA, b"flood|more");
    let writes = call(0x061, &[DATA, 5, DATA, 4], 0x500).repeat(64);
    let one_more = call(0x061, &[DATA + 6, 4, DATA, 4], 0x500);
    let handler = [name, writes, one_more].concat();
    assert_eq!(world.run(&mut host, &handler), Outcome::Returned(0));
    assert!(host.store.get(b"rflood").is_some());
    assert_eq!(host.store.get(b"rmore"), None, "the 65th of an event");
    for (id, args, times) in
        [(0x080, vec![1, DATA, 4], 5), (0x0A0, vec![0, OUT, 33], 33), (0x020, vec![1, DATA, 4], 33)]
    {
        let handler = call(id, &args, 0x100).repeat(times);
        assert_eq!(world.run(&mut host, &handler), Outcome::Returned(0));
        let Used { ui_lines, card_commands, log_lines, .. } = host.used;
        let used = [ui_lines, card_commands, log_lines].into_iter().max().unwrap();
        assert_eq!(used as usize, times - 1, "0x{id:03x}");
    }
    assert_eq!(world.events.lock().unwrap().len(), 4, "lines for the user");
}
