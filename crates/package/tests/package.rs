//! X.1198 Annex A packages: what is accepted, and every way of tampering that is not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod world;

use std::io::Write;

use portcullis_package::{
    LegacySignatures, PackageError, PackageHeader, PackageKey, PackageLimits, PackageType,
    ParsedPackage, PrefixSpelling, UnsignedPackage, VerifiedPackage,
};
use portcullis_svm::Event;
use world::{NOW, World, image, policy, world};

fn verify(bytes: &[u8], key: &PackageKey) -> Result<VerifiedPackage, PackageError> {
    ParsedPackage::parse(bytes, &PackageLimits::default())?.verify(key)
}

/// Changes a signed package and signs it again: only the vendor itself could do that.
fn resigned(world: &World, bytes: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut body = bytes[..bytes.len() - 64].to_vec();
    change(&mut body);
    let signature = world.series.key.sign(&body);
    body.extend(signature);
    body
}

// spec-test: X-C01 X-C04 X-C05 X-A01 X-A02 X-A03 X-A04 X-A05 X-A06 X-A07 X-A08 X-A09 X-A12 X-A17 C-02
#[test]
fn plain_and_compressed_packages_come_back() {
    let world = world(1);
    for kind in [PackageType::Plain, PackageType::Compressed] {
        let bytes = world.package(7, 1, 3, kind);
        assert_eq!(&bytes[..8], b"SCP_VM_K");
        assert_eq!(&bytes[8..12], &[0, 3, 0, kind as u8]);
        assert_eq!(&bytes[12..20], &[0, 0, 0, 7, 0, 0, 0xA0, 1]);
        assert_eq!(&bytes[28..32], &[0x82, 0, 0, 64]);
        assert_eq!(&bytes[44..48], &[0; 4]);
        let verified = verify(&bytes, &world.package_key()).unwrap();
        assert_eq!(verified.image(), &image());
        assert_eq!(verified.policy_xml(), policy(7, 1).as_bytes());
        let table = verified.policy().permit_table();
        assert!(table.permits(Event::ChangeKey, 0x044));
        assert!(!table.permits(Event::Initialize, 0x044));
        assert_eq!(table.max_per_event(Event::ChangeKey, 0x044), Some(4));
        assert!(verified.check_lifetime(NOW).is_ok());
        let header = verified.header();
        assert_eq!(header.to_bytes(), bytes[..48]);
        let covered: usize = header.fields().iter().map(|field| field.size).sum();
        assert_eq!(covered, 48);
    }
}

// spec-test: X-A03 C-02
#[test]
fn both_prefix_spellings_are_read_and_reported() {
    let world = world(1);
    let bytes = world.package(7, 1, 3, PackageType::Plain);
    let numeric = resigned(&world, &bytes, |b| b[..8].copy_from_slice(b"SCP_c_KR"));
    let verified = verify(&numeric, &world.package_key()).unwrap();
    assert_eq!(verified.header().prefix, PrefixSpelling::Numeric);
    let other = resigned(&world, &bytes, |b| b[..8].copy_from_slice(b"SCP_VM_L"));
    assert_eq!(verify(&other, &world.package_key()).unwrap_err(), PackageError::Prefix);
}

