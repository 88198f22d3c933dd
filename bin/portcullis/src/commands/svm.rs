//! `portcullis svm`: one program in the secure virtual machine, for developers and suites.
//!
//! Trust domain: a developer's machine. The host behind the calls is a toy (storage in memory, no
//! chip), so a program that was never verified can do no harm here; a package's signature is not
//! checked, and that is said.

mod host;
mod replay;
mod test;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis_package::{
    PackageError, PackageLimits, ParsedPackage, SignatureType, identity, parse_policy,
};
use portcullis_svm::{
    Client, Compatibility, Engine, Event, Extension, Extensions, Image, Limits, Outcome as Ended,
    PermitTable, Program, Recorder, Syscall, TRACE_BYTES_MAX, abi, elf,
};
use portcullis_types::decode_hex;
use serde_json::{Value, json};

use self::host::MemoryHost;
use crate::cli::{Failure, Outcome};

/// Largest file that is read.
const MAX_FILE: u64 = 64 << 20;
/// The session that events on the command line speak of.
const SESSION: u32 = 1;

/// Arguments of `portcullis svm`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Run an ELF32 RISC-V file or a client package and exit with the guest's exit code.
    Run(RunArgs),
    /// Follow the trace of a recorded client, without a host; it must do bit for bit the same.
    Replay(replay::Args),
    /// Run a client with events from files, written by hand or recorded, and check its answers.
    Test(test::Args),
}

/// What is loaded, and under which policy.
#[derive(clap::Args)]
struct Loading {
    /// An ELF32 file for RISC-V (RV32IM) or an X.1198 package.
    file: PathBuf,
    /// Policy: permitted calls and limits. Without it everything is permitted (there is no network
    /// here, its calls say so), or, for a package, what its own policy says.
    #[arg(long, value_name = "XML")]
    policy: Option<PathBuf>,
    /// Budget of each event, in instructions.
    #[arg(long, value_name = "N")]
    max_instructions: Option<u64>,
    /// What executes the instructions; all mean the same. `compiled` needs a build with that
    /// feature, and a policy that opens it.
    #[arg(long, value_enum, default_value_t)]
    engine: EngineName,
    /// For RISC-V suites: `ecall` with a7 = 93 exits, and words that do not decode fault only
    /// when they are reached.
    #[arg(long)]
    compat_ecall: bool,
    /// Extensions of RV32IM that the program may use, as in zba,zbb; or none. Without it what the
    /// policy declares, or all where there is no policy.
    #[arg(long, value_name = "LIST", value_parser = parse_extensions)]
    extensions: Option<Extensions>,
}

#[derive(clap::Args)]
struct RunArgs {
    #[command(flatten)]
    loading: Loading,
    /// Raise an event after Initialize; may be repeated. For Entitlement and ChangeKey the hex
    /// is the section (the access token), for others the parameters, 8 digits each.
    #[arg(long = "event", value_name = "NAME[:HEX]", value_parser = parse_event)]
    events: Vec<GivenEvent>,
    /// Write a trace of the run, for `portcullis svm replay`.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// One JSON object on standard output: outcome, instructions, states, calls.
    #[arg(long)]
    json: bool,
}

/// The engines by name.
#[derive(Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum EngineName {
    #[default]
    Threaded,
    MatchLoop,
    Compiled,
}

/// An event of the command line.
#[derive(Clone)]
struct GivenEvent {
    event: Event,
    data: Vec<u8>,
}

fn parse_event(text: &str) -> Result<GivenEvent, String> {
    let (name, hex) = text.split_once(':').unwrap_or((text, ""));
    let event = Event::from_name(name).ok_or_else(|| {
        let names: Vec<_> = Event::ALL.iter().map(|event| event.name()).collect();
        format!("no event {name}; there are {}", names.join(", "))
    })?;
    let mut data = vec![0; hex.len() / 2];
    decode_hex(hex, &mut data).map_err(|error| error.to_string())?;
    let is_token = matches!(event, Event::Entitlement | Event::ChangeKey);
    if !is_token && (!data.len().is_multiple_of(4) || data.len() / 4 > abi::EVENT_PARAMS_MAX) {
        return Err(format!("parameters of {name} are at most 14 times 8 hex digits"));
    }
    Ok(GivenEvent { event, data })
}

fn parse_extensions(text: &str) -> Result<Extensions, String> {
    if text == "none" {
        return Ok(Extensions::NONE);
    }
    text.split(',').try_fold(Extensions::NONE, |set, name| {
        let extension = Extension::from_name(name).ok_or_else(|| {
            let names: Vec<_> = Extension::ALL.iter().map(|known| known.name()).collect();
            format!("no extension {name}; there are {}, or none", names.join(", "))
        })?;
        Ok(set.with(extension))
    })
}

