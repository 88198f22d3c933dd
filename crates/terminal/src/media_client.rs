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

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use portcullis_chipset::ChipHandle;
use portcullis_keyladder::envelope;
use portcullis_svm::abi::reason;
use portcullis_ts::{Packet, RawPacket, ScramblingControl};
use portcullis_types::{CaSystemId, ChipId, Parity, ProductId, ServiceId, UnixSeconds};
use serde_json::{Value, json};

use crate::centre_link::CentreLink;
use crate::demux::{CaSection, Demux};
use crate::discovery::{Discovery, Service};
use crate::embedded_scp::data_manager::DataManager;
use crate::embedded_scp::event_manager::Stopped;
use crate::embedded_scp::scp_manager::{Launched, ScpManager};
use crate::error::{ClientError, Reason, TerminalError, stays_scrambled};
use crate::report::Reporter;
use crate::streams::{Arrived, Input, Output};

/// Limits of a terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Packets kept until the tables of the service are here (default 65,536: 12 MiB).
    pub acquisition_packets: usize,
    /// How long a broadcast may be silent or without tables at the start (default 30 s).
    pub acquisition: Duration,
    /// Packets descrambled in one go (default 4096).
    pub batch: usize,
    /// How often counts are reported (default 1 s).
    pub report_every: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            acquisition_packets: 65_536,
            acquisition: Duration::from_secs(30),
            batch: portcullis_chipset::PACKET_CAPACITY,
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
    /// The download centre.
    pub centre: Option<SocketAddr>,
    /// Whether packets that stay scrambled are left out of the output.
    pub drop_scrambled: bool,
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
            "reason": self.reason.as_ref().map(ToString::to_string),
        })
    }
}

