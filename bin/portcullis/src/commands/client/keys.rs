//! Keys and chains from files and data directories.

use std::path::Path;

use portcullis_crypto::{Ed25519SigningKey, Zeroizing};
use portcullis_headend::layout::DataDir;
use portcullis_package::{ImageKey, ImageKeyId, ImageKeys, PackageKey};
use portcullis_trust::{CertificateInfo, certificates_from_pem};
use portcullis_vault::{Party, Passphrase, ed25519_seed_from_pem};
use rustls_pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};

use crate::cli::Failure;
use crate::commands::init::{chain, read, signing_key as party_key};

/// A private key in PEM.
pub(super) fn signing_key(path: &Path) -> Result<Ed25519SigningKey, Failure> {
    let seed = ed25519_seed_from_pem(&read(path)?)
        .map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
    Ok(Ed25519SigningKey::from_seed(&seed))
}

/// A certificate or a public key in PEM, as the key that verifies packages.
pub(super) fn package_key(path: &Path) -> Result<PackageKey, Failure> {
    let text = read(path)?;
    let bad = || Failure::new(format!("{}: no certificate or public key (PEM)", path.display()));
    if let Ok(certificates) = certificates_from_pem(&text) {
        let der = certificates.first().map(Vec::as_slice).unwrap_or_default();
        let info = CertificateInfo::parse(der).map_err(|_| bad())?;
        return Ok(PackageKey::Ed25519(info.public_key));
    }
    let key = SubjectPublicKeyInfoDer::from_pem_slice(&text).map_err(|_| bad())?;
    PackageKey::from_public_key_info(key.as_ref()).ok_or_else(bad)
}

/// What a data directory needs to turn a package into a container.
pub(super) struct Parties {
    operator: Party,
    pub(super) series: Ed25519SigningKey,
    pub(super) platform_operation: Ed25519SigningKey,
    pub(super) platform_operation_id: u32,
    pub(super) client_chain: Vec<Vec<u8>>,
    pub(super) platform_operation_chain: Vec<Vec<u8>>,
    pub(super) emm_signer_chain: Vec<Vec<u8>>,
}

impl Parties {
    pub(super) fn open(
        data: &Path,
        vendor: &str,
        passphrase_file: Option<&Path>,
    ) -> Result<Self, Failure> {
        let data = DataDir::new(data);
        let passphrase = passphrase_file.map(Passphrase::from_file).transpose()?;
        data.ca_system(vendor)?;
        let ca = Party::open(&data.ca(vendor), passphrase.as_ref())?;
        let operator = Party::open(&data.operator(), passphrase.as_ref())?;
        let platform_operation_chain = chain(&operator.dir().join("po.pem"))?;
        let id = platform_operation_chain
            .first()
            .and_then(|der| CertificateInfo::parse(der).ok())
            .and_then(|info| info.entity_id)
            .ok_or_else(|| Failure::new("operator/po.pem: no entity id"))?;
        Ok(Self {
            series: party_key(&ca, "series")?,
            platform_operation: party_key(&operator, "po")?,
            platform_operation_id: id,
            client_chain: chain(&ca.dir().join("series.pem"))?,
            platform_operation_chain,
            emm_signer_chain: chain(&operator.dir().join("emm-sign.pem"))?,
            operator,
        })
    }

    /// A new image key, kept by the operator for its centre.
    pub(super) fn new_image_key(&self) -> Result<ImageKey, Failure> {
        let mut failed = None;
        let key = ImageKey::generate(&mut |octets| {
            failed = getrandom::fill(octets).err().or(failed);
        });
        if let Some(error) = failed {
            return Err(Failure::new(format!("randomness: {error}")));
        }
        let file = DataDir::image_key_file(&key.id().0);
        self.operator.seal_file(&file, key.expose_secret())?;
        Ok(key)
    }
}

/// The image keys that a person who inspects has: those of an operator's directory, or none.
pub(super) struct HeldImageKeys(Option<ImageKey>);

impl HeldImageKeys {
    /// Looks for the key of a container in the operator's directory of `data`.
    pub(super) fn open(
        id: Option<ImageKeyId>,
        data: Option<&Path>,
        passphrase_file: Option<&Path>,
    ) -> Result<Self, Failure> {
        let (Some(id), Some(data)) = (id, data) else { return Ok(Self(None)) };
        let passphrase = passphrase_file.map(Passphrase::from_file).transpose()?;
        let operator = Party::open(&DataDir::new(data).operator(), passphrase.as_ref())?;
        let key = operator.open_file(&DataDir::image_key_file(&id.0))?;
        let octets = <[u8; 32]>::try_from(key.as_slice());
        let octets = octets.map_err(|_| Failure::new("image key: not 32 octets"))?;
        Ok(Self(Some(ImageKey::new(id, Zeroizing::new(octets)))))
    }
}

impl ImageKeys for HeldImageKeys {
    fn image_key(&self, id: ImageKeyId) -> Option<&ImageKey> {
        self.0.as_ref()?.image_key(id)
    }
}
