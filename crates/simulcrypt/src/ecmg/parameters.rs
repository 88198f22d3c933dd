//! What an ECM generator says about itself in channel_status.

use portcullis_types::{Deciseconds, Milliseconds, SignedMilliseconds};

/// The values of a channel_status; they hold for the life of the channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelParameters {
    /// 0x00: ECM_datagram is a section; 0x01: TS packets.
    pub section_tspkt_flag: u8,
    /// When the ECM of a period goes on air, relative to the start of the period.
    pub delay_start: SignedMilliseconds,
    /// When it leaves the air, relative to the start of the next period.
    pub delay_stop: SignedMilliseconds,
    /// As `delay_start`, for the first period after a change of access criteria.
    pub ac_delay_start: Option<SignedMilliseconds>,
    /// As `delay_stop`, for the last period before a change of access criteria.
    pub ac_delay_stop: Option<SignedMilliseconds>,
    /// As `delay_start`, for the first scrambled period after clear.
    pub transition_delay_start: Option<SignedMilliseconds>,
    /// As `delay_stop`, for the last scrambled period before clear.
    pub transition_delay_stop: Option<SignedMilliseconds>,
    /// Time between two copies of the current ECM.
    pub ecm_rep_period: Milliseconds,
    /// Streams on one channel; 0 when not known.
    pub max_streams: u16,
    /// Shortest crypto-period.
    pub min_cp_duration: Deciseconds,
    /// How many periods ahead the last control word of a message is.
    pub lead_cw: u8,
    /// Control words in one CW_provision.
    pub cw_per_msg: u8,
    /// Worst time to compute an ECM.
    pub max_comp_time: Milliseconds,
}

impl ChannelParameters {
    /// Start delay of the first period after a change of access criteria.
    #[must_use]
    pub fn effective_ac_delay_start(&self) -> SignedMilliseconds {
        self.ac_delay_start.unwrap_or(self.delay_start)
    }

    /// Start delay of the first period after clear.
    #[must_use]
    pub fn effective_transition_delay_start(&self) -> SignedMilliseconds {
        self.transition_delay_start.unwrap_or(self.delay_start)
    }
}
