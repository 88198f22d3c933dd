//! The way to the download centre: TLS 1.3 with the device's certificate, one small HTTP/1.1
//! client, and the drivers of the J.1020 machine and of the EMM return channel.
//!
//! The centre is believed to be the operator's because its chain ends at the trust anchor of the
//! verified platform image and carries the centre's role; its name does not matter.

mod http;
mod tls;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use portcullis_download::client::{Outcome, Request};
use portcullis_download::wire::{
    EMM_PATH, ErrorBody, HeldClient, MetadataRequest, PROTOCOL_VERSION, SECTIONS_CAP,
    TICKET_HEADER, VIOLATIONS_MAX, VIOLATIONS_PATH, decode_sections, parse,
};
use portcullis_download::{Download, Progress};
use portcullis_types::{CaSystemId, ChipId};

use crate::chip::SecurityChip;
use crate::embedded_scp::violations::ViolationRecord;
use crate::error::{ClientError, TerminalError};
use http::{Answer, Call, METADATA_CAP};

/// A centre, and who we are towards it.
pub(crate) struct CentreLink {
    address: SocketAddr,
    config: Arc<rustls::ClientConfig>,
    chip_id: ChipId,
}

impl CentreLink {
    /// A link that uses the device certificate in the flash, if there is one.
    pub(crate) fn new(
        address: SocketAddr,
        anchor: &[u8],
        flash: &Path,
        chip_id: ChipId,
        chip: &mut dyn SecurityChip,
    ) -> Result<Self, TerminalError> {
        Ok(Self { address, config: tls::config(anchor, flash, chip)?, chip_id })
    }

    /// Runs one download to its end. `progress` hears how far it is.
    // spec: X-42 M-B01 M-B08 M-B13
    pub(crate) fn download(
        &self,
        ca_system_id: CaSystemId,
        held: Option<HeldClient>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, ClientError> {
        let mut id = [0; 8];
        getrandom::fill(&mut id).map_err(|_| self.failed("no randomness"))?;
        let request = MetadataRequest {
            protocol: PROTOCOL_VERSION,
            request_id: hex::encode(id),
            ca_system_id,
            chip_id: self.chip_id,
            host_api: portcullis_package::MIN_HOST_API,
            held,
        };
        // A terminal that holds a client does not wait for a centre that is down.
        let attempts = if held.is_some() { 1 } else { 3 };
        let limits = portcullis_download::Limits { attempts, ..Default::default() };
        let started = Instant::now();
        let now = || u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut machine = Download::new(request, limits, 0);
        let mut last_failure = None;
        loop {
            if let Some(outcome) = machine.poll_outcome() {
                return match (outcome, last_failure) {
                    // What broke the connections says more than how often they broke.
                    (
                        Outcome::Failed(portcullis_download::DownloadError::TooManyAttempts {
                            ..
                        }),
                        Some(failure),
                    ) => Err(self.failed(failure)),
                    (outcome, _) => Ok(outcome),
                };
            }
            match machine.poll_transmit() {
                Some(request) => {
                    if let Err(failure) = self.exchange(&mut machine, request, &now, progress) {
                        tracing::info!("centre {}: {failure}", self.address);
                        last_failure = Some(failure);
                        machine.handle_connection_lost(now());
                    }
                }
                None => {
                    let due = machine.poll_timeout().unwrap_or(0);
                    thread::sleep(Duration::from_millis(due.saturating_sub(now())));
                    machine.handle_timeout(now());
                }
            }
        }
    }

    /// The EMM sections that wait for this terminal.
    // spec: D-05
    pub(crate) fn emms(&self, ca_system_id: CaSystemId) -> Result<Vec<Vec<u8>>, ClientError> {
        let path = format!("{EMM_PATH}{ca_system_id}/{}", self.chip_id);
        let mut body = Vec::new();
        let call = Call { path, body: None, headers: Vec::new(), cap: SECTIONS_CAP as u64 };
        let answer = http::call(self.address, &self.config, &call, &mut |part| match part {
            Answer::Octets(octets) => {
                body.extend_from_slice(octets);
                true
            }
            Answer::Head(_) => true,
        })
        .map_err(|failure| self.failed(failure))?;
        if answer.status != 200 {
            let code = parse::<ErrorBody>(&body).map(|body| body.code.to_string());
            return Err(self.failed(format!("EMMs: {}", code.unwrap_or_default())));
        }
        decode_sections(&body).ok_or_else(|| self.failed("EMMs: malformed answer"))
    }

    /// Tells the operator of clients that were stopped; all of it arrived when this is done.
    // spec: X-12 X-26
    pub(crate) fn report(&self, records: &[ViolationRecord]) -> Result<(), ClientError> {
        for records in records.chunks(VIOLATIONS_MAX) {
            let body = serde_json::to_vec(records).unwrap_or_default();
            let path = VIOLATIONS_PATH.to_owned();
            let call = Call { path, body: Some(body), headers: Vec::new(), cap: METADATA_CAP };
            let (status, body) = self.collect(&call).map_err(|failure| self.failed(failure))?;
            if status != 200 {
                let code = parse::<ErrorBody>(&body).map(|body| body.code.to_string());
                return Err(self.failed(format!("records: {}", code.unwrap_or_default())));
            }
        }
        Ok(())
    }

    fn exchange(
        &self,
        machine: &mut Download,
        request: Request,
        now: &dyn Fn() -> u64,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), String> {
        match request {
            Request::Metadata { path, body } => {
                let call = Call { path, body: Some(body), headers: Vec::new(), cap: METADATA_CAP };
                let (status, body) = self.collect(&call)?;
                machine.handle_answer(status, &body, now());
                Ok(())
            }
            Request::Image { path, ticket, from } => {
                let mut headers = vec![(TICKET_HEADER, ticket)];
                if from > 0 {
                    headers.push(("range", format!("bytes={from}-")));
                }
                let cap = portcullis_download::Limits::default().image + 1;
                let call = Call { path, body: None, headers, cap };
                let mut refusal: Option<(u16, Vec<u8>)> = None;
                http::call(self.address, &self.config, &call, &mut |part| match part {
                    Answer::Head(head) if matches!(head.status, 200 | 206) => {
                        machine.handle_image_start(head.range_start, head.length);
                        machine.poll_timeout().is_some()
                    }
                    Answer::Head(head) => {
                        refusal = Some((head.status, Vec::new()));
                        true
                    }
                    Answer::Octets(octets) => match &mut refusal {
                        Some((_, body)) => {
                            body.extend_from_slice(octets);
                            body.len() as u64 <= METADATA_CAP
                        }
                        None => {
                            machine.handle_octets(octets, now());
                            progress(machine.progress());
                            machine.poll_timeout().is_some()
                        }
                    },
                })?;
                match refusal {
                    Some((status, body)) => machine.handle_answer(status, &body, now()),
                    // Complete, refused by the machine, or too short: it knows which.
                    None if machine.poll_timeout().is_some() => {
                        machine.handle_connection_lost(now());
                    }
                    None => {}
                }
                Ok(())
            }
        }
    }

    fn collect(&self, call: &Call) -> Result<(u16, Vec<u8>), String> {
        let mut body = Vec::new();
        let head = http::call(self.address, &self.config, call, &mut |part| {
            if let Answer::Octets(octets) = part {
                body.extend_from_slice(octets);
            }
            true
        })?;
        Ok((head.status, body))
    }

    fn failed(&self, what: impl ToString) -> ClientError {
        ClientError::Centre { address: self.address.to_string(), what: what.to_string() }
    }
}
