//! The grammar of the ECMG-SCS interface.

use crate::grammar::{MessageRule, ParameterRule as P};

/// message_type of each message.
#[allow(missing_docs)]
pub mod message {
    pub const CHANNEL_SETUP: u16 = 0x0001;
    pub const CHANNEL_TEST: u16 = 0x0002;
    pub const CHANNEL_STATUS: u16 = 0x0003;
    pub const CHANNEL_CLOSE: u16 = 0x0004;
    pub const CHANNEL_ERROR: u16 = 0x0005;
    pub const STREAM_SETUP: u16 = 0x0101;
    pub const STREAM_TEST: u16 = 0x0102;
    pub const STREAM_STATUS: u16 = 0x0103;
    pub const STREAM_CLOSE_REQUEST: u16 = 0x0104;
    pub const STREAM_CLOSE_RESPONSE: u16 = 0x0105;
    pub const STREAM_ERROR: u16 = 0x0106;
    pub const CW_PROVISION: u16 = 0x0201;
    pub const ECM_RESPONSE: u16 = 0x0202;
}

/// parameter_type of each parameter.
#[allow(missing_docs)]
pub mod parameter {
    pub const SUPER_CAS_ID: u16 = 0x0001;
    pub const SECTION_TSPKT_FLAG: u16 = 0x0002;
    pub const DELAY_START: u16 = 0x0003;
    pub const DELAY_STOP: u16 = 0x0004;
    pub const TRANSITION_DELAY_START: u16 = 0x0005;
    pub const TRANSITION_DELAY_STOP: u16 = 0x0006;
    pub const ECM_REP_PERIOD: u16 = 0x0007;
    pub const MAX_STREAMS: u16 = 0x0008;
    pub const MIN_CP_DURATION: u16 = 0x0009;
    pub const LEAD_CW: u16 = 0x000A;
    pub const CW_PER_MSG: u16 = 0x000B;
    pub const MAX_COMP_TIME: u16 = 0x000C;
    pub const ACCESS_CRITERIA: u16 = 0x000D;
    pub const ECM_CHANNEL_ID: u16 = 0x000E;
    pub const ECM_STREAM_ID: u16 = 0x000F;
    pub const NOMINAL_CP_DURATION: u16 = 0x0010;
    pub const ACCESS_CRITERIA_TRANSFER_MODE: u16 = 0x0011;
    pub const CP_NUMBER: u16 = 0x0012;
    pub const CP_DURATION: u16 = 0x0013;
    pub const CP_CW_COMBINATION: u16 = 0x0014;
    pub const ECM_DATAGRAM: u16 = 0x0015;
    pub const AC_DELAY_START: u16 = 0x0016;
    pub const AC_DELAY_STOP: u16 = 0x0017;
    pub const CW_ENCRYPTION: u16 = 0x0018;
    pub const ECM_ID: u16 = 0x0019;
    pub const ERROR_STATUS: u16 = 0x7000;
    pub const ERROR_INFORMATION: u16 = 0x7001;
}

use message as m;
use parameter as p;

const CHANNEL: P = P::one(p::ECM_CHANNEL_ID, 2);
const STREAM: P = P::one(p::ECM_STREAM_ID, 2);
const STATUS: P = P::one(p::ERROR_STATUS, 2).count(1, MAX_ERRORS);
const INFORMATION: P = P::optional(p::ERROR_INFORMATION, 0).len(0, 0xFFFF).count(0, MAX_ERRORS);
const FLAG: P = P::one(p::SECTION_TSPKT_FLAG, 1).up_to(1).versions(1, 4);
const FLAG_5: P = P::one(p::SECTION_TSPKT_FLAG, 1).up_to(2).versions(5, 5);
const ECM_ID: P = P::one(p::ECM_ID, 2).versions(2, 5);

