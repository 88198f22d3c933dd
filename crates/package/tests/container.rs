//! Containers: who built it, who deploys it, and every way of swapping parts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod world;

use portcullis_crypto::Zeroizing;
use portcullis_package::{
    ContainerBuilder, ContainerError, ContainerLimits, ImageKey, NoImageKeys, PackageError,
    PackageType, ParsedContainer, VerifiedContainer,
};
use portcullis_trust::TrustError;
use portcullis_types::{UnixSeconds, VendorSysId};
use world::{NOW, PLATFORM_OPERATION, World, world};

fn verify(bytes: &[u8], world: &World, floor: u32) -> Result<VerifiedContainer, ContainerError> {
    ParsedContainer::parse(bytes, &ContainerLimits::default())?.verify(
        &world.anchor,
        floor,
        NOW,
        &NoImageKeys,
    )
}

fn good(world: &World) -> Vec<u8> {
    world.container(&world.package(7, 1, 3, PackageType::Compressed))
}

/// Changes a container and countersigns it again, as a careless operator might.
fn recountersigned(world: &World, bytes: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut body = bytes[..bytes.len() - 68].to_vec();
    change(&mut body);
    let signature = world.platform_operation.key.sign(&body);
    body.extend([0, 0x82, 0, 64]);
    body.extend(signature);
    body
}

// spec-test: E-R14 X-25 X-42
#[test]
fn a_good_container_says_who_and_what() {
    let world = world(1);
    let verified = verify(&good(&world), &world, 3).unwrap();
    assert_eq!(verified.vendor_sys_id, VendorSysId(0x0A01));
    assert_eq!((verified.super_scp_id.0, verified.client_id.0, verified.version), (0xA001, 7, 3));
    let emm = world.emm_signer.key.verifying_key().to_bytes();
    assert_eq!(verified.emm_signer.public_key, emm);
    assert_eq!(verified.package.header().version, 3);
}