// spec-test: X-C05 X-25
// attack-test: T-15
#[test]
fn every_changed_octet_is_refused() {
    let world = world(1);
    for kind in [PackageType::Plain, PackageType::Compressed] {
        let bytes = world.package(7, 1, 3, kind);
        for at in 0..bytes.len() {
            for bit in [0x01, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= bit;
                assert!(verify(&changed, &world.package_key()).is_err(), "octet {at}");
            }
        }
        for len in 0..bytes.len() {
            assert!(verify(&bytes[..len], &world.package_key()).is_err(), "length {len}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(verify(&longer, &world.package_key()).is_err());
    }
}

// attack-test: T-18
#[test]
fn parts_of_two_packages_do_not_mix() {
    let world = world(1);
    let one = world.package(7, 1, 3, PackageType::Plain);
    let two = world.package(8, 1, 3, PackageType::Plain);
    assert_eq!(one.len(), two.len());
    let policy_end = 48 + policy(7, 1).len();
    let code_end = one.len() - 64;
    for part in [0..48, 48..policy_end, code_end..one.len()] {
        let mut mixed = one.clone();
        mixed[part.clone()].copy_from_slice(&two[part.clone()]);
        let refused = verify(&mixed, &world.package_key()).unwrap_err();
        assert_eq!(refused, PackageError::BadSignature, "{part:?}");
    }
    // Even signed by the vendor, header and policy of two clients are no package.
    let mixed = resigned(&world, &one, |b| b[48..policy_end].copy_from_slice(&two[48..policy_end]));
    let refused = verify(&mixed, &world.package_key()).unwrap_err();
    assert!(matches!(refused, PackageError::MixAndMatch { header: 7, policy: 8, .. }));
}

// attack-test: T-25
// spec-test: X-A05 X-A10 X-A11 X-A12 X-A13 X-A14 X-A15 C-03
#[test]
fn each_header_field_has_its_rule() {
    let world = world(1);
    let bytes = world.package(7, 1, 3, PackageType::Plain);
    let key = world.package_key();
    let set = |at: usize, octets: &[u8]| {
        let octets = octets.to_vec();
        resigned(&world, &bytes, move |b| b[at..at + octets.len()].copy_from_slice(&octets))
    };
    let refused = |at: usize, octets: &[u8]| verify(&set(at, octets), &key).unwrap_err();
    assert_eq!(refused(10, &[0, 2]), PackageError::Type(2));
    assert_eq!(refused(28, &[0x01]), PackageError::SignatureType(1));
    assert_eq!(refused(28, &[0x83]), PackageError::SignatureRefused(0x83));
    assert!(matches!(refused(28, &[0x80]), PackageError::SignatureLength { expected: 384, .. }));
    assert!(matches!(refused(29, &[0, 0, 63]), PackageError::SignatureLength { .. }));
    assert!(matches!(refused(20, &[0xFF; 4]), PackageError::Length { .. }));
    assert!(matches!(refused(24, &[0xFF; 4]), PackageError::Length { .. }));
    assert!(matches!(refused(32, &[0, 0, 0, 48]), PackageError::ObjectCodeOffset { .. }));
    assert_eq!(refused(36, &[0, 0, 0, 2]), PackageError::LoadOffset(2));
    assert_eq!(refused(36, &[0xFF, 0xFF, 0xFF, 0xF0]), PackageError::LoadOffset(0xFFFF_FFF0));
    assert_eq!(refused(40, &[0, 0, 0, 2]), PackageError::EntryPoint(2));
    assert_eq!(refused(40, &[0, 0, 0, 64]), PackageError::EntryPoint(64));
    assert_eq!(refused(44, &[0, 0, 0, 1]), PackageError::Reserved(1));
    assert!(verify(&set(36, &[0, 0, 4, 0]), &key).is_ok(), "a load offset inside the limit");
}

// spec-test: X-A10 C-03
// attack-test: T-15
#[test]
fn obsolete_signatures_are_refused_with_and_without_the_switch() {
    let world = world(1);
    let bytes = world.package(7, 1, 3, PackageType::Plain);
    let mut old = bytes[..bytes.len() - 64].to_vec();
    old[28..32].copy_from_slice(&[0x00, 0, 0, 128]);
    old.extend([0; 128]);
    let refused = verify(&old, &world.package_key()).unwrap_err();
    assert_eq!(refused, PackageError::SignatureRefused(0));
    let limits =
        PackageLimits { legacy: LegacySignatures::UnsafeAccept, ..PackageLimits::default() };
    let parsed = ParsedPackage::parse(&old, &limits).unwrap();
    assert_eq!(parsed.verify(&world.package_key()).unwrap_err(), PackageError::WrongKeyKind(0));
}

// spec-test: X-A10 X-A18
#[test]
fn ecdsa_signatures_verify_as_raw_r_and_s() {
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, SigningKey};
    let world = world(1);
    let bytes = world.package(7, 1, 3, PackageType::Plain);
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    // r and s change their lengths in DER: enough rounds to meet short ones.
    for round in 0..200u8 {
        let mut body = bytes[..bytes.len() - 64].to_vec();
        body[28] = 0x81;
        body[9] = round;
        let der = pair.sign(&body).unwrap();
        body.extend(raw(&der));
        let key = PackageKey::EcdsaP256(pair.public_key_raw().to_vec());
        assert!(verify(&body, &key).is_ok(), "round {round}");
        body[50] ^= 1;
        assert_eq!(verify(&body, &key).unwrap_err(), PackageError::BadSignature);
        let wrong = verify(&body, &world.package_key()).unwrap_err();
        assert_eq!(wrong, PackageError::WrongKeyKind(0x81));
    }
}

/// The raw form of a DER ECDSA signature.
fn raw(der: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = &der[2..];
    for _ in 0..2 {
        let len = usize::from(rest[1]);
        let number = &rest[2..2 + len];
        let digits = &number[number.len().saturating_sub(32)..];
        out.extend(vec![0; 32 - digits.len()]);
        out.extend(digits);
        rest = &rest[2 + len..];
    }
    out
}

// spec-test: X-A05
// attack-test: T-19 T-23
#[test]
fn bombs_stop_at_the_limit() {
    let world = world(1);
    let bytes = world.package(7, 1, 3, PackageType::Compressed);
    let policy_len = u32::from_be_bytes(bytes[20..24].try_into().unwrap()) as usize;
    let zeros = |len: usize| {
        let mut z = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        z.write_all(&vec![0; len]).unwrap();
        z.finish().unwrap()
    };
    // 64 MiB of code where the policy allows 4096 octets.
    let bomb = zeros(64 << 20);
    let package = resigned(&world, &bytes, |b| {
        b.truncate(48 + policy_len);
        b[24..28].copy_from_slice(&(bomb.len() as u32).to_be_bytes());
        b.extend(&bomb);
    });
    let refused = verify(&package, &world.package_key()).unwrap_err();
    assert!(matches!(refused, PackageError::TooLarge { part: "code", len: 4097, limit: 4096 }));
    // The same in place of the policy.
    let package = resigned(&world, &bytes, |b| {
        let code = b.split_off(48 + policy_len);
        b.truncate(48);
        b[20..24].copy_from_slice(&(bomb.len() as u32).to_be_bytes());
        b[32..36].copy_from_slice(&(bomb.len() as u32 + 48).to_be_bytes());
        b.extend(&bomb);
        b.extend(code);
    });
    let refused = verify(&package, &world.package_key()).unwrap_err();
    assert!(matches!(refused, PackageError::TooLarge { part: "policy", .. }), "{refused}");
    // Octets hidden behind the stream.
    let package = resigned(&world, &bytes, |b| {
        b.push(0);
        let code = u32::from_be_bytes(b[24..28].try_into().unwrap()) + 1;
        b[24..28].copy_from_slice(&code.to_be_bytes());
    });
    assert_eq!(verify(&package, &world.package_key()).unwrap_err(), PackageError::Inflate("code"));
}

// spec-test: X-Y01
#[test]
fn a_client_has_a_lifetime() {
    let world = world(1);
    let bytes = world.package(7, 1, 3, PackageType::Plain);
    let verified = verify(&bytes, &world.package_key()).unwrap();
    let lifetime = verified.policy().lifetime;
    assert!(lifetime.contains(lifetime.not_before) && lifetime.contains(lifetime.not_after));
    let late = portcullis_types::UnixSeconds(lifetime.not_after.0 + 1);
    assert_eq!(verified.check_lifetime(late), Err(PackageError::Lifetime));
}

#[test]
fn a_signature_can_be_taken_off_and_made_again() {
    let world = world(1);
    let bytes = world.package(7, 1, 3, PackageType::Compressed);
    let again =
        UnsignedPackage::from_bytes(bytes.clone()).unwrap().sign(&world.series.key).unwrap();
    assert_eq!(again, bytes);
    let unsigned = bytes[..bytes.len() - 64].to_vec();
    let again = UnsignedPackage::from_bytes(unsigned).unwrap().sign(&world.series.key).unwrap();
    assert_eq!(again, bytes);
    assert!(UnsignedPackage::from_bytes(bytes[..60].to_vec()).is_err());
}

proptest::proptest! {
    #[test]
    fn no_input_panics(mut bytes: Vec<u8>, keep in 0usize..48) {
        let world = world(1);
        let good = world.package(7, 1, 3, PackageType::Compressed);
        let mut input = good[..keep].to_vec();
        input.append(&mut bytes);
        let _ = PackageHeader::parse(&input);
        let _ = verify(&input, &world.package_key());
    }
}
