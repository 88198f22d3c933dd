//! The first clients: each vendor packs and signs its own, the operator countersigns and
//! publishes.

use std::path::Path;

use portcullis_crypto::Ed25519SigningKey;
use portcullis_headend::layout::{CaSystem, DataDir};
use portcullis_package::{
    ContainerBuilder, ContainerLimits, NoImageKeys, PackInput, PackageType, ParsedContainer,
    SignatureType, pack,
};
use portcullis_vault::{Party, ed25519_seed_from_pem, write_public};

use super::parties::{PLATFORM_OPERATION_ENTITY, read};
use crate::cli::Failure;
use crate::commands::offline::{Offline, now};

/// Version of the clients that are built in.
const FIRST_VERSION: u16 = 1;

/// A built-in client.
pub(super) struct Embedded {
    elf: &'static [u8],
    policy: &'static str,
}

/// The clients of the default CA systems, or how to get them.
pub(super) fn embedded() -> Result<Vec<Embedded>, Failure> {
    let client = |system: &CaSystem| {
        let name = &system.vendor;
        let elf = portcullis_assets::client(name);
        let (elf, policy) = elf.zip(portcullis_assets::policy(name)).ok_or_else(|| {
            Failure::new(format!(
                "the reference client of {name} is not in this build: run `rustup target add \
                 riscv32im-unknown-none-elf` and build again"
            ))
        })?;
        Ok(Embedded { elf, policy })
    };
    CaSystem::defaults().iter().map(client).collect()
}

/// Packs, signs, countersigns and publishes a client for each CA system.
pub(super) fn publish(
    data: &DataDir,
    offline: &Offline,
    systems: &[CaSystem],
    clients: &[Embedded],
) -> Result<(), Failure> {
    let passphrase = offline.passphrase()?;
    let operator = Party::open(&data.operator(), passphrase.as_ref())?;
    let countersigner = signing_key(&operator, "po")?;
    let platform_operation_chain = chain(&data.operator().join("po.pem"))?;
    let emm_signer_chain = chain(&data.operator().join("emm-sign.pem"))?;
    let anchor = chain(&data.authority().join("root.pem"))?;
    let anchor = anchor.first().map(Vec::as_slice).unwrap_or_default();
    for (system, client) in systems.iter().zip(clients) {
        let dir = data.ca(&system.vendor);
        let vendor = Party::open(&dir, passphrase.as_ref())?;
        let image = portcullis_svm::elf::flat_image(client.elf)?;
        let package = pack(&PackInput {
            version: FIRST_VERSION,
            client_id: system.description.client_id,
            super_scp_id: system.description.super_scp_id,
            policy: client.policy.as_bytes(),
            image: &image,
            package_type: PackageType::Compressed,
            signature_type: SignatureType::Ed25519,
        })?
        .sign(&signing_key(&vendor, "series")?)?;
        let container = ContainerBuilder {
            package: &package,
            platform_operation_id: PLATFORM_OPERATION_ENTITY,
            client_chain: &chain(&dir.join("series.pem"))?,
            platform_operation_chain: &platform_operation_chain,
            emm_signer_chain: &emm_signer_chain,
            encryption: None,
        }
        .build()?
        .countersign(&countersigner);
        // What a box would refuse is not published.
        ParsedContainer::parse(&container, &ContainerLimits::default())?.verify(
            anchor,
            0,
            now(),
            &NoImageKeys,
        )?;
        let name = format!("{}-{FIRST_VERSION}.odci", system.vendor);
        write_public(&dir.join("packages").join(&name), &container)?;
        write_public(&data.centre().join(&name), &container)?;
    }
    Ok(())
}

/// A signing key of a party.
pub(in crate::commands) fn signing_key(
    party: &Party,
    name: &str,
) -> Result<Ed25519SigningKey, Failure> {
    let pem = party.open_file(&format!("{name}.key.age"))?;
    Ok(Ed25519SigningKey::from_seed(&*ed25519_seed_from_pem(&pem)?))
}

/// The certificates of a PEM file.
pub(in crate::commands) fn chain(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    portcullis_trust::certificates_from_pem(&read(path)?)
        .map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}
