//! The root key K3 of one chip for one CA vendor, by the five K-LAD profiles.
//!
//! Three parties meet in it: the SDMP knows SCK, the chip vendor MaskKey, the CA vendor gets
//! SCKv and Seedv for its own Vendor_SysID only. The last step is one-way, so that a root key
//! says nothing about SCKv.

use core::fmt;
use core::str::FromStr;

use portcullis_crypto::{
    Key128, Randomness, aes128_decrypt_block, aes128_encrypt_block, tdes2_decrypt_block,
};
use portcullis_types::{ModuleId, VendorSysId};

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Not printable, not clonable, zeroised on drop.
        pub struct $name(pub(crate) Key128);

        impl $name {
            /// Takes the octets over.
            #[must_use]
            pub fn new(octets: [u8; 16]) -> Self {
                Self(Key128::new(octets))
            }

            /// A fresh random one.
            #[must_use]
            pub fn generate(fill: Randomness<'_>) -> Self {
                Self(Key128::generate(fill))
            }

            /// The octets: only for the file that hands them to their one rightful holder.
            #[must_use]
            pub fn expose_secret(&self) -> &[u8; 16] {
                self.0.expose_secret()
            }
        }
    };
}

secret!(
    /// SCK: the security chipset key, known to the SDMP and the chip.
    Sck
);
secret!(
    /// SCKv: the vendor-specific form of SCK that one CA vendor gets per chip.
    SckV
);
secret!(
    /// MaskKey: the chip vendor's secret in silicon.
    MaskKey
);
secret!(
    /// Seedv: the second intermediate secret, from the chip vendor to one CA vendor.
    SeedV
);
secret!(
    /// K3: the root key of one chip for one CA vendor.
    RootKey
);

/// The K-LAD root-key derivation profiles.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Profile {
    /// Triple DES, no module key.
    P1,
    /// Triple DES with a module key.
    P1a,
    /// AES-128, no module key. The default.
    #[default]
    P2,
    /// AES-128 with a module key.
    P2a,
    /// AES-128 in the decrypting direction, with a module key.
    P2b,
}

/// A profile name that does not exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown profile (known: 1, 1a, 2, 2a, 2b)")]
pub struct UnknownProfile;

/// A ModuleID was given to a profile without a module key, or none to one with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ModuleIdMismatch {
    /// Profiles 1a, 2a and 2b need one.
    #[error("profile {0} needs a ModuleID")]
    Missing(Profile),
    /// Profiles 1 and 2 have no place for one.
    #[error("profile {0} takes no ModuleID")]
    Unexpected(Profile),
}

impl Profile {
    /// All five.
    pub const ALL: [Self; 5] = [Self::P1, Self::P1a, Self::P2, Self::P2a, Self::P2b];

    /// The name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P1 => "1",
            Self::P1a => "1a",
            Self::P2 => "2",
            Self::P2a => "2a",
            Self::P2b => "2b",
        }
    }

    /// Whether the last step mixes a ModuleID in.
    #[must_use]
    pub const fn has_module_key(self) -> bool {
        matches!(self, Self::P1a | Self::P2a | Self::P2b)
    }

    /// The number in a chip's OTP.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The profile of a number in a chip's OTP.
    ///
    /// # Errors
    /// [`UnknownProfile`] for every other number.
    pub fn from_number(number: u8) -> Result<Self, UnknownProfile> {
        Self::ALL.into_iter().find(|p| p.number() == number).ok_or(UnknownProfile)
    }

    /// The profile's block function on 16 octets; TDES takes them as two separate blocks.
    fn f(self, key: &Key128, block: [u8; 16]) -> [u8; 16] {
        match self {
            Self::P1 | Self::P1a => tdes_ecb(key, block, tdes2_decrypt_block),
            Self::P2 | Self::P2a => aes128_encrypt_block(key, block),
            Self::P2b => aes128_decrypt_block(key, block),
        }
    }

    /// Vendor_SysID as a block: the two halves differ under TDES, so that they encipher apart.
    fn vendor_block(self, vendor: VendorSysId) -> [u8; 16] {
        let [hi, lo] = vendor.0.to_be_bytes();
        match self {
            Self::P1 | Self::P1a => [1, 0, 0, 0, 0, 0, hi, lo, 2, 0, 0, 0, 0, 0, hi, lo],
            _ => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, hi, lo],
        }
    }

    fn module_block(self, ModuleId(id): ModuleId) -> [u8; 16] {
        match self {
            Self::P1 | Self::P1a => [1, 0, 0, 0, 0, 0, 0, id, 2, 0, 0, 0, 0, 0, 0, id],
            _ => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, id],
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|profile| profile.name() == s).ok_or(UnknownProfile)
    }
}

/// SCKv of a chip for a CA vendor.
// spec: D-K2
// defends: T-03
#[must_use]
pub fn sckv(profile: Profile, sck: &Sck, vendor: VendorSysId) -> SckV {
    SckV::new(profile.f(&sck.0, profile.vendor_block(vendor)))
}

/// Seedv for a CA vendor.
// spec: D-K8
#[must_use]
pub fn seedv(profile: Profile, mask_key: &MaskKey, vendor: VendorSysId) -> SeedV {
    SeedV::new(profile.f(&mask_key.0, profile.vendor_block(vendor)))
}

/// K3 from what a CA vendor holds; the chip computes the same from SCK and MaskKey.
///
/// # Errors
/// [`ModuleIdMismatch`] when the profile and the ModuleID do not go together.
// spec: D-K3 D-K4
pub fn root_key(
    profile: Profile,
    sckv: &SckV,
    seedv: &SeedV,
    module: Option<ModuleId>,
) -> Result<RootKey, ModuleIdMismatch> {
    let seed = seedv.expose_secret();
    let mut root = profile.f(&sckv.0, *seed);
    for (octet, s) in root.iter_mut().zip(seed) {
        *octet ^= s;
    }
    let root = Key128::new(root);
    match (profile.has_module_key(), module) {
        (false, None) => Ok(RootKey(root)),
        (true, Some(module)) => Ok(RootKey::new(profile.f(&root, profile.module_block(module)))),
        (true, None) => Err(ModuleIdMismatch::Missing(profile)),
        (false, Some(_)) => Err(ModuleIdMismatch::Unexpected(profile)),
    }
}

/// A TDES block function over 16 octets as two blocks.
pub(crate) fn tdes_ecb(
    key: &Key128,
    block: [u8; 16],
    f: fn(&Key128, [u8; 8]) -> [u8; 8],
) -> [u8; 16] {
    let (mut first, mut second) = ([0; 8], [0; 8]);
    first.copy_from_slice(&block[..8]);
    second.copy_from_slice(&block[8..]);
    let mut out = [0; 16];
    out[..8].copy_from_slice(&f(key, first));
    out[8..].copy_from_slice(&f(key, second));
    out
}
