//! `portcullis svm test`: a client on its developer's machine, with events written by hand or
//! recorded in the field.
//!
//! A file of events is JSON:
//!
//! ```json
//! { "events": [
//!     { "event": "SelectContent", "params": [1, 7] },
//!     { "event": "ChangeKey", "token": "80700200ff", "returns": 3, "says": ["too short"] }
//! ] }
//! ```
//!
//! Initialize comes before and Terminate after them. `returns` is the reason that the client must
//! answer, `says` the messages (PutMsg, ClientStatus) it must send in the event, all of them. Any
//! other file is a trace, and replayed. Each file begins with a client loaded anew.

use std::path::PathBuf;

use portcullis_svm::{Client, Event, Outcome as Ended, Replay, abi};
use serde_json::{Value, json};

use super::host::MemoryHost;
use super::{Loading, Run, SESSION, load, read};
use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis svm test`.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    loading: Loading,
    /// Events as JSON, or traces; several may be given.
    #[arg(value_name = "EVENTS", required = true)]
    events: Vec<PathBuf>,
    /// One JSON object on standard output: each file and its verdict.
    #[arg(long)]
    json: bool,
}

/// An event of a file.
struct Step {
    event: Event,
    params: Vec<u32>,
    token: Option<Vec<u8>>,
    returns: Option<u32>,
    says: Option<Vec<String>>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let (mut files, mut failed) = (Vec::new(), 0);
    for path in &args.events {
        let (client, identity) = load("svm test", &args.loading)?;
        let file = read(path)?;
        let verdict = match file.first() {
            Some(b'{' | b' ' | b'\n') => by_hand(client, &file),
            _ => recorded(client, &file, identity),
        };
        failed += usize::from(verdict.is_err());
        if !args.json {
            match &verdict {
                Ok(count) => println!("{}: good, {count} events", path.display()),
                Err(why) => println!("{}: {why}", path.display()),
            }
        }
        files.push(json!({
            "file": path,
            "events": verdict.as_ref().ok(),
            "failure": verdict.err(),
        }));
    }
    if args.json {
        println!("{}", json!({ "good": failed == 0, "files": files }));
    }
    if failed == 0 {
        return Ok(());
    }
    let of = args.events.len();
    Err(Failure::new(format!("svm test: {failed} of {of} files failed")))
}

fn recorded(mut client: Client, trace: &[u8], identity: [u8; 32]) -> Result<u32, String> {
    let replay = Replay::open(trace, &mut client, identity).map_err(|error| error.to_string())?;
    replay.run(&mut client).map_err(|error| error.to_string())
}

fn by_hand(client: Client, file: &[u8]) -> Result<u32, String> {
    let steps = parse(file)?;
    let mut host = MemoryHost::new(false);
    let mut run = Run { client, recorder: None, host: &mut host };
    good("Initialize", run.raise(Event::Initialize, &[], None))?;
    for (step, number) in steps.iter().zip(1..) {
        let name = format!("event {number} ({})", step.event);
        let said = run.host.messages.len();
        let token = step.token.as_deref().map(|token| match step.event {
            Event::Entitlement => (abi::token::EMM, token),
            _ => (abi::token::ECM, token),
        });
        let value = good(&name, run.raise(step.event, &step.params, token))?;
        if let Some(wanted) = step.returns.filter(|wanted| *wanted != value) {
            return Err(format!("{name}: returned {value}, not {wanted}"));
        }
        let said = run.host.messages.get(said..).unwrap_or_default();
        if let Some(wanted) = step.says.as_ref().filter(|wanted| *wanted != said) {
            return Err(format!("{name}: said {said:?}, not {wanted:?}"));
        }
    }
    if run.client.state() != portcullis_svm::State::End {
        good("Terminate", run.raise(Event::Terminate, &[], None))?;
    }
    Ok(u32::try_from(steps.len()).unwrap_or(u32::MAX))
}

fn good(name: &str, outcome: Ended) -> Result<u32, String> {
    match outcome {
        Ended::Returned(value) => Ok(value),
        other => Err(format!("{name}: {other}")),
    }
}

fn parse(file: &[u8]) -> Result<Vec<Step>, String> {
    let file: Value = serde_json::from_slice(file).map_err(|error| error.to_string())?;
    let events = file["events"].as_array().ok_or("no list \"events\"")?;
    events
        .iter()
        .zip(1..)
        .map(|(event, number)| step(event).map_err(|what| format!("event {number}: {what}")))
        .collect()
}

fn step(step: &Value) -> Result<Step, String> {
    let known = ["event", "params", "token", "returns", "says"];
    let fields = step.as_object().ok_or("not an object")?;
    if let Some(other) = fields.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("no such field: {other:?}"));
    }
    let number = |value: &Value| {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| format!("{value} is no number of 32 bits"))
    };
    let event = step["event"]
        .as_str()
        .and_then(Event::from_name)
        .ok_or_else(|| format!("no event {}", step["event"]))?;
    let token = match step.get("token") {
        Some(text) => Some(
            text.as_str()
                .and_then(|text| hex::decode(text).ok())
                .ok_or("\"token\" is no even number of hex digits")?,
        ),
        None => None,
    };
    let length = token.as_ref().map(|token| token.len() as u32);
    let params = match (step.get("params"), length, event) {
        (Some(params), ..) => {
            let params = params.as_array().ok_or("\"params\" is no list")?;
            params.iter().map(number).collect::<Result<Vec<u32>, String>>()?
        }
        (None, Some(length), Event::Entitlement) => vec![length],
        (None, Some(length), _) => vec![SESSION, length],
        (None, None, _) => Vec::new(),
    };
    if params.len() > abi::EVENT_PARAMS_MAX {
        return Err(format!("more than {} params", abi::EVENT_PARAMS_MAX));
    }
    let texts = |says: &Value| {
        let texts = says.as_array()?.iter().map(|text| text.as_str().map(str::to_owned));
        texts.collect::<Option<Vec<String>>>()
    };
    Ok(Step {
        event,
        params,
        token,
        returns: step.get("returns").map(number).transpose()?,
        says: match step.get("says") {
            Some(says) => Some(texts(says).ok_or("\"says\" is no list of texts")?),
            None => None,
        },
    })
}
