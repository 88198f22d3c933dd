//! Round trips, every truncation, every one-octet change, and random bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_messages::section::{MAX_ECM_SECTION_LEN, wrap};
use portcullis_messages::*;
use portcullis_types::{CpNumber, EpochId, ProductId, UnixSeconds};
use proptest::prelude::*;

const LAYOUTS: [Layout; 2] = [Layout::VendorA, Layout::VendorB];

fn ecm(rights: Vec<u8>) -> EcmBody {
    EcmBody {
        product: ProductId(3),
        epoch: EpochId(20_000),
        cp_number: CpNumber(0xFFFF),
        time: UnixSeconds(1_764_000_000),
        ecw_even: [0xE0; 16],
        ecw_odd: [0x0D; 16],
        usage_rights: rights,
    }
}

fn unique(n: u32) -> UniqueEmmBody {
    let entitlements = (0..n)
        .map(|i| Entitlement {
            product: ProductId(i),
            from: UnixSeconds(u64::from(i)),
            until: VALID_FOR_EVER,
        })
        .collect();
    UniqueEmmBody { counter: 7, time: UnixSeconds(1), entitlements }
}

fn group() -> GroupEmmBody {
    GroupEmmBody {
        counter: 9,
        product: ProductId(1),
        epoch: EpochId(2),
        valid_from: UnixSeconds(3),
        valid_until: UnixSeconds(4),
    }
}

// spec-test: X-44 X-45
#[test]
fn bodies_round_trip_in_both_layouts() {
    for layout in LAYOUTS {
        let body = ecm(UsageRights::default().encode());
        let bytes = layout.encode_ecm(&body).unwrap();
        assert_eq!(layout.decode_ecm(&bytes).unwrap(), body);
        for n in [0, 1, 32] {
            let body = unique(n);
            let bytes = layout.encode_unique_emm(&body).unwrap();
            assert_eq!(layout.decode_unique_emm(&bytes).unwrap(), body);
        }
        assert_eq!(layout.decode_group_emm(&layout.encode_group_emm(&group())).unwrap(), group());
        let other = if layout == Layout::VendorA { Layout::VendorB } else { Layout::VendorA };
        assert!(other.decode_group_emm(&layout.encode_group_emm(&group())).is_err());
    }
}

#[test]
fn limits_hold_when_writing_and_when_reading() {
    for layout in LAYOUTS {
        assert_eq!(
            layout.encode_unique_emm(&unique(33)),
            Err(EncodeError::TooManyEntitlements(33))
        );
        assert!(layout.encode_ecm(&ecm(vec![0; 129])).is_err());
        // The largest ECM still fits its section: header 3, envelope 16 + padded body + 16.
        let body = layout.encode_ecm(&ecm(vec![0; MAX_USAGE_RIGHTS_LEN])).unwrap();
        assert!(3 + 32 + body.len().next_multiple_of(16) <= MAX_ECM_SECTION_LEN);
        let body = layout.encode_unique_emm(&unique(32)).unwrap();
        assert!(3 + 32 + (21 + body.len()).next_multiple_of(16) <= section::MAX_EMM_SECTION_LEN);
    }
}

// attack-test: T-14
#[test]
fn every_truncation_and_every_addition_is_refused() {
    for layout in LAYOUTS {
        let whole = layout.encode_ecm(&ecm(UsageRights::default().encode())).unwrap();
        for end in 0..whole.len() {
            let error = layout.decode_ecm(&whole[..end]).unwrap_err();
            assert!(error.offset <= end, "{error}");
        }
        assert!(layout.decode_ecm(&[&whole[..], &[0]].concat()).is_err());
        let whole = layout.encode_group_emm(&group());
        for end in 0..whole.len() {
            assert!(layout.decode_group_emm(&whole[..end]).is_err());
        }
        assert!(layout.decode_group_emm(&[&whole[..], &[0]].concat()).is_err());
    }
    // Vendor B's list is counted, so a shorter list cannot be cut out of a longer one.
    let whole = vendor_b::encode_unique_emm(&unique(3)).unwrap();
    for end in 0..whole.len() {
        assert!(vendor_b::decode_unique_emm(&whole[..end]).is_err());
    }
}

#[test]
fn vendor_a_ignores_only_tags_marked_so() {
    let mut bytes = vendor_a::encode_group_emm(&group());
    bytes.extend_from_slice(&[0x90, 2, 1, 2]);
    assert_eq!(vendor_a::decode_group_emm(&bytes).unwrap(), group());
    bytes.extend_from_slice(&[0x40, 0]);
    let error = vendor_a::decode_group_emm(&bytes).unwrap_err();
    assert_eq!(
        error,
        DecodeError { offset: bytes.len() - 2, kind: DecodeErrorKind::UnknownTag(0x40) }
    );
    let mut twice = vendor_a::encode_group_emm(&group());
    twice.extend_from_slice(&[0x20, 4, 0, 0, 0, 1]);
    let error = vendor_a::decode_group_emm(&twice).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Repeated(0x20));
}

