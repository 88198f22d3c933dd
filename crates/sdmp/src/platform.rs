//! The SDMP itself.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use portcullis_chipset::boot::BlKey1Certificate;
use portcullis_chipset::encrypt_sck;
use portcullis_crypto::{Ed25519SigningKey, Ed25519VerifyingKey, Key128, hmac_sha256};
use portcullis_keyladder::delivery::{ChipDelivery, SckvDelivery};
use portcullis_keyladder::{Profile, Sck, sckv};
use portcullis_types::{ChipId, ModuleId, VendorSysId, parse_hex_array};
use portcullis_vault::{Party, Passphrase, Recipient, Zeroizing, seal_to, write_public};
use serde::Serialize;

use crate::signing_key::{create_key, open_key, open_secret, random, write_public_key};
use crate::{SdmpError, Vendor, registry};

/// The SDMP with its unlock key open.
pub struct Sdmp {
    party: Party,
}

/// Which chip to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChipOrder {
    /// Derivation profile of the silicon.
    pub profile: Profile,
    /// ModuleID, for profiles with a module key.
    pub module_id: Option<ModuleId>,
    /// A wished ChipID; random otherwise.
    pub chip_id: Option<ChipId>,
}

/// Where the files for the other parties go.
pub struct ChipOutputs<'a> {
    /// Directory for the serialiser's batch file.
    pub batches: &'a Path,
    /// To whom that file is sealed.
    pub serialiser: &'a Recipient,
    /// Per vendor name, the directory for its SCKv file.
    pub sckv: &'a [(String, PathBuf)],
}

/// A chip that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MadeChip {
    /// Its id.
    pub chip_id: ChipId,
    /// The serialiser's file.
    pub batch: PathBuf,
}

/// The SDMP's own record of a chip; sealed.
#[derive(Serialize)]
struct ChipRecord<'a> {
    chip_id: String,
    profile: &'static str,
    module_id: Option<u8>,
    sck: &'a str,
}

impl Sdmp {
    /// Sets an SDMP up: unlock key, delivery signing key, BL_KEY0.
    ///
    /// # Errors
    /// [`SdmpError`] when it exists or files cannot be written.
    pub fn create(dir: &Path, passphrase: Option<&Passphrase>) -> Result<Self, SdmpError> {
        let party = Party::create(dir, passphrase)?;
        let signing = create_key(&party, "sign")?;
        write_public_key(&dir.join("sdmp.pub"), &signing.verifying_key())?;
        let bl_key0 = create_key(&party, "bl_key0")?;
        write_public_key(&dir.join("bl_key0.pub"), &bl_key0.verifying_key())?;
        Ok(Self { party })
    }

    /// Opens an SDMP.
    ///
    /// # Errors
    /// [`SdmpError`].
    pub fn open(dir: &Path, passphrase: Option<&Passphrase>) -> Result<Self, SdmpError> {
        Ok(Self { party: Party::open(dir, passphrase)? })
    }

