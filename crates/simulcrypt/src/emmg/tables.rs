//! The grammar of the EMMG/PDG-MUX interface.

use crate::grammar::{MessageRule, ParameterRule as P};

/// message_type of each message.
#[allow(missing_docs)]
pub mod message {
    pub const CHANNEL_SETUP: u16 = 0x0011;
    pub const CHANNEL_TEST: u16 = 0x0012;
    pub const CHANNEL_STATUS: u16 = 0x0013;
    pub const CHANNEL_CLOSE: u16 = 0x0014;
    pub const CHANNEL_ERROR: u16 = 0x0015;
    pub const STREAM_SETUP: u16 = 0x0111;
    pub const STREAM_TEST: u16 = 0x0112;
    pub const STREAM_STATUS: u16 = 0x0113;
    pub const STREAM_CLOSE_REQUEST: u16 = 0x0114;
    pub const STREAM_CLOSE_RESPONSE: u16 = 0x0115;
    pub const STREAM_ERROR: u16 = 0x0116;
    pub const STREAM_BW_REQUEST: u16 = 0x0117;
    pub const STREAM_BW_ALLOCATION: u16 = 0x0118;
    pub const DATA_PROVISION: u16 = 0x0211;
}

/// parameter_type of each parameter.
#[allow(missing_docs)]
pub mod parameter {
    pub const CLIENT_ID: u16 = 0x0001;
    pub const SECTION_TSPKT_FLAG: u16 = 0x0002;
    pub const DATA_CHANNEL_ID: u16 = 0x0003;
    pub const DATA_STREAM_ID: u16 = 0x0004;
    pub const DATAGRAM: u16 = 0x0005;
    pub const BANDWIDTH: u16 = 0x0006;
    pub const DATA_TYPE: u16 = 0x0007;
    pub const DATA_ID: u16 = 0x0008;
    pub const ERROR_STATUS: u16 = 0x7000;
    pub const ERROR_INFORMATION: u16 = 0x7001;
}

use message as m;
use parameter as p;

const CLIENT: P = P::one(p::CLIENT_ID, 4);
const CHANNEL: P = P::one(p::DATA_CHANNEL_ID, 2);
const STREAM: P = P::one(p::DATA_STREAM_ID, 2);
const STATUS: P = P::one(p::ERROR_STATUS, 2).count(1, MAX_ERRORS);
const INFORMATION: P = P::optional(p::ERROR_INFORMATION, 0).len(0, 0xFFFF).count(0, MAX_ERRORS);
const FLAG: P = P::one(p::SECTION_TSPKT_FLAG, 1).up_to(1).versions(1, 4);
const FLAG_5: P = P::one(p::SECTION_TSPKT_FLAG, 1).up_to(2).versions(5, 5);
const DATA_ID: P = P::one(p::DATA_ID, 2).versions(2, 5);
const DATA_TYPE: P = P::one(p::DATA_TYPE, 1).up_to(2);
const BANDWIDTH: P = P::optional(p::BANDWIDTH, 2);
const DATAGRAMS: P = P::one(p::DATAGRAM, 0).len(0, 0xFFFF).count(1, MAX_DATAGRAMS);

/// Which parameters may stand in which message over TCP (TS 103 197 clause 6.2).
pub static MESSAGES: [MessageRule; 14] = [
    MessageRule {
        kind: m::CHANNEL_SETUP,
        name: "channel_setup",
        parameters: &[CLIENT, CHANNEL, FLAG, FLAG_5],
    },
    MessageRule { kind: m::CHANNEL_TEST, name: "channel_test", parameters: &[CLIENT, CHANNEL] },
    MessageRule {
        kind: m::CHANNEL_STATUS,
        name: "channel_status",
        parameters: &[CLIENT, CHANNEL, FLAG, FLAG_5],
    },
    MessageRule { kind: m::CHANNEL_CLOSE, name: "channel_close", parameters: &[CLIENT, CHANNEL] },
    MessageRule {
        kind: m::CHANNEL_ERROR,
        name: "channel_error",
        parameters: &[CLIENT, CHANNEL, STATUS, INFORMATION],
    },
    MessageRule {
        kind: m::STREAM_SETUP,
        name: "stream_setup",
        parameters: &[CLIENT, CHANNEL, STREAM, DATA_ID, DATA_TYPE],
    },
    MessageRule {
        kind: m::STREAM_TEST,
        name: "stream_test",
        parameters: &[CLIENT, CHANNEL, STREAM],
    },
    MessageRule {
        kind: m::STREAM_STATUS,
        name: "stream_status",
        parameters: &[CLIENT, CHANNEL, STREAM, DATA_ID, DATA_TYPE],
    },
    MessageRule {
        kind: m::STREAM_CLOSE_REQUEST,
        name: "stream_close_request",
        parameters: &[CLIENT, CHANNEL, STREAM],
    },
    MessageRule {
        kind: m::STREAM_CLOSE_RESPONSE,
        name: "stream_close_response",
        parameters: &[CLIENT, CHANNEL, STREAM],
    },
    MessageRule {
        kind: m::STREAM_ERROR,
        name: "stream_error",
        parameters: &[CLIENT, CHANNEL, STREAM, STATUS, INFORMATION],
    },
    MessageRule {
        kind: m::STREAM_BW_REQUEST,
        name: "stream_BW_request",
        parameters: &[CLIENT, CHANNEL, STREAM, BANDWIDTH],
    },
    MessageRule {
        kind: m::STREAM_BW_ALLOCATION,
        name: "stream_BW_allocation",
        parameters: &[CLIENT, CHANNEL, STREAM, BANDWIDTH],
    },
    MessageRule {
        kind: m::DATA_PROVISION,
        name: "data_provision",
        parameters: &[CLIENT, CHANNEL, STREAM, DATA_ID, DATAGRAMS],
    },
];

/// Over UDP there is only data_provision, from version 2 on, and client_id with data_id name the
/// stream. Peers exist that send channel and stream id all the same; they are not looked at.
pub static UDP_MESSAGES: [MessageRule; 1] = [MessageRule {
    kind: m::DATA_PROVISION,
    name: "data_provision",
    parameters: &[
        CLIENT,
        P::optional(p::DATA_CHANNEL_ID, 2),
        P::optional(p::DATA_STREAM_ID, 2),
        P::one(p::DATA_ID, 2),
        DATAGRAMS,
    ],
}];

/// error_status values in one message.
const MAX_ERRORS: usize = 32;

/// Datagrams in one data_provision.
pub(crate) const MAX_DATAGRAMS: usize = 4096;
