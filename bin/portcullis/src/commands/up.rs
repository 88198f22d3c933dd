//! `portcullis up`: everything on one machine, each role in a process of its own, and the page.
//!
//! This process holds no key of any party: it makes the data directory through `init`, starts
//! the roles and the boxes, hands what is on air to each box and what comes out of them to the
//! page. What must never happen: a child that outlives it.
// spec: D-04

mod air;
mod child;
mod input;
mod lock;
mod orders;
mod supervisor;

pub(crate) use child::end_with;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use portcullis_console::{Console, Limits};
use portcullis_types::ScramblingMode;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use self::input::Programme;
use self::lock::Lock;
use self::orders::Orders;
use self::supervisor::{Settings, Supervisor};
use crate::cli::{Failure, Outcome};

/// Orders and news that may wait for the supervisor.
const MAILBOX: usize = 256;

/// Arguments of `portcullis up`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data directory; made when it does not exist.
    #[arg(long, value_name = "DIR", default_value = "portcullis-data")]
    data: PathBuf,
    /// A transport stream file to play in a loop. Default: the sample that is built in.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// The service of the input that goes on air. Default: its first.
    #[arg(long, value_name = "SID")]
    service: Option<u16>,
    /// Where the page is served; port 0 takes any.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Do not open a browser.
    #[arg(long)]
    no_open: bool,
    /// cissa or csa2.
    #[arg(long, default_value = "cissa")]
    mode: ScramblingMode,
    /// Length of a crypto-period in seconds.
    #[arg(long, value_name = "S", default_value = "5")]
    crypto_period: String,
    /// File with the passphrase of the unlock keys.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// One JSON object on standard output once the page is served; progress goes to stderr.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Outcome {
    // Children are started from this thread only: they end when it does.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("up: {e}")))?;
    let outcome = runtime.block_on(up(args));
    runtime.shutdown_background();
    outcome
}

async fn up(args: Args) -> Outcome {
    let begin = Instant::now();
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|e| Failure::new(format!("up: {}: {e}", args.listen)))?;
    let address = listener.local_addr()?;
    let progress = Progress { begin, json: args.json };
    if portcullis_assets::page().is_none() {
        progress.say(
            "page",
            "not built in: install Node.js 20.19 or later and build again; /api/state works without",
        );
    }

    let console = Console::new(Limits::default());
    let (mailbox, post) = mpsc::channel(MAILBOX);
    let orders = Orders::new(mailbox.clone());
    let served =
        tokio::spawn(portcullis_console::serve(listener, console.clone(), orders.into_control()));

    let settings = Settings {
        program: std::env::current_exe()?,
        data: std::path::absolute(&args.data)?,
        passphrase_file: args.passphrase_file.map(std::path::absolute).transpose()?,
        mode: args.mode,
        crypto_period: args.crypto_period,
    };
    let mut supervisor = Supervisor::new(settings, console, progress, mailbox, post);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let url = format!("http://{address}/");
    let work = async {
        supervisor.prepare().await?;
        let _lock = Lock::take(&args.data)?;
        let programme = match &args.input {
            Some(path) => Programme::find(path, args.service).map_err(Failure::new)?,
            None => Programme::sample(&args.data)?,
        };
        supervisor.start(programme).await?;
        progress.served(&url);
        if !args.no_open {
            open_browser(&url);
        }
        supervisor.run().await
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        result = served => match result {
            Ok(Err(error)) => Err(error.into()),
            _ => Err(Failure::new("up: the page server ended")),
        },
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    };
    supervisor.end().await;
    outcome
}

/// Tells how far it is, a line per step.
#[derive(Clone, Copy)]
struct Progress {
    begin: Instant,
    json: bool,
}

impl Progress {
    fn say(self, who: &str, what: &str) {
        let line = format!("{:6.1} s  {who:<12} {what}", self.begin.elapsed().as_secs_f64());
        if self.json { eprintln!("{line}") } else { println!("{line}") }
    }

    fn served(self, url: &str) {
        if self.json {
            println!("{}", json!({ "url": url, "pid": std::process::id() }));
        } else {
            println!(
                "\n  {url}\n\n  Ctrl-C ends everything; the same command goes on from here.\n"
            );
        }
    }
}

/// Opens the page where a person is likely to see it.
fn open_browser(url: &str) {
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|v| std::env::var_os(v).is_some());
    if !has_display {
        return;
    }
    // Whether a browser came up is for the person to see; the address stands above.
    let _ = Command::new("xdg-open")
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}
