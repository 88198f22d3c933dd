//! The ladder as a calculator for test vectors: everything in, everything out.
//!
//! Only `portcullis keyladder` and the vector tests use it. It prints what a chip must never
//! give away, so it takes keys as arguments and reads none from anywhere.

use alloc::vec::Vec;

use portcullis_types::{ModuleId, VendorSysId};

use crate::{
    ControlWordClass, LadderAlgorithm, MaskKey, ModuleIdMismatch, NotAControlWord, Profile, Sck,
    root_key, sckv, seedv,
};

/// What is known.
#[derive(Default)]
pub struct Inputs {
    /// Derivation profile.
    pub profile: Profile,
    /// Cipher of the ladder.
    pub ladder: LadderAlgorithm,
    /// SCK.
    pub sck: [u8; 16],
    /// Vendor_SysID.
    pub vendor_sys_id: u16,
    /// ModuleID, for the profiles that have one.
    pub module_id: Option<u8>,
    /// MaskKey.
    pub mask_key: [u8; 16],
    /// EK2.
    pub ek2: Option<[u8; 16]>,
    /// EK1.
    pub ek1: Option<[u8; 16]>,
    /// ECW: 8 octets (a CSA control word under the TDES ladder) or 16.
    pub ecw: Option<Vec<u8>>,
    /// Nonce of the challenge.
    pub nonce: Option<[u8; 16]>,
}

/// What follows; `None` where an input is missing.
#[derive(PartialEq, Eq, Debug)]
pub struct Outputs {
    /// SCKv.
    pub sckv: [u8; 16],
    /// Seedv.
    pub seedv: [u8; 16],
    /// K3.
    pub k3: [u8; 16],
    /// K2, from EK2.
    pub k2: Option<[u8; 16]>,
    /// K1, from EK2 and EK1.
    pub k1: Option<[u8; 16]>,
    /// A, from EK2.
    pub a: Option<[u8; 16]>,
    /// dnonce, from EK2 and the nonce.
    pub dnonce: Option<[u8; 16]>,
    /// CW without any binding, as long as the ECW given.
    pub cw: Option<Vec<u8>>,
}

/// Why a calculation is impossible.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalculatorError {
    /// Profile and ModuleID do not go together.
    #[error(transparent)]
    Module(#[from] ModuleIdMismatch),
    /// EK1 is of no use without EK2, ECW of none without EK1, nonce of none without EK2.
    #[error("{what} needs {needs} as well")]
    Missing {
        /// The input given.
        what: &'static str,
        /// The one it needs.
        needs: &'static str,
    },
    /// Only 16 octets, or 8 under the TDES ladder.
    #[error("an ECW has 16 octets, or 8 under the tdes ladder; {0} given")]
    EcwLength(usize),
    /// See [`NotAControlWord`].
    #[error(transparent)]
    ControlWord(#[from] NotAControlWord),
}

/// Calculates all that follows from the inputs.
///
/// # Errors
/// [`CalculatorError`] when inputs contradict each other.
pub fn calculate(inputs: &Inputs) -> Result<Outputs, CalculatorError> {
    let vendor = VendorSysId(inputs.vendor_sys_id);
    let sckv = sckv(inputs.profile, &Sck::new(inputs.sck), vendor);
    let seedv = seedv(inputs.profile, &MaskKey::new(inputs.mask_key), vendor);
    let k3 = root_key(inputs.profile, &sckv, &seedv, inputs.module_id.map(ModuleId))?;
    let k2 = inputs.ek2.map(|ek2| k3.unwrap_k2(inputs.ladder, &ek2));
    let k1 = match (&k2, inputs.ek1) {
        (Some(k2), Some(ek1)) => Some(k2.unwrap_k1(inputs.ladder, &ek1)),
        (None, Some(_)) => return Err(CalculatorError::Missing { what: "ek1", needs: "ek2" }),
        (_, None) => None,
    };
    let dnonce = match (&k2, inputs.nonce) {
        (Some(k2), Some(nonce)) => Some(k2.challenge_response(inputs.ladder, &nonce)),
        (None, Some(_)) => return Err(CalculatorError::Missing { what: "nonce", needs: "ek2" }),
        (_, None) => None,
    };
    let cw = match (&k1, &inputs.ecw) {
        (Some(k1), Some(ecw)) => {
            let (block, class) = ecw_block(inputs.ladder, ecw)?;
            let cw = k1.unbound().unwrap_cw(inputs.ladder, &block, class)?;
            Some(cw.expose_secret().to_vec())
        }
        (None, Some(_)) => return Err(CalculatorError::Missing { what: "ecw", needs: "ek1" }),
        (_, None) => None,
    };
    Ok(Outputs {
        sckv: *sckv.expose_secret(),
        seedv: *seedv.expose_secret(),
        k3: *k3.expose_secret(),
        a: k2.as_ref().map(|k2| *k2.challenge_key(inputs.ladder).expose_secret()),
        k2: k2.as_ref().map(|k2| *k2.expose_secret()),
        k1: k1.as_ref().map(|k1| *k1.expose_secret()),
        dnonce,
        cw,
    })
}

/// Pads an 8-octet ECW; the control word then has the ECW's length.
fn ecw_block(
    ladder: LadderAlgorithm,
    ecw: &[u8],
) -> Result<([u8; 16], ControlWordClass), CalculatorError> {
    let class = match (ecw.len(), ladder) {
        (8, LadderAlgorithm::Tdes) => ControlWordClass::Eight,
        (16, _) => ControlWordClass::Sixteen,
        (length, _) => return Err(CalculatorError::EcwLength(length)),
    };
    let mut block = [0; 16];
    for (to, from) in block.iter_mut().zip(ecw) {
        *to = *from;
    }
    Ok((block, class))
}
