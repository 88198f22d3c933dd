//! `portcullis terminal`: boots a box and plays a stream with it.
//!
//! The launcher starts the chip process, which boots the box through its chain of trust; the last
//! link of that chain is this executable again, as `terminal-platform`. Launcher, chip and platform
//! end together, whichever ends first, and the launcher says so when it was the chip.

mod signals;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portcullis_chipset::ChipHandle;
use portcullis_headend::layout::DataDir;
use portcullis_terminal::{Config, Limits, Reporter, ViolationRecord};
use portcullis_types::ServiceId;

use super::headend::parse_deadline;
use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis terminal`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data directory.
    #[arg(long, value_name = "DIR", default_value = "portcullis-data")]
    data: PathBuf,
    /// The box.
    #[arg(long = "box", value_name = "NAME")]
    name: String,
    /// File with the passphrase of the operator's unlock key, for the centre that is started
    /// when `--centre` names none.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    play: Play,
}

/// Arguments of the platform program.
#[derive(clap::Args)]
pub(crate) struct PlatformArgs {
    #[arg(long)]
    name: String,
    #[arg(long)]
    flash: PathBuf,
    /// Print what the box has kept of stopped clients as one JSON array, and play nothing.
    #[arg(long)]
    violations: bool,
    #[command(flatten)]
    play: Play,
}

/// What launcher and platform have in common.
#[derive(clap::Args, Clone)]
struct Play {
    /// A file, `-`, `udp://HOST:PORT` or `rtp://HOST:PORT`.
    #[arg(long, value_name = "INPUT")]
    input: String,
    /// A file, `-` or `udp://HOST:PORT`.
    #[arg(long, value_name = "OUTPUT")]
    output: String,
    /// The service; the first scrambled one when not given.
    #[arg(long, value_name = "SID", value_parser = service)]
    service: Option<u16>,
    /// Change to another service after so many packets of the input; may be repeated.
    #[arg(long, value_name = "SID@PACKETS", value_parser = change)]
    then: Vec<(u64, u16)>,
    /// The download centre; one is started on loopback when not given.
    #[arg(long, value_name = "ADDR:PORT")]
    centre: Option<SocketAddr>,
    /// One JSON line per event on standard error.
    #[arg(long)]
    events: bool,
    /// Record each client that runs into a new file, for `portcullis svm replay`. It holds what
    /// the client saw: messages, rights, encrypted control words; no key.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Leave packets that stay scrambled out of the output.
    #[arg(long)]
    drop_scrambled: bool,
    /// A packet of a broadcast waits at most so long for its descrambling batch; 0 to 1000.
    #[arg(long, value_name = "MS", default_value = "10", value_parser = parse_deadline)]
    batch_deadline_ms: Duration,
    /// Print one JSON object at the end (on standard error when the output is standard output).
    #[arg(long)]
    json: bool,
}

/// The platform: what the bootloader starts with the chip as standard input.
pub(crate) fn platform(args: PlatformArgs) -> Outcome {
    let PlatformArgs { name, flash, violations, play } = args;
    portcullis_chipset::harden::no_dumps()
        .map_err(|error| Failure::new(format!("box {name}: protection of its memory: {error}")))?;
    if violations {
        let named = |error: &dyn std::fmt::Display| Failure::new(format!("box {name}: {error}"));
        let chip = ChipHandle::from_stdin().map_err(|e| named(&e))?;
        let records = portcullis_terminal::violations(&flash, chip).map_err(|e| named(&e))?;
        println!("{}", serde_json::json!(records));
        return Ok(());
    }
    let reporter = if play.events { Reporter::stderr() } else { Reporter::silent() };
    let to_stdout = play.output == "-";
    let config = Config {
        name,
        flash,
        input: play.input,
        output: play.output,
        service: play.service.map(ServiceId),
        then: play.then.into_iter().map(|(after, id)| (after, ServiceId(id))).collect(),
        centre: play.centre,
        drop_scrambled: play.drop_scrambled,
        record: play.record,
        stop: signals::end_the_box(),
        limits: Limits { batch_deadline: play.batch_deadline_ms, ..Limits::default() },
    };
    let named = |failure: Failure| Failure::new(format!("box {}: {}", config.name, failure.line));
    let chip = ChipHandle::from_stdin().map_err(|e| named(e.into()))?;
    let summary =
        portcullis_terminal::run(&config, chip, &reporter).map_err(|e| named(e.into()))?;
    match (play.json, to_stdout) {
        (true, false) => println!("{}", summary.to_json()),
        (true, true) => eprintln!("{}", summary.to_json()),
        _ => {}
    }
    match summary.refusal() {
        Some(line) => Err(Failure::new(line)),
        None => Ok(()),
    }
}

/// The launcher. Comes back only when the box cannot be started.
pub(crate) fn run(args: Args) -> Outcome {
    let Args { data, name, passphrase_file, mut play } = args;
    let data = std::path::absolute(&data).map_err(|e| Failure::new(format!("data: {e}")))?;
    let layout = DataDir::new(&data);
    let dir = layout.terminal(&name);
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if name.is_empty() || !is_name || !dir.is_dir() {
        return Err(Failure::new(format!(
            "box {name}: there is no such box in {} (make one with `portcullis box add`)",
            data.display()
        )));
    }
    // The box's standard input is the chip: ours goes along under another number.
    let mut input: Option<OwnedFd> = None;
    if play.input == "-" {
        let fd = rustix::io::dup(std::io::stdin())
            .map_err(|e| Failure::new(format!("standard input: {e}")))?;
        play.input = format!("/dev/fd/{}", input.insert(fd).as_raw_fd());
    }
    if let Some(file) = &mut play.record {
        *file = std::path::absolute(&file)
            .map_err(|e| Failure::new(format!("record {}: {e}", file.display())))?;
    }
    let mut own_centre = None;
    if play.centre.is_none() {
        match OwnCentre::start(&data, passphrase_file.as_deref()) {
            Ok(centre) => play.centre = Some(own_centre.insert(centre).address),
            // An installed client plays without one; if none is, the platform says so.
            Err(failure) => tracing::info!("no centre: {}", failure.line),
        }
    }
    let command = chip_command(&layout, &name, &play)?;
    let outcome = boot(command, &name, play.events);
    drop(own_centre);
    outcome
}

