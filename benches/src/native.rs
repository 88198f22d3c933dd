//! Peers in C: compiled on the spot, run as processes of their own, asked over pipes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running peer.
pub(crate) struct NativePeer {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl NativePeer {
    /// Compiles and starts a peer; `None`, with a line on standard error, when that fails.
    pub(crate) fn start(name: &str, libraries: &[&str]) -> Option<Self> {
        let started = Self::try_start(name, libraries);
        if started.is_none() {
            eprintln!("portcullis-bench: {name}: no C compiler or no development files");
        }
        started
    }

    fn try_start(name: &str, libraries: &[&str]) -> Option<Self> {
        let source = format!("{}/peers/{name}.c", env!("CARGO_MANIFEST_DIR"));
        let program = std::env::current_exe().ok()?.with_file_name(format!("bench-peer-{name}"));
        let mut compiler = Command::new("cc");
        compiler.args(["-O3", "-o"]).arg(&program).arg(source).args(libraries);
        if !compiler.stderr(Stdio::null()).status().ok()?.success() {
            return None;
        }
        let mut child =
            Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let questions = child.stdin.take()?;
        let answers = BufReader::new(child.stdout.take()?);
        Some(Self { child, questions, answers })
    }

    /// Seconds of CPU time for the work; `None` when the peer does not know it.
    pub(crate) fn seconds(&mut self, work: &str, packets: usize, rounds: usize) -> Option<f64> {
        writeln!(self.questions, "{work} {packets} {rounds}").ok()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).ok()?;
        let nanoseconds: u64 = answer.trim().parse().ok()?;
        Some(nanoseconds as f64 / 1e9)
    }
}

impl Drop for NativePeer {
    fn drop(&mut self) {
        // It is our own child and has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
