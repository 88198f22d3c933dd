//! One child process: started so that it cannot outlive us, listened to, ended on request.

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portcullis_console::Console;
use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};

use super::supervisor::Mail;

/// Octets of a line that a child may say.
const LINE_MAX: usize = 64 * 1024;
/// Octets taken from a box's output at once.
const OUTPUT_CHUNK: usize = 188 * 64;
/// How long the pipes of a child that ended are still read.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long a child may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// Makes this process end when its parent does.
///
/// # Errors
/// The parent is not (or no longer) the one that was named.
pub(crate) fn end_with(parent: i32) -> std::io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have ended before the line above.
    if getppid().map(Pid::as_raw_pid) == Some(parent) {
        Ok(())
    } else {
        Err(std::io::Error::other("the parent has ended"))
    }
}

/// What a child is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// A role of the headend or the centre.
    Role(&'static str),
    /// The chip of a box, and the platform behind it.
    Terminal(String),
}

impl Who {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Role(role) => role,
            Self::Terminal(name) => name,
        }
    }
}

/// How a child ended.
#[derive(Debug)]
pub(super) struct Exit {
    pub(super) who: Who,
    pub(super) pid: u32,
    pub(super) status: Option<ExitStatus>,
    pub(super) last: LastWords,
}

/// What a child said last.
#[derive(Debug, Default)]
pub(super) struct LastWords {
    /// The last line on its stderr that was no event.
    pub(super) line: String,
    /// The terminal found its chip gone.
    pub(super) chip_gone: bool,
}

/// A child that runs. Dropping it asks the child to end.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) pid: u32,
    _stop: oneshot::Sender<()>,
}

/// A command of this program that ends with us.
pub(super) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--ends-with", &std::process::id().to_string()])
        // Their lines become ours and go to the page.
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C is for us; the children are ended in order.
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// Starts a child. Its `ready` lines go to `ready`, everything else to the console; its end comes
/// as mail. To be called on the main thread only, because children end with the thread that
/// started them.
pub(super) fn start(
    program: &Path,
    args: &[OsString],
    who: Who,
    console: &Console,
    mail: &mpsc::Sender<Mail>,
    ready: Option<mpsc::Sender<String>>,
) -> std::io::Result<Running> {
    let mut child = command(program).args(args).spawn()?;
    let pid = child.id().unwrap_or_default();
    let (stop, stopped) = oneshot::channel();
    let (console, mail) = (console.clone(), mail.clone());
    let ending = AtomicBool::new(false);
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    tokio::spawn(async move {
        let said = async {
            match (&who, stdout) {
                (Who::Terminal(name), Some(stdout)) => picture(stdout, name, &console).await,
                (Who::Role(_), Some(stdout)) => ready_lines(stdout, ready).await,
                (_, None) => {}
            }
        };
        let heard = async {
            match stderr {
                Some(stderr) => events(stderr, &who, &console, &ending).await,
                None => LastWords::default(),
            }
        };
        let (ended, after) = oneshot::channel();
        let waited = async {
            let status = wait(&mut child, stopped, &ending).await;
            let _ = ended.send(());
            status
        };
        let listened = async {
            tokio::select! {
                ((), last) = async { tokio::join!(said, heard) } => last,
                // A grandchild may hold the pipes a little longer.
                () = async { let _ = after.await; tokio::time::sleep(LAST_WORDS).await } => LastWords::default(),
            }
        };
        let (status, last) = tokio::join!(waited, listened);
        // The supervisor is gone only when we are ending.
        let _ = mail.send(Mail::Exit(Exit { who, pid, status, last })).await;
    });
    Ok(Running { pid, _stop: stop })
}

/// Waits for the end; when asked to stop, brings it about.
async fn wait(
    child: &mut Child,
    stopped: oneshot::Receiver<()>,
    ending: &AtomicBool,
) -> Option<ExitStatus> {
    tokio::select! {
        status = child.wait() => return status.ok(),
        _ = stopped => {}
    }
    ending.store(true, Ordering::Relaxed);
    // Not yet waited for, so the number is still this child's.
    if let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
        let _ = kill_process(pid, Signal::TERM);
    }
    match tokio::time::timeout(GRACE, child.wait()).await {
        Ok(status) => status.ok(),
        Err(_) => {
            let _ = child.kill().await;
            child.wait().await.ok()
        }
    }
}

async fn picture(mut stdout: ChildStdout, name: &str, console: &Console) {
    let mut buffer = vec![0; OUTPUT_CHUNK];
    while let Ok(length @ 1..) = stdout.read(&mut buffer).await {
        console.box_output(name, buffer.get(..length).unwrap_or_default());
    }
}

async fn ready_lines(stdout: ChildStdout, ready: Option<mpsc::Sender<String>>) {
    let mut lines = Lines::new(stdout);
    while let Some(line) = lines.next().await {
        if let (Some(ready), Some(what)) = (&ready, line.strip_prefix("ready ")) {
            // After the start nobody waits for these any more.
            let _ = ready.send(what.to_owned()).await;
        }
    }
}

async fn events(
    stderr: impl AsyncRead + Unpin,
    who: &Who,
    console: &Console,
    ending: &AtomicBool,
) -> LastWords {
    let mut lines = Lines::new(stderr);
    let mut last = LastWords::default();
    while let Some(line) = lines.next().await {
        let event = line.starts_with('{').then(|| serde_json::from_str::<Value>(&line).ok());
        match (event.flatten(), who) {
            (Some(event), Who::Role(role)) => console.program_event(role, &event),
            (Some(event), Who::Terminal(name)) => {
                last.chip_gone |= event.get("event").is_some_and(|event| event == "chip_gone");
                console.box_event(name, &event);
            }
            (None, _) => {
                // What a child says while it is being ended is of no use to anybody.
                if !ending.load(Ordering::Relaxed) {
                    eprintln!("{}: {line}", who.name());
                }
                last.line = line;
            }
        }
    }
    last
}

/// Lines of a child; those that are too long are cut.
struct Lines<R> {
    reader: BufReader<R>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    fn new(stream: R) -> Self {
        Self { reader: BufReader::new(stream) }
    }

    async fn next(&mut self) -> Option<String> {
        let mut line = Vec::new();
        loop {
            let part = self.reader.fill_buf().await.ok()?;
            if part.is_empty() {
                return (!line.is_empty()).then(|| text(&line));
            }
            let end = part.iter().position(|octet| *octet == b'\n');
            let taken = end.unwrap_or(part.len());
            let room = LINE_MAX.saturating_sub(line.len());
            line.extend_from_slice(part.get(..taken.min(room)).unwrap_or_default());
            self.reader.consume(end.map_or(taken, |end| end + 1));
            if end.is_some() {
                return Some(text(&line));
            }
        }
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end().to_owned()
}
