//! What the SCS and its caller tell each other: how to speak, what to provision, what has happened.

use portcullis_types::{
    CpNumber, Deciseconds, EcmChannelId, EcmStreamId, Milliseconds, SuperCasId,
};

use crate::ecmg::{ChannelParameters, EcmgStatus};
use crate::error::CodecError;

/// How a client speaks to one ECM generator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientConfig {
    /// protocol_version of everything sent.
    pub version: u8,
    /// The CA system wanted.
    pub super_cas_id: SuperCasId,
    /// Unique over all SCS connections of that generator.
    pub channel_id: EcmChannelId,
    /// How long set-ups, closes and tests may stay unanswered.
    pub message_time: Milliseconds,
    /// Added to max_comp_time when an ECM is waited for.
    pub network_time: Milliseconds,
    /// Silence after which the generator is tested.
    pub test_period: Option<Milliseconds>,
}

impl ClientConfig {
    /// Version 3, 5 s for messages, 1 s for the network, a test each minute of silence.
    #[must_use]
    pub const fn new(super_cas_id: SuperCasId, channel_id: EcmChannelId) -> Self {
        Self {
            version: 3,
            super_cas_id,
            channel_id,
            message_time: Milliseconds(5_000),
            network_time: Milliseconds(1_000),
            test_period: Some(Milliseconds(60_000)),
        }
    }
}

/// One crypto-period's request. Holds control words in clear.
#[derive(Clone, Copy)]
pub struct Provision<'a> {
    /// The crypto-period.
    pub cp_number: CpNumber,
    /// When it is not nominal.
    pub cp_duration: Option<Deciseconds>,
    /// Period and control word, as lead_CW and CW_per_msg of the channel ask.
    pub control_words: &'a [(CpNumber, &'a [u8])],
    /// What guards the service in this period.
    pub access_criteria: &'a [u8],
}

/// What has happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClientEvent {
    /// channel_status came: streams may be opened.
    ChannelOpen(ChannelParameters),
    /// stream_status came: periods may be provisioned.
    StreamOpen(EcmStreamId),
    /// stream_close_response came.
    StreamClosed(EcmStreamId),
    /// ECM_response came for the outstanding CW_provision.
    Ecm {
        /// Which stream.
        stream: EcmStreamId,
        /// Which period.
        cp_number: CpNumber,
        /// ECM_datagram.
        datagram: Vec<u8>,
    },
    /// stream_error came.
    StreamRefused {
        /// Which stream.
        stream: EcmStreamId,
        /// The period that was outstanding, if one was.
        cp_number: Option<CpNumber>,
        /// error_status.
        status: EcmgStatus,
    },
    /// No answer to a CW_provision in time; the next may be sent.
    EcmTimeout {
        /// Which stream.
        stream: EcmStreamId,
        /// Which period.
        cp_number: CpNumber,
    },
    /// channel_error came.
    ChannelRefused(EcmgStatus),
    /// Set-up, close or test stayed unanswered: the connection is to be closed.
    PeerSilent,
    /// A message broke the grammar; it is dropped.
    BadMessage(CodecError),
}

/// Why the client cannot do what it is asked. The caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// There is no open channel.
    #[error("the channel is not open")]
    NoChannel,
    /// There is no such open stream.
    #[error("stream {0} is not open")]
    NoStream(EcmStreamId),
    /// The last CW_provision of the stream is not answered yet.
    #[error("the last CW_provision of stream {0} is not answered yet")]
    Outstanding(EcmStreamId),
    /// The stream exists already, or the channel takes no more.
    #[error("stream {0} exists already or is one too many")]
    StreamRefused(EcmStreamId),
    /// The message does not fit.
    #[error("the message is too long")]
    TooLong,
}
