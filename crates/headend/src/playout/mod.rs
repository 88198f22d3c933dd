//! The headend as a running role: input, ECM generators, EMM generators and output around the
//! [`Pipeline`].
//!
//! Trust domain: the operator, on line. Everything that waits, connects or reads a clock is here;
//! what happens to the packets is decided by the pipeline. ECM generators are spoken to over
//! SimulCrypt and TCP also when they run in this process, so that there is one way only.
//!
//! ```text
//! input --> pipeline thread --> output          a task per ECM generator: CW_provision, ECM
//!              ^   |  ^------- EMM sections      MUX server for EMM generators
//!              |   +--> CW_provision --+
//!              +------- ECM <----------+
//! ```
//!
//! What must never happen: an output file that looks finished and is not; content on air in clear
//! because an ECM generator is gone.

mod air;
mod emms;
mod links;
mod pace;
mod play;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use portcullis_messages::{AccessCriteria, UsageRights};
use portcullis_types::{
    CaSystemId, CpNumber, Deciseconds, EcmChannelId, EcmId, EcmStreamId, ScramblingMode, ServiceId,
    SuperCasId,
};
use portcullis_vault::Passphrase;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinHandle};

use crate::batches::Batches;
use crate::ecmg::{self, EcmgError, EcmgSystems};
use crate::emmg::EmmgError;
use crate::event::Events;
use crate::input::{Input, InputError, Looped};
use crate::layout::{DataDir, LayoutError};
use crate::location::Location;
use crate::mux_server::MuxError;
use crate::output::{Output, OutputError};
use crate::pipeline::{
    EcmStreamConfig, Pace, Pipeline, PipelineConfig, PipelineError, Randomness, Stats,
};
use crate::scs::{EcmgConfig, ScsError, ScsLink};
use crate::store::{Operator, Repository as _, StoreError};

/// What a headend is to do.
pub struct PlayoutConfig {
    /// The data directory: its own CA systems, products and EMMs.
    pub data: PathBuf,
    /// What opens its unlock keys.
    pub passphrase: Option<Arc<Passphrase>>,
    /// Where the stream comes from.
    pub input: Location,
    /// Where it goes.
    pub output: Location,
    /// Which service is scrambled.
    pub service: ServiceId,
    /// The product that guards it; the first one when there is none.
    pub product: Option<String>,
    /// How it is scrambled.
    pub mode: ScramblingMode,
    /// Length of a crypto-period.
    pub crypto_period: Deciseconds,
    /// Other ECM generators than the data directory's own.
    pub ecmg: Vec<EcmgAddress>,
    /// ECM_channel_id of the first ECM generator; further ones count up.
    pub ecm_channel_id: Option<EcmChannelId>,
    /// Where to listen for EMM generators instead of running the data directory's own.
    pub emm_listen: Option<String>,
    /// kbit/s for the EMMs of one CA system.
    pub emm_bandwidth_kbps: u16,
    /// Play the input file again and again.
    pub repeat: bool,
    /// On air, the longest that a packet waits for its batch to fill.
    pub batch_deadline: Duration,
}

/// An ECM generator of somebody else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EcmgAddress {
    /// HOST:PORT.
    pub address: String,
    /// Which CA system.
    pub super_cas_id: SuperCasId,
    /// access_criteria.
    pub access_criteria: Vec<u8>,
}

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Summary {
    /// Output packets.
    pub packets: u64,
    /// Of them scrambled.
    pub scrambled: u64,
    /// Of them carrying ECMs.
    pub ecm_inserted: u64,
    /// Of them carrying EMMs.
    pub emm_inserted: u64,
    /// Null packets that gave their place.
    pub nulls_replaced: u64,
    /// Crypto-periods.
    pub crypto_periods: u64,
    /// Length of the stream in milliseconds.
    pub duration_ms: u64,
    /// How it went to the scrambler.
    pub batches: Batches,
}

impl Summary {
    const fn of(stats: Stats, crypto_periods: u64, duration_ms: u64, batches: Batches) -> Self {
        Self {
            packets: stats.packets,
            scrambled: stats.scrambled,
            ecm_inserted: stats.ecm_inserted,
            emm_inserted: stats.emm_inserted,
            nulls_replaced: stats.nulls_replaced,
            crypto_periods,
            duration_ms,
            batches,
        }
    }
}

