//! Whole files: `portcullis scramble` from page cache to page cache, as a process of its own.
//!
//! The file is made here, 500 MB in memory (`/dev/shm`) when there is room, else in the folder for
//! temporary files; the programs are those beside this one. Time on the wall, and in the rows `-cpu`
//! CPU time of all threads of the process.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use portcullis_ts::packet::null_packet;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::measure::{Contender, Options, Row, take_turns};

/// Packets of the file: 500 MB.
const PACKETS: usize = 2_660_000;
const PACKET: usize = 188;
/// One packet in so many has an adaptation field, as video has at the end of a picture.
const SHORT: usize = 60;
/// One packet in so many is a null packet.
const NULLS: usize = 12;
/// In which Linux tells the time of processes.
const TICKS_PER_SECOND: f64 = 100.0;

/// The rows of files that are asked for.
pub(crate) fn rows(options: &Options) -> Vec<Row> {
    let works = [
        ("csa2-file", "csa2", 8, wall_seconds as Clock),
        ("csa2-file-cpu", "csa2", 8, cpu_seconds),
        ("cissa-file", "cissa", 16, wall_seconds),
        ("cissa-file-cpu", "cissa", 16, cpu_seconds),
    ];
    let mut works = works.into_iter().filter(|(work, ..)| options.wants(work)).peekable();
    let files = works.peek().and_then(|_| Files::make());
    works
        .map(|(work, mode, octets, clock)| {
            row(work, (mode, octets), clock, options.pairs, files.as_ref())
        })
        .collect()
}

/// Runs a process and tells its seconds; none when it cannot run or fails.
type Clock = fn(&mut Command) -> Option<f64>;

fn row(
    work: &'static str,
    (mode, octets): (&'static str, usize),
    clock: Clock,
    pairs: usize,
    files: Option<&Files>,
) -> Row {
    let control_word: String = (0..octets).map(|octet| format!("{octet:02x}")).collect();
    let ours = Box::new(|| {
        let files = files?;
        // Not part of the work: to give back the memory of the turn before.
        let _ = fs::remove_file(&files.output);
        let mut command = Command::new(beside_us("portcullis")?);
        command.args(["scramble", "--mode", mode, "--cw", &control_word, "--pid", "0x100"]);
        clock(command.arg("--input").arg(&files.input).arg("--output").arg(&files.output))
    });
    let cat = Box::new(|| {
        let files = files?;
        let mut command = Command::new("cat");
        clock(command.arg(&files.input).stdout(File::create(&files.output).ok()?))
    });
    let mut contenders: [Contender<'_>; 2] = [ours, cat];
    let rate = |seconds: Option<f64>| seconds.map(|s| (PACKETS * PACKET * 8) as f64 / s / 1e9);
    let mut rates = take_turns(pairs, &mut contenders).into_iter().map(rate);
    let ours = rates.next().flatten();
    // A tool that does the same is not installed here, and its library's rate is below ours.
    let peers = vec![("cat", rates.next().flatten()), ("tsduck", None)];
    Row { work, unit: "Gbit/s", ours, peers }
}

/// Seconds from its start to its end.
fn wall_seconds(command: &mut Command) -> Option<f64> {
    let begun = Instant::now();
    let status = command.stdin(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    status.success().then(|| begun.elapsed().as_secs_f64())
}

/// CPU seconds of a process; none when it cannot run or fails. The scheduler's own count of the
/// main thread, unless the count of all threads, which goes in ticks, says that there were more.
pub(crate) fn cpu_seconds(command: &mut Command) -> Option<f64> {
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw)?;
    // Until it has ended, but is still there to be asked.
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).ok()?;
    let counted = fs::read_to_string(format!("/proc/{}/schedstat", child.id()));
    let all_threads = fs::read_to_string(format!("/proc/{}/stat", child.id()));
    let ended_well = child.wait().ok()?.success();
    let nanoseconds: f64 = counted.ok()?.split(' ').next()?.parse().ok()?;
    let (main, all) = (nanoseconds / 1e9, ticks(&all_threads.ok()?)? as f64 / TICKS_PER_SECOND);
    ended_well.then_some(if all > main + 2.0 / TICKS_PER_SECOND { all } else { main })
}

/// User and system time in a line of `/proc/PID/stat`.
fn ticks(line: &str) -> Option<u64> {
    // The name of the program, in brackets, may hold anything.
    let mut fields = line.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let [user, system] = [fields.next()?, fields.next()?].map(|field| field.parse::<u64>().ok());
    Some(user? + system?)
}

/// A new folder, in memory where there is such a file system.
pub(crate) fn folder_in_memory(name: &str) -> Option<PathBuf> {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = parent.join(format!("portcullis-bench-{name}-{}", std::process::id()));
    fs::create_dir(&folder).ok()?;
    Some(folder)
}

pub(crate) fn beside_us(name: &str) -> Option<PathBuf> {
    let path = std::env::current_exe().ok()?.with_file_name(name);
    path.is_file().then_some(path)
}

/// The file and its scrambled copy; both go away at the end.
struct Files {
    folder: PathBuf,
    input: PathBuf,
    output: PathBuf,
}

impl Files {
    fn make() -> Option<Self> {
        let folder = folder_in_memory("files")?;
        let (input, output) = (folder.join("in.ts"), folder.join("out.ts"));
        let files = Self { folder, input, output };
        let mut writer = BufWriter::with_capacity(1 << 20, File::create(&files.input).ok()?);
        for number in 0..PACKETS {
            writer.write_all(&packet(number)).ok()?;
        }
        writer.flush().ok()?;
        Some(files)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // A folder of our own making, with these two files in it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn packet(number: usize) -> [u8; PACKET] {
    let mut raw = null_packet();
    if number % NULLS == 1 {
        return raw;
    }
    let mut state = number as u64;
    for octets in raw.chunks_mut(8) {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        octets.copy_from_slice(state.to_be_bytes().get(..octets.len()).unwrap_or_default());
    }
    let [sync, high, low, control, length, flags, ..] = &mut raw;
    (*sync, *high, *low, *control) = (0x47, 0x01, 0x00, 0x10 | (number % 16) as u8);
    if number.is_multiple_of(SHORT) {
        *control |= 0x20;
        (*length, *flags) = ((number / SHORT % 183) as u8, 0);
    }
    raw
}
