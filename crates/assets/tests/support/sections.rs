//! EMM and ECM sections as a headend makes them, sealed the way the pretended chip takes them.

use portcullis_messages::{
    EcmBody, Entitlement, GroupEmmBody, Layout, TableId, UniqueEmmBody, section,
};
use portcullis_types::{CpNumber, EpochId, ProductId, UnixSeconds};

use super::{ECM, GROUP, UNIQUE, seal};

/// The time in these messages.
pub const NOW: u64 = 1_780_000_000;

pub fn unique(layout: Layout, address: u32, counter: u32, rights: &[(u32, u64, u64)]) -> Vec<u8> {
    let entitlements = rights
        .iter()
        .map(|(product, from, until)| Entitlement {
            product: ProductId(*product),
            from: UnixSeconds(*from),
            until: UnixSeconds(*until),
        })
        .collect();
    let body = UniqueEmmBody { counter, time: UnixSeconds(NOW), entitlements };
    let mut ladder = [0; 21];
    ladder[3] = 9;
    ladder[4] = 3;
    let client = layout.encode_unique_emm(&body).unwrap();
    let sealed = seal(UNIQUE, address, counter, &ladder, &client);
    section::wrap(TableId::UniqueEmm, &sealed).unwrap()
}

pub fn group(
    layout: Layout,
    group: u32,
    counter: u32,
    product: u32,
    epoch: u32,
    member: bool,
) -> Vec<u8> {
    let body = GroupEmmBody {
        counter,
        product: ProductId(product),
        epoch: EpochId(epoch),
        valid_from: UnixSeconds(NOW),
        valid_until: UnixSeconds(NOW + 86_400),
    };
    let mut ladder = [0; 52];
    ladder[3] = product as u8;
    ladder[4] = if member { 0x10 } else { 0 };
    let sealed = seal(GROUP, group, epoch, &ladder, &layout.encode_group_emm(&body));
    section::wrap(TableId::GroupEmm, &sealed).unwrap()
}

pub fn ecm(layout: Layout, product: u32, epoch: u32, time: u64) -> Vec<u8> {
    let body = EcmBody {
        product: ProductId(product),
        epoch: EpochId(epoch),
        cp_number: CpNumber(7),
        time: UnixSeconds(time),
        ecw_even: [0xEE; 16],
        ecw_odd: [0x0D; 16],
        usage_rights: vec![1, 8, 0, 0, 0, 0, 0, 0, 0, 0],
    };
    let sealed = seal(ECM, product, epoch, &[], &layout.encode_ecm(&body).unwrap());
    section::wrap(TableId::EcmOdd, &sealed).unwrap()
}
