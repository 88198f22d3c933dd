//! The snapshot that `/api/state` and `/api/events` carry; `web/src/lib/state.ts` is the same.

use portcullis_types::Parity;
use serde::{Serialize, Serializer};

/// Everything the page shows.
#[derive(Debug, Clone, Default, Serialize)]
pub struct State {
    /// Grows by one with each snapshot.
    pub seq: u64,
    /// Time of the server when the snapshot was made, ms since 1970.
    pub time_ms: u64,
    /// Version of the program.
    pub version: String,
    /// What is on air.
    pub channel: Channel,
    /// The supervised programs that are no boxes.
    pub processes: Vec<Process>,
    /// What the operator sells.
    pub products: Vec<Product>,
    /// The CA systems on air.
    pub ca_systems: Vec<CaSystem>,
    /// The virtual set-top boxes.
    pub boxes: Vec<BoxState>,
    /// What happened last, newest first.
    pub log: Vec<LogLine>,
}

/// What is on air.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Channel {
    /// Packets came in within the last second.
    pub on_air: bool,
    /// Name of the service.
    pub name: String,
    /// Its service id.
    pub service_id: u16,
    /// Name of the scrambling mode, such as `DVB-CISSA`.
    pub mode: String,
    /// Measured over the last second, null packets included.
    pub bitrate_bps: u64,
    /// Scrambled packets among those that are no null packets, 0 to 1.
    pub scrambled_share: f64,
    /// The crypto-period that the scrambler is in.
    pub crypto_period: Option<CryptoPeriod>,
    /// From CW_provision to ECM_response.
    pub ecm: Latency,
}

/// The crypto-period that the scrambler is in.
#[derive(Debug, Clone, Serialize)]
pub struct CryptoPeriod {
    /// CP_number.
    pub number: u64,
    /// Of the control word that scrambles.
    #[serde(serialize_with = "parity")]
    pub parity: Parity,
    /// Its begin, ms since 1970.
    pub started_ms: u64,
    /// Its nominal length.
    pub duration_ms: u64,
}

/// A latency over the last minute.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Latency {
    /// Half of the values are at most this.
    pub p50_us: u64,
    /// 99 of 100 values are at most this.
    pub p99_us: u64,
    /// All values since the start.
    pub count: u64,
    /// The last values, oldest first, at most 60.
    pub samples_us: Vec<u64>,
}

/// A supervised program.
#[derive(Debug, Clone, Serialize)]
pub struct Process {
    /// `ecmg`, `headend`, `emmg`, `centre`.
    pub role: String,
    /// Process id while it runs.
    pub pid: Option<u32>,
    /// It runs.
    pub running: bool,
    /// How often it was started again.
    pub restarts: u32,
}

/// What the operator sells.
#[derive(Debug, Clone, Serialize)]
pub struct Product {
    /// Its name.
    pub name: String,
    /// The services it opens.
    pub services: Vec<u16>,
}

/// A CA system.
#[derive(Debug, Clone, Serialize)]
pub struct CaSystem {
    /// Directory name of the vendor.
    pub vendor: String,
    /// CA_system_id.
    pub ca_system_id: u16,
    /// Super_CAS_id.
    pub super_cas_id: u32,
}

/// Where a box is on its way to a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// No power.
    #[default]
    Off,
    /// The chain of trust runs.
    Booting,
    /// Its CA client is on the way.
    Client,
    /// All runs; the keys have not come.
    Waiting,
    /// Pictures come out.
    Playing,
    /// The client holds no right for what is on air.
    NotEntitled,
    /// The chip's process ended.
    ChipGone,
    /// The terminal ended with an error.
    Failed,
}

/// One virtual set-top box.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BoxState {
    /// Its name.
    pub name: String,
    /// The CA vendor it belongs to.
    pub vendor: String,
    /// It was switched on.
    pub powered: bool,
    /// Where it is on its way to a picture.
    pub phase: Phase,
    /// Why there is no picture, in words for the user.
    pub reason: Option<String>,
    /// Grows each time the picture starts anew.
    pub picture: u32,
    /// ChipID in hex.
    pub chip_id: Option<String>,
    /// Process id of chipd.
    pub chip_pid: Option<u32>,
    /// Process id of the terminal.
    pub terminal_pid: Option<u32>,
    /// The chain of trust of this boot, first link first.
    pub boot: Vec<BootLink>,
    /// Its CA client.
    pub client: Option<Client>,
    /// Products as sold and as held.
    pub entitlements: Vec<Entitlement>,
    /// From an ECM's arrival to its control words in the descrambler.
    pub ecm: Latency,
    /// Counters of the descrambler.
    pub descrambler: Option<Descrambler>,
}

/// One link of the chain of trust.
#[derive(Debug, Clone, Serialize)]
pub struct BootLink {
    /// `rom`, `bootloader`, `platform`, `client`.
    pub link: String,
    /// `accepted` or `refused`.
    pub verdict: &'static str,
    /// Who signed it.
    pub signer: String,
    /// SHA-256 in hex.
    pub hash: String,
    /// Its version.
    pub version: String,
    /// Why it was refused.
    pub detail: Option<String>,
}

/// The CA client of a box.
#[derive(Debug, Clone, Serialize)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its vendor.
    pub vendor: String,
    /// Its version.
    pub version: String,
    /// `downloading`, `verified`, `installed`, `running`, `stopped`.
    pub state: String,
    /// Of the download, 0 to 100.
    pub percent: Option<u8>,
    /// State of its virtual machine.
    pub svm_state: Option<String>,
    /// Instructions it has run.
    pub instructions: Option<u64>,
}

/// One product as the operator sold it and as the box holds it.
#[derive(Debug, Clone, Serialize)]
pub struct Entitlement {
    /// Name of the product.
    pub product: String,
    /// The operator has sold it.
    pub sold: bool,
    /// The box plays by it.
    pub held: bool,
    /// Until when, s since 1970.
    pub until_s: Option<u64>,
    /// From the sale to the first picture by it.
    pub took_ms: Option<u64>,
}

/// Counters of a descrambler.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Descrambler {
    /// Packets descrambled since the boot.
    pub descrambled: u64,
    /// Packets that stayed scrambled since the boot.
    pub left_scrambled: u64,
    /// Of the last second.
    pub packets_per_s: u64,
    /// Of the last packet.
    #[serde(serialize_with = "optional_parity")]
    pub parity: Option<Parity>,
}

/// One line of the event log.
#[derive(Debug, Clone, Serialize)]
pub struct LogLine {
    /// Grows by one with each line.
    pub id: u64,
    /// When, ms since 1970.
    pub time_ms: u64,
    /// How good the news is.
    pub level: Level,
    /// Name of a box, or the role of a program.
    pub about: String,
    /// What happened.
    pub text: String,
}

/// How good the news is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Neither good nor bad.
    Note,
    /// What everybody waits for.
    Good,
    /// Expected, and something stops.
    Warn,
    /// A failure or an attack.
    Bad,
}

fn parity<S: Serializer>(parity: &Parity, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(parity_name(*parity))
}

fn optional_parity<S: Serializer>(parity: &Option<Parity>, to: S) -> Result<S::Ok, S::Error> {
    parity.map(parity_name).serialize(to)
}

const fn parity_name(parity: Parity) -> &'static str {
    match parity {
        Parity::Even => "even",
        Parity::Odd => "odd",
    }
}
