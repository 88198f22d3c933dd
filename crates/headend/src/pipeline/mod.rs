//! The transport-stream side of the headend: crypto-period clock and control words (SCS, CWG),
//! multiplexer and choice of the key of every packet, as one machine without I/O.
//!
//! Trust domain: the operator, on line; it holds control words in clear. Clauses: TS 103 197
//! timing of ECMs, ISO/IEC 13818-1 2.4.4 for PAT, CAT and PMT.
//!
//! How it is driven: [`Pipeline::push`] takes input packets, [`Pipeline::advance`] turns them into
//! output packets with their stream time and says what it waits for; [`Pipeline::poll_provision`]
//! gives the CW_provisions that are due and [`Pipeline::handle_ecm`] takes their answers. All time
//! is stream time, taken from the clock references of the service.
//!
//! ```text
//! input -> probe (PAT, PMT, PIDs) -> segments with exact times -> mux loop -> [`Outgoing`]
//!                                     CW_provisions <-> ECMs ------^   ^-- EMM sections
//! ```
//!
//! What must never happen: content of the service in clear after its first crypto-period began;
//! PSI, ECM or EMM scrambled; a payload changed in any other way than by the scrambler; a wait
//! for an ECM that nobody asked for.

mod clock;
mod ecm;
mod emm;
mod inserts;
mod machine;
mod mux;
mod outgoing;
mod periods;
mod pids;
mod probe;
mod signalling;
mod tables;

use std::ops::Add;

use portcullis_ts::psi::PsiError;
use portcullis_types::{
    CaSystemId, CpNumber, Milliseconds, Parity, Pid, ScramblingMode, ServiceId, SuperCasId,
};

pub use ecm::EcmStreamConfig;
pub use machine::Pipeline;
pub use outgoing::{Marked, Outgoing};
pub use periods::Randomness;

/// Time since the first input packet, in ticks of 27 MHz.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct StreamTime(pub u64);

impl StreamTime {
    /// Ticks in a millisecond.
    pub const PER_MS: u64 = 27_000;
    /// Later than any stream.
    pub const NEVER: Self = Self(u64::MAX);

    /// This time moved by a signed delay, not before the start.
    const fn offset_ms(self, delay_ms: i32) -> Self {
        Self(self.0.saturating_add_signed(delay_ms as i64 * Self::PER_MS as i64))
    }
}

impl Add<u64> for StreamTime {
    type Output = Self;

    fn add(self, ticks: u64) -> Self {
        Self(self.0.saturating_add(ticks))
    }
}

/// Whether the stream is a file or on air.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// As fast as it goes: scrambling begins with the first packet, everything a terminal needs
    /// stands in front of it, and the machine waits for late ECMs.
    File,
    /// In real time: the first ECM is on air before scrambling begins, and a crypto-period is
    /// stretched when the next ECM is late.
    Live,
}

/// What a pipeline is to do.
#[derive(Clone, Debug)]
pub struct PipelineConfig {
    /// Which service is scrambled.
    pub service: ServiceId,
    /// How.
    pub mode: ScramblingMode,
    /// Length of a crypto-period.
    pub crypto_period: Milliseconds,
    /// CP_number of the first crypto-period.
    pub first_cp: CpNumber,
    /// File or on air.
    pub pace: Pace,
    /// The ECM streams, one per ECM generator.
    pub ecm: Vec<EcmStreamConfig>,
    /// CA systems with EMMs from the start; others join with their first section.
    pub emm: Vec<CaSystemId>,
    /// kbit/s for the EMMs of one CA system.
    pub emm_bandwidth_kbps: u32,
    /// Pace of an input without a clock.
    pub assumed_bitrate_bps: u64,
}

/// A CW_provision that is due.
pub struct CwProvision {
    /// Which of the configured ECM streams.
    pub stream: usize,
    /// The crypto-period that the ECM is for.
    pub cp_number: CpNumber,
    /// The control words with the numbers of their crypto-periods. Secret.
    pub control_words: Vec<(CpNumber, Vec<u8>)>,
}

