//! The media client: loads the stream, finds what the service needs, makes the events, and puts
//! out the packets.
//!
//! Clauses: X.1198 6.3, 7 (media client), 7.7; J.1032 6.1.2. Packets go out in the order they
//! came, all of them: descrambled in place by the chip, CA sections included. Those that came
//! before an ECM or EMM go through the chip before it takes effect, so a file always gives the
//! same output, however it is cut into batches.
//!
//! What must never happen: an event out of order or lost; a packet out of order; output after the
//! chip is gone.

mod by_client;
mod player;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use portcullis_chipset::ChipHandle;
use portcullis_keyladder::envelope;
use portcullis_store::RealDisk;
use portcullis_svm::Event;
use portcullis_svm::abi::call::PUT_CONTENT;
use portcullis_ts::{Packet, RawPacket};
use portcullis_types::{CaSystemId, ChipId, ServiceId, UnixSeconds};
use serde_json::{Value, json};

use crate::centre_link::CentreLink;
use crate::chip::ChipSealer;
use crate::discovery::{Algorithm, Discovery, Service};
use crate::embedded_scp::channels::Broker;
use crate::embedded_scp::data_manager::DataManager;
use crate::embedded_scp::provider::{NativeProvider, Provider};
use crate::embedded_scp::scp_manager::{InstalledClient, ScpManager};
use crate::embedded_scp::violations::{self, ViolationRecord};
use crate::error::{ClientError, Reason, TerminalError, stays_scrambled};
use crate::report::Reporter;
use crate::stop::StopRequest;
use crate::streams::{Arrived, Input, Output, Purpose, SILENCE};
use player::{ClientSource, KeySource, Player};

/// Limits of a terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Packets kept until the tables of the service are here (default 65,536: 12 MiB).
    pub acquisition_packets: usize,
    /// How long a broadcast may be silent or without tables at the start (default 30 s).
    pub acquisition: Duration,
    /// Packets descrambled in one go (default 4096).
    pub batch: usize,
    /// How long a packet of a broadcast waits for its batch to fill (default 10 ms).
    pub batch_deadline: Duration,
    /// How often counts are reported (default 1 s).
    pub report_every: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            acquisition_packets: 65_536,
            acquisition: Duration::from_secs(30),
            batch: portcullis_chipset::PACKET_CAPACITY,
            batch_deadline: portcullis_scramble::BATCH_DEADLINE,
            report_every: Duration::from_secs(1),
        }
    }
}

/// What a terminal is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its name, for people.
    pub name: String,
    /// Its flash.
    pub flash: PathBuf,
    /// A file, `udp://..` or `rtp://..`.
    pub input: String,
    /// A file, `-` or `udp://..`.
    pub output: String,
    /// The service; the first scrambled one when there is none.
    pub service: Option<ServiceId>,
    /// Services to change to, each after so many packets of the input.
    pub then: Vec<(u64, ServiceId)>,
    /// The download centre.
    pub centre: Option<SocketAddr>,
    /// Whether packets that stay scrambled are left out of the output.
    pub drop_scrambled: bool,
    /// Where the trace of each client is written, if anywhere.
    pub record: Option<PathBuf>,
    /// Ends the terminal as the end of its input would.
    pub stop: StopRequest,
    /// Limits.
    pub limits: Limits,
}

/// What a terminal did.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// The box.
    pub name: String,
    /// Its chip.
    pub chip_id: ChipId,
    /// The service.
    pub service: ServiceId,
    /// Vendor and version of the client that ran.
    pub client: Option<(String, u32)>,
    /// Packets put out.
    pub packets: u64,
    /// Packets descrambled.
    pub descrambled: u64,
    /// Packets of the service that stayed scrambled.
    pub left_scrambled: u64,
    /// How packets went to the chip, as `--json` tells it.
    pub batches: Value,
    /// Why it stayed scrambled, if it did.
    pub reason: Option<Reason>,
}

impl Summary {
    /// The line that says why there is no picture.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        self.reason.as_ref().map(|reason| stays_scrambled(&self.name, self.service, reason))
    }

    /// For `--json`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "box": self.name,
            "chip_id": format!("{:016x}", self.chip_id.0),
            "service": self.service.0,
            "client": self.client.as_ref().map(|(vendor, version)| {
                json!({ "vendor": vendor, "version": version })
            }),
            "packets": self.packets,
            "descrambled": self.descrambled,
            "left_scrambled": self.left_scrambled,
            "batches": self.batches,
            "reason": self.reason.as_ref().map(ToString::to_string),
        })
    }
}

