//! Crypto-periods and their control words (the CWG, and the clock of the SCS).
//!
//! Period n uses control word n; its number on the wire is `first_cp + n`, 16 bits, wrapping, and
//! the parity of that number is the parity of the key. Here periods are counted without a wrap.
//!
//! What must never happen: a control word used before every ECM stream has the ECM of its period,
//! or one that is printed or left in memory.
// spec: S-13 S-16 S-18 S-19

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_crypto::Zeroizing;
use portcullis_scramble::{Cipher, reduce_entropy};
use portcullis_types::{CpNumber, Parity, ScramblingMode};

use super::StreamTime;

/// Randomness for control words.
pub type Randomness = Box<dyn FnMut(&mut [u8]) + Send>;

/// A crypto-period, counted from the start of the stream.
pub(super) type Period = i64;

/// The control words around the present period, and when it ends.
pub(super) struct CryptoPeriods {
    mode: ScramblingMode,
    first_cp: CpNumber,
    length: u64,
    random: Randomness,
    control_words: BTreeMap<Period, Zeroizing<Vec<u8>>>,
    current: Option<Current>,
    /// When the next period is planned to begin.
    pub(super) next_start: StreamTime,
}

struct Current {
    period: Period,
    start: StreamTime,
    cipher: Arc<Cipher>,
}

impl CryptoPeriods {
    /// The clock before its first period, which begins at `start`.
    pub(super) fn new(
        mode: ScramblingMode,
        first_cp: CpNumber,
        length: u64,
        start: StreamTime,
        random: Randomness,
    ) -> Self {
        Self {
            mode,
            first_cp,
            length: length.max(1),
            random,
            control_words: BTreeMap::new(),
            current: None,
            next_start: start,
        }
    }

    /// The period whose control word scrambles now; `None` while the service is still clear.
    pub(super) fn current(&self) -> Option<Period> {
        self.current.as_ref().map(|current| current.period)
    }

    /// When the present period began.
    pub(super) fn current_start(&self) -> Option<StreamTime> {
        self.current.as_ref().map(|current| current.start)
    }

    /// The period that comes next.
    pub(super) fn upcoming(&self) -> Period {
        self.current().map_or(0, |period| period + 1)
    }

    /// The key in use.
    pub(super) fn key(&self) -> Option<(&Arc<Cipher>, Parity)> {
        let current = self.current.as_ref()?;
        Some((&current.cipher, self.number(current.period).parity()))
    }

    /// CP_number of a period.
    pub(super) const fn number(&self, period: Period) -> CpNumber {
        CpNumber(self.first_cp.0.wrapping_add(period as u16))
    }

    /// The period of a CP_number, the nearest one to the present.
    pub(super) fn period_of(&self, number: CpNumber) -> Period {
        let here = self.current().unwrap_or(0);
        here + i64::from(number.0.wrapping_sub(self.number(here).0) as i16)
    }

    /// Begins the next period. It is counted from its planned time, unless it was held up so
    /// long that the next but one would be due already.
    pub(super) fn begin_next(&mut self, now: StreamTime) -> Option<CpNumber> {
        let period = self.upcoming();
        let cipher = Arc::new(Cipher::new(self.mode, self.control_word(period)).ok()?);
        let planned = self.next_start;
        let start = if now.0 >= planned.0 + self.length { now } else { planned };
        self.current = Some(Current { period, start, cipher });
        self.next_start = StreamTime(start.0 + self.length);
        self.control_words.retain(|known, _| *known >= period - KEPT_BEHIND);
        Some(self.number(period))
    }

    /// The control words of a CW_provision for `period`: those of n+1+lead-count to n+lead.
    pub(super) fn provision(
        &mut self,
        period: Period,
        lead_cw: u8,
        cw_per_msg: u8,
    ) -> Vec<(CpNumber, Vec<u8>)> {
        let last = period + i64::from(lead_cw);
        let first = last + 1 - i64::from(cw_per_msg.max(1));
        (first..=last)
            .map(|period| (self.number(period), self.control_word(period).to_vec()))
            .collect()
    }

    /// The control word of a period; made when it is first asked for, also one from before the
    /// start, which some ECM generators want to see in the first message.
    fn control_word(&mut self, period: Period) -> &[u8] {
        let (mode, random) = (self.mode, &mut self.random);
        self.control_words.entry(period).or_insert_with(|| {
            let mut octets = Zeroizing::new(vec![0; mode.control_word_len()]);
            random(&mut octets);
            // The ECM carries what the receivers compute with: reduced before it is sent.
            if mode == ScramblingMode::Csa2
                && let Some(control_word) = octets.first_chunk_mut::<8>()
            {
                reduce_entropy(control_word);
            }
            octets
        })
    }
}

/// Periods whose control words stay known behind the present one, for repeated provisions.
const KEPT_BEHIND: Period = 4;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn periods(mode: ScramblingMode, first_cp: u16) -> CryptoPeriods {
        let mut next = 0;
        let random: Randomness = Box::new(move |octets| {
            octets.fill_with(|| {
                next += 1;
                next
            });
        });
        CryptoPeriods::new(mode, CpNumber(first_cp), 1_000, StreamTime(0), random)
    }

    // spec-test: S-18
    #[test]
    fn numbers_wrap_and_keep_their_parity() {
        let mut periods = periods(ScramblingMode::Cissa, 0xFFFE);
        let mut seen = Vec::new();
        for n in 0..4 {
            seen.push(periods.begin_next(StreamTime(n * 1_000)).unwrap());
            assert_eq!(periods.key().unwrap().1, seen.last().unwrap().parity());
        }
        assert_eq!(seen, [0xFFFE, 0xFFFF, 0, 1].map(CpNumber));
        assert_eq!(periods.period_of(CpNumber(2)), 4);
        assert_eq!(periods.period_of(CpNumber(0xFFFF)), 1);
    }

    // spec-test: S-14
    #[test]
    fn a_provision_holds_the_words_that_the_channel_asks_for() {
        let mut periods = periods(ScramblingMode::Cissa, 10);
        let numbers = |words: &[(CpNumber, Vec<u8>)]| -> Vec<u16> {
            words.iter().map(|(number, _)| number.0).collect()
        };
        assert_eq!(numbers(&periods.provision(0, 1, 2)), [10, 11]);
        assert_eq!(numbers(&periods.provision(1, 0, 1)), [11]);
        assert_eq!(numbers(&periods.provision(1, 1, 1)), [12]);
        assert_eq!(numbers(&periods.provision(0, 0, 2)), [9, 10]);
        assert_eq!(numbers(&periods.provision(0, 1, 3)), [9, 10, 11]);
        let again = periods.provision(0, 1, 2);
        assert!(again == periods.provision(0, 1, 2), "asked twice, the words are the same");
    }

    #[test]
    fn csa2_words_are_reduced_before_they_are_sent() {
        let mut periods = periods(ScramblingMode::Csa2, 0);
        for (_, word) in periods.provision(0, 1, 2) {
            assert_eq!(word[3], word[0] + word[1] + word[2]);
            assert_eq!(word[7], word[4] + word[5] + word[6]);
        }
    }

    #[test]
    fn a_late_start_does_not_shorten_the_period_to_nothing() {
        let mut periods = periods(ScramblingMode::Cissa, 0);
        periods.begin_next(StreamTime(0)).unwrap();
        periods.begin_next(StreamTime(1_300)).unwrap();
        assert_eq!(periods.next_start, StreamTime(2_000));
        periods.begin_next(StreamTime(3_500)).unwrap();
        assert_eq!(periods.next_start, StreamTime(4_500));
    }
}
