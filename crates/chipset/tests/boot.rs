//! The boot chain: images, certificates and floors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_chipset::boot::{
    BlKey1Certificate, BootError, BootImage, BootStage, ImageKind, ImageVersion,
    PlatformKeyCertificate, Verified, fingerprint,
};
use portcullis_chipset::wire::{BootFloors, BootLink};
use portcullis_crypto::Ed25519SigningKey;
use support::bl_key0;

const VERSION: ImageVersion = ImageVersion { version: 3, floor: 2 };
const NO_FLOORS: BootFloors = BootFloors { certificate: 0, image: 0 };

fn key(octet: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&[octet; 32])
}

fn bootloader(payload: &[u8]) -> Vec<u8> {
    let certificate = BlKey1Certificate::sign(&bl_key0(), &key(1).verifying_key(), 4);
    BootImage::bootloader(&key(1), &certificate, VERSION, payload).unwrap()
}

fn platform(payload: &[u8], anchor: &[u8]) -> Vec<u8> {
    let certificate = PlatformKeyCertificate::sign(&key(1), &key(2).verifying_key(), 5);
    BootImage::platform(&key(2), &certificate, VERSION, anchor, payload).unwrap()
}

fn verify(
    image: &[u8],
    kind: ImageKind,
    issuer: &Ed25519SigningKey,
    floors: BootFloors,
) -> (Result<BootStage<Verified>, BootError>, Vec<BootLink>) {
    let mut report = Vec::new();
    let outcome = BootStage::read(std::io::Cursor::new(image.to_vec()), kind)
        .and_then(|stage| stage.verify(&issuer.verifying_key(), floors, &mut report));
    (outcome, report)
}

// spec-test: D-S5 D-X2 D-X3 D-X4
#[test]
fn a_good_chain_says_who_vouches_for_what() {
    let image = bootloader(b"bootloader code");
    let (stage, report) = verify(&image, ImageKind::Bootloader, &bl_key0(), NO_FLOORS);
    let stage = stage.unwrap();
    assert_eq!(stage.signer(), &key(1).verifying_key());
    assert_eq!(stage.floors(), BootFloors { certificate: 4, image: 2 });
    let names: Vec<_> = report.iter().map(|l| (&*l.name, l.version, l.is_good())).collect();
    assert_eq!(names, [("bl-key1", 4, true), ("bootloader", 3, true)]);
    assert_eq!(report[0].signer, fingerprint(&bl_key0().verifying_key()));
    assert_eq!(report[1].signer, fingerprint(&key(1).verifying_key()));

    let image = platform(b"platform code", b"anchor");
    let (stage, report) = verify(&image, ImageKind::Platform, &key(1), NO_FLOORS);
    assert_eq!(stage.unwrap().trust_anchor(), b"anchor");
    assert_eq!(report[1].sha256.len(), 64);
}

// attack-test: T-37
#[test]
fn every_flipped_byte_stops_the_boot() {
    let image = bootloader(&[0x90; 700]);
    for at in 0..image.len() {
        let mut altered = image.clone();
        altered[at] ^= 1 << (at % 8);
        let (outcome, report) = verify(&altered, ImageKind::Bootloader, &bl_key0(), NO_FLOORS);
        assert!(outcome.is_err(), "octet {at}");
        assert!(report.iter().filter(|link| !link.is_good()).count() <= 1);
    }
    let image = platform(&[0x90; 300], &[0xA5; 200]);
    for at in 0..image.len() {
        let mut altered = image.clone();
        altered[at] ^= 1 << (at % 8);
        assert!(verify(&altered, ImageKind::Platform, &key(1), NO_FLOORS).0.is_err(), "{at}");
    }
}

#[test]
fn every_truncation_and_surplus_stops_the_boot() {
    let image = platform(&[0x90; 50], &[0xA5; 20]);
    for length in 0..image.len() {
        let (outcome, _) = verify(&image[..length], ImageKind::Platform, &key(1), NO_FLOORS);
        assert!(matches!(outcome, Err(BootError::Truncated { .. })), "{length}");
    }
    let longer = [&*image, &[0]].concat();
    assert!(verify(&longer, ImageKind::Platform, &key(1), NO_FLOORS).0.is_err());
}

// attack-test: T-37
#[test]
fn signers_of_other_chains_and_roles_are_refused() {
    let image = bootloader(b"code");
    let (outcome, report) = verify(&image, ImageKind::Bootloader, &key(9), NO_FLOORS);
    assert!(matches!(outcome, Err(BootError::BadSignature("bl-key1"))));
    assert_eq!((report.len(), &*report[0].verdict), (1, "bad signature of bl-key1"));
    // A bootloader image is no platform image, whoever signed it.
    assert!(verify(&image, ImageKind::Platform, &bl_key0(), NO_FLOORS).0.is_err());
    // A certificate of a good key around an image that another key signed.
    let certificate = BlKey1Certificate::sign(&bl_key0(), &key(1).verifying_key(), 4);
    let image = BootImage::bootloader(&key(9), &certificate, VERSION, b"code").unwrap();
    let (outcome, report) = verify(&image, ImageKind::Bootloader, &bl_key0(), NO_FLOORS);
    assert!(matches!(outcome, Err(BootError::BadSignature("bootloader"))));
    assert_eq!(report.len(), 2);
}

// spec-test: D-X11
#[test]
fn versions_below_the_floor_are_refused() {
    let image = bootloader(b"code");
    let at = |certificate, image| BootFloors { certificate, image };
    let check = |floors| verify(&image, ImageKind::Bootloader, &bl_key0(), floors).0;
    assert!(check(at(4, 3)).is_ok());
    let (floor, offered) = (4, 3);
    assert!(matches!(
        check(at(4, 4)),
        Err(BootError::Rollback { floor: f, offered: o }) if (f, o) == (floor, offered)
    ));
    assert!(matches!(check(at(5, 0)), Err(BootError::Rollback { .. })));
    // A floor already higher stays.
    assert_eq!(check(at(0, 3)).unwrap().floors().image, 3);
    let bad = ImageVersion { version: 1, floor: 2 };
    let certificate = BlKey1Certificate::sign(&bl_key0(), &key(1).verifying_key(), 4);
    assert!(BootImage::bootloader(&key(1), &certificate, bad, b"code").is_err());
}

#[test]
fn what_was_verified_is_what_runs() {
    let shell = std::fs::read("/bin/sh").unwrap();
    let (stage, _) = verify(&bootloader(&shell), ImageKind::Bootloader, &bl_key0(), NO_FLOORS);
    let stage = stage.unwrap();
    let status = stage.command().args(["-c", "exit 7"]).status().unwrap();
    assert_eq!(status.code(), Some(7));
}

#[test]
fn a_missing_image_is_a_bad_link() {
    let mut report = Vec::new();
    let missing = std::path::Path::new("/nonexistent/bootloader.img");
    let key = bl_key0().verifying_key();
    let outcome = BootStage::load(missing, ImageKind::Bootloader, &key, NO_FLOORS, &mut report);
    assert!(matches!(outcome, Err(BootError::Io(_))));
    assert!(!report[0].is_good());
}
