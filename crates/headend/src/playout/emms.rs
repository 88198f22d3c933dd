//! Where EMM sections come from: an EMM generator that dials our MUX server over TCP, ours on
//! loopback or somebody else's.

use std::collections::HashSet;
use std::time::Duration;

use portcullis_types::CaSystemId;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::{Background, LOOPBACK, PlayoutConfig, PlayoutError};
use crate::emmg::{self, EmmgConfig};
use crate::event::Events;
use crate::layout::DataDir;
use crate::mux_server::{EmmDatagram, MuxLimits, MuxServer};

/// A file waits this long for an EMM generator from outside.
const FILE_WAIT: Duration = Duration::from_secs(5);
/// When an EMM generator from outside brings nothing new this long, its carousel has come round.
const FILE_ROUND: Duration = Duration::from_millis(500);
/// protocol_version towards our own MUX.
const VERSION: u8 = 3;

/// EMM sections: those that are there already, and those to come.
pub(super) struct Emms {
    pub(super) at_once: Vec<(CaSystemId, Vec<Vec<u8>>)>,
    pub(super) later: Option<mpsc::Receiver<EmmDatagram>>,
}

/// Starts the MUX server, and our own EMM generators when no others are to come.
pub(super) async fn start(
    config: &PlayoutConfig,
    data: &DataDir,
    live: bool,
    background: &mut Background,
    events: &Events,
) -> Result<Emms, PlayoutError> {
    if let Some(address) = &config.emm_listen {
        let (server, mut received) = MuxServer::bind(address, None, MuxLimits::default()).await?;
        tracing::info!("MUX listens at {}", server.local_addr());
        background.keep(server);
        let at_once = if live { Vec::new() } else { collect(&mut received).await };
        return Ok(Emms { at_once, later: Some(received) });
    }
    if !config.ecmg.is_empty() && !data.operator_db().is_file() {
        // Foreign ECM generators, and nothing of our own to make EMMs from.
        return Ok(Emms { at_once: Vec::new(), later: None });
    }
    if !live {
        let datagrams = emmg::snapshot(data, config.passphrase.as_deref())?;
        return Ok(Emms { at_once: datagrams.into_iter().map(split).collect(), later: None });
    }
    let (server, received) = MuxServer::bind(LOOPBACK, None, MuxLimits::default()).await?;
    let emmg = EmmgConfig {
        data: data.clone(),
        mux: server.local_addr().to_string(),
        udp: None,
        bandwidth_kbps: config.emm_bandwidth_kbps,
        version: VERSION,
        ca_system: None,
    };
    background.keep(server);
    let passphrase = config.passphrase.clone();
    let events = events.clone();
    background.spawn(async move {
        if let Err(error) = emmg::run(emmg, passphrase.as_deref(), events).await {
            tracing::error!("EMM generator: {error}");
        }
    });
    Ok(Emms { at_once: Vec::new(), later: Some(received) })
}

/// The CA_system_id that stands in front of a client_id, and the sections.
pub(super) fn split(datagram: EmmDatagram) -> (CaSystemId, Vec<Vec<u8>>) {
    (CaSystemId((datagram.client_id.0 >> 16) as u16), datagram.sections)
}

/// What an EMM generator from outside sends before its carousel comes round.
async fn collect(received: &mut mpsc::Receiver<EmmDatagram>) -> Vec<(CaSystemId, Vec<Vec<u8>>)> {
    eprintln!("portcullis: waiting up to {} s for an EMM generator", FILE_WAIT.as_secs());
    let deadline = Instant::now() + FILE_WAIT;
    let mut known = HashSet::new();
    let mut sections = Vec::new();
    let mut next = deadline;
    while let Ok(Some(datagram)) = timeout_at(next, received.recv()).await {
        let (ca_system_id, mut new) = split(datagram);
        new.retain(|section| known.insert(section.clone()));
        if !new.is_empty() {
            sections.push((ca_system_id, new));
            next = deadline.min(Instant::now() + FILE_ROUND);
        }
    }
    if sections.is_empty() {
        eprintln!("portcullis: no EMM generator came; the file has no EMMs in front");
    }
    sections
}
