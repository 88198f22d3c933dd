//! Running the programs: to their end within a limit of time, or as services.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

/// Longest a command may take before the test calls it hung.
const LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(10);

/// A program of the project, as it stands beside this test's own folder.
///
/// # Panics
/// When it is not built: `cargo xtask build` does that.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("PORTCULLIS_TEST_BIN_DIR").map_or_else(
        || {
            let test = std::env::current_exe().expect("a test knows its program");
            let deps = test.parent().expect("a program lies in a folder");
            deps.parent().expect("target/release above deps").to_path_buf()
        },
        PathBuf::from,
    );
    let path = folder.join(name);
    assert!(path.is_file(), "{} is not built: run `cargo xtask build` first", path.display());
    path
}

/// What a command left behind.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
    line: String,
}

impl Finished {
    /// The command did what it was asked.
    #[must_use]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}{}", self.line, self.stdout, self.stderr);
        self
    }

    /// The command refused: exit code 1 and one line on standard error, which is returned.
    #[must_use]
    pub fn refused(self) -> String {
        assert_eq!(self.code, Some(1), "{}\n{}{}", self.line, self.stdout, self.stderr);
        let lines: Vec<&str> = self.stderr.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), 1, "{}: one line on stderr, not\n{}", self.line, self.stderr);
        let said = lines.concat();
        assert!(!said.contains("panicked"), "{said}");
        said
    }

    /// Its standard output as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{}: {error} in\n{}", self.line, self.stdout))
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Finished {
    run_within(command, LIMIT)
}

/// Runs a command to its end, which must come within `limit`.
///
/// # Panics
/// When it does not end in time.
pub fn run_within(command: &mut Command, limit: Duration) -> Finished {
    let line = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let Some(status) = wait(&mut child, limit) else {
        let _ = child.kill();
        let _ = child.wait();
        panic!("{line}: no end after {limit:?}");
    };
    let text = |thread: JoinHandle<String>| thread.join().expect("a reader does not panic");
    Finished { code: status.code(), stdout: text(stdout), stderr: text(stderr), line }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        sleep(POLL);
    }
    None
}

/// A program that runs until it is told to stop; it does not outlive the test.
pub struct Service {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    name: String,
}

impl Service {
    /// Starts it; what it prints on either channel can be waited for.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let name = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let (sender, lines) = channel();
        let pipes: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
            child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        ];
        for pipe in pipes.into_iter().flatten() {
            let sender = sender.clone();
            spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Self { child, lines, seen: Vec::new(), name }
    }

    /// Waits for a line that contains `part` and returns it.
    ///
    /// # Panics
    /// When the service ends or `limit` passes before.
    pub fn line_with(&mut self, part: &str, limit: Duration) -> String {
        let end = Instant::now() + limit;
        loop {
            if let Ok(line) = self.lines.recv_timeout(POLL) {
                self.seen.push(line.clone());
                if line.contains(part) {
                    return line;
                }
                continue;
            }
            let has_ended = self.child.try_wait().ok().flatten();
            if has_ended.is_some() || Instant::now() > end {
                let said = self.seen.join("\n");
                panic!("{}: no line with {part:?} ({has_ended:?}); it said\n{said}", self.name);
            }
        }
    }

    /// Ends it with a signal and returns its exit code, `None` when it had to be killed.
    pub fn end(&mut self, signal: &str, limit: Duration) -> Option<i32> {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args([&format!("-{signal}"), &id]).status();
        let status = wait(&mut self.child, limit);
        if status.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        status.and_then(|status| status.code())
    }

    /// Is it still running?
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.is_running() {
            self.end("TERM", Duration::from_secs(5));
        }
        if std::thread::panicking() {
            let rest: Vec<String> = self.lines.try_iter().collect();
            eprintln!("{} said\n{}\n{}", self.name, self.seen.join("\n"), rest.join("\n"));
        }
    }
}

/// A port of the loopback that was free a moment ago.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound port").port()
}

/// Status and body of an HTTP answer, `None` while nobody answers.
#[must_use]
pub fn http_get(port: u16, path: &str) -> Option<(u16, String)> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Some((status, body.to_owned()))
}
