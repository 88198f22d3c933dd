//! `portcullis ecmg`: the ECM generator of all CA systems of a data directory.

use std::io::Write;
use std::path::PathBuf;

use portcullis_headend::ecmg::{EcmgError, EcmgLimits, EcmgSystems, serve_with};
use portcullis_headend::event::Events;
use portcullis_headend::layout::DataDir;
use portcullis_vault::Passphrase;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis ecmg`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data directory.
    #[arg(long, value_name = "DIR", default_value = "portcullis-data")]
    data: PathBuf,
    /// Where to listen; port 0 takes any.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: String,
    /// One JSON line per channel and ECM on standard error.
    #[arg(long)]
    events: bool,
    /// Print one JSON object instead of the ready lines.
    #[arg(long)]
    json: bool,
    /// File with the passphrase of the CA vendors' unlock keys.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> Outcome {
    let passphrase = args.passphrase_file.as_deref().map(Passphrase::from_file).transpose()?;
    let systems = EcmgSystems::open(&DataDir::new(&args.data), passphrase.as_ref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("ecmg: {e}")))?;
    let outcome = runtime.block_on(serve(systems, &args));
    runtime.shutdown_background();
    outcome
}

async fn serve(systems: EcmgSystems, args: &Args) -> Outcome {
    let address = &args.listen;
    let listen_error = |source| EcmgError::Listen { address: address.clone(), source };
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let local = listener.local_addr().map_err(listen_error)?;
    let ids: Vec<String> = systems.super_cas_ids().map(|id| id.to_string()).collect();
    let mut lines = String::new();
    if args.json {
        lines = format!("{}\n", json!({"ready": local.to_string(), "super_cas_ids": ids}));
    } else {
        for id in &ids {
            lines += &format!("ready {local} super_cas_id={id}\n");
        }
    }
    let mut out = std::io::stdout();
    out.write_all(lines.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|e| Failure::new(format!("ecmg: standard output: {e}")))?;
    let mut terminate =
        signal(SignalKind::terminate()).map_err(|e| Failure::new(format!("ecmg: {e}")))?;
    let events = Events::stderr(args.events);
    tokio::select! {
        served = serve_with(listener, systems, EcmgLimits::default(), events) => Ok(served?),
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}