/// Why a headend stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlayoutError {
    /// The input.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The output.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The stream cannot be scrambled.
    #[error("{input}: {source}")]
    Pipeline {
        /// Which input.
        input: Location,
        /// Why.
        source: PipelineError,
    },
    /// An ECM generator.
    #[error(transparent)]
    Scs(#[from] ScsError),
    /// The ECM generator in this process.
    #[error(transparent)]
    Ecmg(#[from] EcmgError),
    /// The EMM generator in this process.
    #[error(transparent)]
    Emmg(#[from] EmmgError),
    /// The MUX server.
    #[error(transparent)]
    Mux(#[from] MuxError),
    /// The data directory.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The operator's store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store has no product to guard the service with.
    #[error("no product in this data directory")]
    NoProduct,
    /// Only files can be played again and again.
    #[error("{0}: only a file can be played in a loop")]
    NotAFile(Location),
    /// The ECM generators do not keep up with a crypto-period that short or long.
    #[error(
        "{super_cas_id}: crypto-period {asked} s is below the ECM generator's minimum of {least} s"
    )]
    CryptoPeriod {
        /// Whose minimum.
        super_cas_id: SuperCasId,
        /// Asked for.
        asked: f32,
        /// The minimum.
        least: f32,
    },
    /// The ECM generator's channel_status cannot be played; its fault.
    #[error("{super_cas_id}: channel_status of the ECM generator: {what}")]
    ChannelStatus {
        /// Whose.
        super_cas_id: SuperCasId,
        /// Which parameter, and why.
        what: String,
    },
    /// The operating system gave no randomness.
    #[error("no randomness from the system")]
    Randomness,
    /// A part of the program ended before its time; our fault.
    #[error("internal: a task ended unexpectedly")]
    Task(#[from] JoinError),
}

/// Where packets come from.
pub(crate) enum Feed {
    Once(Input),
    Looped(Looped),
}

/// Runs a headend until the input ends or `stop` is set.
///
/// # Errors
/// [`PlayoutError`]; no output file is left then.
pub async fn run(
    config: PlayoutConfig,
    events: Events,
    stop: Arc<AtomicBool>,
) -> Result<Summary, PlayoutError> {
    let feed = match config.repeat {
        false => Feed::Once(Input::open(&config.input)?),
        true if matches!(config.input, Location::File(_)) => {
            Feed::Looped(Looped::open(&config.input)?)
        }
        true => return Err(PlayoutError::NotAFile(config.input)),
    };
    let live = config.output.is_live() || config.input.is_live();
    let data = DataDir::new(&config.data);
    let mut background = Background::default();
    let generators = generators(&config, &data, &mut background).await?;
    let (links, ecm) = links::connect(&generators, &config).await?;
    let mut random = randomness()?;
    let mut first_cp = [0; 2];
    random(&mut first_cp);
    let ca_systems: Vec<CaSystemId> =
        generators.iter().map(|generator| generator.super_cas_id.ca_system_id()).collect();
    let pipeline = Pipeline::new(
        PipelineConfig {
            service: config.service,
            mode: config.mode,
            crypto_period: config.crypto_period.to_milliseconds(),
            first_cp: CpNumber(u16::from_be_bytes(first_cp)),
            pace: if live { Pace::Live } else { Pace::File },
            ecm,
            emm: ca_systems,
            emm_bandwidth_kbps: u32::from(config.emm_bandwidth_kbps),
            assumed_bitrate_bps: ASSUMED_BITRATE_BPS,
        },
        random,
    );
    let emms = emms::start(&config, &data, live, &mut background, &events).await?;
    let provisions = links::start(links, live, &mut background, &events);
    let output = Output::open(&config.output)?;
    let player = play::Player {
        input: config.input.clone(),
        feed,
        pipeline,
        provisions,
        emms,
        output,
        paced: config.output.is_live(),
        way: play::Way::new(live, config.output.is_live(), config.batch_deadline),
        begun: Instant::now(),
        events,
        stop,
        again: Vec::new(),
    };
    let played = tokio::task::spawn_blocking(move || player.play()).await?;
    background.finish().await;
    played
}

/// Tasks that live as long as the headend; dropping it ends them.
#[derive(Default)]
pub(crate) struct Background {
    tasks: Vec<JoinHandle<()>>,
    /// What must stay alive beside them.
    keep: Vec<Box<dyn Send>>,
}

impl Background {
    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(task));
    }

    fn keep(&mut self, thing: impl Send + 'static) {
        self.keep.push(Box::new(thing));
    }

    /// Ends the tasks one by one, the last one first: clients before the servers they talk to,
    /// which would otherwise look lost.
    async fn finish(mut self) {
        while let Some(task) = self.tasks.pop() {
            task.abort();
            // Cancelled is what it should be.
            let _ = task.await;
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// The ECM generators that were named, or the data directory's own, started here.
async fn generators(
    config: &PlayoutConfig,
    data: &DataDir,
    background: &mut Background,
) -> Result<Vec<EcmgAddress>, PlayoutError> {
    if !config.ecmg.is_empty() {
        return Ok(config.ecmg.clone());
    }
    let criteria = access_criteria(data, config.product.as_deref())?;
    let systems = EcmgSystems::open(data, config.passphrase.as_deref())?;
    let ids: Vec<_> = systems.super_cas_ids().collect();
    let loopback = |source| EcmgError::Listen { address: LOOPBACK.to_owned(), source };
    let listener = TcpListener::bind(LOOPBACK).await.map_err(loopback)?;
    let address = listener.local_addr().map_err(loopback)?.to_string();
    background.spawn(async move {
        // It ends only with its listener; the links then report that it is gone.
        let _ = ecmg::serve(listener, systems).await;
    });
    let generator = |super_cas_id| EcmgAddress {
        address: address.clone(),
        super_cas_id,
        access_criteria: criteria.clone(),
    };
    Ok(ids.into_iter().map(generator).collect())
}

/// What guards the service: a product under the strictest usage rights.
fn access_criteria(data: &DataDir, product: Option<&str>) -> Result<Vec<u8>, PlayoutError> {
    let store = Operator::open(&data.operator_db())?;
    let product = match product {
        Some(name) => store.product(name)?,
        None => store.products()?.into_iter().next().ok_or(PlayoutError::NoProduct)?,
    };
    let usage_rights = UsageRights::default();
    Ok(AccessCriteria { product: product.id, usage_rights }.encode())
}

/// The system's randomness, tried once.
fn randomness() -> Result<Randomness, PlayoutError> {
    getrandom::fill(&mut [0; 16]).map_err(|_| PlayoutError::Randomness)?;
    Ok(Box::new(|octets| {
        // It worked a moment ago. A control word of known octets would be worse than an end.
        if getrandom::fill(octets).is_err() {
            std::process::abort();
        }
    }))
}

/// A port of this machine that the system chooses.
const LOOPBACK: &str = "127.0.0.1:0";
/// Pace of an input without a clock reference.
const ASSUMED_BITRATE_BPS: u64 = 10_000_000;