pub(crate) fn run(args: Args) -> Outcome {
    let args = match args.command {
        Command::Run(args) => args,
        Command::Replay(args) => return replay::run(&args),
        Command::Test(args) => return test::run(&args),
    };
    let mut host = MemoryHost::new(!args.json);
    let (client, identity) = load("svm run", &args.loading)?;
    let recorder = args.record.is_some().then(|| Recorder::new(&client, identity, TRACE_BYTES_MAX));
    let mut run = Run { client, recorder, host: &mut host };
    let events = run.raise_all(&args.events);
    let Run { client, recorder, .. } = run;
    if let (Some(path), Some(mut recorder)) = (&args.record, recorder) {
        std::fs::write(path, recorder.take())
            .map_err(|e| Failure::new(format!("svm run: {}: {e}", path.display())))?;
    }
    let last = events.last().map(|(_, outcome)| *outcome);
    if args.json {
        println!("{}", report(&client, &host, &events));
    }
    match last {
        Some(Ended::Exited(0) | Ended::Returned(_)) | None => Ok(()),
        Some(Ended::Exited(code)) => Err(Failure::exit_code(code as u8)),
        Some(other) => {
            Err(Failure::new(format!("svm run: {}: {other}", args.loading.file.display())))
        }
    }
}

/// What a file turns out to be.
enum Loadable {
    Flat(Image),
    Plain(Program),
}

/// Loads a client; with it comes what a trace calls it by.
fn load(command: &str, args: &Loading) -> Result<(Client, [u8; 32]), Failure> {
    let name = args.file.display();
    let at_file =
        |error: &dyn std::fmt::Display| Failure::new(format!("{command}: {name}: {error}"));
    let file = read(&args.file)?;
    let (loadable, own_policy, identity) = if file.starts_with(b"\x7fELF") {
        let program = elf::program(&file).map_err(|error| at_file(&error))?;
        // Linked for a package: initial data lie behind the text, the start code copies them.
        let flat =
            program.segments.iter().any(|s| !s.bytes.is_empty() && s.load_address != s.address);
        let loadable = if flat {
            Loadable::Flat(elf::flat_image(&file).map_err(|error| at_file(&error))?)
        } else {
            Loadable::Plain(program)
        };
        (loadable, None, portcullis_crypto::sha256(&[&file]))
    } else {
        let mut file = file;
        let limits = PackageLimits::default();
        if let Err(PackageError::Length { .. }) = ParsedPackage::parse(&file, &limits) {
            // Packed and not signed yet: room for the signature, which is not checked anyway.
            file.resize(file.len() + SignatureType::Ed25519.signature_len() as usize, 0);
        }
        let package = ParsedPackage::parse(&file, &limits)
            .map_err(|error| at_file(&format_args!("neither ELF nor a package: {error}")))?;
        // A replay asks whose trace it is, not who signed the package.
        if command == "svm run" {
            eprintln!("portcullis: svm run: {name}: the signature is not checked here");
        }
        let header = package.header().map_err(|error| at_file(&error))?;
        let xml = package.unverified_policy().map_err(|error| at_file(&error))?;
        let policy = parse_policy(&xml).map_err(|error| at_file(&error))?;
        let image = Image {
            text_bytes: policy.text_bytes,
            code: package.unverified_code().map_err(|error| at_file(&error))?,
            load_offset: header.load_offset,
            entry: header.entry_point,
        };
        let identity = identity(&header, &xml, &image.code);
        (Loadable::Flat(image), Some(policy), identity)
    };
    let policy = match &args.policy {
        Some(path) => {
            let failed = |error| Failure::new(format!("{command}: {}: {error}", path.display()));
            Some(parse_policy(&read(path)?).map_err(failed)?)
        }
        None => own_policy,
    };
    let maximum =
        Limits { compile: args.engine == EngineName::Compiled, ..Limits::terminal_maximum() };
    let (permits, mut limits) = match policy {
        Some(policy) => (policy.permit_table(), policy.limits.capped_by(&maximum)),
        None => (everything(), maximum),
    };
    if let Some(budget) = args.max_instructions {
        (limits.budget, limits.change_key_budget) = (budget, budget);
    }
    if let Some(extensions) = args.extensions {
        limits.extensions = extensions;
    }
    if args.compat_ecall {
        limits.compatibility = Compatibility::UnsafeSimulatorEcall;
    }
    let client = match loadable {
        Loadable::Flat(image) => Client::load(&image, permits, limits),
        Loadable::Plain(program) => Client::load_program(&program, permits, limits),
    };
    let mut client = client.map_err(|error| at_file(&error))?;
    match args.engine {
        EngineName::Threaded => client.set_engine(Engine::Threaded),
        EngineName::MatchLoop => client.set_engine(Engine::MatchLoop),
        EngineName::Compiled if !limits.compile => {
            return Err(at_file(&"the policy does not open compilation (compile=\"true\")"));
        }
        EngineName::Compiled => {
            set_compiler(&mut client).map_err(|reason| at_file(&reason))?;
        }
    }
    Ok((client, identity))
}

