//! Peers in C, compiled on the spot, and our own modules in V8: processes of their own, asked over
//! pipes.

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

    /// Compiles and starts the virtual machine's work for this very processor.
    pub(crate) fn start_guest(sources: &[&str]) -> Option<Self> {
        let started = Self::compile_and_start("guest", "-O2", sources, &[]);
        if started.is_none() {
            eprintln!("portcullis-bench: native: no C compiler; apt-get install gcc libc6-dev");
        }
        started
    }

    /// Starts one of our modules for browsers in node, with a guest file if it is the machine.
    pub(crate) fn start_in_v8(
        name: &str,
        module: Option<&[u8]>,
        guest: Option<&[u8]>,
    ) -> Option<Self> {
        let started = module.and_then(|module| Self::try_start_in_v8(name, module, guest));
        if started.is_none() {
            eprintln!(
                "portcullis-bench: {name}: no node, or built without a compiler for WebAssembly; \
                 apt-get install nodejs rustc-web rust-web-src lld-19"
            );
        }
        started
    }

    fn try_start_in_v8(name: &str, module: &[u8], guest: Option<&[u8]>) -> Option<Self> {
        let beside = |end: &str| {
            Some(std::env::current_exe().ok()?.with_file_name(format!("bench-{name}.{end}")))
        };
        let mut node = Command::new("node");
        node.current_dir(env!("CARGO_MANIFEST_DIR")).arg("peers/wasm.mjs");
        for (octets, end) in [(Some(module), "wasm"), (guest, "elf")] {
            let Some(octets) = octets else { continue };
            let file = beside(end)?;
            std::fs::write(&file, octets).ok()?;
            node.arg(file);
        }
        Self::spawn(&mut node)
    }

    fn try_start(name: &str, libraries: &[&str]) -> Option<Self> {
        Self::compile_and_start(name, "-O3", &[&format!("peers/{name}.c")], libraries)
    }

    fn compile_and_start(
        name: &str,
        optimised: &str,
        sources: &[&str],
        libraries: &[&str],
    ) -> Option<Self> {
        let program = std::env::current_exe().ok()?.with_file_name(format!("bench-peer-{name}"));
        let mut compiler = Command::new("cc");
        compiler.current_dir(env!("CARGO_MANIFEST_DIR")).args([optimised, "-o"]).arg(&program);
        if !compiler.args(sources).args(libraries).stderr(Stdio::null()).status().ok()?.success() {
            return None;
        }
        Self::spawn(&mut Command::new(program))
    }

    fn spawn(command: &mut Command) -> Option<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let questions = child.stdin.take()?;
        let answers = BufReader::new(child.stdout.take()?);
        Some(Self { child, questions, answers })
    }

    /// Seconds of CPU time for the work; `None` when the peer does not know it.
    pub(crate) fn seconds(&mut self, work: &str, packets: usize, rounds: usize) -> Option<f64> {
        let answer = self.ask(&format!("{work} {packets} {rounds}"))?;
        let nanoseconds: u64 = answer.trim().parse().ok()?;
        Some(nanoseconds as f64 / 1e9)
    }

    /// Seconds of CPU time and the sum, for work of the virtual machine.
    pub(crate) fn guest_work(&mut self, what: u32, rounds: u32) -> Option<(f64, u32)> {
        let answer = self.ask(&format!("{what} {rounds}"))?;
        let (nanoseconds, sum) = answer.trim().split_once(' ')?;
        Some((nanoseconds.parse::<u64>().ok()? as f64 / 1e9, sum.parse().ok()?))
    }

    fn ask(&mut self, question: &str) -> Option<String> {
        writeln!(self.questions, "{question}").ok()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for NativePeer {
    fn drop(&mut self) {
        // It is our own child and has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
