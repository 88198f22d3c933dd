//! Whole MP4 files: `portcullis descramble --mode cenc` from page cache to page cache, beside the
//! programs of others, each a process of its own.
//!
//! Two files, both some minutes of noise: one with a sample table, encrypted by ffmpeg (which makes
//! no fragments that can be decrypted), and one in fragments, encrypted by shaka-packager (which
//! does not take ffmpeg's). A program that is not there is not measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use crate::files::{beside_us, cpu_seconds, folder_in_memory};
use crate::measure::{Contender, Options, Row, take_turns};

const KEY: &str = "1032547698badcfe0102030405060708";
const KID: &str = "a7e61c373e219033c21091fa607bf3b8";
const NOISE: &str = "anoisesrc=d=600:r=48000:a=0.5";

const WORKS: [&str; 2] = ["cenc-file", "cenc-file-fragments"];

/// The rows of MP4 files that are asked for.
pub(crate) fn rows(options: &Options) -> Vec<Row> {
    if !WORKS.iter().any(|work| options.wants(work)) {
        return Vec::new();
    }
    let Some(folder) = folder_in_memory("cenc").map(Folder) else { return Vec::new() };
    let [table, fragments] = WORKS;
    let mut rows = Vec::new();
    if options.wants(table) {
        // mp4decrypt ends well with such a file, but leaves its samples as they are.
        let peers = [("ffmpeg", ffmpeg as Program)];
        rows.push(row(table, folder.with_table(), &peers, options.pairs));
    }
    if options.wants(fragments) {
        let peers = [("shaka-packager", shaka_packager as Program), ("mp4decrypt", mp4decrypt)];
        rows.push(row(fragments, folder.in_fragments(), &peers, options.pairs));
    }
    rows
}

/// Makes the command that decrypts a file into another.
type Program = fn(&Path, &Path) -> Option<Command>;

fn row(
    work: &'static str,
    input: Option<PathBuf>,
    peers: &[(&'static str, Program)],
    pairs: usize,
) -> Row {
    let octets = input.as_ref().and_then(|input| fs::metadata(input).ok()).map_or(0, |f| f.len());
    let turn = |program: Program| -> Contender<'_> {
        let input = input.as_deref();
        Box::new(move || {
            let output = input?.with_file_name("out.mp4");
            let seconds = cpu_seconds(program(input?, &output)?.stdout(Stdio::null()));
            let _ = fs::remove_file(output);
            seconds
        })
    };
    let mut contenders = vec![turn(ours)];
    contenders.extend(peers.iter().map(|(_, program)| turn(*program)));
    let rate = |seconds: f64| octets as f64 * 8.0 / seconds / 1e9;
    let mut rates = take_turns(pairs, &mut contenders).into_iter().map(|s| s.map(rate));
    let ours = rates.next().flatten();
    let peers = peers.iter().map(|(name, _)| *name).zip(rates).collect();
    Row { work, unit: "Gbit/s", ours, peers }
}

fn ours(input: &Path, output: &Path) -> Option<Command> {
    let mut command = Command::new(beside_us("portcullis")?);
    command.args(["descramble", "--mode", "cenc", "--cw", KEY]);
    command.arg("--input").arg(input).arg("--output").arg(output);
    Some(command)
}

fn ffmpeg(input: &Path, output: &Path) -> Option<Command> {
    let mut command = quiet_ffmpeg();
    command.args(["-y", "-decryption_key", KEY, "-i"]).arg(input).args(["-c", "copy"]).arg(output);
    Some(command)
}

/// Bento4's library behind a program of ours (`peers/mp4decrypt`): its own is in no registry.
/// It decrypts fragments only.
fn mp4decrypt(input: &Path, output: &Path) -> Option<Command> {
    static PROGRAM: LazyLock<Option<PathBuf>> = LazyLock::new(build_mp4decrypt);
    let mut command = Command::new(PROGRAM.as_ref()?);
    command.args([KID, KEY]).arg(input).arg(output);
    Some(command)
}

/// About a minute at first; what it writes is cargo's progress.
fn build_mp4decrypt() -> Option<PathBuf> {
    let folder = std::env::current_exe().ok()?.with_file_name("bench-peers");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--release", "--locked"]);
    cargo.args(["--manifest-path", "peers/mp4decrypt/Cargo.toml", "--target-dir"]).arg(&folder);
    let built = cargo.stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if !built {
        eprintln!("portcullis-bench: mp4decrypt: no cargo, no C++ compiler or no registry");
    }
    built.then(|| folder.join("release/portcullis-peer-mp4decrypt"))
}

/// Named by `SHAKA_PACKAGER`, or found as `packager`.
fn packager() -> Command {
    Command::new(std::env::var_os("SHAKA_PACKAGER").unwrap_or_else(|| "packager".into()))
}

fn shaka_packager(input: &Path, output: &Path) -> Option<Command> {
    let mut command = packager();
    command.arg(audio(input, output)).arg("--enable_raw_key_decryption").arg(keys());
    Some(command)
}

fn audio(input: &Path, output: &Path) -> String {
    format!("in={},stream=audio,output={}", input.display(), output.display())
}

fn keys() -> String {
    format!("--keys=label=:key_id={KID}:key={KEY}")
}

fn quiet_ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "quiet", "-nostdin"]);
    command
}

/// The files; they go away at the end.
struct Folder(PathBuf);

impl Folder {
    fn with_table(&self) -> Option<PathBuf> {
        let file = self.0.join("table.mp4");
        let scheme = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY];
        self.noise("alac", &[&scheme[..], &["-encryption_kid", KID]].concat(), &file)
    }

    fn in_fragments(&self) -> Option<PathBuf> {
        let clear = self.noise("flac", &["-strict", "-2"], &self.0.join("clear.mp4"))?;
        let file = self.0.join("fragments.mp4");
        let mut command = packager();
        command.arg(audio(&clear, &file)).args(["--enable_raw_key_encryption", "--clear_lead=0"]);
        command.arg(keys()).arg("--protection_scheme=cenc");
        made(&mut command).then_some(file)
    }

    fn noise(&self, codec: &str, more: &[&str], file: &Path) -> Option<PathBuf> {
        let mut command = quiet_ffmpeg();
        command.args(["-f", "lavfi", "-i", NOISE, "-ac", "2", "-c:a", codec]).args(more).arg(file);
        made(&mut command).then(|| file.to_owned())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder of our own making, with these files in it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn made(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}
