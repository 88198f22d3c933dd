//! Running other programs, and where things are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Done;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A built program.
pub(crate) fn program(name: &str) -> PathBuf {
    target_dir().join("release").join(name)
}

/// A `cargo` call in the workspace's folder.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = command("cargo");
    if let Some(cargo) = std::env::var_os("CARGO") {
        command = self::command(cargo);
    }
    command.args(args);
    command
}

/// A call of `program` in the workspace's folder, without the variables `cargo run` gave us:
/// they would look to the child as if it were being built.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name.as_ref());
        }
    }
    command
}

/// Says what starts now.
pub(crate) fn say(title: &str) {
    println!("== {title}");
}

/// Runs a step with its output shown; its time is told at the end.
pub(crate) fn step(title: &str, command: &mut Command) -> Done {
    say(title);
    let start = Instant::now();
    let status = command
        .status()
        .map_err(|error| format!("{title}: cannot start {}: {error}", name(command)))?;
    let seconds = start.elapsed().as_secs();
    if status.success() {
        println!("   {title}: ok, {seconds} s");
        return Ok(());
    }
    println!("   {title}: FAILED after {seconds} s");
    Err(format!("{title}: {} ended with {status}", name(command)))
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Done<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start {}: {error}", name(command)))?;
    if !output.status.success() {
        return Err(format!("{} ended with {}", name(command), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// True when the command starts and succeeds; it prints nothing.
pub(crate) fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The program's place in `PATH`.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Reads a text file; the error names it.
pub(crate) fn read(path: &Path) -> Done<String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a text file; the error names it.
pub(crate) fn write(path: &Path, text: &str) -> Done {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