/// Plays the input through the chip to its end.
///
/// # Errors
/// [`TerminalError`]. A service that stays scrambled is no error but [`Summary::reason`].
// spec: X-41 X-46
pub fn run(
    config: &Config,
    mut chip: ChipHandle,
    reporter: &Reporter,
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
        "mode": service.mode.name(),
    }));

    let link = match config.centre {
        Some(address) => Some(CentreLink::new(address, &anchor, &config.flash, info.chip_id)?),
        None => None,
    };
    let scp = ScpManager {
        flash: &config.flash,
        anchor: &anchor,
        now: now(),
        centre: link.as_ref(),
        reporter,
    };
    let source = start_client(&scp, chip, &service, info.chip_id)?;
    let mut player = Player {
        config,
        reporter,
        discovery,
        service,
        source,
        demux: Demux::default(),
        pending: Vec::with_capacity(config.limits.batch),
        packets: 0,
        descrambled: 0,
        left_scrambled: 0,
        reported: (0, 0),
        last_report: Instant::now(),
        flow: Flow::Nothing,
        parity: None,
    };
    let played = player.apply_tables().and_then(|()| {
        player.return_channel(link.as_ref())?;
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
        let arrived = input.read(&mut backlog)?;
        for packet in backlog.get(seen..).unwrap_or_default() {
            discovery.push(Packet::new(packet));
        }
        let enough = backlog.len() >= config.limits.acquisition_packets
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

/// Who makes the keys for the service.
enum KeySource {
    /// The service is in clear, as far as its PMT says.
    Clear,
    Client(Box<ClientSource>),
    None(Reason),
}

struct ClientSource {
    running: Launched,
    data: DataManager,
    ca_system_id: CaSystemId,
    vendor: String,
    version: u32,
    /// How the last ECM was answered.
    last: Option<(u32, Option<ProductId>)>,
}

/// The client of the first CA system that has one; the preferred CA system first.
// spec: X-15 X-55 E-F10
fn start_client(
    scp: &ScpManager<'_>,
    mut chip: ChipHandle,
    service: &Service,
    chip_id: ChipId,
) -> Result<KeySource, TerminalError> {
    let mut systems: Vec<CaSystemId> = service.ca_systems.iter().map(|(id, _)| *id).collect();
    if systems.is_empty() {
        return Ok(KeySource::Clear);
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
        match scp.launch(chip, installed, service.mode, service.id) {
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
    Ok(KeySource::None(Reason::NoClient { causes }))
}

/// A chip that is gone and a client that was refused end the terminal; everything else is a
/// reason to go on without this client.
fn fatal(ca_system_id: CaSystemId, error: ClientError) -> Result<ClientError, TerminalError> {
    match error {
        error if error.is_chip_gone() => Err(TerminalError::ChipGone),
        ClientError::Refused(_) | ClientError::WrongTarget | ClientError::Scan(_) => {
            Err(TerminalError::Client { ca_system_id, source: error })
        }
        ClientError::Store(_) => Err(TerminalError::Client { ca_system_id, source: error }),
        error => Ok(error),
    }
}

/// What came out last, for reports on change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Nothing,
    Descrambled,
    Scrambled,
}

struct Player<'a> {
    config: &'a Config,
    reporter: &'a Reporter,
    discovery: Discovery,
    service: Service,
    source: KeySource,
    demux: Demux,
    /// Packets that wait for the chip.
    pending: Vec<RawPacket>,
    packets: u64,
    descrambled: u64,
    left_scrambled: u64,
    reported: (u64, u64),
    last_report: Instant,
    flow: Flow,
    /// Of the last scrambled packet that came.
    parity: Option<Parity>,
}

impl Player<'_> {
    fn play(
        &mut self,
        backlog: Vec<RawPacket>,
        input: &mut Input,
        output: &mut Option<Output>,
    ) -> Result<(), TerminalError> {
        self.take(&backlog, output)?;
        drop(backlog);
        let mut packets = Vec::new();
        loop {
            packets.clear();
            let arrived = input.read(&mut packets)?;
            self.take(&packets, output)?;
            self.report(false);
            if let Arrived::End = arrived {
                if input.losses() > 0 {
                    tracing::info!("{} losses at the input", input.losses());
                }
                return Ok(());
            }
        }
    }

    /// Takes packets in their order and puts all of them out.
    fn take(
        &mut self,
        packets: &[RawPacket],
        output: &mut Option<Output>,
    ) -> Result<(), TerminalError> {
        for octets in packets {
            let packet = Packet::new(octets);
            if self.discovery.push(packet) {
                self.flush(output)?;
                self.apply_tables()?;
            }
            for section in self.demux.push(packet) {
                self.section(section, output)?;
            }
            self.pending.push(*octets);
            if self.pending.len() >= self.config.limits.batch {
                self.flush(output)?;
            }
        }
        self.flush(output)
    }

    /// Hands a CA section to the data manager, and what is new to the client.
    fn section(
        &mut self,
        section: CaSection,
        output: &mut Option<Output>,
    ) -> Result<(), TerminalError> {
        let KeySource::Client(source) = &mut self.source else { return Ok(()) };
        let is_new = match &section {
            CaSection::Ecm(section) => source.data.is_new_ecm(section),
            CaSection::Emm(section) => source.data.is_new_emm(section),
        };
        if !is_new {
            return Ok(());
        }
        self.flush(output)?;
        match section {
            CaSection::Ecm(section) => self.change_key(&section),
            CaSection::Emm(section) => self.entitlement(&section),
        }
    }

    // spec: X-S06 X-57
    fn change_key(&mut self, section: &[u8]) -> Result<(), TerminalError> {
        let KeySource::Client(source) = &mut self.source else { return Ok(()) };
        let started = Instant::now();
        let answered = source.running.change_key(section);
        let latency = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        match answered {
            Ok(code) => {
                source.data.ecm_answered(code);
                source.last = Some((code, DataManager::product(section)));
                self.reporter.emit(json!({
                    "event": "ecm",
                    "parity": if section.first() == Some(&0x80) { "even" } else { "odd" },
                    "status": code,
                    "loaded": source.running.host_ref().loaded_control_word(),
                    "latency_us": latency,
                }));
                Ok(())
            }
            Err(stopped) => self.client_stopped(stopped),
        }
    }

    // spec: X-S08 X-57
    fn entitlement(&mut self, section: &[u8]) -> Result<(), TerminalError> {
        let KeySource::Client(source) = &mut self.source else { return Ok(()) };
        match source.running.entitlement(section) {
            Ok(code) => {
                source.data.emm_answered(section, code);
                self.reporter.emit(json!({
                    "event": "emm", "table_id": section.first(), "status": code,
                }));
                // A new right or key may open what the last ECM could not.
                let retry = source.data.ecm_to_retry().filter(|_| code == reason::OK);
                match retry.map(<[u8]>::to_vec) {
                    Some(ecm) => self.change_key(&ecm),
                    None => Ok(()),
                }
            }
            Err(stopped) => self.client_stopped(stopped),
        }
    }

    fn client_stopped(&mut self, stopped: Stopped) -> Result<(), TerminalError> {
        if stopped.chip_gone {
            return Err(TerminalError::ChipGone);
        }
        if let KeySource::Client(source) = &mut self.source {
            // Without a client nobody may use the keys it loaded.
            let host = source.running.host();
            let session = host.session();
            let closed = crate::chip::SecurityChip::close_session(&mut host.chip, session);
            let (client, version) = (source.vendor.clone(), source.version);
            self.reporter.emit(json!({
                "event": "client", "state": "stopped", "vendor": client, "version": version,
                "reason": stopped.why,
            }));
            self.source = KeySource::None(Reason::Stopped { client, why: stopped.why });
            closed?;
        }
        Ok(())
    }

    /// The tables changed (or were read for the first time): PIDs follow.
    fn apply_tables(&mut self) -> Result<(), TerminalError> {
        if let Some(service) = self.discovery.service(self.service.id) {
            self.service = service;
        }
        let KeySource::Client(source) = &mut self.source else { return Ok(()) };
        let ecm = self.service.ca_systems.iter().find(|(id, _)| *id == source.ca_system_id);
        let emm = self.discovery.emm_pid(source.ca_system_id);
        self.demux.set_pids(ecm.map(|(_, pid)| *pid), emm);
        let host = source.running.host();
        let session = host.session();
        Ok(crate::chip::SecurityChip::set_pids(&mut host.chip, session, &self.service.pids)?)
    }

    /// EMMs that wait at the centre, once at the start.
    // spec: D-05
    fn return_channel(&mut self, link: Option<&CentreLink>) -> Result<(), TerminalError> {
        let (Some(link), KeySource::Client(source)) = (link, &self.source) else { return Ok(()) };
        let sections = match link.emms(source.ca_system_id) {
            Ok(sections) => sections,
            Err(error) => {
                // The carousel brings them too.
                tracing::info!("return channel: {error}");
                return Ok(());
            }
        };
        for section in sections {
            let KeySource::Client(source) = &mut self.source else { return Ok(()) };
            if source.data.is_new_emm(&section) {
                self.entitlement(&section)?;
            }
        }
        Ok(())
    }

    /// Descrambles what waits and puts it out.
    fn flush(&mut self, output: &mut Option<Output>) -> Result<(), TerminalError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let before = (self.descrambled, self.left_scrambled);
        let pids = &self.service.pids;
        let of_service = |octets: &RawPacket| pids.contains(&Packet::new(octets).pid());
        let parity = |octets: &RawPacket| Packet::new(octets).tsc().parity();
        let last = self.pending.iter().rev().filter(|packet| of_service(packet)).find_map(parity);
        self.parity = last.or(self.parity);
        if let KeySource::Client(source) = &mut self.source {
            let host = source.running.host();
            let session = host.session();
            let chip = &mut host.chip;
            let counts = crate::chip::SecurityChip::descramble(chip, session, &mut self.pending)?;
            self.descrambled += u64::from(counts.descrambled);
        }
        let is_scrambled = |octets: &RawPacket| {
            Packet::new(octets).tsc() != ScramblingControl::Clear && of_service(octets)
        };
        let left = self.pending.iter().filter(|packet| is_scrambled(packet)).count();
        self.left_scrambled += left as u64;
        if self.config.drop_scrambled && left > 0 {
            self.pending.retain(|packet| !is_scrambled(packet));
        }
        if let Some(output) = output {
            output.write(&self.pending)?;
        }
        self.packets += self.pending.len() as u64;
        self.pending.clear();
        let flow = if self.left_scrambled > before.1 {
            Flow::Scrambled
        } else if self.descrambled > before.0 {
            Flow::Descrambled
        } else {
            self.flow
        };
        if flow != self.flow {
            self.flow = flow;
            self.report(true);
        }
        Ok(())
    }

    /// Counts, on change and from time to time.
    fn report(&mut self, now: bool) {
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
            "since": {
                "descrambled": counts.0 - self.reported.0,
                "left_scrambled": counts.1 - self.reported.1,
            },
        }));
        self.reported = counts;
        self.last_report = Instant::now();
    }

    fn summary(self, chip_id: ChipId) -> Summary {
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
            reason,
        }
    }

    /// Why there is no picture: packets stayed scrambled, and either none was descrambled or the
    /// client's last word was no.
    fn reason(&self) -> Option<Reason> {
        if self.left_scrambled == 0 {
            return None;
        }
        match &self.source {
            KeySource::Clear => Some(Reason::NoCaDescriptor),
            KeySource::None(reason) => Some(reason.clone()),
            KeySource::Client(source) => {
                let client = source.vendor.clone();
                match source.last {
                    None => Some(Reason::NoEcm { client }),
                    Some((reason::OK, _)) if self.descrambled > 0 => None,
                    Some((code, product)) => Some(Reason::Refused { client, code, product }),
                }
            }
        }
    }
}

fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixSeconds(since.map_or(0, |since| since.as_secs()))
}
