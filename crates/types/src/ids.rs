//! Ids that parties exchange. All are plain big-endian numbers on the wire.

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $width:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(transparent))]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("0x{:0", $width, "x}"), self.0)
            }
        }
    };
}

id!(
    /// Chipset identification, 64 bit (J.1032 6.1.3 a).
    ChipId(u64), "16");
id!(
    /// Vendor system identification of one CA vendor, 16 bit (J.1032 6.1.1 c).
    VendorSysId(u16), "4");
id!(
    /// Module identification of the K-LAD profiles with a module key, 8 bit.
    ModuleId(u8), "2");
id!(
    /// CA_system_id as it stands in a CA_descriptor (ISO/IEC 13818-1).
    CaSystemId(u16), "4");
id!(
    /// Super_CAS_id: CA_system_id in the upper, CA_subsystem_id in the lower 16 bits.
    SuperCasId(u32), "8");
id!(
    /// ECM_channel_id of the ECMG-SCS interface.
    EcmChannelId(u16), "4");
id!(
    /// ECM_stream_id of the ECMG-SCS interface.
    EcmStreamId(u16), "4");
id!(
    /// ECM_id: with the Super_CAS_id it names an ECM stream in the whole system.
    EcmId(u16), "4");
id!(
    /// client_id of the EMMG-MUX interface; its upper 16 bits are the CA_system_id.
    EmmgClientId(u32), "8");
id!(
    /// data_channel_id of the EMMG-MUX interface.
    DataChannelId(u16), "4");
id!(
    /// data_stream_id of the EMMG-MUX interface.
    DataStreamId(u16), "4");
id!(
    /// data_id of the EMMG-MUX interface.
    DataId(u16), "4");
id!(
    /// A product (or package of products) that an operator sells; K1 belongs to it.
    ProductId(u32), "8");
id!(
    /// A group of up to 256 terminals that share one K2.
    GroupId(u32), "8");
id!(
    /// The place of one chip in its group's member bitmap.
    MemberIndex(u8), "2");
id!(
    /// The epoch of a product's K1; rises with time.
    EpochId(u32), "8");
id!(
    /// service_id, which is the program_number of the PAT.
    ServiceId(u16), "4");
id!(
    /// SCP client ID of a package (X.1198 A.1).
    ScpClientId(u32), "8");
id!(
    /// Super SCP ID of a package: the supplier of the client (X.1198 A.1).
    SuperScpId(u32), "8");

impl SuperCasId {
    /// The CA_system_id in the upper half.
    #[must_use]
    pub const fn ca_system_id(self) -> CaSystemId {
        CaSystemId((self.0 >> 16) as u16)
    }
}

/// Number of a crypto-period; 16 bits, wraps. Its parity is the parity of its control word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct CpNumber(pub u16);

impl CpNumber {
    /// The crypto-period after this one; 0xFFFF is followed by 0.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// Even numbers use the even key, odd numbers the odd key (TS 103 197).
    #[must_use]
    pub const fn parity(self) -> crate::Parity {
        if self.0 & 1 == 0 { crate::Parity::Even } else { crate::Parity::Odd }
    }
}

impl fmt::Display for CpNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Packet identifier of a transport stream, 13 bit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Pid(u16);

impl Pid {
    /// Program association table.
    pub const PAT: Self = Self(0x0000);
    /// Conditional access table.
    pub const CAT: Self = Self(0x0001);
    /// Service description table.
    pub const SDT: Self = Self(0x0011);
    /// Null packets.
    pub const NULL: Self = Self(0x1FFF);

    /// A PID, or `None` when the number does not fit into 13 bits.
    #[must_use]
    pub const fn new(value: u16) -> Option<Self> {
        if value <= 0x1FFF { Some(Self(value)) } else { None }
    }

    /// The lower 13 bits of a number, as a header field gives them.
    #[must_use]
    pub const fn from_low_bits(value: u16) -> Self {
        Self(value & 0x1FFF)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:04x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crypto_period_numbers_wrap_and_keep_their_parity() {
        assert_eq!(CpNumber(0xFFFF).next(), CpNumber(0));
        assert_eq!(CpNumber(0xFFFF).parity(), crate::Parity::Odd);
        assert_eq!(CpNumber(0).parity(), crate::Parity::Even);
    }

    #[test]
    fn a_pid_has_thirteen_bits() {
        assert_eq!(Pid::new(0x2000), None);
        assert_eq!(Pid::from_low_bits(0xE100).get(), 0x0100);
    }
}
