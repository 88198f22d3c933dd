//! The trace of a running client, in a file: what `portcullis svm replay` follows.
//!
//! The file holds what the client itself could see: tokens, opened messages, encrypted control
//! words, its records. No key of the ladder and no control word is in it, for none reaches the
//! client. It is written for its owner alone.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use portcullis_svm::{Client, Event, Outcome, Recorder, SystemCalls, TRACE_BYTES_MAX};
use serde_json::json;

use crate::report::Reporter;

/// Traces that one terminal writes at most: one for each client that it starts.
const TRACES_MAX: usize = 16;

/// A trace that is being written.
#[derive(Debug)]
pub struct Recording {
    recorder: Recorder,
    file: File,
    path: PathBuf,
    /// Why nothing more is written.
    ended: bool,
}

impl Recording {
    /// Begins the trace of a loaded client in a new file: the name asked for, or with a number
    /// behind it when that is there already.
    ///
    /// # Errors
    /// When no such file can be made.
    pub fn begin(path: &Path, client: &Client, identity: [u8; 32]) -> std::io::Result<Self> {
        let (file, path) = new_file(path)?;
        let recorder = Recorder::new(client, identity, TRACE_BYTES_MAX);
        Ok(Self { recorder, file, path, ended: false })
    }

    /// Raises an event and writes it down.
    pub(crate) fn raise(
        &mut self,
        client: &mut Client,
        event: Event,
        params: &[u32],
        tokens: &[(u32, &[u8])],
        host: &mut dyn SystemCalls,
        reporter: &Reporter,
    ) -> Outcome {
        if self.ended {
            return client.raise(event, params, host);
        }
        let outcome = self.recorder.raise(client, event, params, tokens, host);
        let written = self.file.write_all(&self.recorder.take());
        self.ended = written.is_err() || self.recorder.is_full();
        if self.ended {
            // The picture goes on; the trace ends here and says so.
            let why = written.map_or_else(|error| error.to_string(), |()| "full".into());
            tracing::warn!("recording {}: {why}", self.path.display());
            reporter.emit(json!({
                "event": "recording", "state": "ended", "file": self.path, "reason": why,
            }));
        }
        outcome
    }
}

fn new_file(path: &Path) -> std::io::Result<(File, PathBuf)> {
    let mut tried = path.to_path_buf();
    for number in 2..=TRACES_MAX + 1 {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&tried) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            other => return other.map(|file| (file, tried)),
        }
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        tried = name.into();
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}
