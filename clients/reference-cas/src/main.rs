//! The reference CA client of vendor A: the common client with this vendor's message layout.
//!
//! Trust domain: vendor A's code in the terminal's virtual machine; it holds no key.
#![no_std]
#![no_main]

use portcullis_cas_core::{CasClient, Vendor};
use portcullis_messages::{DecodeError, EcmBody, GroupEmmBody, UniqueEmmBody, vendor_a};

struct VendorA;

impl Vendor for VendorA {
    const VENDOR_SYS_ID: u16 = 0x0A01;

    fn decode_ecm(part: &[u8]) -> Result<EcmBody, DecodeError> {
        vendor_a::decode_ecm(part)
    }

    fn decode_unique_emm(part: &[u8]) -> Result<UniqueEmmBody, DecodeError> {
        vendor_a::decode_unique_emm(part)
    }

    fn decode_group_emm(part: &[u8]) -> Result<GroupEmmBody, DecodeError> {
        vendor_a::decode_group_emm(part)
    }
}

portcullis_sdk::client!(CasClient<VendorA>);
