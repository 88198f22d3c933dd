//! What the SDMP delivers about one chip: SCKv to a CA vendor, ESCK to the serialiser module.
//!
//! Trust domain: written by the SDMP, read by one recipient; on disk each is sealed to that
//! recipient. Clauses: J.1032 6.1.3 a, b. The SDMP's Ed25519 signature stands inside, so that a
//! record that was made by somebody else, for another chip or for another vendor is refused.
//! Neither kind of record gives K3 without Seedv or MaskKey.
//!
//! ```text
//! 0 "PCSV"  4 version 1  5 profile  6 has ModuleID  7 ModuleID  8 ChipID
//!   SCKv:  16 Vendor_SysID  18 SCKv  34 signature (64)
//! 0 "PCSB"  4..16 as above
//!   ESCK:  16 ESCK  32 BL_KEY0 public key  64 signature (64)
//! ```

use alloc::vec::Vec;

use portcullis_crypto::{Ed25519SigningKey, Ed25519VerifyingKey, Zeroizing};
use portcullis_types::{ChipId, ModuleId, VendorSysId};

use crate::{Profile, SckV};

/// Why a delivery is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// Not a record of this kind.
    #[error("no {0} record of an SDMP")]
    Malformed(&'static str),
    /// Not signed by this SDMP.
    #[error("{0} record: bad signature of the SDMP")]
    BadSignature(&'static str),
}

/// SCKv of one chip for one CA vendor. Reading verifies.
pub struct SckvDelivery {
    /// The chip.
    pub chip_id: ChipId,
    /// Derivation profile of its silicon.
    pub profile: Profile,
    /// Its ModuleID, for profiles with a module key.
    pub module_id: Option<ModuleId>,
    /// For whom.
    pub vendor_sys_id: VendorSysId,
    /// The key.
    pub sckv: SckV,
}

/// What the serialiser burns into one chip. Reading verifies.
pub struct ChipDelivery {
    /// The chip.
    pub chip_id: ChipId,
    /// Derivation profile of its silicon.
    pub profile: Profile,
    /// Its ModuleID, for profiles with a module key.
    pub module_id: Option<ModuleId>,
    /// SCK under the per-model key.
    pub esck: [u8; 16],
    /// Public half of BL_KEY0.
    pub bl_key0: [u8; 32],
}

impl SckvDelivery {
    /// The signed record.
    #[must_use]
    pub fn encode(&self, sdmp: &Ed25519SigningKey) -> Zeroizing<Vec<u8>> {
        let mut out = head(SCKV_MAGIC, self.profile, self.module_id, self.chip_id);
        out.extend(self.vendor_sys_id.0.to_be_bytes());
        out.extend_from_slice(self.sckv.expose_secret());
        sign(sdmp, SCKV_TAG, out)
    }

    /// Reads and verifies a record.
    ///
    /// # Errors
    /// [`DeliveryError`].
    // spec: D-K8
    // defends: T-08
    pub fn decode(octets: &[u8], sdmp: &Ed25519VerifyingKey) -> Result<Self, DeliveryError> {
        let octets: &[u8; SCKV_LEN] =
            octets.try_into().map_err(|_| DeliveryError::Malformed("SCKv"))?;
        let body = verify("SCKv", octets, SCKV_MAGIC, SCKV_TAG, sdmp)?;
        let (chip_id, profile, module_id) = read_head("SCKv", body)?;
        let (vendor, sckv) = body
            .get(HEAD_LEN..)
            .and_then(<[u8]>::split_first_chunk)
            .and_then(|(vendor, rest)| Some((vendor, rest.first_chunk()?)))
            .ok_or(DeliveryError::Malformed("SCKv"))?;
        let vendor_sys_id = VendorSysId(u16::from_be_bytes(*vendor));
        Ok(Self { chip_id, profile, module_id, vendor_sys_id, sckv: SckV::new(*sckv) })
    }
}

impl ChipDelivery {
    /// The signed record.
    #[must_use]
    pub fn encode(&self, sdmp: &Ed25519SigningKey) -> Zeroizing<Vec<u8>> {
        let mut out = head(CHIP_MAGIC, self.profile, self.module_id, self.chip_id);
        out.extend(self.esck);
        out.extend(self.bl_key0);
        sign(sdmp, CHIP_TAG, out)
    }

    /// Reads and verifies a record.
    ///
    /// # Errors
    /// [`DeliveryError`].
    // spec: D-K8
    // defends: T-08
    pub fn decode(octets: &[u8], sdmp: &Ed25519VerifyingKey) -> Result<Self, DeliveryError> {
        let octets: &[u8; CHIP_LEN] =
            octets.try_into().map_err(|_| DeliveryError::Malformed("chip"))?;
        let body = verify("chip", octets, CHIP_MAGIC, CHIP_TAG, sdmp)?;
        let (chip_id, profile, module_id) = read_head("chip", body)?;
        let (esck, bl_key0) = body
            .get(HEAD_LEN..)
            .and_then(<[u8]>::split_first_chunk)
            .and_then(|(esck, rest)| Some((esck, rest.first_chunk()?)))
            .ok_or(DeliveryError::Malformed("chip"))?;
        Ok(Self { chip_id, profile, module_id, esck: *esck, bl_key0: *bl_key0 })
    }
}

const HEAD_LEN: usize = 16;
const SIGNATURE_LEN: usize = 64;
const SCKV_LEN: usize = HEAD_LEN + 2 + 16 + SIGNATURE_LEN;
const CHIP_LEN: usize = HEAD_LEN + 16 + 32 + SIGNATURE_LEN;
const SCKV_MAGIC: &[u8; 4] = b"PCSV";
const CHIP_MAGIC: &[u8; 4] = b"PCSB";
const SCKV_TAG: &[u8] = b"portcullis SCKv delivery v1\0";
const CHIP_TAG: &[u8] = b"portcullis chip delivery v1\0";

fn head(
    magic: &[u8; 4],
    profile: Profile,
    module: Option<ModuleId>,
    ChipId(chip): ChipId,
) -> Zeroizing<Vec<u8>> {
    // Room for everything, so that no copy of a key is left behind by growing.
    let mut out = Zeroizing::new(Vec::with_capacity(SCKV_LEN.max(CHIP_LEN)));
    out.extend_from_slice(magic);
    let module_octet = module.map_or(0, |ModuleId(module)| module);
    out.extend([1, profile.number(), u8::from(module.is_some()), module_octet]);
    out.extend(chip.to_be_bytes());
    out
}

fn sign(sdmp: &Ed25519SigningKey, tag: &[u8], mut out: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    let signed = Zeroizing::new([tag, out.as_slice()].concat());
    out.extend_from_slice(&sdmp.sign(&signed));
    out
}

fn verify<'a>(
    what: &'static str,
    octets: &'a [u8],
    magic: &[u8; 4],
    tag: &[u8],
    sdmp: &Ed25519VerifyingKey,
) -> Result<&'a [u8], DeliveryError> {
    let malformed = DeliveryError::Malformed(what);
    if !octets.starts_with(magic) || octets.get(4) != Some(&1) {
        return Err(malformed);
    }
    let (body, signature) = octets.split_last_chunk().ok_or(malformed)?;
    let signed = Zeroizing::new([tag, body].concat());
    let _proof = sdmp.verify(&signed, signature).map_err(|_| DeliveryError::BadSignature(what))?;
    Ok(body)
}

