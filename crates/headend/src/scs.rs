//! The SCS's link to one ECM generator. (API first; the machine behind it follows.)

use portcullis_simulcrypt::ecmg::ChannelParameters;
use portcullis_types::{CpNumber, Deciseconds, EcmChannelId, EcmId, EcmStreamId, SuperCasId};

/// Which ECM stream of which ECM generator, and what guards it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EcmgConfig {
    /// Which CA system.
    pub super_cas_id: SuperCasId,
    /// Unique over all SCS connections of that ECM generator.
    pub ecm_channel_id: EcmChannelId,
    /// Unique inside the channel.
    pub ecm_stream_id: EcmStreamId,
    /// Names the ECM stream in the whole system.
    pub ecm_id: EcmId,
    /// CA-system private; for our own systems `AccessCriteria::encode`.
    pub access_criteria: Vec<u8>,
    /// Nominal crypto-period.
    pub nominal_cp: Deciseconds,
}

/// A link to one ECM generator that reconnects by itself.
#[derive(Debug)]
pub struct ScsLink {
    parameters: ChannelParameters,
}

impl ScsLink {
    /// Connects to `HOST:PORT` and sets up channel and stream.
    ///
    /// # Errors
    /// [`ScsError`], one clear line that names the address.
    pub async fn connect(address: &str, config: EcmgConfig) -> Result<Self, ScsError> {
        let _ = config;
        Err(ScsError::Unreachable {
            address: address.to_owned(),
            source: std::io::ErrorKind::Unsupported.into(),
        })
    }

    /// The channel_status values that the ECM generator gave at the last set-up.
    #[must_use]
    pub fn status(&self) -> ChannelParameters {
        self.parameters.clone()
    }

    /// Sends a CW_provision and waits for its ECM_datagram. One at a time per link.
    ///
    /// # Errors
    /// [`ScsError`]; after a lost connection the link reconnects and the caller may try again.
    pub async fn provision(
        &mut self,
        cp_number: CpNumber,
        control_words: &[(CpNumber, Vec<u8>)],
    ) -> Result<Vec<u8>, ScsError> {
        let _ = (cp_number, control_words);
        Err(ScsError::Timeout { address: String::new() })
    }
}

/// Why there is no ECM.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScsError {
    /// Nobody listens there, or the name does not resolve.
    #[error("ECM generator {address}: cannot connect")]
    Unreachable {
        /// HOST:PORT.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The connection was lost; the link is reconnecting.
    #[error("ECM generator {address}: connection lost")]
    Disconnected {
        /// HOST:PORT.
        address: String,
    },
    /// The ECM generator refused channel, stream or message.
    #[error("ECM generator {address}: error_status 0x{status:04x} ({meaning})")]
    Refused {
        /// HOST:PORT.
        address: String,
        /// error_status.
        status: u16,
        /// What the status means.
        meaning: &'static str,
    },
    /// No answer within max_comp_time and the network allowance.
    #[error("ECM generator {address}: no answer in time")]
    Timeout {
        /// HOST:PORT.
        address: String,
    },
    /// The peer's bytes are not SimulCrypt, or break its rules.
    #[error("ECM generator {address}: {what}")]
    Protocol {
        /// HOST:PORT.
        address: String,
        /// What is wrong.
        what: String,
    },
}
