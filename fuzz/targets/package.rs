//! A package or container from anywhere: parsed, inspected and verified. Its signature stops a
//! stranger early, so the input is also taken as the parts of a package that the right key
//! signed: what a vendor's mistake or a stolen key can bring.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_crypto::Ed25519SigningKey;
use portcullis_package::{
    ContainerLimits, HEADER_LEN, NoImageKeys, PackageHeader, PackageKey, PackageLimits,
    ParsedContainer, ParsedPackage,
};
use portcullis_types::UnixSeconds;

/// Small, so that a bomb shows as memory.
const LIMITS: PackageLimits = PackageLimits {
    package: 1 << 20,
    policy: 64 << 10,
    code: 1 << 20,
    legacy: portcullis_package::LegacySignatures::UnsafeAccept,
};
const NOW: UnixSeconds = UnixSeconds(1_782_864_000);

fuzz_target!(|data: &[u8]| {
    let key = Ed25519SigningKey::from_seed(&[7; 32]);
    let verifying = PackageKey::Ed25519(key.verifying_key().to_bytes());
    look(data, &verifying);
    look(&signed(data, &key), &verifying);
    if let Ok(container) =
        ParsedContainer::parse(data, &ContainerLimits { container: 1 << 20, package: LIMITS })
    {
        assert!(container.verify(&[], 0, NOW, &NoImageKeys).is_err(), "nobody signed it");
    }
});

fn look(bytes: &[u8], key: &PackageKey) {
    let Ok(package) = ParsedPackage::parse(bytes, &LIMITS) else { return };
    let header = package.header().expect("parsed before");
    assert_eq!(header.to_bytes(), bytes[..HEADER_LEN], "the header is written as it was read");
    if let Ok(policy) = package.unverified_policy() {
        assert!(policy.len() as u64 <= LIMITS.policy);
    }
    if let Ok(code) = package.unverified_code() {
        assert!(code.len() as u64 <= LIMITS.code);
    }
    if let Ok(verified) = package.verify(key) {
        let image = verified.image();
        assert!(image.text_bytes as usize <= image.code.len());
        assert!(image.entry < image.text_bytes);
        let _ = verified.check_lifetime(NOW);
    }
}

/// The input with lengths that agree and a good signature: type, ids, offsets and parts are its.
fn signed(data: &[u8], key: &Ed25519SigningKey) -> Vec<u8> {
    let mut bytes = data.to_vec();
    bytes.resize(bytes.len().max(HEADER_LEN), 0);
    let parts = bytes.len() - HEADER_LEN;
    let policy = parts.min(usize::from(u16::from_be_bytes([bytes[22], bytes[23]])));
    let put = |bytes: &mut Vec<u8>, at: usize, value: usize| {
        bytes[at..at + 4].copy_from_slice(&(value as u32).to_be_bytes());
    };
    bytes[..8].copy_from_slice(b"SCP_VM_K");
    put(&mut bytes, 20, policy);
    put(&mut bytes, 24, parts - policy);
    put(&mut bytes, 28, 0x8200_0040);
    put(&mut bytes, 32, HEADER_LEN + policy);
    put(&mut bytes, 44, 0);
    let signature = key.sign(&bytes);
    bytes.extend(signature);
    assert!(
        PackageHeader::parse(&bytes).is_ok() || bytes[10..12] > [0, 1][..] || {
            let aligned = |at: usize| bytes[at + 3] % 4 == 0;
            !aligned(36) || !aligned(40)
        }
    );
    bytes
}
