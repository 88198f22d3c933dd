//! Ids and units of the five documents, as types.
//!
//! Every number that crosses a border between parties has a type of its own here, so that a
//! `ProductId` is never taken for a `GroupId` and 100 ms units never for milliseconds.
//! `no_std`: guest clients, the chip and the headend all link this crate.

#![no_std]

mod hex;
mod ids;
mod scrambling;
mod time;

pub use hex::{HexError, decode_hex, parse_hex_array, parse_u32};
pub use ids::{
    CaSystemId, ChipId, CpNumber, DataChannelId, DataId, DataStreamId, EcmChannelId, EcmId,
    EcmStreamId, EmmgClientId, EpochId, GroupId, MemberIndex, ModuleId, Pid, ProductId,
    ScpClientId, ServiceId, SuperCasId, SuperScpId, VendorSysId,
};
pub use scrambling::{Parity, ScramblingMode, UnknownScramblingMode};
pub use time::{Deciseconds, Milliseconds, Seconds, SignedMilliseconds, UnixSeconds};