fn read_head(
    what: &'static str,
    body: &[u8],
) -> Result<(ChipId, Profile, Option<ModuleId>), DeliveryError> {
    let malformed = DeliveryError::Malformed(what);
    let head: &[u8; HEAD_LEN] = body.first_chunk().ok_or(malformed)?;
    let [_, _, _, _, _, profile, has_module, module, chip @ ..] = *head;
    let profile = Profile::from_number(profile).map_err(|_| malformed)?;
    let module = match (has_module, module) {
        (0, 0) => None,
        (1, module) => Some(ModuleId(module)),
        _ => return Err(malformed),
    };
    Ok((ChipId(u64::from_be_bytes(chip)), profile, module))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // spec-test: D-K8
    // attack-test: T-08
    #[test]
    fn deliveries_read_back_and_every_changed_octet_is_refused() {
        let sdmp = Ed25519SigningKey::from_seed(&[7; 32]);
        let key = sdmp.verifying_key();
        let delivery = SckvDelivery {
            chip_id: ChipId(0x1122_3344_5566_7788),
            profile: Profile::P2,
            module_id: None,
            vendor_sys_id: VendorSysId(0x0A01),
            sckv: SckV::new([9; 16]),
        };
        let octets = delivery.encode(&sdmp);
        let read = SckvDelivery::decode(&octets, &key).unwrap();
        assert_eq!(read.chip_id, delivery.chip_id);
        assert_eq!(read.vendor_sys_id, VendorSysId(0x0A01));
        assert_eq!(read.sckv.expose_secret(), &[9; 16]);
        let chip = ChipDelivery {
            chip_id: ChipId(5),
            profile: Profile::P2a,
            module_id: Some(ModuleId(0xA5)),
            esck: [3; 16],
            bl_key0: [4; 32],
        };
        let chip_octets = chip.encode(&sdmp);
        assert_eq!(ChipDelivery::decode(&chip_octets, &key).unwrap().esck, [3; 16]);
        for at in 0..octets.len() {
            let mut changed = octets.to_vec();
            changed[at] ^= 1;
            assert!(SckvDelivery::decode(&changed, &key).is_err(), "octet {at}");
        }
        for at in 0..chip_octets.len() {
            let mut changed = chip_octets.to_vec();
            changed[at] ^= 1;
            assert!(ChipDelivery::decode(&changed, &key).is_err(), "octet {at}");
        }
        assert!(SckvDelivery::decode(&chip_octets, &key).is_err());
        let other = Ed25519SigningKey::from_seed(&[8; 32]).verifying_key();
        assert!(SckvDelivery::decode(&octets, &other).is_err());
    }
}
