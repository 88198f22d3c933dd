//! Ed25519 keys and secrets as files of a party.

use std::path::Path;

use portcullis_crypto::{Ed25519SigningKey, Ed25519VerifyingKey};
use portcullis_vault::{
    Party, Zeroizing, ed25519_seed_from_pem, ed25519_seed_to_pem, write_public,
};

use crate::SdmpError;

/// Random octets that are wiped when dropped.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, SdmpError> {
    let mut octets = Zeroizing::new([0; N]);
    getrandom::fill(&mut *octets).map_err(|_| SdmpError::Randomness)?;
    Ok(octets)
}

/// Makes a key, sealed as `NAME.key.age`.
pub(crate) fn create_key(party: &Party, name: &str) -> Result<Ed25519SigningKey, SdmpError> {
    let seed = random::<32>()?;
    party.seal_file(&format!("{name}.key.age"), &ed25519_seed_to_pem(&seed))?;
    Ok(Ed25519SigningKey::from_seed(&seed))
}

/// Opens `NAME.key.age`.
pub(crate) fn open_key(party: &Party, name: &str) -> Result<Ed25519SigningKey, SdmpError> {
    let pem = party.open_file(&format!("{name}.key.age"))?;
    Ok(Ed25519SigningKey::from_seed(&*ed25519_seed_from_pem(&pem)?))
}

/// Opens a sealed file of exactly `N` octets.
pub(crate) fn open_secret<const N: usize>(
    party: &Party,
    name: &str,
    wanted: &'static str,
) -> Result<Zeroizing<[u8; N]>, SdmpError> {
    let octets = party.open_file(name)?;
    let octets: &[u8; N] = octets
        .as_slice()
        .try_into()
        .map_err(|_| SdmpError::bad(&party.dir().join(name), wanted))?;
    Ok(Zeroizing::new(*octets))
}

/// Writes a public key as one line of hexadecimal.
pub(crate) fn write_public_key(path: &Path, key: &Ed25519VerifyingKey) -> Result<(), SdmpError> {
    Ok(write_public(path, format!("{}\n", hex::encode(key.to_bytes())).as_bytes())?)
}
