//! The reference clients of both vendors, run as the terminal runs them, against a pretended chip.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_messages::{GlobalEmm, Layout, TableId, section};
use portcullis_svm::abi::{reason, token};
use portcullis_svm::{
    CallPermitted, Client, Event, GuestMemory, HostFault, Outcome, Reply, State, Syscall,
    SystemCalls,
};
use portcullis_types::UnixSeconds;
use support::sections::{NOW, ecm, group, unique};
use support::{Host, guest};

const VENDORS: [(&str, Layout, u16); 2] =
    [("vendor-a", Layout::VendorA, 0x0A01), ("vendor-b", Layout::VendorB, 0x0B02)];

/// A client after Initialize, on the storage and ladder of `host`.
fn start(name: &str, host: &mut Host) -> Option<Client> {
    let (image, permits, limits) = guest(name)?;
    let mut client = Client::load(&image, permits, limits).unwrap();
    assert_eq!(client.raise(Event::Initialize, &[], host), Outcome::Returned(0));
    assert_eq!(client.state(), State::Idle);
    Some(client)
}

// spec-test: X-S04 X-S06 X-S08 X-44 X-45
#[test]
fn an_entitled_terminal_gets_its_control_words_and_keeps_its_rights_over_a_restart() {
    for (name, layout, vendor) in VENDORS {
        let mut host = Host { vendor, ..Host::new() };
        let Some(mut client) = start(name, &mut host) else { return };
        let rights = [(1, NOW - 10, NOW + 1000)];
        let mut give = |client: &mut Client, kind, section| host.give(client, kind, section);
        assert_eq!(
            give(&mut client, token::EMM, unique(layout, 0xA0A0, 5, &rights)),
            Outcome::Returned(reason::OK)
        );
        assert_eq!(
            give(&mut client, token::ECM, ecm(layout, 1, 40, NOW)),
            Outcome::Returned(reason::NO_KEY)
        );
        assert_eq!(
            give(&mut client, token::EMM, group(layout, 9, 1, 1, 40, true)),
            Outcome::Returned(reason::OK)
        );
        for _ in 0..2 {
            assert_eq!(
                give(&mut client, token::ECM, ecm(layout, 1, 40, NOW)),
                Outcome::Returned(reason::OK)
            );
        }
        // The parity of the crypto-period first; the status once.
        assert_eq!(host.loaded[..2], [(1, 1, [0x0D; 16]), (1, 0, [0xEE; 16])]);
        assert_eq!(host.statuses.len(), 2, "{:?}", host.statuses);
        assert!(host.statuses[0].starts_with(r#"{"state":"no_key","product":1,"#));
        assert_eq!(
            host.statuses[1],
            r#"{"state":"entitled","product":1,"until":1780001000,"reason":"entitled"}"#
        );
        assert_eq!(client.raise(Event::Terminate, &[], &mut host), Outcome::Returned(0));
        assert_eq!(client.state(), State::End);

        // A new instance on the same storage, a chip that has forgotten its keys.
        let mut host = Host { vendor, nv: host.nv, ..Host::new() };
        let Some(mut client) = start(name, &mut host) else { return };
        assert_eq!(
            host.give(&mut client, token::ECM, ecm(layout, 1, 40, NOW)),
            Outcome::Returned(reason::OK)
        );
    }
}

// spec-test: X-45
#[test]
fn without_a_right_in_force_no_control_word_is_asked_for() {
    for (name, layout, vendor) in VENDORS {
        let mut host = Host { vendor, ..Host::new() };
        let Some(mut client) = start(name, &mut host) else { return };
        let rights = [(1, NOW - 10, NOW + 1000), (2, NOW + 5000, NOW + 9000)];
        for section in [
            unique(layout, 0xA0A0, 5, &rights),
            group(layout, 9, 1, 1, 40, true),
            group(layout, 9, 1, 2, 40, true),
            group(layout, 9, 1, 3, 40, true),
        ] {
            assert_eq!(host.give(&mut client, token::EMM, section), Outcome::Returned(reason::OK));
        }
        for (product, time, expected, state) in [
            (3, NOW, reason::NOT_ENTITLED, "not_entitled"),
            (2, NOW, reason::NOT_ENTITLED, "not_entitled"),
            (1, NOW + 1000, reason::EXPIRED, "expired"),
            // Time does not go back: an old ECM does not bring the right back.
            (1, NOW, reason::EXPIRED, "expired"),
        ] {
            assert_eq!(
                host.give(&mut client, token::ECM, ecm(layout, product, 40, time)),
                Outcome::Returned(expected)
            );
            assert!(host.statuses.last().unwrap().contains(state));
        }
        assert!(host.loaded.is_empty());
        assert_eq!(host.released.len(), 4);
    }
}

// attack-test: T-10 T-12
#[test]
fn old_messages_and_messages_for_others_change_nothing() {
    for (name, layout, vendor) in VENDORS {
        let mut host = Host { vendor, ..Host::new() };
        let Some(mut client) = start(name, &mut host) else { return };
        let right = [(1, NOW - 10, NOW + 1000)];
        for (section, expected) in [
            (group(layout, 9, 1, 1, 40, true), reason::NO_KEY),
            (unique(layout, 0xB0B0, 9, &right), reason::NOT_FOR_US),
            (unique(layout, 0xA0A0, 5, &right), reason::OK),
            (group(layout, 8, 1, 1, 40, true), reason::NOT_FOR_US),
            (group(layout, 9, 1, 1, 40, true), reason::OK),
            // Left out of the epoch, then the former message again.
            (group(layout, 9, 2, 1, 40, false), reason::NOT_ENTITLED),
            (group(layout, 9, 1, 1, 40, true), reason::REPLAYED),
            // The right is cancelled, then the former message again.
            (unique(layout, 0xA0A0, 6, &[]), reason::OK),
            (unique(layout, 0xA0A0, 5, &right), reason::REPLAYED),
            (unique(layout, 0xA0A0, 6, &right), reason::OK),
        ] {
            assert_eq!(host.give(&mut client, token::EMM, section), Outcome::Returned(expected));
        }
        assert_eq!(
            host.give(&mut client, token::ECM, ecm(layout, 1, 40, NOW)),
            Outcome::Returned(reason::NOT_ENTITLED)
        );
        assert!(host.loaded.is_empty());
    }
}

#[test]
fn a_new_group_key_makes_the_client_take_the_same_epoch_again() {
    let mut host = Host::new();
    let Some(mut client) = start("vendor-a", &mut host) else { return };
    let layout = Layout::VendorA;
    let right = [(1, 0, NOW + 1000)];
    host.give(&mut client, token::EMM, unique(layout, 0xA0A0, 1, &right));
    host.give(&mut client, token::EMM, group(layout, 9, 4, 1, 40, true));
    // The chip loses the group key behind the client's back, as when K2 changes: the next unique
    // EMM makes the client try its keys again, and they do not open.
    host.address = 0xA0A1;
    host.member_index = 200;
    host.give(&mut client, token::EMM, unique(layout, 0xA0A1, 2, &right));
    let ecm = ecm(layout, 1, 40, NOW);
    let no_key = Outcome::Returned(reason::NO_KEY);
    assert_eq!(host.give(&mut client, token::ECM, ecm.clone()), no_key);
    host.member_index = 3;
    let again = host.give(&mut client, token::EMM, group(layout, 9, 4, 1, 40, true));
    assert_eq!(again, Outcome::Returned(reason::OK));
    assert_eq!(host.give(&mut client, token::ECM, ecm), Outcome::Returned(reason::OK));
}

#[test]
fn a_cancelled_right_ends_at_once() {
    let mut host = Host::new();
    let Some(mut client) = start("vendor-a", &mut host) else { return };
    let layout = Layout::VendorA;
    for section in
        [unique(layout, 0xA0A0, 1, &[(1, 0, u64::MAX)]), group(layout, 9, 1, 1, 40, true)]
    {
        host.give(&mut client, token::EMM, section);
    }
    host.give(&mut client, token::ECM, ecm(layout, 1, 40, NOW));
    assert!(host.statuses.last().unwrap().contains(r#""until":null"#));
    host.give(&mut client, token::EMM, unique(layout, 0xA0A0, 2, &[]));
    assert_eq!(host.released, [1]);
    assert!(host.statuses.last().unwrap().contains("not_entitled"));
}

// attack-test: T-12
#[test]
fn signed_time_moves_the_floor_and_unsigned_time_does_not() {
    let mut host = Host::new();
    let Some(mut client) = start("vendor-a", &mut host) else { return };
    let layout = Layout::VendorA;
    for section in
        [unique(layout, 0xA0A0, 1, &[(1, 0, NOW + 1000)]), group(layout, 9, 1, 1, 40, true)]
    {
        host.give(&mut client, token::EMM, section);
    }
    let late = GlobalEmm { time: UnixSeconds(NOW + 2000), sequence: 1 }.encode(&[7; 64]);
    let late = section::wrap(TableId::GlobalEmm, &late).unwrap();
    for (signature_ok, emm, ecm_answer) in
        [(false, reason::BAD_MESSAGE, reason::OK), (true, reason::OK, reason::EXPIRED)]
    {
        host.signature_ok = signature_ok;
        assert_eq!(host.give(&mut client, token::EMM, late.clone()), Outcome::Returned(emm));
        assert_eq!(
            host.give(&mut client, token::ECM, ecm(layout, 1, 40, NOW)),
            Outcome::Returned(ecm_answer)
        );
    }
    // The floor outlives the client.
    let mut host = Host { nv: host.nv, ..Host::new() };
    let Some(mut client) = start("vendor-a", &mut host) else { return };
    assert_eq!(
        host.give(&mut client, token::ECM, ecm(layout, 1, 40, NOW)),
        Outcome::Returned(reason::EXPIRED)
    );
}

// attack-test: T-10 T-38
#[test]
fn a_lost_storage_does_not_let_an_older_right_in() {
    for (name, layout, vendor) in VENDORS {
        let mut host = Host { vendor, ..Host::new() };
        let Some(mut client) = start(name, &mut host) else { return };
        let right = [(1, 0, NOW + 1000)];
        for (counter, rights) in [(5, &right[..]), (6, &[])] {
            let answer =
                host.give(&mut client, token::EMM, unique(layout, 0xA0A0, counter, rights));
            assert_eq!(answer, Outcome::Returned(reason::OK));
        }
        // Only the floors stay, which are not in the storage.
        host.nv.retain(|key, _| key.starts_with(b"floor/"));
        let mut host = Host { nv: host.nv, vendor, ..Host::new() };
        let Some(mut client) = start(name, &mut host) else { return };
        for (counter, rights, expected) in [
            (5, &right[..], reason::REPLAYED),
            (6, &[], reason::OK),
            (5, &right[..], reason::REPLAYED),
            (7, &right[..], reason::OK),
        ] {
            let emm = unique(layout, 0xA0A0, counter, rights);
            assert_eq!(host.give(&mut client, token::EMM, emm), Outcome::Returned(expected));
        }
    }
}

#[test]
fn a_client_on_the_wrong_vendors_ladder_ends() {
    let mut host = Host { vendor: 0x1234, ..Host::new() };
    let Some((image, permits, limits)) = guest("vendor-a") else { return };
    let mut client = Client::load(&image, permits, limits).unwrap();
    assert_eq!(client.raise(Event::Initialize, &[], &mut host), Outcome::Exited(1));
    assert_eq!(client.state(), State::End);
}

// attack-test: T-28
#[test]
fn damaged_sections_are_refused_without_harm() {
    let mut host = Host::new();
    let Some(mut client) = start("vendor-a", &mut host) else { return };
    let good = unique(Layout::VendorA, 0xA0A0, 5, &[(1, 0, NOW)]);
    for cut in 0..good.len() {
        let outcome = host.give(&mut client, token::EMM, good[..cut].to_vec());
        assert_eq!(outcome, Outcome::Returned(reason::BAD_MESSAGE), "cut at {cut}");
    }
    // No octet stops the client, whatever it does to the message.
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0xFF;
        let outcome = host.give(&mut client, token::EMM, bad);
        assert!(matches!(outcome, Outcome::Returned(_)), "octet {at}: {outcome}");
    }
    assert_eq!(client.state(), State::Idle);
}

/// A host that looks at the code image, as a client sees it, when it is first called.
struct Looker {
    host: Host,
    len: u32,
    code: Vec<u8>,
}

impl SystemCalls for Looker {
    fn call(
        &mut self,
        permitted: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        if self.code.is_empty() {
            self.code = memory.read(0, self.len).unwrap();
        }
        self.host.call(permitted, call, args, memory)
    }
}

/// Events and calls of a policy, read by eye and not by our reader.
fn permits_by_eye(policy: &str) -> Vec<(Event, u16)> {
    let (mut event, mut found) = (None, Vec::new());
    for line in policy.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("<event name=\"") {
            event = Event::from_name(rest.split('"').next().unwrap());
        } else if let Some(rest) = line.strip_prefix("<syscall id=\"0x") {
            let id = u16::from_str_radix(rest.split('"').next().unwrap(), 16).unwrap();
            found.push((event.unwrap(), id));
        }
    }
    found.sort_unstable();
    found
}

// spec-test: X-52 X-53 X-59
#[test]
fn policy_and_code_of_a_package_lie_in_two_memories() {
    for (name, _, vendor) in VENDORS {
        let Some((image, permits, limits)) = guest(name) else { return };
        let mut client = Client::load(&image, permits, limits).unwrap();
        let mut table: Vec<_> = client.permits().iter().collect();
        table.sort_unstable();
        assert_eq!(table, permits_by_eye(portcullis_assets::policy(name).unwrap()));
        assert!(table.len() > 40, "{}", table.len());
        let host = Host { vendor, ..Host::new() };
        let mut looker = Looker { host, len: image.code.len() as u32, code: Vec::new() };
        assert_eq!(client.raise(Event::Initialize, &[], &mut looker), Outcome::Returned(0));
        assert_eq!(looker.code, image.code, "{name}: the code is the package's, octet by octet");
    }
}
