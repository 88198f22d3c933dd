//! The kit of the journeys: real programs, real streams, a data directory of its own each.
//!
//! The tests in this crate know nothing of the code behind the programs: they use the command
//! lines of the manual and look at files, exit codes and sockets. What they need beyond that
//! (reading a transport stream) is written here a second time, on purpose: a judge who shares
//! the parser of the judged would share its mistakes.

// A kit for tests: it ends the test when something does not hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod process;
mod streams;
mod transport;
mod world;

pub use process::{Finished, Service, free_port, http_get, program, run, run_within};
pub use streams::{Stream, h264_aac, hevc_aac, mpeg2_two_services};
pub use transport::{Packets, Programme};
pub use world::World;

/// Notes that a test could not run: it then counts as skipped, not as passed.
///
/// `cargo xtask test` reads the file that `PORTCULLIS_SKIP_LOG` names and tells all skips at the
/// end.
pub fn skip(test: &str, why: &str) {
    let line = format!("SKIPPED: {test}: {why}\n");
    print!("{line}");
    let Some(path) = std::env::var_os("PORTCULLIS_SKIP_LOG") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, line.as_bytes()));
    written.expect("the skip log can be written");
}

/// True when the program is in `PATH`; otherwise the test is noted as skipped.
pub fn has_tool(test: &str, tool: &str, get: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    if !is_there {
        skip(test, &format!("missing: {tool}; get it: {get}"));
    }
    is_there
}

/// [`has_tool`] for ffmpeg, which makes the streams.
pub fn has_ffmpeg(test: &str) -> bool {
    has_tool(test, "ffmpeg", "apt-get install ffmpeg")
}
