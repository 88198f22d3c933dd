//! One task per ECM generator: takes CW_provisions, brings ECMs.

use std::time::{Duration, Instant};

use portcullis_simulcrypt::ecmg::ChannelParameters;
use portcullis_types::{CpNumber, Deciseconds, Milliseconds};
use serde_json::json;
use tokio::sync::mpsc;

use super::{
    Background, EcmChannelId, EcmId, EcmStreamConfig, EcmStreamId, EcmgAddress, EcmgConfig,
    PlayoutConfig, PlayoutError, ScsError, ScsLink, SuperCasId,
};
use crate::event::Events;
use crate::pipeline::CwProvision;

/// CW_provisions that wait for one ECM generator: two periods ahead, and repeats.
const WAITING_MAX: usize = 16;
/// Pause before a failed CW_provision is sent again.
const PAUSE: Duration = Duration::from_millis(200);
/// A file waits this long for an ECM generator that has gone away.
const PATIENCE: Duration = Duration::from_secs(10);

/// An ECM, or the end of a link.
pub(super) struct Answer {
    pub(super) stream: usize,
    pub(super) cp_number: CpNumber,
    pub(super) ecm: Result<Vec<u8>, ScsError>,
}

/// The pipeline's side of all links.
pub(super) struct Links {
    requests: Vec<mpsc::Sender<CwProvision>>,
    pub(super) answers: mpsc::Receiver<Answer>,
}

impl Links {
    /// Sends a CW_provision on its way. `false` when its link is gone or does not keep up.
    pub(super) fn send(&self, provision: CwProvision) -> bool {
        let link = self.requests.get(provision.stream);
        link.is_some_and(|link| link.try_send(provision).is_ok())
    }
}

/// Connects to every ECM generator and learns its channel parameters.
pub(super) async fn connect(
    generators: &[EcmgAddress],
    config: &PlayoutConfig,
) -> Result<(Vec<(SuperCasId, ScsLink)>, Vec<EcmStreamConfig>), PlayoutError> {
    // Two SCSs with the same ECM_channel_id at one ECM generator refuse each other, so the
    // default differs between processes.
    let first_channel = config
        .ecm_channel_id
        .map_or_else(|| (std::process::id() as u16).wrapping_mul(8), |channel| channel.0);
    let (mut links, mut streams) = (Vec::new(), Vec::new());
    for (index, generator) in (0u16..).zip(generators) {
        let super_cas_id = generator.super_cas_id;
        let link = ScsLink::connect(
            &generator.address,
            EcmgConfig {
                super_cas_id,
                ecm_channel_id: EcmChannelId(first_channel.wrapping_add(index)),
                ecm_stream_id: EcmStreamId(1),
                ecm_id: EcmId(config.service.0),
                access_criteria: generator.access_criteria.clone(),
                nominal_cp: config.crypto_period,
            },
        )
        .await?;
        let status = link.status();
        if status.min_cp_duration > config.crypto_period {
            let seconds =
                |deciseconds: portcullis_types::Deciseconds| f32::from(deciseconds.0) / 10.0;
            return Err(PlayoutError::CryptoPeriod {
                super_cas_id,
                asked: seconds(config.crypto_period),
                least: seconds(status.min_cp_duration),
            });
        }
        check_timing(&status, config.crypto_period)
            .map_err(|what| PlayoutError::ChannelStatus { super_cas_id, what })?;
        let Milliseconds(rep_period_ms) = status.ecm_rep_period;
        streams.push(EcmStreamConfig {
            super_cas_id,
            in_packets: status.section_tspkt_flag == 1,
            delay_start_ms: status.delay_start.0,
            delay_stop_ms: status.delay_stop.0,
            transition_delay_start_ms: status.effective_transition_delay_start().0,
            rep_period_ms,
            lead_cw: status.lead_cw,
            cw_per_msg: status.cw_per_msg,
        });
        links.push((super_cas_id, link));
    }
    Ok((links, streams))
}

