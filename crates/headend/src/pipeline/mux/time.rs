//! What stream time brings: crypto-periods, copies of ECMs and tables, EMMs.

use portcullis_types::Milliseconds;

use super::super::emm::PATIENCE;
use super::super::machine::Report;
use super::super::periods::{CryptoPeriods, Period};
use super::super::{Event, Outgoing, Pace, PipelineConfig, StreamTime};
use super::{Mux, OWED_MAX, STEP_MIN, Tick, count};

impl Mux {
    /// Brings the output up to `now`. Where the input pauses, what falls due in the pause goes out
    /// in it: a service of little bitrate has its ECMs in time as well.
    pub(super) fn come_to(
        &mut self,
        config: &PipelineConfig,
        periods: &mut CryptoPeriods,
        report: &mut Report,
        out: &mut Outgoing,
        now: StreamTime,
    ) -> Tick {
        // Ends: every turn goes on by a step at least.
        loop {
            let due = self.wake.min(self.inserts.earliest());
            let at = due.max(self.time + STEP_MIN).min(now);
            if at >= self.wake
                && let Tick::NeedEcm = self.tick(config, periods, report, at)
            {
                return Tick::NeedEcm;
            }
            while let Some((stream, packet)) = self.inserts.pop_due(at) {
                count(stream, &self.ecm, &self.emm, report);
                out.push(&packet, at);
                self.owed = (self.owed + 1).min(OWED_MAX);
            }
            self.time = at;
            if at >= now {
                return Tick::Done;
            }
        }
    }

    /// What stream time brings: a new crypto-period, copies of ECMs and tables, EMMs.
    fn tick(
        &mut self,
        config: &PipelineConfig,
        periods: &mut CryptoPeriods,
        report: &mut Report,
        now: StreamTime,
    ) -> Tick {
        let waits = |period: Period| config.pace == Pace::File || period == 0;
        for stream in &self.ecm {
            let missing = stream.needs(periods, now).filter(|period| !stream.has(*period));
            if missing.is_some_and(waits) {
                return Tick::NeedEcm;
            }
        }
        while now >= periods.next_start {
            let next = periods.upcoming();
            if let Some(late) = self.ecm.iter().find(|stream| !stream.has(next)) {
                if waits(next) {
                    return Tick::NeedEcm;
                }
                if self.late_reported.replace(next) != Some(next) {
                    let super_cas_id = late.config.super_cas_id;
                    let cp_number = periods.number(next);
                    report.event(Event::EcmLate { super_cas_id, cp_number });
                }
                break;
            }
            let Some(cp_number) = periods.begin_next(now) else { break };
            let start = periods.current_start().unwrap_or(now);
            let duration = Milliseconds(config.crypto_period.0);
            let parity = cp_number.parity();
            report.event(Event::CryptoPeriod { cp_number, parity, duration, start });
        }
        let mut wake =
            if periods.next_start > now { periods.next_start } else { StreamTime::NEVER };
        for stream in &mut self.ecm {
            let inserts = stream.inserts;
            if let Some((packets, due)) = stream.play(periods, now) {
                self.inserts.push(inserts, packets, due);
            }
            wake = wake.min(stream.wake(periods, now));
        }
        wake = wake.min(self.signalling.repeat(&mut self.inserts, now));
        for stream in &mut self.emm {
            let packets = stream.play(now);
            self.inserts.push(stream.inserts, &packets, now + PATIENCE);
            wake = wake.min(stream.wake());
        }
        self.wake = wake;
        Tick::Done
    }
}