// spec-test: E-R24 E-R30 S-51
#[test]
fn usage_rights_have_one_form() {
    let mut one = UsageRights::default();
    one.set(0x20, b"xy").unwrap();
    one.set(0x10, &[1]).unwrap();
    let mut other = UsageRights::default();
    other.set(0x10, &[9]).unwrap();
    other.set(0x20, b"xy").unwrap();
    other.set(0x10, &[1]).unwrap();
    assert_eq!(one.encode(), other.encode());
    assert_eq!(UsageRights::decode(&one.encode()).unwrap(), one);
    assert_eq!(one.get(0x20), Some(&b"xy"[..]));
    let mut swapped = UsageRights::default().encode();
    swapped.extend_from_slice(&[0x20, 0, 0x10, 0]);
    let error = UsageRights::decode(&swapped).unwrap_err();
    assert_eq!(error, DecodeError { offset: 12, kind: DecodeErrorKind::NotCanonical });
    assert!(one.set(0x01, &[0; 8]).is_err());
    assert!(one.set(0x30, &[0; 120]).is_err());
    let criteria = AccessCriteria { product: ProductId(2), usage_rights: one };
    let bytes = criteria.encode();
    assert_eq!(AccessCriteria::decode(&bytes).unwrap(), criteria);
    for end in 0..bytes.len() {
        // Cutting off whole fields at the end leaves shorter, well-formed rights.
        if let Ok(cut) = AccessCriteria::decode(&bytes[..end]) {
            assert_eq!(cut.encode(), &bytes[..end]);
        }
    }
    assert_eq!(AccessCriteria::decode(&[2, 0]).unwrap_err().kind, DecodeErrorKind::Version(2));
}

// attack-test: T-22
#[test]
fn the_global_emm_signs_a_tagged_message() {
    let emm = GlobalEmm { time: UnixSeconds(5), sequence: 6 };
    assert!(emm.signed_bytes().starts_with(GLOBAL_EMM_TAG));
    let payload = emm.encode(&[0xAA; 64]);
    assert_eq!(payload.len(), GLOBAL_EMM_LEN);
    assert!(emm.signed_bytes().ends_with(&payload[..14]));
    let read = GlobalEmm::decode(&payload).unwrap();
    assert_eq!((read.unverified, read.signature), (emm, [0xAA; 64]));
    for end in 0..payload.len() {
        assert!(GlobalEmm::decode(&payload[..end]).is_err());
    }
}

#[test]
fn sections_carry_their_exact_length() {
    let section = wrap(TableId::UniqueEmm, &[1, 2, 3]).unwrap();
    assert_eq!(section, [0x82, 0x70, 3, 1, 2, 3]);
    let parsed = CaSection::parse(&section).unwrap();
    assert_eq!((parsed.table_id, parsed.payload), (TableId::UniqueEmm, &[1, 2, 3][..]));
    for end in 0..section.len() {
        assert_eq!(CaSection::parse(&section[..end]).unwrap_err().kind, DecodeErrorKind::Truncated);
    }
    assert_eq!(
        CaSection::parse(&[0x82, 0x70, 0, 9]).unwrap_err(),
        DecodeError { offset: 3, kind: DecodeErrorKind::Trailing }
    );
    assert_eq!(
        CaSection::parse(&[0x83, 0x70, 0]).unwrap_err().kind,
        DecodeErrorKind::TableId(0x83)
    );
    assert_eq!(CaSection::parse(&[0x82, 0xF0, 0]).unwrap_err().kind, DecodeErrorKind::LongSection);
    assert!(wrap(TableId::EcmEven, &[0; 253]).is_ok());
    assert!(wrap(TableId::EcmEven, &[0; 254]).is_err());
    assert!(wrap(TableId::GlobalEmm, &[0; 1022]).is_err());
}

proptest! {
    // attack-test: T-14
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for layout in LAYOUTS {
            let _ = layout.decode_ecm(&bytes);
            let _ = layout.decode_unique_emm(&bytes);
            let _ = layout.decode_group_emm(&bytes);
        }
        let _ = GlobalEmm::decode(&bytes);
        let _ = CaSection::parse(&bytes);
        if let Ok(rights) = UsageRights::decode(&bytes) {
            prop_assert_eq!(rights.encode(), bytes);
        }
    }

    #[test]
    fn changed_octets_never_panic(at in 0usize..200, value: u8) {
        for layout in LAYOUTS {
            let mut bytes = layout.encode_ecm(&ecm(UsageRights::default().encode())).unwrap();
            let at = at % bytes.len();
            bytes[at] = value;
            if let Ok(body) = layout.decode_ecm(&bytes) {
                let again = layout.encode_ecm(&body).unwrap();
                prop_assert_eq!(layout.decode_ecm(&again).unwrap(), body);
            }
        }
    }
}
