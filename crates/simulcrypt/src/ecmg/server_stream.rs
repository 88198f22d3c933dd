//! One ECM stream on the ECM generator's side, and what it asks of the generator.

use portcullis_types::{CpNumber, Deciseconds, EcmId, EcmStreamId, SuperCasId};

use super::parameters::ChannelParameters;
use super::status::EcmgStatus;
use super::tables::{MAX_CONTROL_WORDS, parameter};
use crate::message::Message;

/// What the SCS wants an ECM for. Borrows from the message; holds control words in clear.
pub struct CwProvision<'a> {
    /// The CA system.
    pub super_cas_id: SuperCasId,
    /// The stream.
    pub stream_id: EcmStreamId,
    /// The ECM_id of the stream; absent in protocol version 1.
    pub ecm_id: Option<EcmId>,
    /// The crypto-period that the ECM is for.
    pub cp_number: CpNumber,
    /// How long the period is.
    pub cp_duration: Deciseconds,
    /// The access criteria in force: those of this message, else the last that were good.
    pub access_criteria: &'a [u8],
    /// The control words that the channel asked for, in order of their periods.
    pub control_words: ControlWords<'a>,
}

/// The control words of the periods that lead_CW and CW_per_msg name.
#[derive(Clone, Copy)]
pub struct ControlWords<'a> {
    entries: [(CpNumber, &'a [u8]); MAX_CONTROL_WORDS],
    len: usize,
}

impl<'a> ControlWords<'a> {
    /// Period and control word, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[(CpNumber, &'a [u8])] {
        self.entries.get(..self.len).unwrap_or(&[])
    }

    /// Picks the wanted periods out of a message. Order in the message is free, numbers wrap,
    /// and a peer may send more than it was asked for.
    // spec: S-38
    fn pick(message: &Message<'a>, wanted: &ChannelParameters, n: CpNumber) -> Option<Self> {
        let mut picked =
            Self { entries: [(n, &[]); MAX_CONTROL_WORDS], len: usize::from(wanted.cw_per_msg) };
        let first =
            n.0.wrapping_add(1)
                .wrapping_add(wanted.lead_cw.into())
                .wrapping_sub(wanted.cw_per_msg.into());
        let slots = picked.entries.get_mut(..picked.len)?;
        for (slot, i) in slots.iter_mut().zip(0u16..) {
            let period = first.wrapping_add(i);
            let word = message.all(parameter::CP_CW_COMBINATION).find_map(|p| {
                let (number, word) = p.value.split_first_chunk()?;
                (u16::from_be_bytes(*number) == period).then_some(word)
            })?;
            *slot = (CpNumber(period), word);
        }
        Some(picked)
    }
}

/// Why there is no ECM; becomes a stream_error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// error_status.
    pub status: EcmgStatus,
    /// Two octets of error_information: offset of the fault, or the parameter in question.
    pub information: u16,
}

impl Refusal {
    /// A refusal because of a parameter.
    #[must_use]
    pub const fn parameter(status: EcmgStatus, parameter: u16) -> Self {
        Self { status, information: parameter }
    }
}

/// What the generator remembers of a stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) ecm_id: Option<EcmId>,
    pub(super) nominal_cp_duration: Deciseconds,
    access_criteria: Option<Vec<u8>>,
}

impl Stream {
    pub(super) const fn new(ecm_id: Option<EcmId>, nominal_cp_duration: Deciseconds) -> Self {
        Self { ecm_id, nominal_cp_duration, access_criteria: None }
    }

    /// Reads a CW_provision for this stream and has `compute` make the ECM. New access criteria
    /// replace the old ones only once they have made an ECM, so a bad value costs nothing.
    // spec: S-20 S-51
    pub(super) fn provision(
        &mut self,
        message: &Message<'_>,
        channel: (SuperCasId, &ChannelParameters),
        stream_id: EcmStreamId,
        compute: impl FnOnce(&CwProvision<'_>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let missing = |p| Refusal::parameter(EcmgStatus::MissingParameter, p);
        let (super_cas_id, parameters) = channel;
        let cp_number = CpNumber(
            message.u16(parameter::CP_NUMBER).ok_or_else(|| missing(parameter::CP_NUMBER))?,
        );
        if message.get(parameter::CW_ENCRYPTION).is_some() {
            // The control words would be taken for clear ones and no box could use the ECM.
            return Err(Refusal::parameter(EcmgStatus::InvalidValue, parameter::CW_ENCRYPTION));
        }
        let control_words = ControlWords::pick(message, parameters, cp_number).ok_or(
            Refusal::parameter(EcmgStatus::NotEnoughControlWords, parameter::CP_CW_COMBINATION),
        )?;
        let given = message.get(parameter::ACCESS_CRITERIA);
        let access_criteria = given
            .or(self.access_criteria.as_deref())
            .ok_or_else(|| missing(parameter::ACCESS_CRITERIA))?;
        compute(&CwProvision {
            super_cas_id,
            stream_id,
            ecm_id: self.ecm_id,
            cp_number,
            cp_duration: message
                .u16(parameter::CP_DURATION)
                .map_or(self.nominal_cp_duration, Deciseconds),
            access_criteria,
            control_words,
        })?;
        if let Some(given) = given.filter(|given| self.access_criteria.as_deref() != Some(*given)) {
            self.access_criteria = Some(given.to_vec());
        }
        Ok(())
    }
}
