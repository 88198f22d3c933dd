//! Streams to test with, made by ffmpeg once and kept in `target/test-streams`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{program, run};

/// A stream in the clear.
pub struct Stream {
    /// The file.
    pub path: PathBuf,
    /// The service to protect.
    pub service: u16,
}

/// H.264 and AAC at a constant rate: one service, with null packets to spare.
#[must_use]
pub fn h264_aac() -> Stream {
    let path = made(
        "h264-aac.ts",
        &[
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-g",
            "25",
            "-b:v",
            "600k",
            "-maxrate",
            "700k",
            "-bufsize",
            "700k",
            "-c:a",
            "aac",
            "-b:a",
            "96k",
            "-muxrate",
            "1500k",
            "-mpegts_service_id",
            "7",
        ],
        &[],
    );
    Stream { path, service: 7 }
}

/// HEVC and AAC as they come: one service, no null packet anywhere.
#[must_use]
pub fn hevc_aac() -> Stream {
    let path = made(
        "hevc-aac.ts",
        &[
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "log-level=none:keyint=25",
            "-b:v",
            "500k",
            "-c:a",
            "aac",
            "-b:a",
            "96k",
            "-mpegts_service_id",
            "300",
        ],
        &[],
    );
    Stream { path, service: 300 }
}

/// MPEG-2 video and layer II sound, two services without null packets; the second one counts.
#[must_use]
pub fn mpeg2_two_services() -> Stream {
    let path = made(
        "mpeg2-two.ts",
        &["-c:v", "mpeg2video", "-b:v", "900k", "-g", "12", "-c:a", "mp2", "-b:a", "128k"],
        &[
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-program",
            "title=One:program_num=11:st=0:st=1",
            "-program",
            "title=Two:program_num=12:st=2:st=3",
        ],
    );
    Stream { path, service: 12 }
}

/// Makes the file when it is not there yet. Tests run side by side: each writes under a name of
/// its own and moves it into place.
fn made(name: &str, coding: &[&str], mapping: &[&str]) -> PathBuf {
    let folder = program("portcullis").parent().expect("a folder").join("../test-streams");
    std::fs::create_dir_all(&folder).expect("target can be written");
    let path = folder.join(name);
    if !path.is_file() {
        let new = folder.join(format!("{}.{}.ts", name, std::process::id()));
        ffmpeg(coding, mapping, &new);
        std::fs::rename(&new, &path).expect("the stream can be moved into place");
    }
    path
}

fn ffmpeg(coding: &[&str], mapping: &[&str], output: &Path) {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"]);
    command.args(["testsrc2=size=320x180:rate=25:duration=12", "-f", "lavfi", "-i"]);
    command.args(["sine=frequency=440:sample_rate=48000:duration=12"]);
    command.args(mapping).args(coding).args(["-f", "mpegts"]).arg(output);
    let _ = run(&mut command).ok();
}
