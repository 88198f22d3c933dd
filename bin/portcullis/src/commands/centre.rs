//! `portcullis centre`: the download centre.

use std::io::{Read, Write};
use std::path::PathBuf;

use portcullis_centre::{Centre, Config, Limits};
use portcullis_headend::layout::DataDir;
use portcullis_vault::Passphrase;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis centre`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data directory.
    #[arg(long, value_name = "DIR", default_value = "portcullis-data")]
    data: PathBuf,
    /// Where to listen; port 0 takes any.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: String,
    /// Run one role only: `cdcs_pss`, `cdcs_mss` or `emm`.
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    /// One JSON line per answer on standard error.
    #[arg(long)]
    events: bool,
    /// Print one JSON object instead of the ready line.
    #[arg(long)]
    json: bool,
    /// File with the passphrase of the operator's unlock key.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// End when standard input ends: for a centre that belongs to another program.
    #[arg(long, hide = true)]
    lifeline: bool,
}

pub(crate) fn run(args: Args) -> Outcome {
    let role = match &args.role {
        Some(name) => Some(name.parse().map_err(|e| Failure::usage(format!("centre: {e}")))?),
        None => None,
    };
    let passphrase = args.passphrase_file.as_deref().map(Passphrase::from_file).transpose()?;
    let config = Config {
        data: DataDir::new(&args.data),
        passphrase,
        role,
        events: args.events,
        limits: Limits::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("centre: {e}")))?;
    let outcome = runtime.block_on(serve(config, &args));
    // The thread at the lifeline may still be reading.
    runtime.shutdown_background();
    outcome
}

async fn serve(config: Config, args: &Args) -> Outcome {
    let centre = Centre::bind(config, &args.listen).await?;
    let address = centre.local_addr().map_err(|e| Failure::new(format!("centre: {e}")))?;
    let line = if args.json {
        serde_json::json!({ "ready": address.to_string() }).to_string()
    } else {
        format!("ready {address}")
    };
    let mut out = std::io::stdout();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|e| Failure::new(format!("centre: standard output: {e}")))?;
    let lifeline = args.lifeline;
    let mut terminate =
        signal(SignalKind::terminate()).map_err(|e| Failure::new(format!("centre: {e}")))?;
    tokio::select! {
        () = centre.run() => {}
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
        _ = tokio::task::spawn_blocking(end_of_input), if lifeline => {}
    }
    Ok(())
}

/// Reads standard input to its end.
fn end_of_input() {
    let mut buffer = [0; 64];
    while std::io::stdin().read(&mut buffer).is_ok_and(|length| length > 0) {}
}
