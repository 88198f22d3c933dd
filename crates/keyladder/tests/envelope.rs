//! Attacks on the sealed message.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_keyladder::envelope::{
    GroupLadder, Header, HeaderFields, Kind, MAX_ECM, MAX_EMM, MemberBitmap, OpenError, SealError,
    Sealer, ToSeal, UniqueLadder, open, seal, seal_many,
};
use portcullis_keyladder::{LadderKey, Level1, Level2, RootKey};
use portcullis_types::{GroupId, MemberIndex, ProductId};
use proptest::prelude::*;

const FIELDS: HeaderFields = HeaderFields { salt: 7, key_ref: 0x0102_0304, sequence: 99 };

fn k1() -> LadderKey<Level1> {
    LadderKey::new([0x11; 16])
}

fn unique_ladder() -> UniqueLadder {
    UniqueLadder { group_id: GroupId(5), member_index: MemberIndex(200), ek2: [0xE2; 16] }
}

// attack-test: T-10
#[test]
fn every_flipped_bit_is_refused() {
    let message = seal(&k1(), FIELDS, &[], &[0x42; 40]).unwrap();
    for bit in 0..message.len() * 8 {
        let mut altered = message.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&k1(), &altered).is_err(), "bit {bit} of {} ", message.len() * 8);
    }
}

#[test]
fn every_truncation_and_every_surplus_is_refused() {
    let message = seal(&k1(), FIELDS, &[], &[0x42; 40]).unwrap();
    for length in 0..message.len() {
        let error = open(&k1(), &message[..length]).unwrap_err();
        assert!(matches!(error, OpenError::Truncated { .. }), "{length}: {error}");
    }
    let mut longer = message.clone();
    longer.push(0);
    assert_eq!(open(&k1(), &longer), Err(OpenError::Surplus { at: message.len(), surplus: 1 }));
}

#[test]
fn another_key_and_another_kind_do_not_open_it() {
    let message = seal(&k1(), FIELDS, &[], b"body").unwrap();
    let other = LadderKey::<Level1>::new([0x12; 16]);
    assert_eq!(open(&other, &message), Err(OpenError::NotAuthentic));
    // The same octets as a key of another level.
    let expected = OpenError::WrongKind { expected: Kind::GroupEmm, found: Kind::Ecm };
    assert_eq!(open(&LadderKey::<Level2>::new([0x11; 16]), &message), Err(expected));
    let mut relabelled = message;
    relabelled[1] = 2;
    assert!(open(&LadderKey::<Level2>::new([0x11; 16]), &relabelled).is_err());
}

#[test]
fn a_body_that_fits_no_section_is_not_sealed() {
    let room = MAX_ECM - 32 - (MAX_ECM - 32) % 16;
    assert!(seal(&k1(), FIELDS, &[], &vec![0; room]).unwrap().len() <= MAX_ECM);
    assert!(matches!(
        seal(&k1(), FIELDS, &[], &vec![0; room + 1]),
        Err(SealError::TooLong { kind: Kind::Ecm, .. })
    ));
    let ladder = unique_ladder().encode();
    let k3 = RootKey::new([3; 16]);
    let room = MAX_EMM - 32 - (MAX_EMM - 32) % 16 - ladder.len();
    assert!(seal(&k3, FIELDS, &ladder, &vec![0; room]).unwrap().len() <= MAX_EMM);
    assert!(seal(&k3, FIELDS, &ladder, &vec![0; room + 1]).is_err());
    assert!(seal(&k3, FIELDS, &ladder, &vec![0; 70_000]).is_err());
    assert!(matches!(seal(&k3, FIELDS, &[1], b""), Err(SealError::LadderLength { .. })));
}

#[test]
fn ladder_parts_round_trip_and_members_are_bits_from_the_left() {
    let unique = unique_ladder();
    assert_eq!(UniqueLadder::decode(&unique.encode()), Some(unique));
    assert_eq!(UniqueLadder::decode(&unique.encode()[1..]), None);
    let mut members = MemberBitmap::default();
    members.insert(MemberIndex(0));
    members.insert(MemberIndex(9));
    members.insert(MemberIndex(255));
    assert_eq!((members.0[0], members.0[1], members.0[31]), (0x80, 0x40, 0x01));
    members.remove(MemberIndex(9));
    assert!(members.contains(MemberIndex(255)) && !members.contains(MemberIndex(9)));
    let group = GroupLadder { product_id: ProductId(3), members, ek1: [0xE1; 16] };
    assert_eq!(GroupLadder::decode(&group.encode()), Some(group));
    assert_eq!(GroupLadder::decode(&[0; 53]), None);
}

proptest! {
    #[test]
    fn what_was_sealed_opens_again(
        key: [u8; 16], salt: u16, key_ref: u32, sequence: u32,
        client in proptest::collection::vec(any::<u8>(), 0..208),
    ) {
        let key = LadderKey::<Level1>::new(key);
        let fields = HeaderFields { salt, key_ref, sequence };
        let message = seal(&key, fields, &[], &client).unwrap();
        let opened = open(&key, &message).unwrap();
        prop_assert_eq!(opened.client(), &*client);
        prop_assert_eq!(opened.header(), &Header::parse(&message).unwrap());
        prop_assert_eq!(message.len() % 16, 0);
    }

    #[test]
    fn garbage_never_opens_nor_panics(
        garbage in proptest::collection::vec(any::<u8>(), 0..300), start: bool,
    ) {
        let mut garbage = garbage;
        if start && garbage.len() > 1 {
            garbage[0] = 1;
            garbage[1] = 3;
        }
        prop_assert!(open(&k1(), &garbage).is_err());
    }
}

#[test]
fn messages_sealed_together_are_those_sealed_alone_and_open() {
    let keys: Vec<_> = (0..9).map(|i| LadderKey::<Level1>::new([i; 16])).collect();
    let sealers: Vec<_> = keys.iter().map(Sealer::new).collect();
    for count in [0, 1, 5, 16, 100, 700] {
        let fields = |i: usize| HeaderFields { salt: i as u16, ..FIELDS };
        let clients: Vec<_> = (0..count).map(|i| vec![i as u8; 7 * i % 200]).collect();
        let to_seal = clients.iter().enumerate().map(|(i, client)| ToSeal {
            sealer: &sealers[i % 9],
            fields: fields(i),
            ladder: &[],
            client,
        });
        let sealed = seal_many(to_seal).unwrap();
        assert_eq!(sealed.iter().count(), count);
        for (i, message) in sealed.iter().enumerate() {
            assert_eq!(message, seal(&keys[i % 9], fields(i), &[], &clients[i]).unwrap());
            assert_eq!(open(&keys[i % 9], message).unwrap().client(), clients[i]);
        }
    }
    let sealer = &sealers[0];
    let clients = [vec![0; 10], vec![0; 300]];
    let refused =
        clients.iter().map(|client| ToSeal { sealer, fields: FIELDS, ladder: &[], client });
    assert!(matches!(
        seal_many(refused).err(),
        Some(SealError::TooLong { kind: Kind::Ecm, length: 300 })
    ));
}
