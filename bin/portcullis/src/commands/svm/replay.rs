//! `portcullis svm replay`: what a client did in the field, done again on a desk.
//!
//! Trust domain: a developer's machine. There is no host behind the client: every answer comes
//! from the trace, and the first difference from it is the result.

use std::path::PathBuf;

use portcullis_svm::Replay;
use serde_json::json;

use super::{Loading, kind, load, read};
use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis svm replay`.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    loading: Loading,
    /// The trace, as `terminal --record` or `svm run --record` wrote it.
    trace: PathBuf,
    /// One JSON object on standard output: the events, and where the replay differs.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let (mut client, identity) = load("svm replay", &args.loading)?;
    let trace = read(&args.trace)?;
    let mut events = Vec::new();
    let mut follow = || {
        let mut replay = Replay::open(&trace, &mut client, identity)?;
        while let Some(replayed) = replay.next_event(&mut client)? {
            events.push(json!({
                "number": replayed.number,
                "event": replayed.event.name(),
                "outcome": kind(&replayed.outcome),
                "detail": replayed.outcome.to_string(),
                "calls": replayed.calls,
                "sha256": hex::encode(replayed.fingerprint),
            }));
        }
        Ok(replay.is_full())
    };
    let followed = follow();
    let named = |error: &portcullis_svm::ReplayError| {
        Failure::new(format!("svm replay: {}: {error}", args.trace.display()))
    };
    let failure = followed.as_ref().err().map(named);
    if args.json {
        let report = json!({
            "equal": failure.is_none(),
            "events": events,
            "instructions": client.retired_instructions(),
            "full": followed.as_ref().is_ok_and(|full| *full),
            "difference": followed.as_ref().err().map(ToString::to_string),
        });
        println!("{report}");
    } else if failure.is_none() {
        let instructions = client.retired_instructions();
        println!("equal: {} events, {instructions} instructions", events.len());
        if let Ok(true) = followed {
            println!("the recording had reached its limit there");
        }
    }
    failure.map_or(Ok(()), Err)
}