#[cfg(feature = "compiled")]
fn set_compiler(client: &mut Client) -> Result<(), &'static str> {
    let tier = portcullis_svm_compiler::tier().ok_or("no compiling tier for this processor")?;
    if client.set_compiler(tier) { Ok(()) } else { Err("the compiling tier refused the client") }
}

#[cfg(not(feature = "compiled"))]
fn set_compiler(_: &mut Client) -> Result<(), &'static str> {
    Err("this build has no compiling tier (feature \"compiled\")")
}

/// A client with the toy host, and perhaps somebody who writes along.
struct Run<'a> {
    client: Client,
    recorder: Option<Recorder>,
    host: &'a mut MemoryHost,
}

impl Run<'_> {
    /// Initialize, the given events, then Terminate when the client still lives.
    fn raise_all(&mut self, given: &[GivenEvent]) -> Vec<(Event, Ended)> {
        let mut events = vec![(Event::Initialize, self.raise(Event::Initialize, &[], None))];
        let mut ended_by_hand = false;
        for GivenEvent { event, data } in given {
            if !matches!(events.last(), Some((_, Ended::Returned(_)))) {
                return events;
            }
            ended_by_hand |= *event == Event::Terminate;
            let len = data.len() as u32;
            let outcome = match event {
                Event::Entitlement => self.raise(*event, &[len], Some((abi::token::EMM, data))),
                Event::ChangeKey => {
                    self.raise(*event, &[SESSION, len], Some((abi::token::ECM, data)))
                }
                _ => {
                    let words = data.as_chunks::<4>().0.iter();
                    let params: Vec<u32> = words.map(|word| u32::from_be_bytes(*word)).collect();
                    self.raise(*event, &params, None)
                }
            };
            events.push((*event, outcome));
        }
        if !ended_by_hand && matches!(events.last(), Some((_, Ended::Returned(_)))) {
            events.push((Event::Terminate, self.raise(Event::Terminate, &[], None)));
        }
        events
    }

    fn raise(&mut self, event: Event, params: &[u32], token: Option<(u32, &[u8])>) -> Ended {
        if let Some((kind, octets)) = token {
            self.host.tokens.insert(kind, octets.to_vec());
        }
        let Self { client, recorder, host } = self;
        match recorder {
            Some(recorder) => recorder.raise(client, event, params, token.as_slice(), &mut **host),
            None => client.raise(event, params, &mut **host),
        }
    }
}

fn report(client: &Client, host: &MemoryHost, events: &[(Event, Ended)]) -> Value {
    let outcome = events.last().map(|(_, outcome)| *outcome);
    let exit_code = match outcome {
        Some(Ended::Exited(code)) => Some(code as u8),
        _ => None,
    };
    let events: Vec<Value> = events
        .iter()
        .map(|(event, outcome)| {
            let value = match outcome {
                Ended::Returned(value) => Some(*value),
                _ => None,
            };
            json!({ "event": event.name(), "outcome": kind(outcome),
                "detail": outcome.to_string(), "value": value })
        })
        .collect();
    let mut counts = BTreeMap::new();
    for (event, id) in &host.calls {
        *counts.entry((*event, *id)).or_insert(0_u64) += 1;
    }
    let calls: Vec<Value> =
        counts.iter().map(|((event, id), count)| call_entry(*event, *id, Some(*count))).collect();
    let denied: Vec<Value> =
        host.denied.iter().map(|(event, id)| call_entry(*event, *id, None)).collect();
    json!({
        "outcome": outcome.as_ref().map(kind),
        "detail": outcome.map(|outcome| outcome.to_string()),
        "exit_code": exit_code,
        "instructions": client.retired_instructions(),
        "charged": client.charged_instructions(),
        "text_instructions": client.report().instructions,
        "states": host.states.iter().map(|state| state.name()).collect::<Vec<_>>(),
        "events": events,
        "calls": calls,
        "denied": denied,
        "messages": host.messages,
    })
}

fn call_entry(event: Event, id: u16, count: Option<u64>) -> Value {
    let name = Syscall::from_id(id).map(Syscall::name);
    let id = format!("0x{id:03x}");
    match count {
        Some(count) => json!({ "id": id, "name": name, "event": event.name(), "count": count }),
        None => json!({ "id": id, "name": name, "event": event.name() }),
    }
}

const fn kind(outcome: &Ended) -> &'static str {
    match outcome {
        Ended::Returned(_) => "returned",
        Ended::Exited(_) => "exited",
        Ended::Violation(_) => "violation",
        Ended::Fault(_) => "fault",
        Ended::OutOfBudget { .. } => "out_of_budget",
        Ended::Ended { .. } => "ended",
        Ended::Refused { .. } => "refused",
    }
}

fn everything() -> PermitTable {
    let mut table = PermitTable::deny_all();
    for event in Event::ALL {
        for id in 0..abi::SYSCALL_IDS as u16 {
            table.permit(event, id);
        }
    }
    table
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_FILE {
        return Err(Failure::new(format!("{}: larger than 64 MiB", path.display())));
    }
    std::fs::read(path).map_err(failed)
}