impl Drop for CwProvision {
    fn drop(&mut self) {
        use portcullis_crypto::Zeroize as _;
        self.control_words.iter_mut().for_each(|(_, octets)| octets.zeroize());
    }
}

/// Why [`Pipeline::advance`] returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// It has worked off what it was given.
    NeedInput,
    /// It waits for an ECM that was asked for.
    NeedEcm,
    /// There is more to do. On air the work comes in pieces of at most a few hundred
    /// milliseconds, so that ECMs and EMMs can come in between.
    More,
}

/// Something to tell the operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A crypto-period began.
    CryptoPeriod {
        /// Its number.
        cp_number: CpNumber,
        /// Its key's parity.
        parity: Parity,
        /// Its planned length.
        duration: Milliseconds,
        /// When.
        start: StreamTime,
    },
    /// The next crypto-period should have begun, but the ECM of this stream is not there: the
    /// control word stays in use.
    EcmLate {
        /// Whose ECM.
        super_cas_id: SuperCasId,
        /// Of which crypto-period.
        cp_number: CpNumber,
    },
    /// The input began to use a PID that was given to an ECM or EMM stream, which moved.
    PidMoved {
        /// From where.
        from: Pid,
        /// To where.
        to: Pid,
    },
    /// A component also belongs to another service and therefore stays clear.
    SharedComponent {
        /// Its PID.
        pid: Pid,
    },
    /// The PAT no longer names the service.
    ServiceGone,
    /// The PMT names no component of the service's own, at present.
    NothingToScramble,
}

/// Counters since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Output packets.
    pub packets: u64,
    /// Of them scrambled here.
    pub scrambled: u64,
    /// Of them carrying ECMs.
    pub ecm_inserted: u64,
    /// Of them carrying EMMs.
    pub emm_inserted: u64,
    /// Null packets that gave their place to another packet.
    pub nulls_replaced: u64,
    /// Packets of the service that came in scrambled (live streams only).
    pub already_scrambled: u64,
    /// EMM sections dropped for want of bandwidth.
    pub emm_dropped: u64,
}

/// Why a stream cannot be scrambled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The input's fault: no PAT.
    #[error("no PAT in the first {packets} packets")]
    NoPat {
        /// Packets looked at.
        packets: usize,
    },
    /// The operator's fault: no such service.
    #[error("service {} is not in the stream (services there: {there})", service.0)]
    UnknownService {
        /// Asked for.
        service: ServiceId,
        /// What there is.
        there: String,
    },
    /// The input's fault: the PAT names the service, but its PMT does not come.
    #[error("service {}: no PMT on PID {pmt_pid}", service.0)]
    NoPmt {
        /// Which service.
        service: ServiceId,
        /// Where its PMT should be.
        pmt_pid: Pid,
    },
    /// The operator's fault: the service is scrambled already.
    #[error(
        "service {}: PID {pid} is already scrambled{}", service.0,
        packet.map(|at| format!(" (input packet {at})")).unwrap_or_default()
    )]
    AlreadyScrambled {
        /// Which service.
        service: ServiceId,
        /// Which component.
        pid: Pid,
        /// Where, when it did not show at the start.
        packet: Option<u64>,
    },
    /// Nothing of the service can be scrambled.
    #[error("service {}: no component of its own to scramble", service.0)]
    NothingToScramble {
        /// Which service.
        service: ServiceId,
    },
    /// The ECM generator's fault.
    #[error("ECM of {super_cas_id}: {what}")]
    BadEcm {
        /// Which CA system.
        super_cas_id: SuperCasId,
        /// What is wrong.
        what: &'static str,
    },
    /// No PID is free for an ECM or EMM stream.
    #[error("no unused PID left")]
    NoUnusedPid,
    /// A table cannot be built.
    #[error(transparent)]
    Psi(#[from] PsiError),
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
