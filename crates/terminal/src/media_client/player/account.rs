//! What the player tells: counts while it plays, a summary at its end, and why there is no picture.

use std::time::Instant;

use portcullis_scramble::BatchStats;
use portcullis_svm::abi::reason;
use portcullis_types::{ChipId, Parity};
use serde_json::{Value, json};

use super::{ClientSource, KeySource, Player};
use crate::error::Reason;
use crate::media_client::Summary;

impl Player<'_> {
    /// Counts, on change and from time to time.
    pub(in crate::media_client) fn report(&mut self, now: bool) {
        let counts = (self.descrambled, self.left_scrambled);
        let due = self.last_report.elapsed() >= self.config.limits.report_every;
        let changed = due && counts != self.reported;
        if !now && !changed {
            return;
        }
        self.reporter.emit(json!({
            "event": "descrambler",
            "descrambled": self.descrambled,
            "left_scrambled": self.left_scrambled,
            "parity": self.parity.map(|parity| match parity {
                Parity::Even => "even",
                Parity::Odd => "odd",
            }),
            "batches": batches(&self.pending.stats()),
            "since": {
                "descrambled": counts.0 - self.reported.0,
                "left_scrambled": counts.1 - self.reported.1,
            },
        }));
        self.reported = counts;
        self.last_report = Instant::now();
    }

    pub(in crate::media_client) fn summary(self, chip_id: ChipId) -> Summary {
        let reason = self.reason();
        let client = match self.source {
            KeySource::Client(source) => {
                let ClientSource { running, vendor, version, .. } = *source;
                drop(running.terminate());
                Some((vendor, version))
            }
            _ => None,
        };
        Summary {
            name: self.config.name.clone(),
            chip_id,
            service: self.service.id,
            client,
            packets: self.packets,
            descrambled: self.descrambled,
            left_scrambled: self.left_scrambled,
            batches: batches(&self.pending.stats()),
            reason,
        }
    }

    /// Why there is no picture of this service: packets stayed scrambled, and either none was
    /// descrambled or the client's last word was no.
    fn reason(&self) -> Option<Reason> {
        let (descrambled, left_scrambled) = self.at_change;
        if self.left_scrambled == left_scrambled {
            return None;
        }
        match &self.source {
            KeySource::Clear(_) => Some(Reason::NoCaDescriptor),
            KeySource::None(reason, _) => Some(reason.clone()),
            KeySource::Client(source) => {
                let client = source.vendor.clone();
                match source.last {
                    None => Some(Reason::NoEcm { client }),
                    Some((reason::OK, _)) if self.descrambled > descrambled => None,
                    Some((code, product)) => Some(Reason::Refused { client, code, product }),
                }
            }
        }
    }
}

/// How full batches were, and how long their first packet waited for the chip.
fn batches(stats: &BatchStats) -> Value {
    json!({
        "count": stats.batches,
        "full": stats.full,
        "packets_mean": stats.packets / stats.batches.max(1),
        "packets_max": stats.most,
        "wait_us_p50": stats.p50.as_micros() as u64,
        "wait_us_p99": stats.p99.as_micros() as u64,
        "wait_us_max": stats.max.as_micros() as u64,
    })
}