/// Plays the input through the chip to its end.
///
/// # Errors
/// [`TerminalError`]. A service that stays scrambled is no error but [`Summary::reason`].
pub fn run(
    config: &Config,
    chip: ChipHandle,
    reporter: &Reporter,
) -> Result<Summary, TerminalError> {
    run_with(config, chip, reporter, &NativeProvider)
}

/// The same with a security provider of its own.
///
/// # Errors
/// [`TerminalError`], as above.
// spec: X-41 X-46 X-49
pub fn run_with(
    config: &Config,
    mut chip: ChipHandle,
    reporter: &Reporter,
    provider: &dyn Provider,
) -> Result<Summary, TerminalError> {
    let info = chip.info()?;
    let anchor = chip.trust_anchor()?;
    let mut input = Input::open(&config.input)?;
    let mut output = Some(Output::open(&config.output)?);
    let (discovery, backlog) = acquire(config, &mut input)?;
    let service = select(config, &discovery)?;
    reporter.emit(json!({
        "event": "terminal",
        "pid": std::process::id(),
        "box": config.name,
        "chip_id": format!("{:016x}", info.chip_id.0),
        "service": service.id.0,
        "ca_systems": service.ca_systems.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>(),
        "mode": service.algorithm.to_string(),
    }));

    let link = match config.centre {
        Some(address) => {
            let flash = &config.flash;
            Some(CentreLink::new(address, &anchor, flash, info.chip_id, &mut chip)?)
        }
        None => None,
    };
    let scp = ScpManager {
        flash: &config.flash,
        anchor: &anchor,
        now: now(),
        centre: link.as_ref(),
        reporter,
        provider,
        channels: Broker::default(),
        record: config.record.as_deref(),
        stop: &config.stop,
    };
    let purpose = output.as_ref().map_or(Purpose::Show, Output::purpose);
    let clients = Clients { scp: &scp, link: link.as_ref(), chip_id: info.chip_id, purpose };
    let source = clients.start(chip, &service)?;
    let mut player = Player::new(config, reporter, discovery, service, source, clients);
    let played = player.apply_tables().and_then(|()| {
        player.return_channel()?;
        player.play(backlog, &mut input, &mut output)
    });
    match played {
        Ok(()) => {
            if let Some(output) = output.take() {
                output.finish()?;
            }
            player.report(true);
            Ok(player.summary(info.chip_id))
        }
        Err(TerminalError::ChipGone) => {
            reporter.emit(json!({ "event": "chip_gone" }));
            Err(TerminalError::ChipGone)
        }
        Err(error) => Err(error),
    }
}

/// What the log of a box has of clients that were stopped, the oldest first.
///
/// # Errors
/// [`TerminalError`] when chip or flash fail.
pub fn violations(
    flash: &Path,
    mut chip: ChipHandle,
) -> Result<Vec<ViolationRecord>, TerminalError> {
    violations::read(RealDisk, flash, &mut ChipSealer(&mut chip), now()).map_err(|error| {
        TerminalError::Flash { path: flash.to_owned(), source: std::io::Error::other(error) }
    })
}

/// Reads until the tables are here. The packets are kept: nothing of the stream is lost.
fn acquire(
    config: &Config,
    input: &mut Input,
) -> Result<(Discovery, Vec<RawPacket>), TerminalError> {
    let mut discovery = Discovery::default();
    let mut backlog: Vec<RawPacket> = Vec::new();
    let started = Instant::now();
    loop {
        let seen = backlog.len();
        let arrived = input.read(&mut backlog, SILENCE)?;
        for packet in backlog.get(seen..).unwrap_or_default() {
            discovery.push(Packet::new(packet));
        }
        let enough = backlog.len() >= config.limits.acquisition_packets
            || config.stop.is_requested()
            || input.is_live() && started.elapsed() >= config.limits.acquisition
            || matches!(arrived, Arrived::End);
        if discovery.is_complete(config.service) || enough {
            if !discovery.has_pat() {
                let (name, packets) = (config.input.clone(), backlog.len());
                return Err(TerminalError::NoTable { name, table: "PAT", packets });
            }
            return Ok((discovery, backlog));
        }
    }
}

fn select(config: &Config, discovery: &Discovery) -> Result<Service, TerminalError> {
    if let Some(service) = config.service
        && !discovery.names(service)
    {
        let there = discovery.services();
        return Err(TerminalError::UnknownService { service: service.0, there });
    }
    discovery.choose(config.service).and_then(|id| discovery.service(id)).ok_or_else(|| {
        let (name, packets) = (config.input.clone(), config.limits.acquisition_packets);
        TerminalError::NoTable { name, table: "PMT", packets }
    })
}

/// Where the media client gets the client that a service needs.
struct Clients<'a> {
    scp: &'a ScpManager<'a>,
    link: Option<&'a CentreLink>,
    chip_id: ChipId,
    purpose: Purpose,
}

