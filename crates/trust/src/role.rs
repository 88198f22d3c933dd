//! Roles, their OIDs and who may issue them.

use std::fmt;
use std::str::FromStr;

/// Arc under which the extended-key-usage OID of role `n` is `.n`.
pub const EXTENDED_KEY_USAGE_ARC: [u64; 4] = [2, 999, 1198, 1];

/// Extension with the Vendor_SysID (INTEGER).
pub const VENDOR_SYS_ID_OID: [u64; 5] = [2, 999, 1198, 2, 1];

/// Extension with the entity id (INTEGER).
pub const ENTITY_ID_OID: [u64; 5] = [2, 999, 1198, 2, 2];

/// Extension of an intermediate: its role number (INTEGER). Intermediates carry no extended key
/// usage, so that this is what tells a vendor from an operator.
pub const ENTITY_ROLE_OID: [u64; 5] = [2, 999, 1198, 2, 3];

/// What a certificate is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// CA vendor (Super SCP): issues client series; intermediate.
    CaVendor = 1,
    /// Signs client packages of one series.
    ClientSeries = 2,
    /// Operator: issues its own roles; intermediate.
    Operator = 3,
    /// Deploys clients: countersigns containers.
    PlatformOperation = 4,
    /// The download centre's TLS server.
    Centre = 5,
    /// One terminal.
    Device = 6,
    /// Signs global EMMs.
    EmmSigner = 7,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 7] = [
        Self::CaVendor,
        Self::ClientSeries,
        Self::Operator,
        Self::PlatformOperation,
        Self::Centre,
        Self::Device,
        Self::EmmSigner,
    ];

    /// The last arc of the role's OID.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The role of a number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|role| u32::from(role.number()) == number)
    }

    /// The name on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CaVendor => "ca-vendor",
            Self::ClientSeries => "client-series",
            Self::Operator => "operator",
            Self::PlatformOperation => "platform-operation",
            Self::Centre => "centre",
            Self::Device => "device",
            Self::EmmSigner => "emm-signer",
        }
    }

    /// Intermediates are certificate authorities and sign nothing else.
    #[must_use]
    pub const fn is_intermediate(self) -> bool {
        matches!(self, Self::CaVendor | Self::Operator)
    }

    /// Who issues the role: an intermediate, or (`None`) the root itself.
    #[must_use]
    pub const fn issuer(self) -> Option<Self> {
        match self {
            Self::CaVendor | Self::Operator | Self::Device => None,
            Self::ClientSeries => Some(Self::CaVendor),
            Self::PlatformOperation | Self::Centre | Self::EmmSigner => Some(Self::Operator),
        }
    }

    /// DER contents of the extended-key-usage OID 2.999.1198.1.n.
    pub(crate) const fn extended_key_usage(self) -> &'static [u8] {
        match self {
            Self::CaVendor => &[0x88, 0x37, 0x89, 0x2E, 0x01, 0x01],
            Self::ClientSeries => &[0x88, 0x37, 0x89, 0x2E, 0x01, 0x02],
            Self::Operator => &[0x88, 0x37, 0x89, 0x2E, 0x01, 0x03],
            Self::PlatformOperation => &[0x88, 0x37, 0x89, 0x2E, 0x01, 0x04],
            Self::Centre => &[0x88, 0x37, 0x89, 0x2E, 0x01, 0x05],
            Self::Device => &[0x88, 0x37, 0x89, 0x2E, 0x01, 0x06],
            Self::EmmSigner => &[0x88, 0x37, 0x89, 0x2E, 0x01, 0x07],
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A role name nobody knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "unknown role (known: ca-vendor, client-series, operator, platform-operation, centre, device, \
     emm-signer)"
)]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(UnknownRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::oid_contents;

    #[test]
    fn oids_and_names_agree_with_the_numbers() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(Role::from_number(role.number().into()), Some(role));
            let mut arcs = EXTENDED_KEY_USAGE_ARC.to_vec();
            arcs.push(role.number().into());
            assert_eq!(oid_contents(&arcs), role.extended_key_usage());
        }
    }
}
