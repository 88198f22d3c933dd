//! The reference CA client of vendor B: the common client with this vendor's message layout.
//!
//! Trust domain: vendor B's code in the terminal's virtual machine; it holds no key.
#![no_std]
#![no_main]

use portcullis_cas_core::{CasClient, Vendor};
use portcullis_messages::{DecodeError, EcmBody, GroupEmmBody, UniqueEmmBody, vendor_b};

struct VendorB;

impl Vendor for VendorB {
    const VENDOR_SYS_ID: u16 = 0x0B02;

    fn decode_ecm(part: &[u8]) -> Result<EcmBody, DecodeError> {
        vendor_b::decode_ecm(part)
    }

    fn decode_unique_emm(part: &[u8]) -> Result<UniqueEmmBody, DecodeError> {
        vendor_b::decode_unique_emm(part)
    }

    fn decode_group_emm(part: &[u8]) -> Result<GroupEmmBody, DecodeError> {
        vendor_b::decode_group_emm(part)
    }
}

portcullis_sdk::client!(CasClient<VendorB>);
