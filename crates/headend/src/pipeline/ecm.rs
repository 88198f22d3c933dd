//! The ECMs of one ECM stream: which one is on air at what time (TS 103 197 timing).
//!
//! ECM n goes on air at T(n) + delay_start and is gone at T(n+1) + delay_stop, T(n) being the
//! instant at which control word n comes into use. The first one goes on air before its control
//! word is used, by transition_delay_start. It is repeated every 100 ms of stream time or as
//! often as the ECM generator asks, whichever is more often.
// spec: S-16 S-17

use std::collections::BTreeMap;

use portcullis_ts::psi::SectionPacketizer;
use portcullis_ts::{PACKET_SIZE, RawPacket, SYNC_BYTE};
use portcullis_types::{Pid, SuperCasId};

use super::inserts::StreamId;
use super::periods::{CryptoPeriods, Period};
use super::{PipelineError, StreamTime};

/// What an ECM generator said of its channel, as far as the multiplexer needs it. Signed delays
/// in milliseconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EcmStreamConfig {
    /// Which CA system.
    pub super_cas_id: SuperCasId,
    /// ECM_datagrams are transport packets instead of a section.
    pub in_packets: bool,
    /// delay_start.
    pub delay_start_ms: i32,
    /// delay_stop.
    pub delay_stop_ms: i32,
    /// transition_delay_start.
    pub transition_delay_start_ms: i32,
    /// ECM_rep_period; 0 when the generator does not care.
    pub rep_period_ms: u32,
    /// lead_CW.
    pub lead_cw: u8,
    /// CW_per_msg.
    pub cw_per_msg: u8,
}

/// The longest time between two copies of an ECM on air.
const REPETITION_MAX_MS: u32 = 100;
/// Copies do not follow each other more closely than this, whatever a generator asks.
const REPETITION_MIN_MS: u32 = 20;
/// What a deadline leaves for the next place in the stream to come.
const PLACE_MS: u32 = 5;
/// A copy may take the place of a null packet this long before it is due.
const EARLY: u64 = 20 * StreamTime::PER_MS;
/// Octets of the longest ECM section: receivers filter no longer ones.
const SECTION_MAX: usize = 256;
/// Octets of the longest ECM_datagram that is taken, in transport packets.
const DATAGRAM_MAX: usize = 4_096;

/// One ECM stream on air.
pub(super) struct EcmStream {
    pub(super) config: EcmStreamConfig,
    pub(super) pid: Pid,
    pub(super) inserts: StreamId,
    received: BTreeMap<Period, Vec<RawPacket>>,
    on_air: Option<Period>,
    last_copy: Option<StreamTime>,
}

impl EcmStream {
    pub(super) const fn new(config: EcmStreamConfig, pid: Pid, inserts: StreamId) -> Self {
        let received = BTreeMap::new();
        Self { config, pid, inserts, received, on_air: None, last_copy: None }
    }

    /// Takes the ECM of a period.
    pub(super) fn receive(&mut self, period: Period, datagram: &[u8]) -> Result<(), PipelineError> {
        let packets = self.packets(datagram).map_err(|what| PipelineError::BadEcm {
            super_cas_id: self.config.super_cas_id,
            what,
        })?;
        self.received.insert(period, packets);
        Ok(())
    }

    pub(super) fn has(&self, period: Period) -> bool {
        self.received.contains_key(&period)
    }

