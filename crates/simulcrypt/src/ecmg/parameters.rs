//! What an ECM generator says about itself in channel_status.

use portcullis_types::{Deciseconds, Milliseconds, SignedMilliseconds};

use crate::message::{Message, Writer};

use super::tables::parameter;

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

impl ChannelParameters {
    /// Adds the values to a channel_status. Values beyond 16 bits are cut to the nearest.
    pub(crate) fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o> {
        let signed = |v: SignedMilliseconds| {
            v.0.clamp(i32::from(i16::MIN), i32::from(i16::MAX)).cast_unsigned() as u16
        };
        let unsigned = |v: Milliseconds| u16::try_from(v.0).unwrap_or(u16::MAX);
        let mut writer = writer
            .u8(parameter::SECTION_TSPKT_FLAG, self.section_tspkt_flag)
            .u16(parameter::DELAY_START, signed(self.delay_start))
            .u16(parameter::DELAY_STOP, signed(self.delay_stop))
            .u16(parameter::ECM_REP_PERIOD, unsigned(self.ecm_rep_period))
            .u16(parameter::MAX_STREAMS, self.max_streams)
            .u16(parameter::MIN_CP_DURATION, self.min_cp_duration.0)
            .u8(parameter::LEAD_CW, self.lead_cw)
            .u8(parameter::CW_PER_MSG, self.cw_per_msg)
            .u16(parameter::MAX_COMP_TIME, unsigned(self.max_comp_time));
        for (kind, value) in [
            (parameter::AC_DELAY_START, self.ac_delay_start),
            (parameter::AC_DELAY_STOP, self.ac_delay_stop),
            (parameter::TRANSITION_DELAY_START, self.transition_delay_start),
            (parameter::TRANSITION_DELAY_STOP, self.transition_delay_stop),
        ] {
            if let Some(value) = value {
                writer = writer.u16(kind, signed(value));
            }
        }
        writer
    }

    /// The values of a channel_status.
    pub(crate) fn read(message: &Message<'_>) -> Option<Self> {
        let signed = |kind| message.i16(kind).map(|v| SignedMilliseconds(v.into()));
        let unsigned = |kind| message.u16(kind).map(|v| Milliseconds(v.into()));
        Some(Self {
            section_tspkt_flag: message.u8(parameter::SECTION_TSPKT_FLAG)?,
            delay_start: signed(parameter::DELAY_START)?,
            delay_stop: signed(parameter::DELAY_STOP)?,
            ac_delay_start: signed(parameter::AC_DELAY_START),
            ac_delay_stop: signed(parameter::AC_DELAY_STOP),
            transition_delay_start: signed(parameter::TRANSITION_DELAY_START),
            transition_delay_stop: signed(parameter::TRANSITION_DELAY_STOP),
            ecm_rep_period: unsigned(parameter::ECM_REP_PERIOD)?,
            max_streams: message.u16(parameter::MAX_STREAMS)?,
            min_cp_duration: Deciseconds(message.u16(parameter::MIN_CP_DURATION)?),
            lead_cw: message.u8(parameter::LEAD_CW)?,
            cw_per_msg: message.u8(parameter::CW_PER_MSG)?,
            max_comp_time: unsigned(parameter::MAX_COMP_TIME)?,
        })
    }
}