    /// To whom the chip vendor seals the per-model key.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        self.party.recipient()
    }

    /// Gives a CA vendor its Vendor_SysID; `wish` asks for a number.
    ///
    /// # Errors
    /// [`SdmpError::VendorTaken`] and others.
    // spec: D-K2
    pub fn allocate_vendor(
        &self,
        name: &str,
        recipient: &Recipient,
        wish: Option<VendorSysId>,
    ) -> Result<VendorSysId, SdmpError> {
        registry::allocate(&self.vendors_path(), name, recipient, wish)
    }

    /// All allocations.
    ///
    /// # Errors
    /// [`SdmpError`] when the list does not read.
    pub fn vendors(&self) -> Result<Vec<Vendor>, SdmpError> {
        registry::read(&self.vendors_path())
    }

    /// Certifies BL_KEY1's public key with BL_KEY0 (J.1032 6.1.3 a); also kept as
    /// `bl_key1.cert`.
    ///
    /// # Errors
    /// [`SdmpError`].
    // spec: D-S5
    pub fn certify_bl_key1(
        &self,
        bl_key1: &Ed25519VerifyingKey,
        version: u32,
    ) -> Result<BlKey1Certificate, SdmpError> {
        let bl_key0 = open_key(&self.party, "bl_key0")?;
        let certificate = BlKey1Certificate::sign(&bl_key0, bl_key1, version);
        write_public(&self.party.dir().join("bl_key1.cert"), certificate.to_bytes())?;
        Ok(certificate)
    }

    /// Makes a chip: ChipID and SCK, our own record, one SCKv file per CA vendor, and the batch
    /// file for the serialiser.
    ///
    /// # Errors
    /// [`SdmpError::DuplicateChip`] for a ChipID that was made before, and others.
    // spec: D-K8
    // defends: T-07 T-08
    pub fn make_chip(
        &self,
        order: ChipOrder,
        outputs: &ChipOutputs<'_>,
    ) -> Result<MadeChip, SdmpError> {
        let vendors = self.vendors()?;
        let targets = sckv_targets(&vendors, outputs.sckv)?;
        let signing = open_key(&self.party, "sign")?;
        let model_key = open_secret::<16>(&self.party, "model.key.age", "a model key")?;
        let bl_key0 = read_public_key(&self.party.dir().join("bl_key0.pub"))?;
        let sck = Sck::new(*random::<16>()?);
        self.claim_sck(&signing, &sck)?;
        let chip_id = self.claim_chip_id(order.chip_id)?;
        self.record(chip_id, order, &sck)?;
        for (vendor, recipient, dir) in targets {
            let delivery = SckvDelivery {
                chip_id,
                profile: order.profile,
                module_id: order.module_id,
                vendor_sys_id: vendor.vendor_sys_id,
                sckv: sckv(order.profile, &sck, vendor.vendor_sys_id),
            };
            seal_to(&recipient, &dir.join(chip_file(chip_id)), &delivery.encode(&signing))?;
        }
        let delivery = ChipDelivery {
            chip_id,
            profile: order.profile,
            module_id: order.module_id,
            esck: encrypt_sck(&Key128::new(*model_key), &sck),
            bl_key0: bl_key0.to_bytes(),
        };
        let batch = outputs.batches.join(chip_file(chip_id));
        seal_to(outputs.serialiser, &batch, &delivery.encode(&signing))?;
        Ok(MadeChip { chip_id, batch })
    }

    fn vendors_path(&self) -> PathBuf {
        self.party.dir().join("vendors.json")
    }

    /// Marks an SCK as used without writing it: a file named by a keyed hash. A random source
    /// that repeats itself is found before the chip exists.
    fn claim_sck(&self, signing: &Ed25519SigningKey, sck: &Sck) -> Result<(), SdmpError> {
        let key = hmac_sha256(&*signing.expose_seed(), &[b"portcullis SCK index v1"]);
        let mark = hmac_sha256(&key, &[sck.expose_secret()]);
        let name = mark.get(..16).map(hex::encode).unwrap_or_default();
        match self.claim(&self.party.dir().join("sck-index"), &name)? {
            true => Ok(()),
            false => Err(SdmpError::DuplicateSck),
        }
    }

    fn claim_chip_id(&self, wish: Option<ChipId>) -> Result<ChipId, SdmpError> {
        let dir = self.party.dir().join("chip-index");
        if let Some(id) = wish {
            let free = self.claim(&dir, &format!("{:016x}", id.0))?;
            return if free { Ok(id) } else { Err(SdmpError::DuplicateChip(id)) };
        }
        // 64 random bits: a second try is already a rarity.
        for _ in 0..8 {
            let id = u64::from_be_bytes(*random::<8>()?);
            if id != 0 && self.claim(&dir, &format!("{id:016x}"))? {
                return Ok(ChipId(id));
            }
        }
        Err(SdmpError::Randomness)
    }

    /// Creates a file that must not exist; `false` when it does.
    fn claim(&self, dir: &Path, name: &str) -> Result<bool, SdmpError> {
        portcullis_vault::create_private_dir(dir)?;
        let path = dir.join(name);
        match File::create_new(&path) {
            Ok(_) => File::open(dir).and_then(|d| d.sync_all()).map_err(|e| SdmpError::io(dir, e)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(e) => Err(SdmpError::io(&path, e)),
        }?;
        Ok(true)
    }

    fn record(&self, chip_id: ChipId, order: ChipOrder, sck: &Sck) -> Result<(), SdmpError> {
        let name = format!("chips/{:016x}.json.age", chip_id.0);
        let sck = Zeroizing::new(hex::encode(sck.expose_secret()));
        let record = ChipRecord {
            chip_id: format!("{:016x}", chip_id.0),
            profile: order.profile.name(),
            module_id: order.module_id.map(|ModuleId(id)| id),
            sck: &sck,
        };
        let text = serde_json::to_vec(&record)
            .map(Zeroizing::new)
            .map_err(|_| SdmpError::bad(Path::new(&name), "a chip record"))?;
        Ok(self.party.seal_file(&name, &text)?)
    }
}

/// Every vendor with its recipient and its directory: none may be forgotten, none is strange.
fn sckv_targets<'a>(
    vendors: &'a [Vendor],
    outputs: &'a [(String, PathBuf)],
) -> Result<Vec<(&'a Vendor, Recipient, &'a Path)>, SdmpError> {
    if let Some((name, _)) = outputs.iter().find(|(n, _)| vendors.iter().all(|v| v.name != *n)) {
        return Err(SdmpError::VendorOutput(name.clone()));
    }
    let target = |vendor: &'a Vendor| {
        let output = outputs.iter().find(|(name, _)| *name == vendor.name);
        let (_, dir) = output.ok_or_else(|| SdmpError::VendorOutput(vendor.name.clone()))?;
        Ok((vendor, vendor.recipient.parse()?, dir.as_path()))
    };
    vendors.iter().map(target).collect()
}

fn chip_file(ChipId(id): ChipId) -> String {
    format!("{id:016x}.age")
}

/// Reads a public key: one line of hexadecimal.
///
/// # Errors
/// [`SdmpError`] when the file holds something else.
pub fn read_public_key(path: &Path) -> Result<Ed25519VerifyingKey, SdmpError> {
    let bad = || SdmpError::bad(path, "an Ed25519 public key in hexadecimal");
    let text = std::fs::read_to_string(path).map_err(|e| SdmpError::io(path, e))?;
    let octets = parse_hex_array(text.trim()).map_err(|_| bad())?;
    Ed25519VerifyingKey::from_bytes(&octets).map_err(|_| bad())
}