impl Clients<'_> {
    fn start(&self, mut chip: ChipHandle, service: &Service) -> Result<KeySource, TerminalError> {
        self.tell_violations(&mut chip);
        let mut source = start_client(self, chip, service)?;
        // Also when another client took over from one that did not come up.
        match &mut source {
            KeySource::None(_, Some(chip)) => self.tell_violations(chip),
            KeySource::Client(source) => self.tell_violations(&mut source.running.host().chip),
            KeySource::None(_, None) | KeySource::Clear(_) => {}
        }
        Ok(source)
    }

    /// What stopped clients, for the operator.
    // spec: X-12 X-26
    fn tell_violations(&self, chip: &mut ChipHandle) {
        if let Some(link) = self.link {
            let send = |records: &[ViolationRecord]| link.report(records);
            violations::tell(self.scp.flash, &mut ChipSealer(chip), now(), send);
        }
    }

    /// Why this client may not descramble the service into this output.
    // spec: X-03 X-11 X-30
    fn hindrance(&self, client: &InstalledClient, service: &Service) -> Option<Reason> {
        let policy = client.container.package.policy();
        let named = || client.known.vendor.clone();
        match self.purpose {
            Purpose::Store if !policy.content.store => {
                return Some(Reason::Forbidden { client: named(), to: "store" });
            }
            Purpose::Retransmit if !policy.content.retransmit => {
                return Some(Reason::Forbidden { client: named(), to: "retransmit" });
            }
            _ => {}
        }
        let descrambles = || policy.permit_table().permits(Event::Descramble, PUT_CONTENT);
        match service.algorithm {
            Algorithm::Client(scrambling_mode) if !descrambles() => {
                Some(Reason::Algorithm { scrambling_mode })
            }
            _ => None,
        }
    }
}

/// The client of the first CA system that has one; the preferred CA system first.
// spec: X-15 X-55 E-F10
fn start_client(
    clients: &Clients<'_>,
    mut chip: ChipHandle,
    service: &Service,
) -> Result<KeySource, TerminalError> {
    let Clients { scp, chip_id, .. } = *clients;
    let mut systems: Vec<CaSystemId> = service.ca_systems.iter().map(|(id, _)| *id).collect();
    if systems.is_empty() {
        return Ok(KeySource::Clear(chip));
    }
    if let Algorithm::Unknown(scrambling_mode) = service.algorithm {
        return Ok(KeySource::None(Reason::Algorithm { scrambling_mode }, Some(chip)));
    }
    let preferred = scp.preferred();
    let known: Vec<CaSystemId> = scp.known().iter().map(|known| known.ca_system_id).collect();
    // A stable sort: otherwise the order of the PMT stays.
    systems.sort_by_key(|id| (Some(*id) != preferred, !known.contains(id)));
    let mut causes = Vec::new();
    for ca_system_id in systems {
        let installed = match scp.obtain(&mut chip, ca_system_id) {
            Ok(installed) => installed,
            Err(error) => {
                causes.push((ca_system_id, fatal(ca_system_id, error)?.to_string()));
                continue;
            }
        };
        if let Some(hindrance) = clients.hindrance(&installed, service) {
            causes.push((ca_system_id, hindrance.to_string()));
            continue;
        }
        match scp.launch(chip, installed, service.algorithm.of_chip(), service.id) {
            Ok((running, installed)) => {
                let vendor_sys_id = installed.container.vendor_sys_id;
                let address = envelope::unique_address(chip_id, vendor_sys_id);
                return Ok(KeySource::Client(Box::new(ClientSource {
                    running,
                    data: DataManager::new(address),
                    ca_system_id,
                    vendor: installed.known.vendor,
                    version: installed.container.version,
                    last: None,
                })));
            }
            Err(failed) => {
                let (error, back) = *failed;
                chip = back;
                causes.push((ca_system_id, fatal(ca_system_id, error)?.to_string()));
            }
        }
    }
    Ok(KeySource::None(Reason::NoClient { causes }, Some(chip)))
}

/// A chip that is gone and a client that was refused end the terminal; everything else is a
/// reason to go on without this client.
fn fatal(ca_system_id: CaSystemId, error: ClientError) -> Result<ClientError, TerminalError> {
    match error {
        error if error.is_chip_gone() => Err(TerminalError::ChipGone),
        ClientError::Refused(_)
        | ClientError::WrongTarget
        | ClientError::Scan(_)
        | ClientError::Provider(_) => Err(TerminalError::Client { ca_system_id, source: error }),
        ClientError::Store(_) => Err(TerminalError::Client { ca_system_id, source: error }),
        error => Ok(error),
    }
}

fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixSeconds(since.map_or(0, |since| since.as_secs()))
}