/// Which parameters may stand in which message (TS 103 197 clause 5.4, 5.5).
pub static MESSAGES: [MessageRule; 13] = [
    MessageRule {
        kind: m::CHANNEL_SETUP,
        name: "channel_setup",
        parameters: &[CHANNEL, P::one(p::SUPER_CAS_ID, 4)],
    },
    MessageRule { kind: m::CHANNEL_TEST, name: "channel_test", parameters: &[CHANNEL] },
    MessageRule {
        kind: m::CHANNEL_STATUS,
        name: "channel_status",
        parameters: &[
            CHANNEL,
            FLAG,
            FLAG_5,
            P::one(p::DELAY_START, 2),
            P::one(p::DELAY_STOP, 2),
            P::optional(p::TRANSITION_DELAY_START, 2),
            P::optional(p::TRANSITION_DELAY_STOP, 2),
            P::one(p::ECM_REP_PERIOD, 2),
            P::one(p::MAX_STREAMS, 2),
            P::one(p::MIN_CP_DURATION, 2),
            P::one(p::LEAD_CW, 1),
            P::one(p::CW_PER_MSG, 1),
            P::one(p::MAX_COMP_TIME, 2),
            P::optional(p::AC_DELAY_START, 2),
            P::optional(p::AC_DELAY_STOP, 2),
        ],
    },
    MessageRule { kind: m::CHANNEL_CLOSE, name: "channel_close", parameters: &[CHANNEL] },
    MessageRule {
        kind: m::CHANNEL_ERROR,
        name: "channel_error",
        parameters: &[CHANNEL, STATUS, INFORMATION],
    },
    MessageRule {
        kind: m::STREAM_SETUP,
        name: "stream_setup",
        parameters: &[CHANNEL, STREAM, ECM_ID, P::one(p::NOMINAL_CP_DURATION, 2)],
    },
    MessageRule { kind: m::STREAM_TEST, name: "stream_test", parameters: &[CHANNEL, STREAM] },
    MessageRule {
        kind: m::STREAM_STATUS,
        name: "stream_status",
        parameters: &[
            CHANNEL,
            STREAM,
            ECM_ID,
            P::one(p::ACCESS_CRITERIA_TRANSFER_MODE, 1).up_to(1),
        ],
    },
    MessageRule {
        kind: m::STREAM_CLOSE_REQUEST,
        name: "stream_close_request",
        parameters: &[CHANNEL, STREAM],
    },
    MessageRule {
        kind: m::STREAM_CLOSE_RESPONSE,
        name: "stream_close_response",
        parameters: &[CHANNEL, STREAM],
    },
    MessageRule {
        kind: m::STREAM_ERROR,
        name: "stream_error",
        parameters: &[CHANNEL, STREAM, STATUS, INFORMATION],
    },
    MessageRule {
        kind: m::CW_PROVISION,
        name: "CW_provision",
        parameters: &[
            CHANNEL,
            STREAM,
            P::one(p::CP_NUMBER, 2),
            P::one(p::CP_CW_COMBINATION, 10).count(1, MAX_CONTROL_WORDS).versions(1, 1),
            P::one(p::CP_CW_COMBINATION, 0)
                .len(3, MAX_COMBINATION)
                .count(1, MAX_CONTROL_WORDS)
                .versions(2, 5),
            P::optional(p::CW_ENCRYPTION, 0).len(0, 0xFFFF).versions(2, 5),
            P::optional(p::CP_DURATION, 2),
            P::optional(p::ACCESS_CRITERIA, 0).len(0, 0xFFFF),
        ],
    },
    MessageRule {
        kind: m::ECM_RESPONSE,
        name: "ECM_response",
        parameters: &[
            CHANNEL,
            STREAM,
            P::one(p::CP_NUMBER, 2),
            P::one(p::ECM_DATAGRAM, 0).len(0, 0xFFFF),
        ],
    },
];

/// error_status values in one message.
const MAX_ERRORS: usize = 32;

/// Control words in one CW_provision; the field knows five.
pub(crate) const MAX_CONTROL_WORDS: usize = 16;

/// Octets of a CP_CW_combination: room for control words of other systems, and encrypted ones.
const MAX_COMBINATION: usize = 2 + 512;
