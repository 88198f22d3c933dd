//! The EMM generator: turns what the store says into EMMs and plays them to a MUX.
//!
//! Trust domain: the CA vendor's part of the headend. A thread per CA system watches the store
//! and makes EMMs (`feed`); a task per MUX connection plays them within the bandwidth
//! (`player`). An event of the outbox is marked only after the MUX connection has taken its
//! EMMs: a crash repeats EMMs, which boxes refuse as known, and never loses one.
// spec: D-H2 D-05

mod carousel;
mod feed;
mod maker;
mod play;
mod session;

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis_types::{CaSystemId, ChipId, DataId, EmmgClientId};
use portcullis_vault::Passphrase;
use tokio::sync::mpsc;

use crate::clock::unix_now;
use crate::event::Events;
use crate::layout::{CaSystem, DataDir};
use crate::mux_server::EmmDatagram;
use crate::store::{Operator, Repository};
use maker::EmmMaker;

/// How an EMM generator plays to a MUX.
#[derive(Clone, Debug)]
pub struct EmmgConfig {
    /// The data directory.
    pub data: DataDir,
    /// `HOST:PORT` of the MUX.
    pub mux: String,
    /// `HOST:PORT` for data over UDP; set-up stays on TCP.
    pub udp: Option<String>,
    /// kbit/s to ask for, for each CA system.
    pub bandwidth_kbps: u16,
    /// protocol_version.
    pub version: u8,
    /// Only this CA system; `None` plays all, each over a connection of its own.
    pub ca_system: Option<CaSystemId>,
}

/// Plays the carousels to a MUX for ever, connecting again after losses.
///
/// # Errors
/// [`EmmgError`] when keys or store do not open; losses of the MUX are no errors.
pub async fn run(
    config: EmmgConfig,
    passphrase: Option<&Passphrase>,
    events: Events,
) -> Result<(), EmmgError> {
    let mut tasks = tokio::task::JoinSet::new();
    for ca in config.data.ca_systems()? {
        let id = ca.description.ca_system_id;
        if config.ca_system.is_some_and(|wanted| wanted != id) {
            continue;
        }
        let feed = feed::start(&config.data, &ca, passphrase)?;
        tasks.spawn(session::play_to_mux(config.clone(), ca, feed, events.clone()));
    }
    if tasks.is_empty() {
        return Err(EmmgError::NoCaSystem);
    }
    // A carousel ends only when its feed does.
    while tasks.join_next().await.is_some() {}
    Err(EmmgError::FeedEnded)
}

/// Plays the carousel of all CA systems into a channel instead of a TCP connection, for ever,
/// each at `kbps`; ends when the receiver is dropped.
///
/// # Errors
/// [`EmmgError`] when keys or store do not open.
pub async fn run_in_process(
    data: DataDir,
    passphrase: Option<Passphrase>,
    kbps: u16,
    out: mpsc::Sender<EmmDatagram>,
) -> Result<(), EmmgError> {
    let mut tasks = tokio::task::JoinSet::new();
    for ca in data.ca_systems()? {
        let feed = feed::start(&data, &ca, passphrase.as_ref())?;
        tasks.spawn(play::play_in_process(client_id(&ca), kbps, feed, out.clone()));
    }
    drop(out);
    while tasks.join_next().await.is_some() {}
    Ok(())
}

/// The EMM sections of one box in one CA system, freshly made: the global EMM, its unique EMM
/// and the group EMMs of its group. For the return channel.
///
/// # Errors
/// [`EmmgError`], also for a chip or a CA system that is not known.
pub fn current_emms(
    data: &DataDir,
    passphrase: Option<&Passphrase>,
    ca_system: CaSystemId,
    chip_id: ChipId,
) -> Result<Vec<Vec<u8>>, EmmgError> {
    let systems = data.ca_systems()?;
    let ca = systems
        .into_iter()
        .find(|ca| ca.description.ca_system_id == ca_system)
        .ok_or(EmmgError::UnknownCaSystem(ca_system))?;
    let store = Operator::open(&data.operator_db())?;
    let terminal = store.terminal_by_chip(chip_id)?;
    let mut maker = EmmMaker::open(data, &ca, passphrase, store.epoch_length()?)?;
    let now = unix_now();
    let mut sections = vec![maker.global(now)?];
    if let Some(membership) = store.membership(&terminal, ca_system)? {
        sections.push(maker.unique(&store, &terminal, &membership, now)?);
        let group = Some(membership.group_id);
        let groups = maker.groups(&store, now, group, &BTreeSet::new())?;
        sections.extend(groups.into_values().flatten());
    }
    Ok(sections)
}

/// All EMMs of all CA systems once: what file-to-file work puts before the first packet.
/// One datagram per CA system; client_id is its Super_CAS_id, data_id 1.
///
/// # Errors
/// [`EmmgError`].
pub fn snapshot(
    data: &DataDir,
    passphrase: Option<&Passphrase>,
) -> Result<Vec<EmmDatagram>, EmmgError> {
    let store = Operator::open(&data.operator_db())?;
    let now = unix_now();
    let mut datagrams = Vec::new();
    for ca in data.ca_systems()? {
        let mut maker = EmmMaker::open(data, &ca, passphrase, store.epoch_length()?)?;
        let sections = maker.all(&store, now)?;
        datagrams.push(EmmDatagram { client_id: client_id(&ca), data_id: DATA_ID, sections });
    }
    Ok(datagrams)
}

/// client_id of a CA system's generator: its Super_CAS_id, as the field does.
fn client_id(ca: &CaSystem) -> EmmgClientId {
    EmmgClientId(ca.description.super_cas_id.0)
}

/// Why there are no EMMs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmmgError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The data directory does not read.
    #[error(transparent)]
    Layout(#[from] crate::layout::LayoutError),
    /// A key does not open.
    #[error(transparent)]
    Keys(#[from] crate::keys::KeyError),
    /// An EMM does not fit its format. Our fault: the store keeps the limits.
    #[error("EMM does not fit: {0}")]
    TooLong(String),
    /// No such CA system in this data directory.
    #[error("no CA system {0} in this data directory")]
    UnknownCaSystem(CaSystemId),
    /// Nothing to play.
    #[error("no CA system to play EMMs for")]
    NoCaSystem,
    /// The thread that watches the store could not be started.
    #[error("EMM generator: no thread")]
    Thread(#[source] std::io::Error),
    /// The thread that watches the store has ended.
    #[error("EMM generator: the store cannot be watched any more")]
    FeedEnded,
    /// No randomness from the system.
    #[error("no randomness from the system")]
    Randomness,
}

/// data_id of the EMM stream; it stays when another generator takes over.
const DATA_ID: DataId = DataId(1);

/// A section, shared by the thread that made it and the task that plays it.
type Section = Arc<[u8]>;
