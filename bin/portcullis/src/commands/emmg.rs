//! `portcullis emmg`: dials a MUX and plays the EMM carousel of each CA system.

use std::io::Write;
use std::path::PathBuf;

use portcullis_headend::emmg::{self, EmmgConfig};
use portcullis_headend::event::Events;
use portcullis_headend::layout::DataDir;
use portcullis_types::{CaSystemId, parse_u32};
use portcullis_vault::Passphrase;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis emmg`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data directory.
    #[arg(long, value_name = "DIR", default_value = "portcullis-data")]
    data: PathBuf,
    /// The MUX to dial.
    #[arg(long, value_name = "ADDR:PORT")]
    mux: String,
    /// Send the data there over UDP; set-up stays on TCP.
    #[arg(long, value_name = "ADDR:PORT")]
    udp: Option<String>,
    /// kbit/s to ask for, for each CA system.
    #[arg(long, value_name = "KBPS", default_value_t = 200)]
    bandwidth: u16,
    /// protocol_version.
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u8).range(1..=5))]
    version: u8,
    /// Play this CA system only. Default: all, each over a connection of its own.
    #[arg(long, value_name = "0xNNNN", value_parser = ca_system)]
    ca_system: Option<CaSystemId>,
    /// One JSON line per connection and batch of events on standard error.
    #[arg(long)]
    events: bool,
    /// Print one JSON object instead of the ready line.
    #[arg(long)]
    json: bool,
    /// File with the passphrase of the unlock keys.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> Outcome {
    if args.udp.is_some() && args.version < 2 {
        return Err(Failure::usage("emmg: data over UDP needs --version 2 or later"));
    }
    let passphrase = args.passphrase_file.as_deref().map(Passphrase::from_file).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("emmg: {e}")))?;
    let outcome = runtime.block_on(play(&args, passphrase.as_ref()));
    runtime.shutdown_background();
    outcome
}

async fn play(args: &Args, passphrase: Option<&Passphrase>) -> Outcome {
    let config = EmmgConfig {
        data: DataDir::new(&args.data),
        mux: args.mux.clone(),
        udp: args.udp.clone(),
        bandwidth_kbps: args.bandwidth,
        version: args.version,
        ca_system: args.ca_system,
    };
    let line = if args.json {
        json!({"ready": args.mux}).to_string()
    } else {
        format!("ready mux={}", args.mux)
    };
    let mut out = std::io::stdout();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|e| Failure::new(format!("emmg: standard output: {e}")))?;
    let mut terminate =
        signal(SignalKind::terminate()).map_err(|e| Failure::new(format!("emmg: {e}")))?;
    tokio::select! {
        ended = emmg::run(config, passphrase, Events::stderr(args.events)) => Ok(ended?),
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

fn ca_system(text: &str) -> Result<CaSystemId, String> {
    let number = parse_u32(text).map_err(|e| e.to_string())?;
    u16::try_from(number).map(CaSystemId).map_err(|_| "a CA_system_id has 16 bits".to_owned())
}
