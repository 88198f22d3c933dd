//! `portcullis up`: the picture is on air within seconds, again and again in one directory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use portcullis_tests::{Service, World, free_port, http_get};

/// The promise of the specification.
const ON_AIR: Duration = Duration::from_secs(10);
const STOP: Duration = Duration::from_secs(10);

/// Waits until `/healthz` answers 200 and returns how long that took.
fn wait_on_air(up: &mut Service, port: u16) -> Duration {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(40) {
        if http_get(port, "/healthz").is_some_and(|(status, _)| status == 200) {
            return start.elapsed();
        }
        assert!(up.is_running(), "`up` ended by itself");
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("not on air after 40 s: {:?}", http_get(port, "/healthz"));
}

/// No process of the world lives on.
fn assert_no_child_left(world: &World) {
    let data = world.data().to_string_lossy().into_owned();
    let left: Vec<String> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(&data))
        .collect();
    assert!(left.is_empty(), "processes were left behind: {left:?}");
}

#[test]
fn up_is_on_air_in_time_and_again_in_the_same_directory() {
    let folder = World::new();
    let data = folder.file("fresh");
    for round in ["first", "second"] {
        let port = free_port();
        let mut command = std::process::Command::new(portcullis_tests::program("portcullis"));
        command.arg("up").arg("--data").arg(&data);
        command.args(["--no-open", "--listen", &format!("127.0.0.1:{port}")]);
        let mut up = Service::start(&mut command);
        let took = wait_on_air(&mut up, port);
        assert!(took < ON_AIR, "{round} start: on air after {took:?}");
        let (status, page) = http_get(port, "/").expect("the page");
        assert_eq!(status, 200);
        assert!(page.contains("<html"), "{page}");
        assert_eq!(up.end("TERM", STOP), Some(0), "{round} end");
    }
    assert_no_child_left(&folder);
}