/// An ECM needs a control word, and must be on air within a crypto-period of its turn.
// spec: S-16
fn check_timing(status: &ChannelParameters, crypto_period: Deciseconds) -> Result<(), String> {
    if status.cw_per_msg == 0 {
        return Err("CW_per_msg is 0".to_owned());
    }
    let period_ms = i64::from(crypto_period.to_milliseconds().0);
    let delays = [("delay_start", status.delay_start), ("delay_stop", status.delay_stop)];
    match delays.into_iter().find(|(_, delay)| i64::from(delay.0).abs() >= period_ms) {
        Some((name, delay)) => Err(format!(
            "{name} of {} ms is not within the crypto-period of {period_ms} ms",
            delay.0
        )),
        None => Ok(()),
    }
}

/// Starts a task per link. On air a link is tried for ever; a file gives up after a while.
pub(super) fn start(
    links: Vec<(SuperCasId, ScsLink)>,
    live: bool,
    background: &mut Background,
    events: &Events,
) -> Links {
    let (answers_in, answers) = mpsc::channel(WAITING_MAX * links.len().max(1));
    let mut requests = Vec::new();
    for (stream, (super_cas_id, link)) in links.into_iter().enumerate() {
        let (sender, incoming) = mpsc::channel(WAITING_MAX);
        requests.push(sender);
        let worker = Worker {
            stream,
            super_cas_id,
            link,
            patience: if live { None } else { Some(PATIENCE) },
            incoming,
            answers: answers_in.clone(),
            events: events.clone(),
        };
        background.spawn(worker.run());
    }
    Links { requests, answers }
}

struct Worker {
    stream: usize,
    super_cas_id: SuperCasId,
    link: ScsLink,
    patience: Option<Duration>,
    incoming: mpsc::Receiver<CwProvision>,
    answers: mpsc::Sender<Answer>,
    events: Events,
}

impl Worker {
    async fn run(mut self) {
        while let Some(provision) = self.incoming.recv().await {
            let ecm = self.ask(&provision).await;
            let failed = ecm.is_err();
            let answer = Answer { stream: self.stream, cp_number: provision.cp_number, ecm };
            if self.answers.send(answer).await.is_err() || failed {
                return;
            }
        }
    }

    /// Asks until there is an ECM or patience is at its end.
    async fn ask(&mut self, provision: &CwProvision) -> Result<Vec<u8>, ScsError> {
        let begun = Instant::now();
        let mut reported = false;
        loop {
            let sent = Instant::now();
            match self.link.provision(provision.cp_number, &provision.control_words).await {
                Ok(ecm) => {
                    self.events.emit(|| {
                        json!({
                            "event": "ecm",
                            "super_cas_id": self.super_cas_id.to_string(),
                            "cp_number": provision.cp_number.0,
                            "latency_us": sent.elapsed().as_micros() as u64,
                        })
                    });
                    return Ok(ecm);
                }
                Err(error) if self.patience.is_some_and(|limit| begun.elapsed() >= limit) => {
                    return Err(error);
                }
                Err(error) => {
                    if !std::mem::replace(&mut reported, true) {
                        tracing::warn!("{error}; trying again");
                        self.events.emit(|| {
                            json!({
                                "event": "ecm_failed",
                                "super_cas_id": self.super_cas_id.to_string(),
                                "cp_number": provision.cp_number.0,
                                "error": error.to_string(),
                            })
                        });
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_types::SignedMilliseconds;

    use super::*;

    // spec-test: S-16
    #[test]
    fn timing_that_cannot_be_played_is_refused() {
        let good = ChannelParameters {
            section_tspkt_flag: 0,
            delay_start: SignedMilliseconds(200),
            delay_stop: SignedMilliseconds(200),
            ac_delay_start: None,
            ac_delay_stop: None,
            transition_delay_start: None,
            transition_delay_stop: None,
            ecm_rep_period: Milliseconds(100),
            max_streams: 0,
            min_cp_duration: Deciseconds(10),
            lead_cw: 1,
            cw_per_msg: 2,
            max_comp_time: Milliseconds(100),
        };
        let period = Deciseconds(20);
        assert_eq!(check_timing(&good, period), Ok(()));
        let none = ChannelParameters { cw_per_msg: 0, ..good.clone() };
        assert_eq!(check_timing(&none, period), Err("CW_per_msg is 0".to_owned()));
        for (delay, fits) in [(-1999, true), (1999, true), (2000, false), (-2000, false)] {
            let late = ChannelParameters { delay_start: SignedMilliseconds(delay), ..good.clone() };
            assert_eq!(check_timing(&late, period).is_ok(), fits, "delay_start {delay} ms");
        }
    }
}