    fn packets(&self, datagram: &[u8]) -> Result<Vec<RawPacket>, &'static str> {
        if datagram.len() > DATAGRAM_MAX {
            return Err("ECM_datagram too long");
        }
        if self.config.in_packets {
            let (packets, rest) = datagram.as_chunks::<PACKET_SIZE>();
            let whole = rest.is_empty() && packets.iter().all(|p| p.first() == Some(&SYNC_BYTE));
            return if whole { Ok(packets.to_vec()) } else { Err("not whole transport packets") };
        }
        if datagram.is_empty() {
            // By convention: no ECM on air for this period.
            return Ok(Vec::new());
        }
        match datagram {
            _ if datagram.len() > SECTION_MAX => Err("ECM section longer than 256 octets"),
            [_, high, low, body @ ..]
                if usize::from(high & 0x0F) << 8 | usize::from(*low) == body.len() =>
            {
                // PID and counters are set when the packets leave.
                Ok(SectionPacketizer::new(self.pid).packetize(datagram))
            }
            _ => Err("not one whole section"),
        }
    }

    /// The ECM of the next period, when it has to be on air by now.
    pub(super) fn needs(&self, periods: &CryptoPeriods, now: StreamTime) -> Option<Period> {
        let next = periods.upcoming();
        (now >= self.start_of_next(periods)).then_some(next)
    }

    /// Brings the right ECM on air. Returns packets to play, until when, or nothing.
    pub(super) fn play(
        &mut self,
        periods: &CryptoPeriods,
        now: StreamTime,
    ) -> Option<(&[RawPacket], StreamTime)> {
        let wanted = self.wanted(periods, now);
        if wanted != self.on_air {
            self.on_air = wanted;
            self.last_copy = None;
            let oldest = wanted.unwrap_or_else(|| periods.upcoming()) - 1;
            self.received.retain(|period, _| *period >= oldest);
        }
        let due = match self.last_copy {
            None => now,
            Some(last) => last + self.repetition(),
        };
        if now + EARLY < due {
            return None;
        }
        let packets = self.received.get(&self.on_air?)?;
        // The copy leaves between now and its deadline; the next one counts from the earlier.
        self.last_copy = Some(due.min(now));
        Some((packets, due))
    }

    /// When [`EcmStream::play`] has something to do next, at the latest.
    pub(super) fn wake(&self, periods: &CryptoPeriods, now: StreamTime) -> StreamTime {
        let copy = self
            .last_copy
            .map_or(now, |last| StreamTime((last + self.repetition()).0.saturating_sub(EARLY)));
        [self.start_of_next(periods), self.start_of_current(periods), self.stop(periods)]
            .into_iter()
            .filter(|at| *at > now)
            .fold(copy, StreamTime::min)
    }

    fn wanted(&self, periods: &CryptoPeriods, now: StreamTime) -> Option<Period> {
        let next = periods.upcoming();
        if now >= self.start_of_next(periods) && self.has(next) {
            return Some(next);
        }
        let current = periods.current()?;
        if current == 0 || now >= self.start_of_current(periods) {
            return Some(current);
        }
        // The one before stays until its own stop; with delay_stop > delay_start the new one
        // takes over at its start, since one PID carries one ECM at a time.
        (now < self.stop(periods)).then_some(current - 1)
    }

    fn start_of_next(&self, periods: &CryptoPeriods) -> StreamTime {
        let delay = if periods.upcoming() == 0 {
            self.config.transition_delay_start_ms
        } else {
            self.config.delay_start_ms
        };
        periods.next_start.offset_ms(delay)
    }

    fn start_of_current(&self, periods: &CryptoPeriods) -> StreamTime {
        let start = periods.current_start().unwrap_or(StreamTime(0));
        start.offset_ms(self.config.delay_start_ms)
    }

    /// When the ECM of the period before the present one goes off air.
    fn stop(&self, periods: &CryptoPeriods) -> StreamTime {
        let start = periods.current_start().unwrap_or(StreamTime(0));
        start.offset_ms(self.config.delay_stop_ms)
    }

    fn repetition(&self) -> u64 {
        let asked = match self.config.rep_period_ms {
            0 => REPETITION_MAX_MS,
            asked => asked.clamp(REPETITION_MIN_MS, REPETITION_MAX_MS),
        };
        u64::from(asked - PLACE_MS) * StreamTime::PER_MS
    }
}