// spec-test: X-C05 E-F16
// attack-test: T-15 T-16
#[test]
fn every_changed_octet_is_refused() {
    let world = world(1);
    let bytes = good(&world);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(verify(&changed, &world, 0).is_err(), "octet {at}");
    }
    for len in (0..bytes.len()).step_by(3) {
        assert!(verify(&bytes[..len], &world, 0).is_err(), "length {len}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(verify(&longer, &world, 0).unwrap_err(), ContainerError::TrailingOctets(1));
}

// attack-test: T-16
#[test]
fn an_older_version_than_the_floor_is_a_rollback() {
    let world = world(1);
    assert!(verify(&good(&world), &world, 3).is_ok());
    let refused = verify(&good(&world), &world, 4).unwrap_err();
    assert_eq!(refused, ContainerError::Rollback { floor: 4, offered: 3 });
    // The version in the container's head is not the package's.
    let raised = recountersigned(&world, &good(&world), |b| b[19] = 9);
    let refused = verify(&raised, &world, 4).unwrap_err();
    assert_eq!(refused, ContainerError::MixAndMatch { what: "client version", here: 9, there: 3 });
}

// spec-test: E-R14
// attack-test: T-15 T-18
#[test]
fn vendor_operator_and_emm_signer_stay_in_their_roles() {
    let ours = world(1);
    let other = world(2);
    let package = ours.package(7, 1, 3, PackageType::Plain);
    let build = |client: &[Vec<u8>], po: &[Vec<u8>], emm: &[Vec<u8>], key| {
        ContainerBuilder {
            package: &package,
            platform_operation_id: PLATFORM_OPERATION.into(),
            client_chain: client,
            platform_operation_chain: po,
            emm_signer_chain: emm,
            encryption: None,
        }
        .build()
        .unwrap()
        .countersign(key)
    };
    let (series, po, emm) =
        (&ours.series.chain, &ours.platform_operation.chain, &ours.emm_signer.chain);
    let po_key = &ours.platform_operation.key;
    assert!(verify(&build(series, po, emm, po_key), &ours, 0).is_ok());
    // The vendor deploys its own client.
    let refused = verify(&build(series, series, emm, &ours.series.key), &ours, 0).unwrap_err();
    let ContainerError::Chain { source, .. } = refused else { panic!("{refused}") };
    assert!(matches!(source, TrustError::WrongRole { .. }));
    // The EMM signer deploys, the platform operation signs EMMs, the operator builds.
    assert!(verify(&build(series, emm, emm, &ours.emm_signer.key), &ours, 0).is_err());
    assert!(verify(&build(series, po, po, po_key), &ours, 0).is_err());
    assert!(verify(&build(po, po, emm, po_key), &ours, 0).is_err());
    // Another vendor's chain under our package.
    let refused = verify(&build(&other.series.chain, po, emm, po_key), &ours, 0).unwrap_err();
    assert_eq!(
        refused,
        ContainerError::MixAndMatch { what: "Super SCP ID", here: 0xA001, there: 0xA002 }
    );
    // The right chain and somebody else's countersignature.
    let refused = verify(&build(series, po, emm, &ours.series.key), &ours, 0).unwrap_err();
    assert_eq!(refused, ContainerError::BadCountersignature);
}

// attack-test: T-15 T-18
#[test]
fn a_careless_operator_cannot_sign_a_forged_package_in() {
    let ours = world(1);
    let other = world(2);
    // Another vendor's package, relabelled in the container's head.
    let package = world::unsigned(7, 1, 3, PackageType::Plain).sign(&other.series.key).unwrap();
    let refused = verify(&ours.container(&package), &ours, 0).unwrap_err();
    assert_eq!(refused, ContainerError::Package(PackageError::BadSignature));
    // A payload that is not the announced one.
    let changed = recountersigned(&ours, &good(&ours), |b| b[200] ^= 1);
    assert_eq!(verify(&changed, &ours, 0).unwrap_err(), ContainerError::PayloadHash);
    // A container for a newer host; flags and encryption that nobody can open.
    let newer = recountersigned(&ours, &good(&ours), |b| b[25] = 2);
    assert!(matches!(verify(&newer, &ours, 0), Err(ContainerError::HostTooOld { .. })));
    let encrypted = recountersigned(&ours, &good(&ours), |b| {
        b[7] = 3;
        b[73] = 1;
    });
    assert_eq!(verify(&encrypted, &ours, 0).unwrap_err(), ContainerError::Encryption(1));
    let claimed = recountersigned(&ours, &good(&ours), |b| b[7] = 3);
    assert!(matches!(verify(&claimed, &ours, 0), Err(ContainerError::Field { offset: 6, .. })));
    let flags = recountersigned(&ours, &good(&ours), |b| b[7] = 0);
    assert!(matches!(verify(&flags, &ours, 0), Err(ContainerError::Field { offset: 6, .. })));
}

fn image_key(seed: u8) -> ImageKey {
    ImageKey::generate(&mut |octets| octets.fill(seed))
}

// spec-test: X-27 C-11
#[test]
fn an_encrypted_image_opens_with_its_key_alone() {
    let world = world(1);
    let package = world.package(7, 1, 3, PackageType::Plain);
    let key = image_key(1);
    let bytes = world.container_with(&package, Some((&key, [9; 12])));
    let policy = world::policy(7, 1);
    let readable = |octets: &[u8]| octets.windows(40).any(|w| w == &policy.as_bytes()[..40]);
    assert!(readable(&world.container(&package)));
    assert!(!readable(&bytes), "the policy is readable in the encrypted image");

    let parsed = ParsedContainer::parse(&bytes, &ContainerLimits::default()).unwrap();
    assert_eq!(parsed.header().encryption.unwrap().key_id, key.id());
    assert_eq!(parsed.payload(&key).unwrap(), package);
    let verified = parsed.verify(&world.anchor, 0, NOW, &key).unwrap();
    assert_eq!(verified.package.image(), &world::image());

    let other = image_key(2);
    let refused = parsed.verify(&world.anchor, 0, NOW, &other).unwrap_err();
    assert_eq!(refused, ContainerError::NoImageKey(key.id()));
    let refused = parsed.verify(&world.anchor, 0, NOW, &NoImageKeys).unwrap_err();
    assert_eq!(refused, ContainerError::NoImageKey(key.id()));
    let same_name = ImageKey::new(key.id(), Zeroizing::new([3; 32]));
    let refused = parsed.verify(&world.anchor, 0, NOW, &same_name).unwrap_err();
    assert_eq!(refused, ContainerError::Decryption);
}

// spec-test: X-27
// attack-test: T-15
#[test]
fn an_encrypted_image_cannot_be_changed_by_a_careless_countersigner() {
    let world = world(1);
    let package = world.package(7, 1, 3, PackageType::Compressed);
    let key = image_key(1);
    let bytes = world.container_with(&package, Some((&key, [9; 12])));
    let payload = 118..118 + package.len();
    // Ids, announced hash, nonce, tag and payload: each is under the tag.
    for at in (8..36).chain(40..72).chain(90..118).chain(payload.step_by(7)) {
        let changed = recountersigned(&world, &bytes, |b| b[at] ^= 1);
        let parsed = ParsedContainer::parse(&changed, &ContainerLimits::default()).unwrap();
        let refused = parsed.verify(&world.anchor, 0, NOW, &key).unwrap_err();
        let platform_operation = (20..24).contains(&at);
        let host_api = (24..28).contains(&at);
        let expected = match refused {
            ContainerError::MixAndMatch { .. } => platform_operation,
            ContainerError::HostTooOld { .. } => host_api,
            other => other == ContainerError::Decryption,
        };
        assert!(expected, "octet {at}");
    }
}

// spec-test: X-Y01
#[test]
fn after_its_lifetime_a_client_is_not_installed() {
    let world = world(1);
    let bytes = good(&world);
    let parsed = ParsedContainer::parse(&bytes, &ContainerLimits::default()).unwrap();
    let late = UnixSeconds(1_956_528_000 + 86_400);
    let refused = parsed.verify(&world.anchor, 0, late, &NoImageKeys).unwrap_err();
    assert_eq!(refused, ContainerError::Package(PackageError::Lifetime));
}