/// What a box has kept of clients that were stopped, the oldest first. Only its chip can open
/// that, so the box is booted for it; a box that plays is not asked.
pub(crate) fn violations(data: &DataDir, name: &str) -> Result<Vec<ViolationRecord>, Failure> {
    let failed = |what: &dyn std::fmt::Display| Failure::new(format!("box {name}: {what}"));
    let mut command = Command::new(beside_us("portcullis-chipd")?);
    command.args(["boot", "--tied", "--box"]).arg(data.terminal(name));
    command.args(["--", "--name", name, "--violations", "--flash"]).arg(data.flash(name));
    command.args(["--input", "/dev/null", "--output", "/dev/null"]);
    let output = command.stderr(Stdio::inherit()).output().map_err(|e| failed(&e))?;
    if !output.status.success() {
        return Err(failed(&"its records cannot be read"));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| failed(&e))
}

/// The call of the chip process.
fn chip_command(layout: &DataDir, name: &str, play: &Play) -> Result<Command, Failure> {
    let mut command = Command::new(beside_us("portcullis-chipd")?);
    command.args(["boot", "--tied", "--box"]).arg(layout.terminal(name));
    if play.events {
        command.arg("--events");
    }
    command.arg("--").args(["--name", name, "--flash"]).arg(layout.flash(name));
    command.args(["--input", &play.input, "--output", &play.output]);
    command.args(["--batch-deadline-ms", &play.batch_deadline_ms.as_millis().to_string()]);
    if let Some(file) = &play.record {
        command.arg("--record").arg(file);
    }
    if let Some(service) = play.service {
        command.args(["--service", &service.to_string()]);
    }
    for (after, service) in &play.then {
        command.args(["--then", &format!("{service}@{after}")]);
    }
    if let Some(centre) = play.centre {
        command.args(["--centre", &centre.to_string()]);
    }
    for (wanted, option) in [
        (play.events, "--events"),
        (play.drop_scrambled, "--drop-scrambled"),
        (play.json, "--json"),
    ] {
        if wanted {
            command.arg(option);
        }
    }
    Ok(command)
}

/// Runs the box to its end and passes its exit code on.
fn boot(mut command: Command, name: &str, events: bool) -> Outcome {
    let failed = |error| Failure::new(format!("box {name}: the chip does not start: {error}"));
    // Of its own group: what a terminal's keys send goes to the launcher, and from there to the
    // platform, which ends in order. The chip goes last.
    let mut chip = command.process_group(0).spawn().map_err(failed)?;
    signals::pass_on(chip.id());
    let status = chip.wait().map_err(failed)?;
    match status.code() {
        Some(0) => Ok(()),
        // The platform or the chip has said why.
        Some(code) => Err(Failure::exit_code(u8::try_from(code).unwrap_or(1))),
        None => {
            if events {
                eprintln!("{}", serde_json::json!({ "event": "chip_gone" }));
            }
            Err(Failure::new(format!("box {name}: the security chip is gone")))
        }
    }
}

/// A centre on loopback that ends with this process.
struct OwnCentre {
    address: SocketAddr,
    child: Child,
}

impl OwnCentre {
    fn start(data: &Path, passphrase_file: Option<&Path>) -> Result<Self, Failure> {
        let failed = |what: &dyn std::fmt::Display| Failure::new(format!("centre: {what}"));
        let program = std::env::current_exe().map_err(|e| failed(&e))?;
        let mut command = Command::new(program);
        command.args(["centre", "--lifeline", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        if let Some(file) = passphrase_file {
            command.arg("--passphrase-file").arg(file);
        }
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|e| failed(&e))?;
        match read_ready(&mut child) {
            Some(address) => Ok(Self { address, child }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err(failed(&"did not become ready"))
            }
        }
    }
}

impl Drop for OwnCentre {
    fn drop(&mut self) {
        // It would end by itself, its standard input being our end of a pipe; this is sooner.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_ready(child: &mut Child) -> Option<SocketAddr> {
    let mut line = String::new();
    BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
    line.trim().strip_prefix("ready ")?.parse().ok()
}

fn beside_us(name: &str) -> Result<PathBuf, Failure> {
    let here = std::env::current_exe().map_err(|e| Failure::new(format!("{name}: {e}")))?;
    let program = here.with_file_name(name);
    if program.is_file() {
        Ok(program)
    } else {
        Err(Failure::new(format!("{}: missing beside portcullis", program.display())))
    }
}

fn change(text: &str) -> Result<(u64, u16), String> {
    let (id, after) = text.split_once('@').ok_or("SID@PACKETS, as in 7@100000")?;
    Ok((after.parse().map_err(|_| format!("{after} is no number of packets"))?, service(id)?))
}

fn service(text: &str) -> Result<u16, String> {
    portcullis_types::parse_u32(text)
        .ok()
        .and_then(|number| u16::try_from(number).ok())
        .ok_or_else(|| "a service id is 0 to 65535 or 0x0000 to 0xffff".into())
}
